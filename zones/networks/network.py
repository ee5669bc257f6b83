"""Networks: named sets of client prefixes, and which endpoints each one sees. Others call them views.

Sets of networks are bit masks (bit i is network i), so that what an endpoint is visible to costs one integer
however many networks there are. Knows prefixes, VNets, subscriptions and regions; knows no names and no claims.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from zones.azure.endpoint import Endpoint, fold_region
from zones.networks.prefixes import NONE, Prefix, Prefixes, prefix

__all__ = ["EVERYBODY", "NOBODY", "NONE", "Network", "Networks", "bits", "translated"]

NOBODY: Final = "none"
"""In place of a network's name: its clients are in no network (`NONE`) and see no endpoint."""


class Network(msgspec.Struct, frozen=True):
    """A named set of client prefixes; `vnets` its home, `reach` what else it sees. Neither: it sees everything.

    Items of `reach`: a VNet id, `/subscriptions/ID`, `region:NAME`, `all`.
    """

    name: str
    clients: tuple[str, ...]
    vnets: tuple[str, ...] = ()
    reach: tuple[str, ...] = ()
    key: str = ""
    """Normalised id of the virtual network that makes it; empty for one made by hand."""

    @property
    def identity(self) -> str:
        """What it is known by while everything else of it may change, the name too."""
        return self.key or self.name


EVERYBODY: Final = Network("default", ("0.0.0.0/0", "::/0"))
"""The one network where none is configured."""


class Networks:
    """All networks as they are now; `become` puts others in their place. `auto`: VNets make networks, none at first.

    An index, once given to an identity, is given to no other, so masks and indices outlive a change. Without `auto` and
    with none configured there is one, `default`, that every client is in and that sees everything. `listeners`: names
    of networks whose clients are told by the listener that they come by.
    """

    def __init__(
        self, configured: Sequence[Network] = (), *, auto: bool = False, listeners: Iterable[str] = ()
    ) -> None:
        self._listeners = frozenset(listeners)
        self.configured = tuple(configured)
        self.auto = auto
        self.implicit = not configured and not auto
        self.identities: list[str] = []
        """By index; also of networks that are gone, as are the names."""
        self.names: list[str] = []
        self.version = 0
        """Counts the changes."""
        self._indices: dict[str, int] = {}
        """By identity."""
        self._regions: dict[str, str] = {}
        """Region of each VNet whose record tells it."""
        self._tenants: dict[str, Counter[str]] = {}
        """Regions of the endpoints in each VNet, counted."""
        self.become(self.configured)

    def become(self, networks: Sequence[Network]) -> None:
        """Put these networks in place of those that there are. What was learnt of regions stays."""
        self.now = tuple(networks)
        self.version += 1
        self._everything = 0
        self._seen_vnets: dict[str, int] = {}
        self._seen_subscriptions: dict[str, int] = {}
        self._seen_regions: dict[str, int] = {}
        self._home: dict[str, int] = {}
        self.all = 0
        """The mask of every network that there is."""
        self._named: dict[str, int] = {}
        """Indices of the networks that there are."""
        for network in (EVERYBODY,) if self.implicit else networks:
            if network.name != NOBODY:
                self._add(network)
        self.homeless = self.all & ~_union(self._home.values())
        """Networks without a home VNet: nearness decides nothing there."""
        self._prefixes = Prefixes(
            (prefix(text), self._named.get(network.name, NONE)) for network in networks for text in network.clients
        )
        self._home_regions: dict[str, str] = {}
        self._near: dict[str, int] = {}
        """Networks with a home VNet in each region."""
        self._settle(self._home)

    def index(self, identity: str) -> int:
        """The index of an identity, for good; new if need be."""
        index = self._indices.get(identity)
        if index is None:
            index = self._indices[identity] = len(self.identities)
            self.identities.append(identity)
            self.names.append("")
        return index

    def _add(self, network: Network) -> None:
        index = self._named[network.name] = self.index(network.identity)
        self.names[index] = network.name
        bit = 1 << index
        self.all |= bit
        if not network.vnets and not network.reach:
            self._everything |= bit
        for vnet in network.vnets:
            key = vnet.casefold().rstrip("/")
            self._home[key] = self._home.get(key, 0) | bit
            self._seen_vnets[key] = self._seen_vnets.get(key, 0) | bit
        for item in network.reach:
            if item == "all":
                self._everything |= bit
                continue
            table, key = self._reach(item)
            table[key] = table.get(key, 0) | bit

    def _reach(self, item: str) -> tuple[dict[str, int], str]:
        folded = item.casefold().rstrip("/")
        if folded.startswith("region:"):
            return self._seen_regions, fold_region(folded.removeprefix("region:"))
        if folded.count("/") == 2:
            return self._seen_subscriptions, folded.removeprefix("/subscriptions/")
        return self._seen_vnets, folded

    # -- clients

    def find(self, address: bytes) -> int:
        """Index of the network with the longest prefix that holds the packed `address`; `NONE` where none does.

        An IPv4-mapped IPv6 address is the IPv4 address (RFC 4291 §2.5.5.2).
        """
        return 0 if self.implicit else self._prefixes.find(address)

    def find_subnet(self, address: bytes, length: int) -> tuple[int, int]:
        """The network that holds the whole subnet of `length` bits at the packed `address`, `NONE` where none does.

        With it the length in bits of the longest prefix that matters there: at or above the subnet, or inside it.
        """
        return (0, 0) if self.implicit else self._prefixes.find_subnet(address, length)

    def has_listener(self, vnet: str) -> bool:
        """The network that this VNet makes has a listener of its own."""
        index = self._indices.get(vnet)
        return index is not None and self.names[index] in self._listeners

    def has_nobody(self, space: Prefix) -> bool:
        """Clients in exactly this prefix are kept out of every network."""
        return self._prefixes.at(space) == NONE

    # -- regions

    def learn(self, regions: Mapping[str, str]) -> bool:
        """Take what the records of VNets (by normalised id) say of their regions; empty: nothing, or no record.

        True when the region of a home VNet has changed by it.
        """
        for vnet, region in regions.items():
            if region:
                self._regions[vnet] = region
            else:
                self._regions.pop(vnet, None)
        return self._settle(regions)

    def move(self, old: Endpoint | None, new: Endpoint | None) -> bool:
        """Take where an endpoint was and where it is. True when the region of a home VNet has changed by it.

        An endpoint lives in the region of its VNet, so endpoints tell the region of a home VNet that has no record:
        the one that most of them have, then the first by name.
        """
        homes = []
        for endpoint, step in ((old, -1), (new, 1)):
            if endpoint is not None and endpoint.region and endpoint.vnet:
                self._tenants.setdefault(endpoint.vnet, Counter())[endpoint.region] += step
                homes.append(endpoint.vnet)
        return bool(homes) and self._settle(homes)

    def _settle(self, vnets: Iterable[str]) -> bool:
        moved = False
        for vnet in self._home.keys() & set(vnets):
            tenants = +self._tenants.get(vnet, Counter())
            region = self._regions.get(vnet) or min(tenants, key=lambda r: (-tenants[r], r), default="")
            moved |= region != self._home_regions.get(vnet, "")
            self._home_regions[vnet] = region
        if moved:
            self._near.clear()
            for vnet, region in self._home_regions.items():
                self._near[region] = self._near.get(region, 0) | self._home[vnet]
        return moved

    def region_of(self, endpoint: Endpoint) -> str:
        """Region of the endpoint's VNet: as the VNet's own record says, else the endpoint's, which must be the same."""
        return self._regions.get(endpoint.vnet) or endpoint.region

    # -- sight

    def sees(self, endpoint: Endpoint) -> int:
        """Mask of the networks that the endpoint is visible to."""
        if endpoint.network:
            return self._everything if self.implicit else self.named(endpoint.network)
        if not endpoint.vnet:
            return self.all
        return self.sees_vnet(endpoint.vnet, self.region_of(endpoint))

    def sees_vnet(self, vnet: str, region: str) -> int:
        """Mask of the networks whose home or reach holds this VNet."""
        mask = self._everything | self._seen_vnets.get(vnet, 0)
        if self._seen_subscriptions:
            parts = vnet.split("/", 3)
            mask |= self._seen_subscriptions.get(parts[2] if len(parts) > 2 else "", 0)
        if self._seen_regions:
            mask |= self._seen_regions.get(region, 0)
        return mask

    def home(self, endpoint: Endpoint) -> int:
        """Mask of the networks that have the endpoint's VNet as a home."""
        return self._home.get(endpoint.vnet, 0)

    def near(self, endpoint: Endpoint) -> int:
        """Mask of the networks that have a home VNet in the region of the endpoint's VNet."""
        region = self.region_of(endpoint)
        return self._near.get(region, 0) if region else 0

    def sight(self, endpoint: Endpoint) -> tuple[int, int, int]:
        """All that decides who sees the endpoint and how near it is to them: `sees`, `home` and `near`."""
        sees = self.sees(endpoint)
        return sees, sees & self.home(endpoint), sees & self.near(endpoint)

    # -- names

    def named(self, name: str | None) -> int:
        """Mask of the one network called `name`, 0 where there is none; None: of every network."""
        if name is None:
            return self.all
        index = self.find_named(name)
        return 0 if index == NONE else 1 << index

    def find_named(self, name: str) -> int:
        """Index of the network called `name`, `NONE` where there is none."""
        return self._named.get(name, NONE)

    def label(self, index: int) -> str:
        """The name of the network with this index, `none` for `NONE`."""
        return NOBODY if index == NONE else self.names[index]

    def listed(self, mask: int) -> tuple[str, ...]:
        """Names of the networks in `mask`, in the order of their indices."""
        return tuple(self.names[i] for i in bits(mask))


def _union(masks: Iterable[int]) -> int:
    out = 0
    for mask in masks:
        out |= mask
    return out


def bits(mask: int) -> Iterator[int]:
    """Indexes of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def translated(mask: int, places: Sequence[int]) -> int:
    """The mask whose bit `places[i]` is what bit i was; `NONE`: that bit is left out."""
    out = 0
    for i in bits(mask):
        if places[i] != NONE:
            out |= 1 << places[i]
    return out
