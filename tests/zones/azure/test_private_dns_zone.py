"""Private DNS zones from the JSON of the Resource Manager: every type of record, and faults."""

import json
from typing import Any

import pytest

from tests.fake_azure import shapes
from tests.paths import DATA
from zones.azure.private_dns_zone import RecordSet, UnreadableRows, ZoneLink, links, records, zones
from zones.dns.name import from_text, to_text
from zones.dns.record import RRset

GROUP = shapes.group(shapes.subscription_id(1))
ZONE = shapes.zone(GROUP, "corp.example")["id"]
CORP = from_text("corp.example")


def read(*sets: Any) -> list[RecordSet]:  # noqa: ANN401 - JSON
    """Return the record sets, and assert that there is no fault."""
    found, faults = records(json.dumps(sets).encode(), CORP)
    assert not faults
    return found


@pytest.mark.parametrize(
    ("rtype", "values", "wire"),
    [
        ("A", ["10.0.0.4", "10.0.0.5"], [b"\x0a\0\0\4", b"\x0a\0\0\5"]),
        ("AAAA", ["fd00::4"], [b"\xfd\0" + bytes(13) + b"\4"]),
        ("CNAME", ["Host.Corp.example."], [b"\4host\4corp\7example\0"]),
        ("MX", [(10, "mx.corp.example")], [b"\0\x0a\2mx\4corp\7example\0"]),
        ("PTR", ["host.corp.example"], [b"\4host\4corp\7example\0"]),
        ("SRV", [(1, 2, 389, "dc.corp.example")], [b"\0\1\0\2\1\x85\2dc\4corp\7example\0"]),
        ("TXT", [["v=1", "ä"]], [b"\3v=1\2\xc3\xa4"]),
        (
            "SOA",
            ["ns.example", "me.example", 1, 2, 3, 4, 5],
            [b"\2ns\7example\0\2me\7example\0" + b"".join(each.to_bytes(4, "big") for each in (1, 2, 3, 4, 5))],
        ),
    ],
)
def test_each_type_of_record_is_read_into_wire_form(rtype: str, values: list[Any], wire: list[bytes]) -> None:
    (found,) = read(shapes.record(ZONE, "Www", values, rtype=rtype, ttl=60))
    assert to_text(found.owner) == "www.corp.example"
    assert (found.rrset.ttl, list(found.rrset.rdatas)) == (60, wire)


def test_the_at_sign_is_the_apex_and_a_star_a_wildcard() -> None:
    apex, star = read(*(shapes.record(ZONE, name, ["10.0.0.4"]) for name in ("@", "*")))
    assert [to_text(apex.owner), to_text(star.owner)] == ["corp.example", "*.corp.example"]


def test_a_record_of_a_zone_group_names_the_endpoint_that_made_it() -> None:
    real = json.loads((DATA / "azure" / "REAL-zone-group-created-A-record.json").read_text())["first"]
    (found,) = read(real | {"id": f"{ZONE}/A/x"})
    assert found.maker == "pe-stg-import-inprogress-blob-tre0db03523"
    (by_hand,) = read(shapes.record(ZONE, "x", ["10.0.0.4"]))
    assert (by_hand.creator, by_hand.maker) == ("", "")


def test_the_published_example_is_read_completely() -> None:
    body = json.loads((DATA / "azure" / "RecordSetALLList.2024-06-01.json").read_text())["body"]
    found, faults = records(json.dumps(body["value"]).encode(), from_text("privatezone1.com"))
    assert not faults
    assert [to_text(each.owner).partition(".")[0] for each in found] == ["recorda", "recordcname", "recordmx"]


@pytest.mark.parametrize(
    ("rtype", "values", "said"),
    [
        ("A", ["10.0.0.300"], "10.0.0.300"),
        ("AAAA", ["10.0.0.4"], "10.0.0.4"),
        ("CNAME", ["a..b"], "empty label"),
        ("MX", [(70_000, "mx.example")], "65535"),
        ("TXT", [["x" * 256]], "255"),
        ("SRV", [(1, 2, -1, "dc.example")], "port"),
    ],
)
def test_an_unreadable_record_set_is_a_fault_and_the_others_are_kept(rtype: str, values: list[Any], said: str) -> None:
    bad = shapes.record(ZONE, "bad", values, rtype=rtype)
    found, faults = records(json.dumps([bad, shapes.record(ZONE, "good", ["10.0.0.4"])]).encode(), CORP)
    assert [to_text(each.owner) for each in found] == ["good.corp.example"]
    assert [fault.subject for fault in faults] == [bad["id"]]
    assert said in faults[0].message


def test_a_name_that_is_too_long_with_its_zone_or_a_type_that_is_unknown_is_a_fault() -> None:
    long, strange = shapes.record(ZONE, ".".join(["x" * 60] * 4), ["10.0.0.4"]), shapes.record(ZONE, "x", ["10.0.0.4"])
    found, faults = records(
        json.dumps([long, strange | {"type": "Microsoft.Network/privateDnsZones/NS"}]).encode(), CORP
    )
    assert not found
    assert ["255" in faults[0].message, "NS" in faults[1].message] == [True, True]


def test_a_record_set_without_records_is_none() -> None:
    assert read(shapes.record(ZONE, "empty", [])) == []


def test_links_name_the_virtual_networks_and_zones_their_origins() -> None:
    vnet = shapes.virtual_network(GROUP, "Hub", ["10.0.0.0/8"])["id"]
    page = json.dumps([shapes.link(ZONE, "to-hub", vnet)]).encode()
    assert links(page) == [ZoneLink("to-hub", vnet.casefold())]
    assert zones(json.dumps([shapes.zone(GROUP, "Corp.Example")]).encode()) == [
        (ZONE.casefold(), ZONE.replace("corp.example", "Corp.Example"), CORP)
    ]


@pytest.mark.parametrize("read", [zones, links, lambda rows: records(rows, CORP)])
def test_a_page_of_another_shape_is_unreadable(read: Any) -> None:  # noqa: ANN401 - one of three
    with pytest.raises(UnreadableRows):
        read(b'{"value": 1')


def test_the_types_keep_their_numbers() -> None:
    (found,) = read(shapes.record(ZONE, "x", [["a"]], rtype="TXT"))
    assert found.rrset == RRset(from_text("x.corp.example"), 16, 10, (b"\1a",))
