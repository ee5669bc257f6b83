"""Resource Manager: subscriptions, lists of a subscription, a group or a parent, single resources, PUT and DELETE.

Does not know HTTP. Of faults it only knows those that change the link to the next page.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from tests.fake_azure.estate import ENDPOINTS, NICS, FakeEstate
from tests.fake_azure.identity import APPLICATION, PRINCIPAL
from tests.fake_azure.replies import FakeReply, Refusal, Warp, page
from tests.fake_azure.shapes import Json

Access = Callable[[str], Literal["", "gone", "forbidden"]]

_SPELLED: Final = {
    kind.casefold(): kind
    for kind in ("privateEndpoints", "networkInterfaces", "virtualNetworks", "privateDnsZones", "virtualNetworkLinks")
}
TOP: Final = {ENDPOINTS, NICS, "microsoft.network/virtualnetworks", "microsoft.network/privatednszones"}
ZONE: Final = "microsoft.network/privatednszones"
RECORDS: Final = ("a", "aaaa", "cname", "mx", "ptr", "soa", "srv", "txt")
CHILDREN: Final = {
    "microsoft.network/privateendpoints/privatednszonegroups",
    f"{ZONE}/virtualnetworklinks",
    *(f"{ZONE}/{rtype}" for rtype in RECORDS),
}


class Call(NamedTuple):
    """The parts of a request that matter to the Resource Manager."""

    method: str
    origin: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""
    warp: Warp = ""
    elsewhere: str = ""
    """Another origin for the link to the next page."""


class Arm:
    """Answers requests from the estate. `access` returns why the caller may not read a subscription."""

    def __init__(self, estate: FakeEstate, access: Access, size: int) -> None:
        self._estate = estate
        self._access = access
        self._size = size

    def answer(self, call: Call) -> FakeReply:
        """Return the reply. Raises `Refusal`."""
        if "api-version" not in call.query:
            raise Refusal(
                400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."  # noqa: E501
            )  # fmt: skip
        parts = call.path.strip("/").split("/")
        if parts[0].casefold() != "subscriptions":
            raise Refusal(404, "InvalidResourceType", f"The fake does not know '{call.path}'.")
        if len(parts) == 1:
            return self._subscriptions(call)
        subscription = self._subscription(parts[1])
        if len(parts) == 2:
            return FakeReply(200, msgspec.json.encode(subscription))
        under, type_, single = _read(parts)
        self._authorise(parts[1], type_, call)
        return self._single(call) if single else self._list(call, under, type_)

    def _subscription(self, own: str) -> Json:
        found = self._estate.subscriptions.get(own.casefold())
        if found is None or self._access(own) == "gone":
            raise Refusal(404, "SubscriptionNotFound", f"The subscription '{own}' could not be found.")
        return found

    def _authorise(self, subscription: str, type_: str, call: Call) -> None:
        if self._access(subscription) == "forbidden":
            verb = {"GET": "read", "PUT": "write", "DELETE": "delete"}.get(call.method, "action")
            kinds = "/".join(_SPELLED.get(kind, kind.upper()) for kind in type_.split("/")[1:])
            raise Refusal(
                403, "AuthorizationFailed",
                f"The client '{APPLICATION}' with object id '{PRINCIPAL}' does not have authorization to perform "
                f"action 'Microsoft.Network/{kinds}/{verb}' over scope '/subscriptions/{subscription}' or the scope is "
                "invalid. If access was recently granted, please refresh your credentials.",
            )  # fmt: skip

    def _subscriptions(self, call: Call) -> FakeReply:
        readable = {key: body for key, body in self._estate.subscriptions.items() if not self._access(key)}
        rows, following = page(sorted(readable), call.query.get("$skipToken", ""), self._size, call.warp)
        return self._page(call, [msgspec.json.encode(readable[key]) for key in rows], following)

    def _list(self, call: Call, under: str, type_: str) -> FakeReply:
        if call.method != "GET":
            raise Refusal(405, "MethodNotAllowed", f"The method {call.method} is not for a list.")
        if type_ == f"{ZONE}/all":
            rows = sorted(key for rtype in RECORDS for key in self._estate.ids(f"{ZONE}/{rtype}", under))
        else:
            rows = self._estate.ids(type_, under)
        if type_ not in TOP:
            self._found(under.rstrip("/"))
        size = min(self._size, _number(call.query.get("$top"), self._size))
        chosen, following = page(rows, call.query.get("$skipToken", ""), size, call.warp)
        return self._page(call, [self._found(key) for key in chosen], following)

    def _page(self, call: Call, rows: list[bytes], following: str) -> FakeReply:
        link = b""
        if following:
            kept = {key: value for key, value in call.query.items() if key != "$skipToken"}
            asked = "&".join(f"{quote(key, safe='$-')}={quote(value)}" for key, value in kept.items())
            url = f"{call.elsewhere or call.origin}{quote(call.path)}?{asked}&$skipToken={following}"
            link = b',"nextLink":' + msgspec.json.encode(url)
        return FakeReply(200, b'{"value":[' + b",".join(rows) + b"]" + link + b"}")

    def _single(self, call: Call) -> FakeReply:
        if call.method == "PUT":
            status = 200 if self._estate.raw(call.path) else 201
            self._estate.add(msgspec.json.decode(call.body) | {"id": call.path})
            return FakeReply(status, self._found(call.path))
        if call.method == "DELETE":
            return FakeReply(200 if self._estate.remove(call.path) else 204, b"")
        return FakeReply(200, self._found(call.path))

    def _found(self, own: str) -> bytes:
        body = self._estate.raw(own)
        if body is None:
            group, name = own.split("/")[4], own.partition("/providers/")[2]
            raise Refusal(
                404, "ResourceNotFound",
                f"The Resource '{name}' under resource group '{group}' was not found. For more details please go to "
                "https://aka.ms/ARMResourceNotFoundFix",
            )  # fmt: skip
        return body


def _read(parts: list[str]) -> tuple[str, str, bool]:
    """Return what a path requests: the folded prefix of the ids, the type, and whether it is a single resource."""
    folded = [part.casefold() for part in parts]
    wide = folded[2] == "providers"
    rest = folded[2:] if wide else folded[4:]
    known = wide or (folded[2] == "resourcegroups" and rest[:1] == ["providers"])
    if not known or rest[1:2] != ["microsoft.network"] or len(rest) < 3 or (wide and len(rest) > 3):
        raise Refusal(404, "InvalidResourceType", f"The fake does not know '/{'/'.join(parts)}'.")
    type_ = "/".join((rest[1], *rest[2::2]))
    if type_ not in TOP | CHILDREN | {f"{ZONE}/all"}:
        raise Refusal(404, "InvalidResourceType", f"The resource type '{type_}' could not be found in the namespace.")
    single = len(rest) % 2 == 0
    if type_ in TOP and not single:
        return f"/{'/'.join(folded[: 2 if wide else 4])}/", type_, False
    return f"/{'/'.join(folded[:-1])}/", type_, single


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or not int(text):
        raise Refusal(400, "InvalidTopParameter", f"The value of $top is not a number above nothing: '{text}'.")
    return int(text)
