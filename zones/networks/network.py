"""Networks: named sets of client prefixes, and the endpoints that are visible to each. Other servers call them views.

A set of networks is a bit mask in which bit i is network i. So the visibility of an endpoint takes one integer however
many networks there are. Knows prefixes, VNets, subscriptions and regions. Does not know names and claims.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NewType

import msgspec

from zones.azure.endpoint import Endpoint, ResourceId, fold_region
from zones.networks.excepted import Excepted, ExceptedItem
from zones.networks.prefixes import NONE, NetworkIndex, Prefix, Prefixes, prefix
from zones.networks.subnets import Subnets

NO_NETWORK: Final = "none"
"""The reserved name for clients in no network (index `NONE`). No endpoint is visible to them."""


NetworkMask = NewType("NetworkMask", int)
"""A set of networks: bit i is set for the network with index i."""
NO_NETWORKS: Final = NetworkMask(0)


class Network(msgspec.Struct, frozen=True):
    """A named set of client prefixes (`clients`), and the endpoints that are visible to these clients.

    `vnets` are the home VNets. `reach` has what else is visible: VNet ids, `/subscriptions/ID`, `region:NAME` or `all`.
    Where both are empty, every endpoint is visible.
    """

    name: str
    clients: tuple[str, ...]
    vnets: tuple[str, ...] = ()
    reach: tuple[str, ...] = ()
    key: str = ""
    """Normalised id of the virtual network that the network was derived from; empty for a configured network."""
    excepted: tuple[ExceptedItem, ...] = ()
    """Endpoints and names that are not visible, although `vnets` and `reach` have them."""

    @property
    def identity(self) -> str:
        """The part of the network that never changes; even its name may."""
        return self.key or self.name


DEFAULT_NETWORK: Final = Network("default", ("0.0.0.0/0", "::/0"))
"""The only network where none is configured."""


class Networks:
    """All present networks, which `replace` replaces.

    An index belongs to one identity and is never reused, so masks and indices stay valid over a change. With `auto`,
    virtual networks define networks, none at first. Without `auto` and without configured networks there is one
    network, `default`: every client is in it, and every endpoint is visible to it. `listeners` has the names of
    networks whose clients are recognised by the listener that receives their queries. `identities` are those of earlier
    networks by index: they keep their indices.
    """

    def __init__(
        self,
        configured: Sequence[Network] = (),
        *,
        auto: bool = False,
        listeners: Iterable[str] = (),
        identities: Iterable[str] = (),
    ) -> None:
        self._listeners = frozenset(listeners)
        self.configured = tuple(configured)
        self.auto = auto
        self.implicit = not configured and not auto
        self.identities: list[str] = []
        """By index, as are the names. Both include networks that no longer exist."""
        self.names: list[str] = []
        self.version = 0
        """The number of calls of `replace` so far."""
        self._indices: dict[str, NetworkIndex] = {}
        """By identity."""
        self._regions: dict[ResourceId, str] = {}
        """The region of each VNet whose own resource has been read."""
        self._endpoint_regions: dict[str, Counter[str]] = {}
        """For each VNet, the number of its endpoints in each region."""
        for identity in identities:
            self.index(identity)
        self.replace(self.configured)

    def replace(self, networks: Sequence[Network]) -> None:
        """Replace the networks by these. The regions that are known stay known."""
        self.now = tuple(networks)
        self.version += 1
        self.excepted: Excepted | None = None
        """None while no network excepts anything, the usual case."""
        self._everything = 0
        self._seen_vnets: dict[str, int] = {}
        self._seen_subscriptions: dict[str, int] = {}
        self._seen_regions: dict[str, int] = {}
        self._home: dict[ResourceId, int] = {}
        self.all = NO_NETWORKS
        """The mask of all present networks."""
        self._named: dict[str, NetworkIndex] = {}
        """The index of each present network, by name."""
        for network in (DEFAULT_NETWORK,) if self.implicit else networks:
            if network.name != NO_NETWORK:
                self._add(network)
        self._only = self._named.get(DEFAULT_NETWORK.name, NONE)
        """The index of the network `default`, where it is the only one."""
        self.homeless = NetworkMask(self.all & ~_union(self._home.values()))
        """The mask of networks without a home VNet, where nearness cannot decide a contest."""
        self._held = tuple(
            (prefix(text), self._named.get(network.name, NONE)) for network in networks for text in network.clients
        )
        self._prefixes = Prefixes(self._held)
        self._subnets: Subnets | None = None
        """Made when it is needed first: only forwarders ask for subnets."""
        self._home_regions: dict[ResourceId, str] = {}
        self._near: dict[str, int] = {}
        """For each region, the mask of networks with a home VNet there."""
        self._settle(self._home)

    def index(self, identity: str) -> NetworkIndex:
        """Return the index of an identity. The first call for an identity assigns the index."""
        index = self._indices.get(identity)
        if index is None:
            index = self._indices[identity] = NetworkIndex(len(self.identities))
            self.identities.append(identity)
            self.names.append("")
        return index

    def _add(self, network: Network) -> None:
        index = self._named[network.name] = self.index(network.identity)
        self.names[index] = network.name
        bit = 1 << index
        self.all = NetworkMask(self.all | bit)
        if network.excepted:
            self.excepted = self.excepted or Excepted()
            self.excepted.add(network.excepted, bit)
        if not network.vnets and not network.reach:
            self._everything |= bit
        for vnet in network.vnets:
            key = ResourceId(vnet.casefold().rstrip("/"))
            self._home[key] = self._home.get(key, 0) | bit
            self._seen_vnets[key] = self._seen_vnets.get(key, 0) | bit
        for item in network.reach:
            if item == "all":
                self._everything |= bit
                continue
            table, name = self._reach(item)
            table[name] = table.get(name, 0) | bit

    def _reach(self, item: str) -> tuple[dict[str, int], str]:
        folded = item.casefold().rstrip("/")
        if folded.startswith("region:"):
            return self._seen_regions, fold_region(folded.removeprefix("region:"))
        if folded.count("/") == 2:
            return self._seen_subscriptions, folded.removeprefix("/subscriptions/")
        return self._seen_vnets, folded

    # -- clients

    def find(self, address: bytes) -> NetworkIndex:
        """Return the index of the network with the longest prefix that contains the packed `address`, or `NONE`.

        An IPv4-mapped IPv6 address is taken as the IPv4 address (RFC 4291 §2.5.5.2).
        """
        return self._only if self.implicit else self._prefixes.find(address)

    def find_subnet(self, address: bytes, length: int) -> tuple[NetworkIndex, int]:
        """Return the network of all addresses of a subnet, or `NONE`, and the scope of that: see `Subnets.find`.

        The subnet has `length` bits at the packed `address`.
        """
        if self.implicit:
            return self._only, 0
        if self._subnets is None:
            self._subnets = Subnets(self._held)
        return self._subnets.find(address, length)

    def has_listener(self, vnet: str) -> bool:
        """Return True where the network of this VNet has a listener of its own."""
        index = self._indices.get(vnet)
        return index is not None and self.names[index] in self._listeners

    def has_nobody(self, space: Prefix) -> bool:
        """Return True where exactly this prefix is configured to be in no network."""
        return self._prefixes.at(space) == NONE

    # -- regions

    def learn(self, regions: Mapping[ResourceId, str]) -> bool:
        """Learn the regions of VNets, by normalised id. An empty region means that it is not known.

        Return True where the region of a home VNet has changed.
        """
        for vnet, region in regions.items():
            if region:
                self._regions[vnet] = region
            else:
                self._regions.pop(vnet, None)
        return self._settle(regions)

    def move(self, old: Endpoint | None, new: Endpoint | None) -> bool:
        """Note that an endpoint changed from `old` to `new`. Return True where the region of a home VNet has changed.

        An endpoint is in the region of its VNet. So the region of a home VNet that has not been read itself is the one
        of most of its endpoints, and among equals the first by name.
        """
        homes = []
        for endpoint, step in ((old, -1), (new, 1)):
            if endpoint is not None and endpoint.region and endpoint.vnet:
                self._endpoint_regions.setdefault(endpoint.vnet, Counter())[endpoint.region] += step
                homes.append(endpoint.vnet)
        return bool(homes) and self._settle(homes)

    def _settle(self, vnets: Iterable[ResourceId]) -> bool:
        moved = False
        for vnet in self._home.keys() & set(vnets):
            counts = +self._endpoint_regions.get(vnet, Counter())
            region = self._regions.get(vnet) or min(counts, key=lambda r: (-counts[r], r), default="")
            moved |= region != self._home_regions.get(vnet, "")
            self._home_regions[vnet] = region
        if moved:
            self._near.clear()
            for vnet, region in self._home_regions.items():
                self._near[region] = self._near.get(region, 0) | self._home[vnet]
        return moved

    def region_of(self, endpoint: Endpoint) -> str:
        """Return the region of the endpoint's VNet. Azure requires the endpoint to be in the same region."""
        return self._regions.get(endpoint.vnet) or endpoint.region

    # -- visibility

    def sees(self, endpoint: Endpoint) -> NetworkMask:
        """Return the mask of the networks that the endpoint is visible to."""
        if endpoint.network:
            mask = self.all if self.implicit else self.named(endpoint.network)
        elif not endpoint.vnet:
            mask = self.all
        else:
            mask = self.sees_vnet(endpoint.vnet, self.region_of(endpoint))
        return mask if self.excepted is None else NetworkMask(mask & ~self.excepted.of(endpoint))

    def sees_vnet(self, vnet: str, region: str) -> NetworkMask:
        """Return the mask of the networks that have this VNet in their home or reach."""
        mask = self._everything | self._seen_vnets.get(vnet, 0)
        if self._seen_subscriptions:
            parts = vnet.split("/", 3)
            mask |= self._seen_subscriptions.get(parts[2] if len(parts) > 2 else "", 0)
        if self._seen_regions:
            mask |= self._seen_regions.get(region, 0)
        return NetworkMask(mask)

    def home(self, endpoint: Endpoint) -> NetworkMask:
        """Return the mask of the networks that have the endpoint's VNet as a home."""
        return NetworkMask(self._home.get(endpoint.vnet, 0))

    def near(self, endpoint: Endpoint) -> NetworkMask:
        """Return the mask of the networks that have a home VNet in the region of the endpoint's VNet."""
        region = self.region_of(endpoint)
        return NetworkMask(self._near.get(region, 0)) if region else NO_NETWORKS

    def sight(self, endpoint: Endpoint) -> tuple[NetworkMask, NetworkMask, NetworkMask]:
        """Return the masks `sees`, `home` and `near` of the endpoint; the last two only where it is visible."""
        sees = self.sees(endpoint)
        return sees, NetworkMask(sees & self.home(endpoint)), NetworkMask(sees & self.near(endpoint))

    # -- names

    def named(self, name: str | None) -> NetworkMask:
        """Return the mask of the network called `name`, 0 where there is none; for None, of every network."""
        if name is None:
            return self.all
        index = self.find_named(name)
        return NO_NETWORKS if index == NONE else NetworkMask(1 << index)

    def find_named(self, name: str) -> NetworkIndex:
        """Return the index of the network called `name`, `NONE` where there is none."""
        return self._named.get(name, NONE)

    def label(self, index: NetworkIndex) -> str:
        """Return the name of the network with this index, `none` for `NONE`."""
        return NO_NETWORK if index == NONE else self.names[index]

    def listed(self, mask: NetworkMask) -> tuple[str, ...]:
        """Return the names of the networks in `mask`, in the order of their indices."""
        return tuple(self.names[i] for i in bits(mask))


def _union(masks: Iterable[int]) -> int:
    out = 0
    for mask in masks:
        out |= mask
    return out


def bits(mask: NetworkMask) -> Iterator[int]:
    """Yield the indices of the bits that are set, lowest first."""
    left: int = mask
    while left:
        low = left & -left
        yield low.bit_length() - 1
        left ^= low


def translated(mask: NetworkMask, places: Sequence[NetworkIndex]) -> NetworkMask:
    """Return the mask in which each set bit i has moved to `places[i]`; a bit that moves to `NONE` is left out."""
    out = 0
    for i in bits(mask):
        if places[i] != NONE:
            out |= 1 << places[i]
    return NetworkMask(out)
