"""Who asks: the network of an address, and what else the configuration says of it. Remembered, within bounds.

The access list always judges the address that sent the query: the socket's peer, or the one that a listed proxy tells
(PROXY protocol). Refuses to know packets and sockets.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from resolver import settings
from resolver.host_port import HostPort
from zones.networks.network import NONE, Network, Networks
from zones.networks.prefixes import Prefixes, prefix

REFUSED: Final = -2
"""In place of a network: a client outside `dns.allow`."""
DROPPED: Final = -3
"""In place of a network: a client that gets no reply."""
PROXY: Final = -4
"""In place of a network: a proxy, which tells the client's address in a header."""
_REMEMBERED: Final = 65_536
_MAPPED: Final = bytes(10) + b"\xff\xff"


class Client(NamedTuple):
    """One client. `address` is packed, 4 or 16 octets; an IPv4-mapped one is IPv4."""

    address: bytes
    network: int
    """Index of its network, or `NONE`, `REFUSED` or `DROPPED`."""
    forwarder: bool = False
    """Its client-subnet option chooses the network (RFC 7871)."""


class Clients:
    """What every address is. `listener`: all who are allowed are in the network of this name, which may be none yet."""

    def __init__(self, networks: Networks, worker: settings.WorkerSettings, listener: str | None = None) -> None:
        self.networks = networks
        self._worker = worker
        self._listener = listener
        self._at: dict[str, Clients] = {}
        """Those of listeners that are for one network, by its name."""
        self._allowed = _Prefixes(worker.allow)
        self._dropped = _Prefixes(worker.drop_clients)
        self._proxies = _Prefixes(worker.proxy_from)
        self._forwarders = _Prefixes(worker.forwarders)
        self.known: dict[bytes, int] = {}
        """By the address's octets as the socket gives them: what `find` said."""
        self._peers: dict[bytes, Client] = {}
        self._subnets: dict[tuple[bytes, int], tuple[int, int]] = {}

    def find(self, address: bytes) -> int:
        """A socket's peer, 4 or 16 octets: the index of its network, `NONE`, `REFUSED`, `DROPPED` or `PROXY`."""
        found = self.known.get(address)
        if found is None:
            self.peer(address)
            found = self.known[address]
        return found

    def peer(self, address: bytes) -> Client:
        """The client at a socket's peer; for a proxy, the proxy itself."""
        client = self._peers.get(address)
        if client is None:
            if len(self._peers) >= _REMEMBERED:
                self.forget()
            at = unmapped(address)
            client = self._peers[address] = self.client(at)
            self.known[address] = PROXY if self._proxies.hold(at) else client.network
        return client

    def replace(self, networks: tuple[Network, ...]) -> None:
        """Put these networks in place of those that there are."""
        self.networks.replace(networks)
        self.forget()

    def forget(self) -> None:
        """The networks have changed."""
        self._peers.clear()
        self.known.clear()
        self._subnets.clear()
        for each in self._at.values():
            each.forget()

    def at(self, listener: HostPort) -> "Clients":
        """What addresses are that come by the listener at this address and port."""
        name = next((each.network for each in self._worker.listeners if each.listen == listener), None)
        if name is None:
            return self
        if name not in self._at:
            self._at[name] = Clients(self.networks, self._worker, name)
        return self._at[name]

    def client(self, address: bytes) -> Client:
        """The client at an address of `packed` that a proxy told."""
        if self._dropped.hold(address):
            return Client(address, DROPPED)
        if not self._allowed.hold(address):
            return Client(address, REFUSED)
        if self._listener is not None:
            return Client(address, self.networks.find_named(self._listener))
        return Client(address, self.networks.find(address), self._forwarders.hold(address))

    def subnet(self, client: Client, address: bytes, length: int) -> tuple[int, int]:
        """The network for a client-subnet option (RFC 7871 §7.2.1), and the scope that the answer holds for.

        The option chooses it only if the whole subnet lies in one network; the forwarder's own counts otherwise. The
        scope is never 0, so that no forwarder takes the answer for everybody's.
        """
        known = self._subnets.get((address, length))
        if known is None:
            if len(self._subnets) >= _REMEMBERED:
                self._subnets.clear()
            known = self._subnets[address, length] = self.networks.find_subnet(address, length)
        network, depth = known
        return client.network if network == NONE else network, max(length, depth, 1)


def packed(address: str) -> bytes:
    """An address as a socket gives it, without its scope; an IPv4-mapped one as IPv4 (RFC 4291 §2.5.5.2)."""
    return unmapped(ip_address(address.partition("%")[0]).packed)


def unmapped(address: bytes) -> bytes:
    """A packed address; an IPv4-mapped one as IPv4."""
    return address[12:] if len(address) == 16 and address.startswith(_MAPPED) else address


class _Prefixes:
    """A set of prefixes."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self._prefixes = Prefixes((prefix(text), 0) for text in prefixes)

    def hold(self, address: bytes) -> bool:
        """True for an address under one of them."""
        return self._prefixes.find(address) != NONE
