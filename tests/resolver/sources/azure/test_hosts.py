"""Names of Azure's hosts are resolved by upstream servers, here on loopback, and never by the system's resolver."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

import aiohttp
import dnslib
import pytest
import trustme

from resolver import settings
from resolver.azure_settings import AzureSettings
from resolver.settings import Server, UpstreamGroup
from resolver.sources.azure import hosts
from resolver.sources.azure.hosts import Hosts
from resolver.sources.azure.sync import AzureSource
from resolver.wire import codes
from tests.fake_azure.conftest import ONE, TWO, small
from tests.fake_azure.limits import UNLIMITED
from tests.fake_azure.server import FakeAzure
from tests.resolver.forward.client.upstreams import FakeUpstream, answer

HOST = "management.example"
ANY = socket.AF_UNSPEC


class HostZone:
    """The data of the upstream server: addresses and aliases by name."""

    def __init__(self, upstream: FakeUpstream) -> None:
        self.upstream = upstream
        self.records: dict[str, list[dnslib.RD]] = {}
        self.rcode = codes.NOERROR
        upstream.respond = self._respond

    @property
    def group(self) -> UpstreamGroup:
        return UpstreamGroup("public", (self.upstream.server,))

    def _respond(self, query: dnslib.DNSRecord, _: str) -> list[bytes]:
        if self.rcode:
            return [answer(query, self.rcode)]
        reply = query.reply(ra=1)
        kind = dnslib.QTYPE[query.q.qtype]
        for data in self.records.get(str(query.q.qname).rstrip(".").lower(), []):
            if type(data).__name__ in {kind, "CNAME"}:
                reply.add_answer(
                    dnslib.RR(query.q.qname, getattr(dnslib.QTYPE, type(data).__name__), rdata=data, ttl=60)
                )
        return [bytes(reply.pack())]


@pytest.fixture
async def zone() -> AsyncIterator[HostZone]:
    upstream = FakeUpstream()
    await upstream.open()
    yield HostZone(upstream)
    await upstream.close()


@pytest.fixture
def no_system(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names, not addresses, that the system's resolver was asked to resolve."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def watched(host: str, *rest: object, **keys: object) -> object:
        if not all(letter in "0123456789abcdef.:" for letter in host):
            asked.append(host)
        return real(host, *rest, **keys)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    return asked


async def addresses(name: str, *groups: UpstreamGroup, family: socket.AddressFamily = ANY) -> list[str]:
    found = Hosts(groups)
    try:
        return [each["host"] for each in await found.resolve(name, 443, family)]
    finally:
        await found.close()


async def test_addresses_of_both_families(zone: HostZone) -> None:
    zone.records[HOST] = [dnslib.A("192.0.2.1"), dnslib.A("192.0.2.2"), dnslib.AAAA("2001:db8::1")]
    assert await addresses(HOST, zone.group) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
    assert await addresses(HOST, zone.group, family=socket.AF_INET6) == ["2001:db8::1"]


async def test_aliases_are_followed_with_further_queries(zone: HostZone) -> None:
    zone.records[HOST] = [dnslib.CNAME("a.example")]
    zone.records["a.example"] = [dnslib.CNAME("b.example")]
    zone.records["b.example"] = [dnslib.A("192.0.2.1")]
    assert await addresses(HOST, zone.group) == ["192.0.2.1"]


async def test_aliases_in_a_circle_end(zone: HostZone) -> None:
    zone.records[HOST] = [dnslib.CNAME("a.example")]
    zone.records["a.example"] = [dnslib.CNAME(HOST)]
    with pytest.raises(OSError, match=HOST):
        await addresses(HOST, zone.group)


async def test_a_name_is_resolved_by_the_group_of_its_suffix(zone: HostZone) -> None:
    zone.records[HOST] = [dnslib.A("192.0.2.1")]
    public = UpstreamGroup("public", (Server("udp", "127.0.0.1", 9),))
    assert await addresses(HOST, public, UpstreamGroup("stack", (zone.upstream.server,), ("example",))) == ["192.0.2.1"]


async def test_localhost_is_this_machine() -> None:
    assert await addresses("LocalHost") == ["127.0.0.1", "::1"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (HOST, f"{HOST}: it has no address"),
        ("a b.example", "a b.example is not a host name"),
        (f"{'a' * 64}.example", "is not a host name"),
    ],
)
async def test_names_without_an_address(zone: HostZone, name: str, said: str) -> None:
    with pytest.raises(OSError, match=said):
        await addresses(name, zone.group)


async def test_the_failure_of_servers_is_the_reason(zone: HostZone) -> None:
    zone.rcode = codes.REFUSED
    with pytest.raises(OSError, match=f"{HOST}: upstream servers"):
        await addresses(HOST, zone.group)
    with pytest.raises(OSError, match=f"{HOST}: upstream servers do not answer"):
        await addresses(HOST)


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, alone: None) -> pytest.MonkeyPatch:
    return monkeypatch


def source(url: str) -> settings.SourceSettings:
    return settings.SourceSettings("hub", "azure", url, azure=AzureSettings(management=url))


async def test_a_sync_uses_the_upstream_server_and_never_the_system_resolver(
    zone: HostZone, identity: pytest.MonkeyPatch, no_system: list[str]
) -> None:
    """The token endpoint and the Resource Manager both have host names here, as in the cloud."""
    zone.records[HOST] = [dnslib.A("127.0.0.1")]
    zone.records["identity.example"] = [dnslib.A("127.0.0.1")]
    async with FakeAzure(small(), limits=UNLIMITED) as fake, hosts.session([zone.group]) as http:
        identity.setenv("IDENTITY_HEADER", fake.environment["IDENTITY_HEADER"])
        endpoint = fake.environment["IDENTITY_ENDPOINT"]
        identity.setenv("IDENTITY_ENDPOINT", endpoint.replace("127.0.0.1", "identity.example"))
        azure = AzureSource(source(fake.url.replace("127.0.0.1", HOST)), http)
        reading = await azure.read()
        await azure.close()
    assert not reading.error
    assert set(reading.parts) == {ONE, TWO}
    asked = {str(query.q.qname).rstrip(".") for query in zone.upstream.asked}
    assert asked == {HOST, "identity.example"}
    assert not no_system


async def test_a_sync_without_an_upstream_answer_says_so(zone: HostZone, identity: pytest.MonkeyPatch) -> None:
    async with FakeAzure(small()) as fake, hosts.session([zone.group]) as http:
        for name, value in fake.environment.items():
            identity.setenv(name, value)
        azure = AzureSource(source(f"https://{HOST}"), http)
        assert f"{HOST}: its address is not known: {HOST}: it has no address" in (await azure.read()).error
        await azure.close()


async def test_an_untrusted_certificate_is_refused(identity: pytest.MonkeyPatch, zone: HostZone) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with FakeAzure(small(), tls=context) as fake, hosts.session([zone.group]) as http:
        for name, value in fake.environment.items():
            identity.setenv(name, value)
        azure = AzureSource(source(fake.url), http)
        assert "127.0.0.1: its certificate is not valid" in (await azure.read()).error
        assert not [each for each in fake.requests if each.authorized]
        await azure.close()


async def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, fake: FakeAzure, http: aiohttp.ClientSession
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    azure = AzureSource(source(fake.url), http)
    assert not (await azure.read()).error
    await azure.close()


async def test_closing_the_session_closes_its_connections(zone: HostZone) -> None:
    async with hosts.session([zone.group]) as http:
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(f"http://{HOST}/")
    assert http.closed
    assert len(asyncio.all_tasks()) == 1
