"""Events of Event Grid, in its own schema and as CloudEvents 1.0, one or many in a body.

An event names a resource that was written or deleted. pldns believes nothing else of it and reads the resource instead.
Does not know who sent the event, nor what is done about it.

Microsoft Learn: event-schema-subscriptions, end-point-validation-event-grid-events-schema.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from zones.azure.endpoint import NO_RESOURCE, ResourceId
from zones.azure.resource import InvalidId, resource_id

_VALIDATION: Final = "Microsoft.EventGrid.SubscriptionValidationEvent".casefold()
_CHANGED: Final = ("microsoft.resources.resourcewritesuccess", "microsoft.resources.resourcedeletesuccess")
_KINDS: Final = (
    "microsoft.network/privateendpoints", "microsoft.network/networkinterfaces", "microsoft.network/virtualnetworks",
)  # fmt: skip
_SEGMENTS: Final = 9
"""Segments in the id of a resource without a parent, with the empty segment before the first slash."""


class MalformedEvents(ValueError):  # noqa: N818 - the state of the body
    """The body is not JSON, or holds no event."""


class Event(NamedTuple):
    """One event.

    `resource` is the normalised id of the private endpoint, network interface or virtual network that the event is
    about; empty for any other event. `validation` is the code that a handshake of the Event Grid schema asks back.
    """

    id: str
    resource: ResourceId = NO_RESOURCE
    validation: str = ""


class _Event(msgspec.Struct, rename="camel"):
    """The fields of both schemas that pldns uses. Ids are kept to find duplicates, so their length is limited."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    subject: str = ""
    event_type: str = ""
    type: str = ""
    data: Any = None


def read(body: bytes) -> tuple[list[Event], int]:
    """Return the events of a body, and the number of its items that are no events. Raises `MalformedEvents`."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedEvents(f"not JSON: {error}") from None
    items = found if isinstance(found, list) else [found]
    events = list(_events(items))
    if items and not events:
        raise MalformedEvents("no event of the Event Grid schema or of CloudEvents 1.0")
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


def _resource(text: str) -> ResourceId:
    """Return the normalised id of the resource to read again.

    For a subnet, a peering or a DNS zone group that is its parent. Empty for a resource that pldns does not read.
    """
    try:
        whole = resource_id("/".join(f"/{text.strip().strip('/')}".split("/")[:_SEGMENTS]))
    except InvalidId:
        return NO_RESOURCE
    kind = "/".join(whole.split("/")[6:8])
    return whole if kind in _KINDS else NO_RESOURCE
