"""Snapshots: read back, they give the same estate; redacted, they contain no name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resolver import settings
from resolver.control.estate.estate import Estate
from resolver.offline import snapshot
from resolver.offline.redaction import Redaction
from tests.fake_azure import __main__ as fake_azure
from tests.paths import ROOT
from zones.azure import arm
from zones.azure.catalogue import catalogue
from zones.azure.resource import Resources
from zones.clocks import WallTime

EXAMPLE = ROOT / "examples/hub-spoke/endpoints"
KEY = bytes(32)
Parts = Callable[[], list[Resources]]


def example() -> list[Resources]:
    return [arm.read(file.read_bytes(), "file", form="json") for file in sorted(EXAMPLE.glob("*.json"))]


def generated() -> list[Resources]:
    """Endpoints of many services and regions."""
    return [again(json.dumps(list(fake_azure.generated(300, 3))))]


ENDPOINT = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe-portal"
VNET = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet-one"
GROUPED = [
    {"id": VNET, "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "privateEndpointVNetPolicies": "Basic"},
    {"id": ENDPOINT, "subnet": {"id": f"{VNET}/subnets/one"}, "privateLinkServiceConnections": [{
        "privateLinkServiceConnectionState": {"status": "Approved"}, "groupIds": ["portal"],
        "privateLinkServiceId": "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.New/factories/f1",
    }]},
    {"id": "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic-portal",
     "privateEndpoint": {"id": ENDPOINT}, "ipConfigurations": [{
         "privateIPAddress": "10.1.0.4", "privateLinkConnectionProperties": {"fqdns": ["factory.contoso.example"]},
     }]},
    {"id": f"{ENDPOINT}/privateDnsZoneGroups/default", "privateDnsZoneConfigs": [
        {"privateDnsZoneId": f"/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/{zone}",
         "recordSets": [{"fqdn": name, "ipAddresses": [address]}]}
        for zone, name, address in (
            ("privatelink.contoso.internal", "portal.privatelink.contoso.internal", "10.1.0.4"),
            ("apex.internal", "apex.internal", "10.1.0.9"),
        )
    ]},
]  # fmt: skip


def grouped() -> list[Resources]:
    """An endpoint whose private name only its zone group has."""
    return [again(json.dumps(GROUPED))]


def again(given: str) -> Resources:
    return arm.read(given.encode(), "file", form="json")


def text(made: snapshot.Snapshot) -> str:
    return "".join(made.lines())


def redacted(made: snapshot.Snapshot) -> str:
    return "".join(made.lines(Redaction(KEY, catalogue()).resource))


def estate(given: list[Resources]) -> Estate:
    """Return the estate that a daemon makes of these parts of one source."""
    made = Estate(settings.ControlSettings(auto=True, sources=(settings.SourceSettings("s", "files", "/s"),)))
    made.take([("s", str(i), each) for i, each in enumerate(given)], WallTime(0.0))
    return made


def finding_subjects(made: Estate) -> list[tuple[str, str]]:
    return sorted((each.code, each.severity.value) for each in made.board)


@pytest.mark.parametrize("parts", [example, generated, grouped])
def test_a_snapshot_gives_the_same_rows_and_findings(parts: Parts) -> None:
    given = parts()
    made = snapshot.made(given)
    first, second = estate(given), estate([again(text(made))])
    assert dict(second.ledger.rows) == dict(first.ledger.rows)
    assert second.ledger.rows
    if not made.unreadable and not made.differing:
        assert finding_subjects(second) == finding_subjects(first)


@pytest.mark.parametrize("parts", [example, generated, grouped])
def test_a_redacted_snapshot_has_as_many_names_and_the_same_findings(parts: Parts) -> None:
    given = parts()
    made = snapshot.made(given)
    first, second = estate([again(text(made))]), estate([again(redacted(made))])
    assert finding_subjects(second) == finding_subjects(first)
    assert len(second.ledger.rows) == len(first.ledger.rows)
    assert len(second.networks.now) == len(first.networks.now)


@pytest.mark.parametrize("parts", [example, generated, grouped])
def test_a_redacted_snapshot_contains_no_name_and_no_id(parts: Parts) -> None:
    made = snapshot.made(parts())
    plain, hidden = text(made), redacted(made)
    names = {each for row in json.loads(plain)["value"] for each in row["id"].split("/")[2::2]}
    names -= {"Microsoft.Network", "microsoft.network"}
    assert names
    assert not [
        each
        for each in names
        if f'"{each.casefold()}"' in hidden.casefold() or f"/{each.casefold()}/" in hidden.casefold()
    ]


def test_a_redacted_zone_group_still_gives_its_endpoint_a_private_name() -> None:
    for given in (text(snapshot.made(grouped())), redacted(snapshot.made(grouped()))):
        (endpoint,) = estate([again(given)]).ledger.endpoints.values()
        assert [record.private is None for record in endpoint.records] == [False]
        assert [fault.message.partition(":")[0] for fault in endpoint.faults] == ["10.1.0.9"]
    hidden = redacted(snapshot.made(grouped()))
    assert not [word for word in ("contoso", "internal", "apex", "portal.") if word in hidden]


def test_of_differing_resources_the_first_one_counts() -> None:
    record = {"fqdn": "a.blob.core.windows.net"}
    given = [
        again(
            json.dumps(
                {"endpoints": [{"name": "e", "target": "t", "group": "blob", "records": [record | {"ips": [ip]}]}]}
            )
        )
        for ip in ("10.0.0.4", "10.0.0.5")
    ]
    made = snapshot.made(given)
    assert (made.resources, made.differing) == (1, 1)
    assert "10.0.0.4" in text(made)


def test_a_file_is_readable_by_its_owner_alone_and_replaced_only_on_request(tmp_path: Path) -> None:
    file = tmp_path / "estate.json"
    snapshot.write(file, ["o", "ne"], replace=False)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        snapshot.write(file, ["two"], replace=False)
    assert file.read_text() == "one"
    snapshot.write(file, ["two"], replace=True)
    assert file.read_text() == "two"
    assert [each.name for each in tmp_path.iterdir()] == ["estate.json"]


def test_a_file_that_cannot_be_completed_does_not_exist(tmp_path: Path) -> None:
    def lines() -> Iterator[str]:
        yield "half"
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        snapshot.write(tmp_path / "estate.json", lines(), replace=True)
    assert list(tmp_path.iterdir()) == []
