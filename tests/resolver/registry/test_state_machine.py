"""The registry against a second model of it (`expected`): random owners, consumers, faults and restarts on a real file.

After each step the whole file, and what the estate was sent, are compared with the model. A refused request must leave
every row as it was. `PLDNS_STATE_MACHINES=500` runs more of them than the ordinary tests do (`make fuzz`).
"""

import os
import shutil
import tempfile
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from sqlite3 import OperationalError
from typing import Any, Final

import hypothesis
import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from resolver.registry.store.sqlite_file import FILE
from tests.filled_registry import SETTINGS
from tests.registry_shapes import AUDITOR, BOTH, CONSUMER, NETWORKER, PROVIDER, SUPPLIER, Answer, Client, network
from tests.resolver.registry.direct import DirectRegistry, Request, Stored
from tests.resolver.registry.expected import (
    CHOICES,
    NAT,
    OWNED,
    PLACES,
    Choice,
    Made,
    Place,
    Wish,
    World,
    made_of,
    refusals,
    subnet_body,
    target_body,
    vnet_body,
    world,
)
from zones.dns.name import to_text

LONG: Final = 10_000
"""Seconds for which addresses are held: longer than any test. 0: the hold has ended."""
ENDPOINT: Final = "microsoft.network/privateendpoints"
NIC: Final = "microsoft.network/networkinterfaces"
ZONES: Final = {
    group: network(f"privatelink.{group}.core.windows.net", "privateDnsZones") for group in ("blob", "file")
}

clients = st.sampled_from((BOTH, BOTH, NETWORKER, SUPPLIER, AUDITOR))
places = st.sampled_from(PLACES)
numbers = st.integers(0, 99)
wishes = st.builds(
    Wish,
    path=st.builds(
        lambda i, subscription: network(f"Pe{i}", subscription=subscription), st.integers(0, 14),
        st.sampled_from((CONSUMER, CONSUMER, PROVIDER)),
    ),
    location=st.just("westeurope"),
    place=places,
    choice=st.sampled_from(CHOICES),
    manual=st.booleans(),
    by_alias=st.booleans(),
    static=st.just(()),
    message=st.sampled_from(("", "Please", "x" * 141)),
)  # fmt: skip


def _fitting(wish: Wish, rest: int) -> Wish:
    """Make most wishes ones that can succeed."""
    if not wish.choice.is_service:
        wish = wish._replace(by_alias=False)
    if rest % 5:
        place = PLACES[3] if PROVIDER in wish.path else wish.place if wish.place != PLACES[3] else PLACES[1]
        wish = wish._replace(place=place, location=place.location, manual=wish.manual or wish.by_alias)
        wish = wish._replace(message=wish.message[:140])
    if rest % 4 == 0:
        first = int(wish.place.prefix[0])
        addresses = (str(IPv4Address(first + (rest + step) % 18)) for step in range(len(wish.choice.names)))
        wish = wish._replace(static=tuple(addresses))
    return wish


def _prepared() -> bytes:
    """Return the file of a registry that has the world at the start."""
    with tempfile.TemporaryDirectory() as folder:
        registry = DirectRegistry(Path(folder), SETTINGS)
        for path, body in world().items():
            (answer,) = registry.ask(Request("PUT", path, body))
            assert answer.status == 201, answer
        registry.close()
        return (Path(folder) / FILE).read_bytes()


class RegistryMachine(RuleBasedStateMachine):
    """The registry and the model, side by side."""

    start: bytes = b""

    def __init__(self) -> None:
        super().__init__()
        type(self).start = self.start or _prepared()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / FILE).write_bytes(self.start)
        self.registry = DirectRegistry(self.folder, msgspec.structs.replace(SETTINGS, hold=LONG))
        self.registry.inventory.update({("lab", part): each for part, each in self.registry.differences({}).items()})
        self.world = World()
        self.before = self.registry.stored()
        for choice in CHOICES:
            self._learn_alias(choice)

    def teardown(self) -> None:
        self.registry.close()
        shutil.rmtree(self.folder)

    # -- steps

    def _ask(self, request: Request) -> Answer:
        (answer,) = self.registry.ask(request)
        return answer

    def _refused(self, answer: Answer, *codes: str) -> None:
        """Check that a request was refused for one of these reasons, and that it changed nothing."""
        assert answer.code in codes, (answer, codes)
        assert answer.status >= 400
        assert answer.body["error"]["message"].endswith((".", "…"))
        assert self.registry.stored() == self.before

    def _learn_alias(self, choice: Choice) -> None:
        if choice.is_service:
            self.world.aliases[choice.id] = self.before.resources[choice.id.casefold()]["properties"]["alias"]

    def _pick(self, number: int) -> Made:
        return list(self.world.endpoints.values())[number % len(self.world.endpoints)]

    def _body(self, made: Made) -> Any:  # noqa: ANN401 - JSON
        """Return the body with which a client writes an endpoint again, without a change."""
        wish = Wish(
            made.path, made.place.location, made.place, made.choice, made.manual, bool(made.alias), (), made.message
        )
        return wish.body(made.alias)

    def _created(self, answer: Answer, made: Made) -> None:
        assert answer.status == 201, answer
        key = made.path.casefold()
        made.nic = answer.body["properties"]["networkInterfaces"][0]["id"]
        ((made.connection),) = [
            connection for endpoint, connection, _ in self.registry.stored().connections if endpoint == key
        ]
        self.world.endpoints[key] = made
        if not self.registry.settings.hold:
            self.world.held.clear()

    @rule(wish=wishes, client=clients)
    def create_what_fits(self, wish: Wish, client: Client) -> None:
        self._create(_fitting(wish, 2), 2, client)

    @rule(wish=wishes, rest=numbers, client=clients)
    def create(self, wish: Wish, rest: int, client: Client) -> None:
        self._create(_fitting(wish, rest), rest, client)

    def _create(self, wish: Wish, rest: int, client: Client) -> None:
        if wish.path.casefold() in self.world.endpoints:
            return
        held = bool(self.registry.settings.hold)
        codes = refusals(self.world, wish, client, held=held)
        request = Request("PUT", wish.path, wish.body(self.world.aliases.get(wish.choice.id, "")), client)
        if codes:
            self._refused(self._ask(request), *codes)
            return
        made = made_of(self.world, wish, client, held=held)
        if rest % 7 == 0:
            answer = self.registry.ask_with_fault(request, OperationalError("disk I/O error"))
            self._refused(answer, "ServiceUnavailable")
            return
        answer = self.registry.ask_with_fault(request, LookupError()) if rest % 7 == 1 else self._ask(request)
        self._created(answer, made)

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers, approve=st.booleans(), client=clients)
    def decide(self, number: int, approve: bool, client: Client) -> None:
        made = self._pick(number)
        status = "Approved" if approve else "Rejected"
        body = {"properties": {"privateLinkServiceConnectionState": {"status": status, "description": "so"}}}
        path = made.connection or f"{made.choice.id}/privateEndpointConnections/gone"
        answer = self._ask(Request("PUT", path, body, client))
        if made.choice.subscription not in OWNED[client]:
            self._refused(answer, "AuthorizationFailed")
        elif not made.connection:
            self._refused(answer, "ResourceNotFound")
        else:
            assert answer.status == 200, answer
            made.state = status
            made.revealed |= approve

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers, client=clients)
    def remove(self, number: int, client: Client) -> None:
        made = self._pick(number)
        path = made.connection or f"{made.choice.id}/privateEndpointConnections/gone"
        answer = self._ask(Request("DELETE", path, None, client))
        if made.choice.subscription not in OWNED[client]:
            self._refused(answer, "AuthorizationFailed")
        elif made.connection:
            assert answer.status == 202, answer
            made.state, made.connection = "Disconnected", ""
        else:
            assert answer.status == 204 or answer.code == "ResourceNotFound"

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers, client=clients)
    def delete(self, number: int, client: Client) -> None:
        made = self._pick(number)
        answer = self._ask(
            Request("DELETE", made.path.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), None, client)
        )
        if not self.world.may_write(client, made.subscription):
            self._refused(answer, "AuthorizationFailed")
            return
        assert answer.status == 202, answer
        del self.world.endpoints[made.path.casefold()]
        self.world.held |= {(made.place, each) for each in made.addresses.values()}

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers, client=clients, stale=st.booleans(), what=st.sampled_from(("tags", "message", "groups")))
    def update(self, number: int, client: Client, stale: bool, what: str) -> None:
        made = self._pick(number)
        body, etag = self._body(made), self.before.resources[made.path.casefold()]["etag"]
        kind = "manualPrivateLinkServiceConnections" if made.manual else "privateLinkServiceConnections"
        text, groups = f"m{number}", (network(f"asg{number}", "applicationSecurityGroups"),)
        if what == "tags":
            body["tags"] = {"n": text}
        elif what == "message":
            body["properties"][kind][0]["properties"]["requestMessage"] = text
        else:
            body["properties"]["applicationSecurityGroups"] = [{"id": each} for each in groups]
        answer = self._ask(Request("PUT", made.path, body, client, etag[:-2] + '0"' if stale else etag))
        codes = {"AuthorizationFailed"} if not self.world.may_write(client, made.subscription) else set[str]()
        codes |= {"PreconditionFailed"} if stale and not etag.endswith('0"') else set()
        codes |= {"PrivateEndpointCannotBeUpdatedInDisconnectedState"} if not made.connection else set()
        if made.choice.is_service and made.subscription not in made.choice.visible and not made.alias:
            codes |= {"LinkedAuthorizationFailed"} if made.choice.subscription not in OWNED[client] else set()
        if codes:
            self._refused(answer, *codes)
            return
        assert answer.status == 200, answer
        made.tags = {"n": text} if what == "tags" else None  # PUT replaces the tags
        if what == "message":
            made.message = text
        elif what == "groups":
            made.groups = groups

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers)
    def two_writers(self, number: int) -> None:
        made = self._pick(number)
        etag = self.before.resources[made.path.casefold()]["etag"]
        requests = [Request("PATCH", made.path, {"tags": {"writer": text}}, BOTH, etag) for text in ("a", "b")]
        answers = self.registry.ask(*requests)
        if not made.connection:
            for each in answers:
                self._refused(each, "PrivateEndpointCannotBeUpdatedInDisconnectedState")
            return
        assert sorted(each.status for each in answers) == [200, 412], answers
        won = next(each for each in answers if each.status == 200)
        made.tags = won.body["tags"]

    @precondition(lambda self: self.world.endpoints)
    @rule(number=numbers, attach=st.booleans())
    def zone_group(self, number: int, attach: bool) -> None:
        made = self._pick(number)
        path = f"{made.path}/privateDnsZoneGroups/default"
        if attach:
            configs = [{"name": each, "properties": {"privateDnsZoneId": zone}} for each, zone in ZONES.items()]
            answer = self._ask(Request("PUT", path, {"properties": {"privateDnsZoneConfigs": configs}}))
            if not made.connection:
                self._refused(answer, "PrivateEndpointCannotBeUpdatedInDisconnectedState")
                return
            assert answer.status in {200, 201}, answer
            made.has_zones = True
        else:
            assert self._ask(Request("DELETE", path)).status == (202 if made.has_zones else 204)
            made.has_zones = False

    # -- networks and targets come and go

    @precondition(lambda self: len(self.world.endpoints) > 2)
    @rule(place=places, whole=st.booleans())
    def delete_place(self, place: Place, whole: bool) -> None:
        gone = {each for each in self.world.places if each.vnet == place.vnet} if whole else {place}
        answer = self._ask(Request("DELETE", place.vnet if whole else place.id))
        services = any(choice.is_service and choice.id in self.world.targets for choice in CHOICES)
        if any(map(self.world.used, gone)) or (whole and place.vnet == NAT.vnet and services):
            self._refused(answer, "InUseSubnetCannotBeDeleted")
            return
        assert answer.status in {202, 204}, answer
        self.world.places -= gone
        if whole and place.vnet == NAT.vnet:  # what needs it comes back with it
            for path, body in ((NAT.vnet, vnet_body(NAT)), (NAT.id, subnet_body(NAT))):
                assert self._ask(Request("PUT", path, body)).status == 201

    @precondition(lambda self: len(self.world.places) < len(PLACES))
    @rule(place=places)
    def make_place(self, place: Place) -> None:
        assert self._ask(Request("PUT", place.vnet, vnet_body(place))).status in {200, 201}
        assert self._ask(Request("PUT", place.id, subnet_body(place))).status in {200, 201}
        self.world.places.add(place)

    @precondition(lambda self: len(self.world.endpoints) > 2)
    @rule(choice=st.sampled_from(CHOICES))
    def delete_target(self, choice: Choice) -> None:
        answer = self._ask(Request("DELETE", choice.id))
        connected = self.world.connected(choice.id)
        if choice.is_service and connected:
            self._refused(answer, "PrivateLinkServiceInUse")
            return
        assert answer.status in {202, 204, 200}, answer
        self.world.targets.discard(choice.id)
        for made in connected:
            made.state, made.connection = "Disconnected", ""

    @precondition(lambda self: self.world.targets < {each.id for each in CHOICES})
    @rule(choice=st.sampled_from(CHOICES))
    def make_target(self, choice: Choice) -> None:
        is_new = choice.id not in self.world.targets
        answer = self._ask(Request("PUT", choice.id, target_body(choice)))
        if choice.is_service and answer.code == "SubnetIsFull":
            assert is_new  # its NAT address may be held
            self._refused(answer, "SubnetIsFull")
            return
        assert answer.status == (201 if is_new else 200), answer
        self.world.targets.add(choice.id)
        self.before = self.registry.stored()
        self._learn_alias(choice)
        if is_new and choice.is_service and not self.registry.settings.hold:
            self.world.held.clear()

    # -- time and restarts

    @rule(ended=st.booleans())
    def holds(self, ended: bool) -> None:
        self.registry.settings = msgspec.structs.replace(SETTINGS, hold=0 if ended else LONG)

    @precondition(lambda self: len(self.world.endpoints) > 2)
    @rule()
    def restart(self) -> None:
        known = self.registry.inventory.of("lab")
        self.registry.restart()
        assert self.registry.differences({}) == known
        assert self.registry.differences(known) == {}

    # -- what must always be so

    @invariant()
    def the_file_is_as_expected(self) -> None:
        stored = self.registry.stored()
        _check_etags(self.before, stored)
        self.before = stored
        endpoints = {key for key, kind in stored.types.items() if kind == ENDPOINT}
        assert endpoints == self.world.endpoints.keys()
        nics = {key for key, kind in stored.types.items() if kind == NIC}
        assert nics == {made.nic.casefold() for made in self.world.endpoints.values()}
        connected = {made for made in endpoints if self.world.endpoints[made].connection}
        assert {endpoint for endpoint, _, _ in stored.connections} == connected
        rows = {key for key, kind in stored.types.items() if kind.endswith("/privateendpointconnections")}
        assert rows == {connection for _, connection, _ in stored.connections}
        for key in endpoints:
            _check_endpoint(stored, key, self.world.endpoints[key])
        _check_counts(stored)
        _check_addresses(stored, self.world)

    @invariant()
    def dns_has_the_approved_endpoints_and_no_others(self) -> None:
        served = {
            key: {to_text(record.fqdn): {str(ip_address(each)) for each in record.addresses} for record in each.records}
            for key, each in self.registry.endpoints().items()
            if each.served
        }
        wanted = {
            key: made.names() for key, made in self.world.endpoints.items() if made.state == "Approved" and made.names()
        }
        assert {key: names for key, names in served.items() if names} == wanted


def _check_etags(before: Stored, after: Stored) -> None:
    """A body that changed has another ETag."""
    for key, body in after.resources.items():
        if (old := before.resources.get(key)) is not None and old != body:
            assert old["etag"] != body["etag"], key


def _check_endpoint(stored: Stored, key: str, made: Made) -> None:
    body = stored.resources[key]
    properties = body["properties"]
    assert body["id"] == made.path
    assert body.get("tags") == made.tags
    automatic, manual = (
        properties[name] for name in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections")
    )
    ((link),) = manual if made.manual else automatic
    assert not (automatic if made.manual else manual)
    state = link["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], link["properties"]["requestMessage"]) == (made.state, made.message)
    assert link["properties"]["privateLinkServiceId"] == (made.alias or made.choice.id)
    assert tuple(each["id"] for each in properties["applicationSecurityGroups"]) == made.groups
    if made.connection:
        assert (key, made.connection, made.choice.id.casefold()) in stored.connections
        other = stored.resources[made.connection]["properties"]
        assert other["privateLinkServiceConnectionState"] == state  # both sides see the same
        assert other["privateEndpoint"] == {"id": made.path}
    nic = stored.resources[made.nic.casefold()]["properties"]
    assert nic["privateEndpoint"] == {"id": made.path}
    rows = [each["properties"] for each in nic["ipConfigurations"]]
    members = {each["privateLinkConnectionProperties"]["requiredMemberName"]: each for each in rows}
    assert {member: each["privateIPAddress"] for member, each in members.items()} == made.addresses
    for member, each in members.items():
        shown = made.choice.names[member] if made.revealed else ()
        assert tuple(each["privateLinkConnectionProperties"]["fqdns"]) == shown
    _check_names(stored, key, made)


def _check_names(stored: Stored, key: str, made: Made) -> None:
    """The names are in `customDnsConfigs`, or in the record sets of a zone group while the endpoint is approved."""
    shown = stored.resources[key]["properties"]["customDnsConfigs"]
    group = stored.resources.get(f"{key}/privatednszonegroups/default")
    assert (group is not None) == made.has_zones
    if group is None:
        found = {each["fqdn"]: set(each["ipAddresses"]) for each in shown}
        assert found == (made.names() if made.revealed else {})
        return
    assert not shown
    for config in group["properties"]["privateDnsZoneConfigs"]:
        records = {each["recordSetName"]: each["ipAddresses"] for each in config["properties"]["recordSets"]}
        is_there = made.state == "Approved" and made.choice.group == config["name"]
        assert records == ({"acct": list(made.addresses.values())} if is_there else {})


def _check_counts(stored: Stored) -> None:
    for (scope, kind), number in stored.counts.items():
        if scope.startswith("/"):
            subnets = (
                body["properties"]["subnet"]["id"].casefold()
                for key, body in stored.resources.items()
                if stored.types[key] == kind
            )
            assert number == sum(each.startswith(f"{scope}/subnets/") for each in subnets), scope
        else:
            assert number == sum(found == kind and key.split("/")[2] == scope for key, found in stored.types.items()), (
                scope,
                kind,
            )


def _check_addresses(stored: Stored, expected: World) -> None:
    rows = {
        (subnet, str(IPv4Address(".".join(str(int(part)) for part in address.split("."))))): row
        for (subnet, address), row in stored.addresses.items()
    }
    used = {where: holder for where, (holder, released) in rows.items() if released is None}
    services = {where: holder for where, holder in used.items() if "/privatelinkservices/" in holder}
    wanted = {
        (made.place.id.casefold(), address): key
        for key, made in expected.endpoints.items()
        for address in made.addresses.values()
    }
    assert {where: holder for where, holder in used.items() if where not in services} == wanted
    assert {where[0] for where in services} <= {NAT.id.casefold()}
    assert set(services.values()) == {
        choice.id.casefold() for choice in CHOICES if choice.is_service and choice.id in expected.targets
    }
    for place in PLACES:
        reserved = {*map(str, list(place.prefix)[:4]), str(place.prefix[-1])}
        assert not reserved & {address for subnet, address in rows if subnet == place.id.casefold()}
    held = {where for where, (_, released) in rows.items() if released is not None}
    assert {(place.id.casefold(), address) for place, address in expected.held} <= held


RegistryMachine.TestCase.settings = hypothesis.settings(
    max_examples=int(os.environ.get("PLDNS_STATE_MACHINES", "12")), stateful_step_count=50
)
TestRegistryMachine = RegistryMachine.TestCase
