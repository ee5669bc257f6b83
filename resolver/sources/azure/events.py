"""What Event Grid sends: events in its own schema and as CloudEvents 1.0, one or many in a body.

An event names a resource that was written or deleted. Nothing else of it is believed: who needs to know reads the
resource. Refuses to know who sent it and what becomes of it.

Microsoft Learn: event-schema-subscriptions, end-point-validation-event-grid-events-schema.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from zones.azure.resource import InvalidId, resource_id

_VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent".casefold()
_CHANGED: Final = ("microsoft.resources.resourcewritesuccess", "microsoft.resources.resourcedeletesuccess")
_KINDS: Final = (
    "microsoft.network/privateendpoints", "microsoft.network/networkinterfaces", "microsoft.network/virtualnetworks",
)  # fmt: skip
_SEGMENTS: Final = 9
"""Of the id of a resource that is nobody's part, counted from the empty one before the first slash."""


class Malformed(ValueError):  # noqa: N818 - what is said of a body
    """The body is not JSON, or has no events."""


class Event(NamedTuple):
    """One event, with the normalised id of the endpoint, network interface or virtual network that it is about.

    `validation`: the code that a handshake of the Event Grid schema wants back.
    """

    id: str
    resource: str = ""
    validation: str = ""


class _Event(msgspec.Struct, rename="camel"):
    """Both schemas. What is not needed is not looked at; ids are remembered, so they are not of any length."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    subject: str = ""
    event_type: str = ""
    type: str = ""
    data: Any = None


def read(body: bytes) -> tuple[list[Event], int]:
    """The events of a body, and how many of its items are none. Raises `Malformed`."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}") from None
    items = found if isinstance(found, list) else [found]
    events = list(_events(items))
    if items and not events:
        raise Malformed("no event of the Event Grid schema or of CloudEvents 1.0")
    return events, len(items) - len(events)


def _events(items: list[Any]) -> Iterator[Event]:
    for item in items:
        try:
            given = msgspec.convert(item, _Event)
        except msgspec.ValidationError:
            continue
        kind = (given.event_type or given.type).casefold()
        data = given.data if isinstance(given.data, dict) else {}
        if kind == _VALIDATION:
            yield Event(given.id, validation=str(data.get("validationCode", "")))
        elif kind in _CHANGED:
            yield Event(given.id, _resource(str(data.get("resourceUri") or given.subject)))
        elif kind:
            yield Event(given.id)


def _resource(text: str) -> str:
    """The normalised id of what is to be read again; of a part (subnet, peering, DNS zone group) that of the whole."""
    try:
        whole = resource_id("/".join(f"/{text.strip().strip('/')}".split("/")[:_SEGMENTS]))
    except InvalidId:
        return ""
    kind = "/".join(whole.split("/")[6:8])
    return whole if kind in _KINDS else ""
