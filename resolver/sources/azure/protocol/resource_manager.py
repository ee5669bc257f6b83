"""The Resource Manager's lists and single resources: their paths, versions, error codes and pages.

Pure. Does not know how a request is sent, nor what a refusal means for a sync.
"""

import re
from typing import Final
from urllib.parse import quote

import msgspec

from resolver.sources.azure.protocol.pages import Incomplete
from zones.azure.endpoint import ResourceId
from zones.azure.resource import resource_type

NETWORK: Final = "2024-05-01"
"""API version of Microsoft.Network."""
PRIVATE_DNS: Final = "2024-06-01"
"""API version of private DNS zones, the first that says how a link resolves names that the zone does not have."""
KINDS: Final = ("privateEndpoints", "networkInterfaces", "virtualNetworks")
SUBSCRIPTIONS: Final = "/subscriptions?api-version=2022-12-01"
"""Path of the list of subscriptions."""
GONE: Final = frozenset(("ResourceNotFound", "ResourceGroupNotFound", "NotFound"))
"""Error codes of a 404 response for a resource that does not exist.

`SubscriptionNotFound` is not among them: the identity may only have lost its role there.
"""
UNREGISTERED: Final = "MissingSubscriptionRegistration"
"""Error code of a subscription that has no resources of the provider."""
_READ: Final = frozenset(f"microsoft.network/{kind}".casefold() for kind in KINDS)
_SEGMENT: Final = re.compile(r"(?!\.{1,2}$)[^/?#%\\\s\x00-\x1f]+")


def list_path(subscription: str, kind: str) -> str:
    """Return the path of the list of one of `KINDS` in a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Network/{kind}?api-version={NETWORK}"


def resource_path(key: ResourceId) -> str:
    """Return the path of the resource with this normalised id."""
    return f"{quote(key)}?api-version={NETWORK}"


def zones_path(subscription: str) -> str:
    """Return the path of the list of private DNS zones in a subscription."""
    return f"/subscriptions/{subscription}/providers/Microsoft.Network/privateDnsZones?api-version={PRIVATE_DNS}"


def zone_path(key: ResourceId, below: str = "") -> str:
    """Return the path of a private DNS zone, or of one of its lists (`/ALL`, `/virtualNetworkLinks`)."""
    return f"{quote(key)}{below}?api-version={PRIVATE_DNS}"


def is_readable(key: ResourceId) -> bool:
    """Return True for the id of one of `KINDS` that is safe as a path."""
    return resource_type(key) in _READ and is_path(key)


def is_path(key: ResourceId) -> bool:
    """Return True where an id, which comes from outside, can lead to no other resource when it is used as a path."""
    return all(map(_SEGMENT.fullmatch, key.split("/")[1:]))


class _List(msgspec.Struct):
    value: msgspec.Raw
    next_link: str | None = msgspec.field(name="nextLink", default=None)


class _Subscription(msgspec.Struct, rename="camel"):
    subscription_id: str
    state: str = "Enabled"


def page(body: bytes) -> tuple[bytes, str]:
    """Return the rows of one page of a list, and the link to the next page, or an empty text. Raises `Incomplete`."""
    try:
        found = msgspec.json.decode(body, type=_List)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Incomplete(f"a page cannot be read: {error}") from None
    return bytes(found.value), found.next_link or ""


def subscriptions(rows: bytes) -> list[str]:
    """Return the ids of the subscriptions of one page that are not deleted, folded. Raises `Incomplete`."""
    try:
        found = msgspec.json.decode(rows, type=list[_Subscription])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Incomplete(f"a page cannot be read: {error}") from None
    return [each.subscription_id.casefold() for each in found if each.state.casefold() != "deleted"]
