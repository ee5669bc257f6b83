"""A second, simple model of the registry: what its state must be, and why it must refuse a request.

It shares no code with the registry, and knows only the small world that `world` describes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final, NamedTuple

from tests.registry_shapes import (
    AUDITOR,
    BOTH,
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUPPLIER,
    Client,
    account,
    group,
    network,
)

OWNED: Final = {BOTH: {CONSUMER, PROVIDER}, SUPPLIER: {PROVIDER}, NETWORKER: set[str](), AUDITOR: set[str]()}
CONSUMED: Final = {NETWORKER: {CONSUMER}}


class Place(NamedTuple):
    """A subnet. `subscription` and `location` are those of its network."""

    id: str
    prefix: IPv4Network
    subscription: str
    location: str

    @property
    def vnet(self) -> str:
        return self.id.partition("/subnets/")[0]


class Choice(NamedTuple):
    """Something to connect to: a target and one of its groups.

    `names` are the FQDNs by member, in the order in which the members get addresses. `visible` and `approved` are
    subscriptions, for a private link service only.
    """

    id: str
    group: str
    names: Mapping[str, tuple[str, ...]]
    visible: frozenset[str] = frozenset()
    approved: frozenset[str] = frozenset()

    @property
    def subscription(self) -> str:
        return self.id.split("/")[2]

    @property
    def is_service(self) -> bool:
        return not self.group


def _place(name: str, prefix: str, subscription: str = CONSUMER, location: str = "westeurope") -> Place:
    return Place(
        network(name, "virtualNetworks", subscription=subscription), IPv4Network(prefix), subscription, location
    )


TINY = _place("hub/subnets/tiny", "10.1.0.0/29")
SMALL = _place("hub/subnets/small", "10.1.0.16/28")
FAR = _place("spoke/subnets/pe", "10.2.0.0/28", location="northeurope")
OTHER = _place("net/subnets/pe", "10.9.0.0/28", PROVIDER)
NAT = _place("net/subnets/nat", "10.9.1.0/28", PROVIDER)
PLACES: Final = (TINY, SMALL, FAR, OTHER)
REGISTRY = f"{group(subscription=PROVIDER)}/providers/Microsoft.ContainerRegistry/registries/acr"
EVERYBODY: Final = frozenset((CONSUMER, PROVIDER))


def _service(name: str, visible: frozenset[str], approved: frozenset[str], *fqdns: str) -> Choice:
    return Choice(network(name, "privateLinkServices", subscription=PROVIDER), "", {"": fqdns}, visible, approved)


BLOB = Choice(account(), "blob", {"blob": ("acct.blob.core.windows.net",)})
FILE = Choice(account(), "file", {"file": ("acct.file.core.windows.net",)})
IMAGES = Choice(
    REGISTRY, "registry",
    {"registry_data_westeurope": ("acr.westeurope.data.azurecr.io",), "registry": ("acr.azurecr.io",)},
)  # fmt: skip
OPEN = _service("open", EVERYBODY, frozenset(), "open.corp.example", "open2.corp.example")
LISTED = _service("listed", frozenset((CONSUMER,)), frozenset((CONSUMER,)), "listed.corp.example")
HIDDEN = _service("hidden", frozenset(), frozenset())
CHOICES: Final = (BLOB, FILE, IMAGES, OPEN, LISTED, HIDDEN)


@dataclass
class Made:
    """An endpoint. `connection`: the id of its connection; empty after the owner has removed it."""

    path: str
    place: Place
    choice: Choice
    manual: bool
    alias: str
    state: str
    message: str
    addresses: dict[str, str]
    connection: str = ""
    nic: str = ""
    revealed: bool = False
    """Whether the connection was ever approved: from then on the consumer sees the names."""
    tags: dict[str, str] | None = None
    groups: tuple[str, ...] = ()
    has_zones: bool = False
    """Whether it has a zone group."""

    @property
    def subscription(self) -> str:
        return self.path.split("/")[2]

    def names(self) -> dict[str, set[str]]:
        """Return the addresses by FQDN."""
        found: dict[str, set[str]] = {}
        for member, fqdns in self.choice.names.items():
            for fqdn in fqdns:
                found.setdefault(fqdn, set()).add(self.addresses[member])
        return found


@dataclass
class World:
    """Everything that the registry must have."""

    endpoints: dict[str, Made] = field(default_factory=dict)
    places: set[Place] = field(default_factory=lambda: set(PLACES))
    targets: set[str] = field(default_factory=lambda: {each.id for each in CHOICES})
    aliases: dict[str, str] = field(default_factory=dict)
    """The alias of each service by its id."""
    held: set[tuple[Place, str]] = field(default_factory=set)
    """The addresses that were given back and must not be given again."""

    def may_write(self, client: Client, subscription: str) -> bool:
        return subscription in OWNED[client] or subscription in CONSUMED.get(client, ())

    def used(self, place: Place) -> set[str]:
        return {each for made in self.endpoints.values() if made.place == place for each in made.addresses.values()}

    def free(self, place: Place, *, held: bool) -> Iterator[str]:
        """Yield the addresses to give, the lowest one first. `held`: whether addresses are still held."""
        taken = self.used(place) | ({address for at, address in self.held if at == place} if held else set())
        for number in range(int(place.prefix[4]), int(place.prefix[-1])):
            if (address := str(IPv4Address(number))) not in taken:
                yield address

    def vnet_exists(self, place: Place) -> bool:
        return any(each.vnet == place.vnet for each in self.places) or place.vnet == NAT.vnet

    def connected(self, target: str) -> list[Made]:
        return [made for made in self.endpoints.values() if made.choice.id == target and made.connection]


# -- the bodies of the world


def world() -> dict[str, Any]:
    """Return the bodies of the resources that are there at the start, by id, in the order in which they are made."""
    bodies: dict[str, Any] = {
        group(subscription=subscription): {"location": "westeurope"} for subscription in (CONSUMER, PROVIDER)
    }
    for place in (*PLACES, NAT):
        bodies[place.vnet] = vnet_body(place)
        bodies[place.id] = subnet_body(place)
    return bodies | {choice.id: target_body(choice) for choice in CHOICES}


def vnet_body(place: Place) -> Any:  # noqa: ANN401 - JSON
    space = {"addressPrefixes": [str(place.prefix.supernet(new_prefix=16))]}
    return {"location": place.location, "properties": {"addressSpace": space}}


def subnet_body(place: Place) -> Any:  # noqa: ANN401 - JSON
    policy = "Disabled" if place == NAT else "Enabled"
    return {"properties": {"addressPrefix": str(place.prefix), "privateLinkServiceNetworkPolicies": policy}}


def target_body(choice: Choice) -> Any:  # noqa: ANN401 - JSON
    if not choice.is_service:
        return {"location": "westeurope", "properties": {}}
    frontend = f"{choice.id}-lb/frontendIPConfigurations/fe".replace("privateLinkServices", "loadBalancers")
    return {
        "location": "westeurope",
        "properties": {
            "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
            "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": NAT.id}}}],
            "fqdns": [fqdn for fqdns in choice.names.values() for fqdn in fqdns],
            "visibility": {"subscriptions": sorted(choice.visible)},
            "autoApproval": {"subscriptions": sorted(choice.approved)},
        },
    }


# -- requests for endpoints


class Wish(NamedTuple):
    """A request for a new endpoint. `static`: the address that it asks for each member, or none."""

    path: str
    location: str
    place: Place
    choice: Choice
    manual: bool
    by_alias: bool
    static: tuple[str, ...]
    message: str

    def body(self, alias: str) -> Any:  # noqa: ANN401 - JSON
        link: dict[str, Any] = {
            "privateLinkServiceId": alias if self.by_alias else self.choice.id, "requestMessage": self.message,
            "groupIds": [self.choice.group] if self.choice.group else [],
        }  # fmt: skip
        kind = "manualPrivateLinkServiceConnections" if self.manual else "privateLinkServiceConnections"
        properties: dict[str, Any] = {
            "subnet": {"id": self.place.id}, kind: [{"name": "one", "properties": link}],
        }  # fmt: skip
        if self.static:
            properties["ipConfigurations"] = [
                {
                    "name": f"c{i}",
                    "properties": {
                        "groupId": self.choice.group,
                        "memberName": member,
                        "privateIPAddress": address,
                    },
                }
                for i, (member, address) in enumerate(zip(self.choice.names, self.static, strict=False))
            ]
        return {"location": self.location, "properties": properties}


def refusals(world: World, wish: Wish, client: Client, *, held: bool) -> set[str]:
    """Return the codes of all reasons to refuse a wish; empty where it must succeed."""
    found: set[str] = set()
    subscription, choice, place = wish.path.split("/")[2], wish.choice, wish.place
    if not world.may_write(client, subscription):
        found.add("AuthorizationFailed")
    if place not in world.places or place.subscription != subscription or place.location != wish.location:
        found.add("InvalidResourceReference")
    if wish.by_alias and not wish.manual:
        found.add("InvalidRequestContent")
    if choice.id not in world.targets:
        found.add("PrivateLinkServiceAliasNotFound" if wish.by_alias else "InvalidResourceReference")
    if choice.is_service and subscription not in choice.visible:
        if wish.by_alias:
            found.add("PrivateLinkServiceAliasNotFound")
        elif choice.subscription not in OWNED[client]:
            found.add("LinkedAuthorizationFailed")
    if wish.static and choice.is_service:
        found.add("PrivateEndpointWithIpConfigurationsCannotHaveGroupIdsOrMemberNames")
    if len(wish.message) > 140:
        found.add("InvalidRequestContent")
    return found | _address_refusals(world, wish, held=held)


def _address_refusals(world: World, wish: Wish, *, held: bool) -> set[str]:
    found: set[str] = set()
    free, wanted = set(world.free(wish.place, held=held)), wish.static
    if not wanted:
        return {"SubnetIsFull"} if len(free) < len(wish.choice.names) else found
    if len(wanted) < len(wish.choice.names):
        found.add("PrivateEndpointIpConfigurationMissingMemberNamesRequiredByFps")
    if len(set(wanted)) < len(wanted):
        found.add("PrivateIPAddressInUse")
    prefix = wish.place.prefix
    for address in wanted:
        if IPv4Address(address) not in prefix:
            found.add("PrivateIPAddressNotInSubnet")
        elif address in {*map(str, list(prefix)[:4]), str(prefix[-1])}:
            found.add("PrivateIPAddressInReservedRange")
        elif address not in free:
            found.add("PrivateIPAddressInUse")
    return found


def made_of(world: World, wish: Wish, client: Client, *, held: bool) -> Made:
    """Return the endpoint that a wish makes."""
    choice = wish.choice
    listed = wish.path.split("/")[2] in choice.approved
    approved = listed or (not wish.manual and choice.subscription in OWNED[client])
    addresses = wish.static or world.free(wish.place, held=held)
    return Made(
        wish.path, wish.place, choice, wish.manual, world.aliases[choice.id] if wish.by_alias else "",
        "Approved" if approved else "Pending", wish.message,
        dict(zip(choice.names, addresses, strict=False)), revealed=approved,
    )  # fmt: skip
