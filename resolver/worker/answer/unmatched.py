"""Names of endpoints that a client in no network asks for: the records stay, and the answer says what is wrong.

Does not know which network the client should be in. The text names no endpoint and no network. Pure.
"""

from typing import Final

from resolver.wire import codes
from resolver.worker.answer.response import Draft
from zones.dns.name import Name, ancestry, wildcard
from zones.table.table import Table

_EDE: Final = (codes.OTHER, "no network holds your address")


def note(draft: Draft, table: Table, name: Name) -> None:
    """Note a name of the chain if an endpoint has it, so that a client in some network may get its address."""
    above = ancestry(name)[1:]
    draft.deps += (*above, *map(wildcard, above))
    zone = table.held_zone(name)
    if zone is not None:
        draft.unmatched = zone, name


def explain(draft: Draft) -> None:
    """Give the reason to the client (RFC 8914). An error keeps its own reason."""
    if draft.unmatched and draft.rcode in codes.ANSWERS:
        draft.ede = _EDE
