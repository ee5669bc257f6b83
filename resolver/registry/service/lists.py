"""Lists over all subscriptions that a caller sees: private endpoints, connections, subnets and targets.

Azure's own lists are of one subscription, group or parent (`resources`). Here too each side sees its own resources: the
consumer the endpoints, the owner of a target the connections to the target.
"""

import heapq
from collections.abc import Collection, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from resolver.registry.model.failure import bad_request
from resolver.registry.model.fqdns import group_ids, link_types
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.selection import Selection
from resolver.registry.service.call import CONNECTIONS, ENDPOINT, VNET, Call
from resolver.registry.service.endpoint_body import connection_in, link_of
from resolver.registry.service.virtual_networks import SUBNETS
from resolver.registry.store.row import Json, Row

_ENDPOINTS: Final = "/privateendpoints/"
"""In the key of a private endpoint, and in no key of a private link service."""
_CHUNK: Final = 500
"""Rows to read at a time."""

_T = TypeVar("_T")


class _Filter(NamedTuple):
    """A selection in folded texts, except for states. `vnets` are ids."""

    subscriptions: frozenset[str]
    states: frozenset[str]
    vnets: frozenset[str]
    targets: frozenset[str]
    names: frozenset[str]


class Part(NamedTuple, Generic[_T]):
    """A part of a list, and the key after which the next part begins; empty for the last one."""

    items: list[_T]
    next: str = ""


class EndpointEntry(NamedTuple):
    """A private endpoint with its network interface, as Azure's API has them."""

    body: Json
    nic: Json


class SubnetEntry(NamedTuple):
    """A subnet as Azure's API has it, the location of its virtual network, and how many endpoints are in it."""

    body: Json
    location: str
    endpoints: int


class TargetEntry(NamedTuple):
    """A target as Azure's API has it, and its sub-resources."""

    body: Json
    sub_resources: list[str]


class ConnectionEntry(NamedTuple):
    """A private endpoint connection as Azure's API has it, and the consumer's message to the owner."""

    body: Json
    message: str

    @property
    def state(self) -> str:
        """Its state, such as `Pending`."""
        state: str = self.body["properties"]["privateLinkServiceConnectionState"]["status"]
        return state


def endpoints(call: Call, selection: Selection, after: str, size: int) -> Part[EndpointEntry]:
    """Return the next endpoints after a key, `size` at most. Raises `ArmFailure` 400."""
    wanted = _filter(call, selection)
    found = (row for row in rows(call, (ENDPOINT,), wanted.subscriptions, after) if _is_wanted_endpoint(row, wanted))
    return _part(((row.key, endpoint_entry(call, row)) for row in found), size)


def connections(call: Call, selection: Selection, after: str, size: int) -> Part[ConnectionEntry]:
    """Return the next connections after a key, `size` at most. Raises `ArmFailure` 400."""
    wanted = _filter(call, selection)
    found = rows(call, connection_types(), wanted.subscriptions, after)
    chosen = (row for row in found if _is_wanted_connection(row, wanted))
    return _part(((row.key, connection_entry(call, row)) for row in chosen), size)


def subnets(call: Call, selection: Selection, after: str, size: int) -> Part[SubnetEntry]:
    """Return the next subnets after a key, `size` at most. Raises `ArmFailure` 400."""
    wanted = _filter(call, selection)
    chosen = (row for row in rows(call, (SUBNETS,), wanted.subscriptions, after) if _is_wanted_subnet(row, wanted))
    return _part(((row.key, subnet_entry(call, row)) for row in chosen), size)


def targets(call: Call, selection: Selection, after: str, size: int) -> Part[TargetEntry]:
    """Return the next targets, private link services among them, after a key, `size` at most. Raises `ArmFailure`."""
    wanted = _filter(call, selection)
    found = rows(call, link_types(), wanted.subscriptions, after)
    chosen = (row for row in found if not wanted.names or name_of(row) in wanted.names)
    return _part(((row.key, target_entry(row)) for row in chosen), size)


def subnet_entry(call: Call, row: Row) -> SubnetEntry:
    """Return a subnet as lists show it."""
    vnet = call.row(ArmId.parse(row.id.partition("/subnets/")[0]))
    endpoints = sum(_ENDPOINTS in holder for holder in call.tx.holders(row.key))
    return SubnetEntry(row.json, vnet.json["location"], endpoints)


def target_entry(row: Row) -> TargetEntry:
    """Return a target as lists show it."""
    body = row.json
    return TargetEntry(body, list(group_ids(body["type"], body["location"])))


def endpoint_entry(call: Call, row: Row) -> EndpointEntry:
    """Return an endpoint as lists show it."""
    body = row.json
    return EndpointEntry(body, call.row(ArmId.parse(body["properties"]["networkInterfaces"][0]["id"])).json)


def connection_entry(call: Call, row: Row) -> ConnectionEntry:
    """Return a connection as lists show it."""
    endpoint = call.tx.get(call.tx.endpoint_of(row.key))
    return ConnectionEntry(row.json, connection_in(endpoint.json).request_message if endpoint else "")


def rows(
    call: Call, kinds: Collection[str], subscriptions: frozenset[str] = frozenset(), after: str = ""
) -> Iterator[Row]:
    """Yield the resources of these types in the subscriptions that the caller sees, in the order of their keys.

    `subscriptions`: only these; empty: all.
    """
    seen = visible_subscriptions(call)
    for subscription in sorted(seen.keys() & subscriptions if subscriptions else seen):
        lists = (_of_type(call, kind.casefold(), subscription, after) for kind in kinds)
        yield from heapq.merge(*lists, key=lambda row: row.key)


def visible_subscriptions(call: Call) -> dict[str, str]:
    """Return the names of the subscriptions in which the caller has a role, by id."""
    return {each.id: each.name for each in call.settings.subscriptions if each.id in call.caller.roles.visible}


def subscription_named(call: Call, text: str) -> str:
    """Return the id of the subscription with this id or name that the caller sees. Raises `ArmFailure` 400."""
    seen, folded = visible_subscriptions(call), text.casefold()
    for found, name in seen.items():
        if folded in {found, name.casefold()}:
            return found
    known = ", ".join(f"{name} ({found})" for found, name in seen.items()) or "none"
    raise bad_request(
        "SubscriptionNotFound", f"There is no subscription {text[:80]!r} that {call.caller.name} sees: {known}."
    )


def connection_types() -> tuple[str, ...]:
    """Return the types of private endpoint connections, one for each type of target."""
    return tuple(f"{kind}/{CONNECTIONS}" for kind in link_types())


def name_of(row: Row) -> str:
    """Return the folded name of a resource."""
    return row.key.rpartition("/")[2]


def consumer_name(row: Row) -> str:
    """Return the folded name of the endpoint of a connection, from that of the connection: `ENDPOINT.GUID`."""
    return name_of(row).rpartition(".")[0]


def _of_type(call: Call, kind: str, subscription: str, after: str) -> Iterator[Row]:
    while some := call.tx.listed(kind, subscription, after=after, limit=_CHUNK):
        yield from some
        if len(some) < _CHUNK:
            return
        after = some[-1].key


def _part(found: Iterator[tuple[str, _T]], size: int) -> Part[_T]:
    items: list[_T] = []
    last = ""
    for key, item in found:
        if len(items) == size:
            return Part(items, last)
        items.append(item)
        last = key
    return Part(items)


def _is_wanted_endpoint(row: Row, wanted: _Filter) -> bool:
    if wanted.names and name_of(row) not in wanted.names:
        return False
    if not _may_be(row, wanted.states):
        return False
    if not (wanted.states or wanted.vnets or wanted.targets):
        return True
    body = row.json
    vnet = body["properties"]["subnet"]["id"].casefold().partition("/subnets/")[0]
    return (
        (not wanted.states or connection_in(body).state.value in wanted.states)
        and (not wanted.vnets or vnet in wanted.vnets)
        and _is_target(link_of(body)["privateLinkServiceId"].casefold(), wanted.targets)
    )


def _is_wanted_subnet(row: Row, wanted: _Filter) -> bool:
    return (not wanted.names or name_of(row) in wanted.names) and (not wanted.vnets or row.parent in wanted.vnets)


def _is_wanted_connection(row: Row, wanted: _Filter) -> bool:
    if wanted.names and wanted.names.isdisjoint((name_of(row), consumer_name(row))):
        return False
    if not _is_target(row.parent, wanted.targets) or not _may_be(row, wanted.states):
        return False
    state = row.json["properties"]["privateLinkServiceConnectionState"]["status"] if wanted.states else ""
    return not wanted.states or state in wanted.states


def _may_be(row: Row, states: frozenset[str]) -> bool:
    """Return False for a resource whose body has none of the states: most bodies need not be decoded."""
    return not states or any(f'"status":"{state}"' in row.body for state in states)


def _is_target(key: str, targets: frozenset[str]) -> bool:
    return not targets or key in targets or key.rpartition("/")[2] in targets


def _filter(call: Call, given: Selection) -> _Filter:
    targets, names = ({text.casefold() for text in texts} for texts in (given.targets, given.names))
    return _Filter(
        frozenset(subscription_named(call, text) for text in given.subscriptions),
        frozenset(given.states),
        frozenset(vnet for text in given.vnets for vnet in _vnets(call, text)),
        frozenset(targets),
        frozenset(names),
    )


def _vnets(call: Call, text: str) -> list[str]:
    folded = text.casefold()
    known = [row for row in rows(call, (VNET,)) if folded in {row.key, name_of(row)}]
    if not known:
        raise bad_request(
            "ResourceNotFound", f"There is no virtual network {text[:200]!r} that {call.caller.name} sees."
        )
    return [row.key for row in known]
