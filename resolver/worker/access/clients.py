"""Who asks: the network of a client's address, and whether the client may ask. Results are cached, within bounds.

The access list applies to the address that sent the query: the socket's peer, or the client in the PROXY header of a
trusted proxy. Does not know packets and sockets.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final, NamedTuple

from resolver import settings
from resolver.host_port import HostPort
from zones.networks.network import Network, Networks
from zones.networks.prefixes import NONE, NetworkIndex, Prefixes, prefix

REFUSED: Final = NetworkIndex(-2)
"""In place of a network index: a client outside `dns.allow`."""
DROPPED: Final = NetworkIndex(-3)
"""In place of a network index: a client that gets no reply."""
PROXY: Final = NetworkIndex(-4)
"""In place of a network index: a proxy, which sends the client's address in a header."""
_REMEMBERED: Final = 65_536
_MEMBER: Final = NetworkIndex(0)
_MAPPED: Final = bytes(10) + b"\xff\xff"


class Client(NamedTuple):
    """One client. `address` is packed, 4 or 16 octets; an IPv4-mapped address is 4 octets."""

    address: bytes
    network: NetworkIndex
    """Index of the client's network, or `NONE`, `REFUSED` or `DROPPED`."""
    forwarder: bool = False
    """True if the network comes from the client-subnet option of its queries (RFC 7871)."""
    factor: int = 0
    """Largest ratio of a UDP reply to its query while the address may be forged; 0: no limit."""


class Clients:
    """Finds the client of an address.

    With `listener`, all allowed clients are in the network of this name, or in no network until it exists.
    """

    def __init__(self, networks: Networks, worker: settings.WorkerSettings, listener: str | None = None) -> None:
        self.networks = networks
        self._worker = worker
        self._listener = listener
        self._at: dict[str, Clients] = {}
        """Clients of listeners that serve one network each, by the name of the network."""
        self._allowed = _Prefixes(worker.allow)
        self._dropped = _Prefixes(worker.drop_clients)
        self._proxies = _Prefixes(worker.proxy_from)
        self._forwarders = _Prefixes(worker.forwarders)
        self._unlimited = _Prefixes(worker.unproven.clients)
        self.factor = worker.unproven.factor
        """Largest ratio of a UDP reply to its query, for clients that have a limit."""
        self.known: dict[bytes, NetworkIndex] = {}
        """Results of `find`, by the octets of the address in the socket address."""
        self._peers: dict[bytes, Client] = {}
        self._subnets: dict[tuple[bytes, int], tuple[NetworkIndex, int]] = {}

    def find(self, address: bytes) -> NetworkIndex:
        """Return the network index of a socket's peer (4 or 16 octets), or `NONE`, `REFUSED`, `DROPPED` or `PROXY`."""
        found = self.known.get(address)
        if found is None:
            self.peer(address)
            found = self.known[address]
        return found

    def peer(self, address: bytes) -> Client:
        """Return the client at a socket's peer; for a proxy, the proxy itself."""
        client = self._peers.get(address)
        if client is None:
            if len(self._peers) >= _REMEMBERED:
                self.forget()
            at = unmapped(address)
            client = self._peers[address] = self.client(at)
            self.known[address] = PROXY if self._proxies.hold(at) else client.network
        return client

    def replace(self, networks: tuple[Network, ...]) -> None:
        """Replace all networks."""
        self.networks.replace(networks)
        self.forget()

    def forget(self) -> None:
        """Drop cached results: the networks have changed."""
        self._peers.clear()
        self.known.clear()
        self._subnets.clear()
        for each in self._at.values():
            each.forget()

    def at(self, listener: HostPort) -> "Clients":
        """Return the clients of the listener at this address and port."""
        name = next((each.network for each in self._worker.listeners if each.listen == listener), None)
        if name is None:
            return self
        if name not in self._at:
            self._at[name] = Clients(self.networks, self._worker, name)
        return self._at[name]

    def client(self, address: bytes) -> Client:
        """Return the client at a packed address, for example one in a proxy's header."""
        if self._dropped.hold(address):
            return Client(address, DROPPED)
        if not self._allowed.hold(address):
            return Client(address, REFUSED, factor=self.factor)
        factor = 0 if self._unlimited.hold(address) else self.factor
        if self._listener is not None:
            return Client(address, self.networks.find_named(self._listener), factor=factor)
        return Client(address, self.networks.find(address), self._forwarders.hold(address), factor)

    def subnet(self, client: Client, address: bytes, length: int) -> tuple[NetworkIndex, int]:
        """Return the network for a client-subnet option (RFC 7871 §7.2.1), and the scope of the answer.

        The network is the one that contains the whole subnet; if there is none, the forwarder's own. All addresses in
        the scope have the same answer. The scope is never 0, which would mean all clients (RFC 7871 §7.3.1).
        """
        known = self._subnets.get((address, length))
        if known is None:
            if len(self._subnets) >= _REMEMBERED:
                self._subnets.clear()
            known = self._subnets[address, length] = self.networks.find_subnet(address, length)
        network, scope = known
        return client.network if network == NONE else network, max(scope, 1)


def packed(address: str) -> bytes:
    """Return the packed form of an address in text, without its scope. IPv4-mapped becomes IPv4 (RFC 4291 §2.5.5.2)."""
    return unmapped(ip_address(address.partition("%")[0]).packed)


def unmapped(address: bytes) -> bytes:
    """Return a packed address, an IPv4-mapped one as IPv4."""
    return address[12:] if len(address) == 16 and address.startswith(_MAPPED) else address


class _Prefixes:
    """A set of prefixes."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self._prefixes = Prefixes((prefix(text), _MEMBER) for text in prefixes)

    def hold(self, address: bytes) -> bool:
        """Return True for an address in one of the prefixes."""
        return self._prefixes.find(address) != NONE
