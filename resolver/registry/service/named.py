"""The resource that a person means: by its id or its name, and for reading by the beginning of a name.

A change needs the whole name: when `pe` is deleted already, a second `delete pe` must not delete `pe2`.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from resolver.registry.model.access import check_access
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.fqdns import link_types
from resolver.registry.model.resource_id import ArmId
from resolver.registry.model.selection import Match
from resolver.registry.service.call import ENDPOINT, Call
from resolver.registry.service.lists import connection_types, consumer_name, name_of, rows, visible_subscriptions
from resolver.registry.service.virtual_networks import SUBNETS
from resolver.registry.store.row import Row

_SHOWN: Final = 4
"""Ids in a sentence about a name that several resources have."""
_LONGEST: Final = 200


def endpoint(call: Call, text: str, match: Match) -> Row:
    """Return the private endpoint that a text means. Raises `ArmFailure` 403, 404 and 409."""
    return _meant(call, text, match, (ENDPOINT,), "private endpoint", lambda row: (name_of(row),))


def connection(call: Call, text: str, match: Match) -> Row:
    """Return the connection that a text means: its own name counts, and that of its endpoint. Raises `ArmFailure`.

    The name of a connection begins with that of its endpoint.
    """
    return _meant(call, text, match, connection_types(), "connection", lambda row: (name_of(row), consumer_name(row)))


def subnet(call: Call, text: str) -> Row:
    """Return the subnet that a text means: `NETWORK/SUBNET`, or its own name. Raises `ArmFailure`."""
    return _meant(
        call,
        text,
        Match.WHOLE,
        (SUBNETS,),
        "subnet",
        lambda row: (name_of(row), f"{_network_of(row)}/{name_of(row)}"),
        _all,
    )


def target(call: Call, text: str) -> Row:
    """Return the target, or the private link service, that a text means. Raises `ArmFailure`."""
    return _meant(call, text, Match.WHOLE, link_types(), "target", lambda row: (name_of(row),))


def _network_of(subnet: Row) -> str:
    return subnet.parent.rpartition("/")[2]


def _by_name(call: Call, kinds: Collection[str], beginning: str) -> Iterator[Row]:
    """Yield the resources of these types whose name begins so, in the subscriptions that the caller sees."""
    seen, wanted = visible_subscriptions(call), {kind.casefold() for kind in kinds}
    return (row for row in call.tx.named(beginning) if row.type in wanted and row.subscription in seen)


def _all(call: Call, kinds: Collection[str], _beginning: str) -> Iterator[Row]:
    return rows(call, kinds)


def _meant(
    call: Call,
    text: str,
    match: Match,
    kinds: Collection[str],
    what: str,
    names: Callable[[Row], tuple[str, ...]],
    candidates: Callable[[Call, Collection[str], str], Iterator[Row]] = _by_name,
) -> Row:
    """Return the resource that a text means. `candidates` yields all that can be meant, and perhaps others."""
    shown = text[:_LONGEST]
    if text.startswith("/"):
        found = ArmId.parse(text)
        check_access(call.caller, found, "read")
        if found.type.casefold() not in {kind.casefold() for kind in kinds}:
            raise ArmFailure(404, "ResourceNotFound", f"{shown!r} is not the id of a {what}.")
        return call.row(found)
    folded = text.casefold()
    exact: list[Row] = []
    near: list[Row] = []
    for row in candidates(call, kinds, folded):
        known = names(row)
        if folded in known:
            exact.append(row)
        elif any(each.startswith(folded) for each in known):
            near.append(row)
    fitting = exact or (near if match is Match.BEGINNING else [])
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        others = f" Names that begin with {shown!r}: {_listed(near, lambda row: names(row)[-1])}." if near else ""
        missing = f"There is no {what} {shown!r} that {call.caller.name} can see.{others}"
        raise ArmFailure(404, "ResourceNotFound", missing)
    ids = _listed(fitting, lambda row: row.id)
    raise ArmFailure(409, "AmbiguousName", f"{shown!r} can be any of these {what}s. Use an id: {ids}.")


def _listed(found: list[Row], text: Callable[[Row], str]) -> str:
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(text(row) for row in found[:_SHOWN]) + more
