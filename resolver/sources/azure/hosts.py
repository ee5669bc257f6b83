"""Resolves the names of Azure's hosts with the configured upstream servers, and opens the HTTP session that does so.

The system's resolver is never used: it may be this pldns, which would then wait for itself. IP addresses need no
lookup, and `localhost` is this machine. Every other name must be in the DNS.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.client.forwarder import Forwarder
from resolver.forward.routing import UpstreamGroups
from resolver.settings import UpstreamGroup
from resolver.wire import aliases, codes, relay
from resolver.wire.plain_reply import PlainReply, Reply
from zones.dns import name, record
from zones.dns.name import Name

_HOPS: Final = 12
_KEPT: Final = 60  # seconds for which an address is cached
_CONNECTIONS: Final = 16
_FAMILIES: Final = {record.A: socket.AF_INET, record.AAAA: socket.AF_INET6}
_LOCAL: Final = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


class Hosts(AbstractResolver):
    """Resolves names with the upstream group for each name, as for clients: the group of the suffix, else `public`."""

    def __init__(self, groups: Sequence[UpstreamGroup]) -> None:
        self._groups = tuple(groups)
        self._upstreams = UpstreamGroups(groups)
        self._resolver = Forwarder(self._upstreams, asyncio.get_running_loop())

    def configure(self, groups: Sequence[UpstreamGroup]) -> None:
        """Ask these groups from now on."""
        if tuple(groups) != self._groups:
            self._groups, self._upstreams = tuple(groups), UpstreamGroups(groups)
            self._resolver.replace(self._upstreams, lambda _: b"")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return all addresses of a host. Raises OSError."""
        wanted = {rtype: each for rtype, each in _FAMILIES.items() if family in {each, socket.AF_UNSPEC}}
        if host.casefold() == "localhost":
            return [_result(host, _LOCAL[each], port, each) for each in wanted.values()]
        try:
            asked = name.host_from_text(host)
        except name.InvalidName as error:
            raise OSError(f"{host} is not a host name: {error}") from None
        found = await asyncio.gather(*(self._addresses(asked, rtype) for rtype in wanted), return_exceptions=True)
        results = [
            _result(host, socket.inet_ntop(each, address), port, each)
            for each, addresses in zip(wanted.values(), found, strict=True)
            if not isinstance(addresses, BaseException)
            for address in addresses
        ]
        if not results:
            raise OSError(f"{host}: {next((str(e) for e in found if isinstance(e, OSError)), 'it has no address')}")
        return results

    async def close(self) -> None:
        """Close the connections to upstream servers."""
        self._resolver.close()

    async def _addresses(self, host: Name, rtype: int) -> tuple[bytes, ...]:
        for _ in range(_HOPS):
            message = await self._ask(Key(self._upstreams.route(host), host, rtype))
            if message.rcode not in {codes.NOERROR, codes.NXDOMAIN}:
                raise OSError(f"upstream servers answer {codes.rcode_text(message.rcode)}")
            chain = aliases.chain(message, host, rtype)
            if not chain.bare:
                return tuple(data for rrset in chain.final if rrset.type == rtype for data in rrset.rdatas)
            host = chain.last
        raise OSError("too many aliases")

    async def _ask(self, key: Key) -> relay.Message:
        done: asyncio.Future[Reply | UpstreamFailure] = asyncio.get_running_loop().create_future()
        self._resolver.ask(key, lambda _, result: None if done.done() else done.set_result(result))
        result = await done
        if isinstance(result, UpstreamFailure):
            raise OSError(f"upstream servers do not answer: {result.text}")
        return result.message() if isinstance(result, PlainReply) else result


def _result(host: str, address: str, port: int, family: socket.AddressFamily) -> ResolveResult:
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


@contextlib.asynccontextmanager
async def session(groups: Iterable[UpstreamGroup]) -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP session for Azure's hosts, whose names are asked of these groups."""
    async with session_of(Hosts(tuple(groups))) as http:
        yield http


@contextlib.asynccontextmanager
async def session_of(hosts: Hosts) -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP session for Azure's hosts, without the system's resolver, proxies of the environment and cookies."""
    connector = aiohttp.TCPConnector(resolver=hosts, limit=_CONNECTIONS, ttl_dns_cache=_KEPT)
    try:
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as http:
            yield http
    finally:
        await hosts.close()
