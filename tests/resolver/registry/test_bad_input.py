"""Requests that the registry refuses: each gets Azure's status and code with a sentence, and changes no row."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from resolver.registry.store.sqlite_file import FILE
from tests.registry_shapes import (
    AUDITOR,
    BOTH,
    CONSUMER,
    NETWORKER,
    PROVIDER,
    SUBNET,
    SUPPLIER,
    VERSION,
    Client,
    account,
    endpoint,
    group,
    network,
    vnet,
)
from tests.resolver.registry.conftest import Arm
from tests.resolver.registry.direct import stored

HUB: Final = network("hub", "virtualNetworks")
NEW: Final = network("new")
ZONES: Final = f"{network('pe')}/privateDnsZoneGroups/default"
SERVICE: Final = network("svc", "privateLinkServices", subscription=PROVIDER)
INVALID: Final = "InvalidRequestContent"


class Case(NamedTuple):
    """A request, and the status and code of its refusal. `body`: JSON, or the octets as they are sent."""

    what: str
    method: str
    path: str
    body: Any
    status: int
    code: str
    client: Client = BOTH
    version: str = VERSION
    headers: Mapping[str, str] = {}


def _wish(**properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return endpoint(account(), "blob", **properties)


def _linked(**link: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return the body of an endpoint with other properties of its connection."""
    properties = {"privateLinkServiceId": account(), "groupIds": ["blob"], **link}
    return _wish(privateLinkServiceConnections=[{"name": "one", "properties": properties}])


def _static(address: str, member: str = "blob") -> dict[str, Any]:
    given = {"groupId": "blob", "memberName": member, "privateIPAddress": address}
    return _wish(ipConfigurations=[{"name": "c", "properties": given}])


def _subnet(*prefixes: str, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"properties": {"addressPrefixes": list(prefixes), **properties}}


def _space(*prefixes: str) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": list(prefixes)}}}


def _children(kind: str, *names: str) -> dict[str, Any]:
    rows = [{"name": name, "properties": {"addressPrefix": f"10.1.{i}.0/24"}} for i, name in enumerate(names)]
    return vnet() | {"properties": vnet()["properties"] | {kind: rows}}


def _zones(*zones: str, name: str = "one") -> dict[str, Any]:
    configs = [{"name": name, "properties": {"privateDnsZoneId": zone}} for zone in zones]
    return {"properties": {"privateDnsZoneConfigs": configs}}


def _nested(levels: int) -> dict[str, Any]:
    body: dict[str, Any] = {"location": "westeurope"}
    for _ in range(levels):
        body = {"location": "westeurope", "properties": body}
    return body


def _versions() -> Iterator[Case]:
    for version, code in (
        ("", "MissingApiVersionParameter"),
        ("latest", "InvalidApiVersionParameter"),
        ("2020-08-01", "NoRegisteredProviderFound"),
        ("2020-13", "InvalidApiVersionParameter"),
    ):
        yield Case(f"version {version!r}", "PUT", NEW, _wish(), 400, code, version=version)


def _bodies() -> Iterator[Case]:
    for octets in (
        b"{", b"[]", b'"x"', b"null", b"\xff", b"\xef\xbb\xbf{}", b"{" * 100_000, b'{"a":"\\ud800"}', b"{'a': 1}",
        '{"location": "westeurope"}'.encode("utf-16"), b'{"location": "westeurope", "location": 5}', b"{} {}",
    ):  # fmt: skip
        yield Case(f"body {octets[:20]!r}", "PUT", NEW, octets, 400, INVALID)
    yield Case("no body", "PUT", NEW, b"", 400, "LocationRequired")
    yield Case("too deep", "PUT", account("new"), _nested(65), 400, INVALID)
    for media in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        headers = {"Content-Type": media}
        yield Case(media, "PUT", NEW, _wish(), 415, "UnsupportedMediaType", headers=headers)
    yield Case("5 MB", "PUT", NEW, b" " * 5_000_000, 413, "RequestContentTooLarge")
    yield Case("kind", "PUT", account("new"), {"location": "westeurope", "kind": {}}, 400, INVALID)
    yield Case("sku", "PUT", account("new"), {"location": "westeurope", "sku": 5}, 400, INVALID)
    yield Case("zones", "PUT", account("new"), {"location": "westeurope", "zones": [1]}, 400, INVALID)


def _ids() -> Iterator[Case]:
    for name in ("a%00b", "a%20b", "%E2%80%AEab", "%C3%A4", "a" * 91, "-a", "a.", "a%2Fb", "a%5Cb", "a%25b"):
        yield Case(f"name {name[:9]}", "PUT", network(name), _wish(), 400, "InvalidResourceName")
    yield Case(
        "dots", "PUT", f"{group()}/providers/Microsoft.Network/privateEndpoints/%2e%2e", _wish(), 404, "NotFound"
    )
    yield Case("line end", "PUT", network("%0d%0a"), _wish(), 404, "NotFound")
    yield Case("group with a dot", "PUT", group("rg."), {"location": "westeurope"}, 400, "InvalidResourceName")
    yield Case("group", "PUT", group("a%20b"), {"location": "westeurope"}, 400, "InvalidResourceName")
    yield Case("no group", "PUT", NEW.replace("/rg/", "/none/"), _wish(), 404, "ResourceGroupNotFound")
    yield Case("type", "PUT", network("x", "firewalls"), _wish(), 404, "InvalidResourceType")
    yield Case("child", "PUT", f"{HUB}/things/x", {}, 404, "InvalidResourceType")
    yield Case(
        "parent", "PUT", network("none/subnets/a", "virtualNetworks"), _subnet("10.1.9.0/24"), 404, "ResourceNotFound"
    )
    yield Case("POST", "POST", network("pe"), _wish(), 405, "MethodNotAllowed")
    link = "LinkedInvalidPropertyId"
    for target in ("nonsense", "/", "/subscriptions/a/b", f"{account()}/%2e", "/a" * 2_000):
        yield Case(f"target {target[:20]}", "PUT", NEW, _linked(privateLinkServiceId=target), 400, link)
    yield Case(
        "target of no type", "PUT", NEW, _linked(privateLinkServiceId=HUB), 400, "PrivateLinkServiceNotSupported"
    )
    yield Case("no target", "PUT", NEW, _linked(privateLinkServiceId=account("x")), 400, "InvalidResourceReference")
    yield Case("subnet of no type", "PUT", NEW, _wish(subnet={"id": HUB}), 400, link)
    yield Case("no subnet", "PUT", NEW, _wish(subnet={"id": f"{SUBNET}x"}), 400, "InvalidResourceReference")
    yield Case("subnet is a number", "PUT", NEW, _wish(subnet={"id": 5}), 400, INVALID)
    for each in ("nonsense", HUB):
        yield Case("security group", "PUT", NEW, _wish(applicationSecurityGroups=[{"id": each}]), 400, link)
    for each in ("a/b", "a\u202eb", "a?b", "a" * 91):
        yield Case(
            f"interface {each[:3]}", "PUT", NEW, _wish(customNetworkInterfaceName=each), 400, "InvalidResourceName"
        )
        connection = [{"name": each, "properties": {"privateLinkServiceId": account(), "groupIds": ["blob"]}}]
        body = _wish(privateLinkServiceConnections=connection)
        yield Case(f"connection {each[:3]}", "PUT", NEW, body, 400, "InvalidResourceName")
        yield Case(f"subnet {each[:3]}", "PUT", HUB, _children("subnets", "pe", each), 400, "InvalidResourceName")
        zone = network("a.example", "privateDnsZones")
        yield Case(f"config {each[:3]}", "PUT", ZONES, _zones(zone, name=each), 400, "InvalidResourceName")
    yield Case("subnets of one name", "PUT", HUB, _children("subnets", "pe", "b", "B"), 400, "DuplicateResourceName")
    body = {"location": "westeurope", "properties": {"loadBalancerFrontendIpConfigurations": [{"id": "nonsense"}]}}
    yield Case("frontend", "PUT", SERVICE, body, 400, link)


def _places() -> Iterator[Case]:
    yield Case("no location", "PUT", NEW, _wish() | {"location": ""}, 400, "LocationRequired")
    unknown = "LocationNotAvailableForResourceType"
    yield Case("unknown location", "PUT", NEW, _wish() | {"location": "moon"}, 400, unknown)
    yield Case("other location", "PUT", NEW, _wish() | {"location": "eastus"}, 400, "InvalidResourceReference")
    yield Case("moved", "PUT", HUB, vnet() | {"location": "eastus"}, 409, "InvalidResourceLocation")
    unknown = NEW.replace(CONSUMER, "99999999-0000-4000-a000-000000000009")
    yield Case("subscription", "PUT", unknown, _wish(), 404, "SubscriptionNotFound")
    elsewhere = network("new", subscription=PROVIDER)
    yield Case("subscription of the network", "PUT", elsewhere, _wish(), 400, "InvalidResourceReference")
    full = _wish(subnet={"id": network("hub/subnets/full", "virtualNetworks")})
    yield Case("full", "PUT", NEW, full, 400, "SubnetIsFull")
    for prefix, code in (
        ("10.1.9.0/30", "NetcfgInvalidSubnet"),
        ("10.2.0.0/24", "NetcfgInvalidSubnet"),
        ("10.1.0.128/25", "NetcfgSubnetRangesOverlap"),
        ("10.1.9.1/24", "InvalidAddressPrefixFormat"),
        ("10.1.9.0", "InvalidAddressPrefixFormat"),
        ("fd00::/64", "NetcfgInvalidSubnet"),
    ):
        yield Case(prefix, "PUT", network("hub/subnets/n", "virtualNetworks"), _subnet(prefix), 400, code)
    yield Case(
        "no prefix", "PUT", network("hub/subnets/n", "virtualNetworks"), _subnet(), 400, "InvalidAddressPrefixFormat"
    )
    body = _subnet("10.1.9.0/24", delegations={"a": 1})
    yield Case("delegations", "PUT", network("hub/subnets/n", "virtualNetworks"), body, 400, INVALID)
    yield Case("used prefix", "PUT", SUBNET, _subnet("10.1.9.0/24"), 400, "InUsePrefixCannotBeDeleted")
    for prefixes in (["10.0.0.0/33"], ["nonsense"], []):
        code = "InvalidAddressPrefixFormat" if prefixes else INVALID
        yield Case(f"space {prefixes}", "PUT", network("n", "virtualNetworks"), _space(*prefixes), 400, code)
    yield Case("address space", "PUT", HUB, _space("10.8.0.0/16"), 400, "NetcfgInvalidSubnet")


def _addresses() -> Iterator[Case]:
    for address, code in (
        ("10.1.0.0", "PrivateIPAddressInReservedRange"),
        ("10.1.0.3", "PrivateIPAddressInReservedRange"),
        ("10.1.0.255", "PrivateIPAddressInReservedRange"),
        ("10.9.0.9", "PrivateIPAddressNotInSubnet"),
        ("fd00::9", INVALID),
        ("10.1.0.4", "PrivateIPAddressInUse"),  # of the endpoint `pe`
        ("10.1.0.5", "PrivateIPAddressInUse"),  # held
        ("10.1.0.999", "InvalidIPAddressFormat"),
        ("10.1.0.9/32", "InvalidIPAddressFormat"),
        ("", INVALID),
    ):
        yield Case(f"address {address}", "PUT", NEW, _static(address), 400, code)
    code = "PrivateEndpointIpConfigurationInvalidMember"
    yield Case("member", "PUT", NEW, _static("10.1.0.9", "none"), 400, code)


def _connections() -> Iterator[Case]:
    yield Case("no group", "PUT", NEW, _linked(groupIds=[]), 400, "MissingParameterOnPrivateLinkServiceConnection")
    yield Case("two groups", "PUT", NEW, _linked(groupIds=["blob", "file"]), 400, "OnlyOneGroupIdPermitted")
    yield Case("unknown group", "PUT", NEW, _linked(groupIds=["nothing"]), 400, "InvalidGroupId")
    yield Case("groups", "PUT", NEW, _linked(groupIds="blob"), 400, INVALID)
    yield Case("message", "PUT", NEW, _linked(requestMessage="x" * 141), 400, INVALID)
    several: tuple[Any, ...] = (None, [], "x", ["x"], [{}, {}])
    for connections in several:
        body = _wish(privateLinkServiceConnections=connections)
        yield Case(f"connections {connections}", "PUT", NEW, body, 400, INVALID)
    alias = "svc.837de879-b929-40fe-a7e5-673072f4b71e.westeurope.azure.privatelinkservice"
    manual = {"manualPrivateLinkServiceConnections": [{"name": "one", "properties": {"privateLinkServiceId": alias}}]}
    body = _wish(privateLinkServiceConnections=[], **manual)
    yield Case("alias", "PUT", NEW, body, 400, "PrivateLinkServiceAliasNotFound")
    yield Case("automatic alias", "PUT", NEW, _linked(privateLinkServiceId=alias), 400, INVALID)
    gone = f"{account()}/privateEndpointConnections/gone"
    state: Any = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    yield Case("approving what is gone", "PUT", gone, state, 404, "ResourceNotFound")
    for status in ("Pending", "Disconnected", "nonsense", "", None, 5):
        state = {"properties": {"privateLinkServiceConnectionState": {"status": status}}}
        yield Case(f"status {status}", "PUT", "CONNECTION", state, 400, INVALID)
    for zone in ("a..b", "a" * 70):
        yield Case(f"zone {zone[:5]}", "PUT", ZONES, _zones(network(zone, "privateDnsZones")), 400, INVALID)
    yield Case("zone", "PUT", ZONES, _zones(HUB), 400, "LinkedInvalidPropertyId")
    zone = network("a.example", "privateDnsZones")
    yield Case("one zone twice", "PUT", ZONES, _zones(zone, zone), 400, "DuplicateResourceName")
    wanted = {"location": "westeurope", "tags": {}, **_linked(groupIds=["file"])}
    yield Case("another group", "PUT", network("pe"), wanted, 409, "PropertyChangeNotAllowed")


def _writers() -> Iterator[Case]:
    for etag in ('W/"1"', "*", '"nonsense"'):
        headers = {"If-Match": etag}
        yield Case(f"creation {etag}", "PUT", NEW, _wish(), 412, "PreconditionFailed", headers=headers)
    headers = {"If-None-Match": "*"}
    yield Case("creation twice", "PUT", HUB, vnet(), 412, "PreconditionFailed", headers=headers)
    headers = {"If-Match": 'W/"1"'}
    for method, body in (("PUT", _wish()), ("PATCH", {"tags": {}}), ("DELETE", None)):
        yield Case(f"old ETag {method}", method, network("pe"), body, 412, "PreconditionFailed", headers=headers)
    for tags, code in (
        ({"a": 1}, INVALID),
        ([], INVALID),
        ({"a<b": ""}, "InvalidTagNameCharacters"),
        ({"": ""}, "InvalidTagNameCharacters"),
        ({"a\0": ""}, "InvalidTagNameCharacters"),
        ({"a": "x" * 257}, "InvalidTagValueLength"),
        ({str(i): "" for i in range(51)}, "TooManyTags"),
    ):
        yield Case(f"tags {str(tags)[:10]}", "PATCH", network("pe"), {"tags": tags}, 400, code)
    yield Case("PATCH of a child", "PATCH", SUBNET, {"tags": {"a": "b"}}, 405, "MethodNotAllowed")
    yield Case("PUT of an interface", "PUT", "INTERFACE", {"location": "westeurope"}, 405, "MethodNotAllowed")
    yield Case("DELETE of an interface", "DELETE", "INTERFACE", None, 400, "NicInUseWithPrivateEndpoint")
    for path in (HUB, SUBNET):
        yield Case("in use", "DELETE", path, None, 400, "InUseSubnetCannotBeDeleted")


def _others() -> Iterator[Case]:
    denied = "AuthorizationFailed"
    yield Case("reader", "PUT", NEW, _wish(), 403, denied, client=AUDITOR)
    yield Case("reader", "DELETE", network("pe"), None, 403, denied, client=AUDITOR)
    yield Case("owner of the target", "PUT", NEW, _wish(), 403, denied, client=SUPPLIER)
    yield Case("owner of the target", "DELETE", network("pe"), None, 403, denied, client=SUPPLIER)
    yield Case("owner of the target", "GET", network("pe"), None, 403, denied, client=SUPPLIER)
    state = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}
    yield Case("consumer", "PUT", "CONNECTION", state, 403, denied, client=NETWORKER)
    yield Case("consumer", "DELETE", "CONNECTION", None, 403, denied, client=NETWORKER)
    yield Case("consumer", "PUT", account("new"), {"location": "westeurope"}, 403, denied, client=NETWORKER)
    yield Case("consumer", "GET", account(), None, 403, denied, client=NETWORKER)
    headers = {"Authorization": "Bearer nonsense"}
    yield Case("token", "PUT", NEW, _wish(), 401, "InvalidAuthenticationToken", headers=headers)


CASES: Final = {
    each.__name__.strip("_"): list(each())
    for each in (_versions, _bodies, _ids, _places, _addresses, _connections, _writers, _others)
}


async def _prepare(arm: Arm) -> dict[str, str]:
    """Make an endpoint, a held address and a full subnet. Return the paths that only the registry knows."""
    made = (await arm("PUT", network("pe"), _wish())).body
    assert (await arm("PUT", network("short"), _wish())).status == 201
    assert (await arm("DELETE", network("short"))).status == 202
    full = network("hub/subnets/full", "virtualNetworks")
    assert (await arm("PUT", full, _subnet("10.1.8.0/29"))).status == 201
    for i in range(3):
        assert (await arm("PUT", network(f"f{i}"), _wish(subnet={"id": full}))).status == 201
    connections = (await arm("GET", f"{account()}/privateEndpointConnections")).body["value"]
    connection = next(each["id"] for each in connections if "/pe." in each["id"])
    return {"CONNECTION": connection, "INTERFACE": made["properties"]["networkInterfaces"][0]["id"]}


@pytest.mark.parametrize("kind", CASES)
async def test_what_is_wrong_is_said_and_nothing_is_half_done(lab: Arm, tmp_path: Path, kind: str) -> None:
    known = await _prepare(lab)
    before = stored(tmp_path / FILE)
    wrong: list[tuple[object, ...]] = []
    for case in CASES[kind]:
        octets = (
            case.body if isinstance(case.body, bytes) else b"" if case.body is None else json.dumps(case.body).encode()
        )
        path = known.get(case.path, case.path)
        sent = io.BytesIO(octets) if len(octets) > 1_000_000 else octets
        answer = await lab(
            case.method, path, client=case.client, version=case.version, headers=case.headers, octets=sent
        )
        if (answer.status, answer.code) != (case.status, case.code):
            wrong.append((case.what, answer.status, answer.code, case.status, case.code))
        elif not answer.body["error"]["message"].endswith((".", "…")) or len(answer.body["error"]["message"]) > 1_000:
            wrong.append((case.what, answer.body))
        if stored(tmp_path / FILE) != before:
            wrong.append((case.what, "changed the file"))
            before = stored(tmp_path / FILE)
    assert not wrong, "\n".join(map(str, wrong))


async def test_forms_that_azure_takes_are_taken(lab: Arm) -> None:
    await lab("PUT", network("pe"), _wish())
    for path in (
        f"{HUB}/",
        HUB.upper().replace("/SUBSCRIPTIONS", "/subscriptions"),
        HUB.replace("westeurope", "West Europe"),
    ):
        assert (await lab("GET", path)).status == 200
    media = {"Content-Type": 'application/json; charset="utf-8"'}
    assert (await lab("PUT", NEW, _wish() | {"location": "West Europe"}, headers=media)).status == 201
    assert (await lab("PUT", account("deep"), _nested(63))).status == 201
    listed = await lab("GET", f"/subscriptions/{PROVIDER}/providers/Microsoft.Storage/storageAccounts")
    assert {each["name"] for each in listed.body["value"]} == {"acct", "deep"}
    other = {"location": "eastus", "properties": {"subnet": {"id": "elsewhere"}}, "tags": {"a": "b"}}
    answer = await lab("PATCH", network("pe"), other)  # PATCH is for tags alone
    assert (answer.status, answer.body["location"], answer.body["tags"]) == (200, "westeurope", {"a": "b"})
    assert answer.body["properties"]["subnet"]["id"] == SUBNET
    assert (await lab("DELETE", f"{account()}/privateEndpointConnections/gone")).status == 204
