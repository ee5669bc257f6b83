"""The overlay: which records of private DNS zones are served, and of which zones."""

from collections.abc import Mapping

import pytest

from tests.zones.findings.test_drift import BLOB, made, zone
from tests.zones.tables import zone_file
from zones.azure.private_dns_zone import PrivateZone, RecordSet
from zones.dns.name import Name, from_text, to_text
from zones.dns.record import SOA, TXT, RRset
from zones.dns.zonefile import parse
from zones.table.overlay import Claimed, provided

CORP = "corp.example"
HUB = ("hub",)


def provided_by(
    *zones: PrivateZone, claims: Mapping[str, Claimed] | None = None, files: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Return the names by origin, with the types of their records."""
    known = {from_text(name): how for name, how in (claims or {}).items()}
    parsed = {each.origin: each for each in (parse(zone_file(text), "test.zone") for text in files)}
    found = provided(zones, parsed, lambda name: known.get(name, ""))
    return {
        to_text(origin): sorted(
            f"{to_text(name)} {'+'.join(str(rrset.type) for rrset in rrsets)}" for name, rrsets in each.names.items()
        )
        for origin, each in found.items()
    }


def apex(origin: str, rtype: int, rdata: bytes) -> RecordSet:
    return RecordSet("/ID/@", RRset(from_text(origin), rtype, 3600, (rdata,)))


def test_a_manual_record_is_provided_in_a_zone_with_an_soa() -> None:
    assert provided_by(zone(made("www", 4, origin=CORP), origin=CORP, vnets=HUB)) == {
        CORP: ["corp.example 6", "www.corp.example 1"]
    }


def test_the_zones_own_soa_and_the_records_beside_it_are_provided() -> None:
    own = apex(CORP, SOA, b"\2ns\7example\0\2me\7example\0" + bytes(20))
    zones = [zone(apex(CORP, TXT, b"\1x"), own, origin=CORP, vnets=HUB)]
    found = provided(zones, {}, lambda _: "")[from_text(CORP)]
    assert found.soa == own.rrset
    assert [rrset.type for rrset in found.names[from_text(CORP)]] == [SOA, TXT]


def test_a_zone_without_links_or_with_nothing_to_lend_is_not_served() -> None:
    assert not provided_by(zone(made("www", 4, origin=CORP), origin=CORP))
    assert not provided_by(zone(apex(CORP, SOA, b""), origin=CORP, vnets=HUB))


@pytest.mark.parametrize("claimed", ["served", "known"])
def test_a_record_of_a_zone_group_is_not_provided_where_an_endpoint_claims_its_name(claimed: Claimed) -> None:
    zones = zone(made("acct", 4, by="pe"), made("more", 5, by="pe"), vnets=HUB)
    assert provided_by(zones, claims={f"acct.{BLOB}": claimed}) == {BLOB: [f"more.{BLOB} 1", f"{BLOB} 6"]}


def test_a_record_by_hand_yields_to_an_endpoint_that_is_served_and_to_no_other() -> None:
    zones = zone(made("acct", 4), made("more", 5), vnets=HUB)
    assert provided_by(zones, claims={f"acct.{BLOB}": "served", f"more.{BLOB}": "known"}) == {
        BLOB: [f"more.{BLOB} 1", f"{BLOB} 6"]
    }


def test_all_records_of_a_claimed_name_are_left_out_whatever_their_type() -> None:
    text = RecordSet("/ID/t", RRset(from_text(f"acct.{BLOB}"), TXT, 10, (b"\1x",)))
    assert not provided_by(zone(text, vnets=HUB), claims={f"acct.{BLOB}": "served"})


def test_a_zone_whose_own_name_an_endpoint_claims_is_not_served() -> None:
    origin = f"acct.{BLOB}"
    assert not provided_by(zone(made("www", 4, origin=origin), origin=origin, vnets=HUB), claims={origin: "served"})


def test_of_zones_of_one_name_the_one_with_the_most_links_is_served() -> None:
    small = zone(made("a", 4), key="a", vnets=("one",))
    large = zone(made("b", 4), key="b", vnets=("one", "two"))
    same = zone(made("c", 4), key="c", vnets=("one", "two"))
    assert provided_by(small, same, large) == {BLOB: [f"b.{BLOB} 1", f"{BLOB} 6"]}


def test_a_zone_file_keeps_its_zone_and_the_names_that_it_has() -> None:
    inner = f"in.{CORP}"
    zones = [zone(made("www", 4, origin=origin), key=origin, origin=origin, vnets=HUB) for origin in (CORP, inner)]
    assert set(provided_by(*zones)) == {CORP, inner}
    assert set(provided_by(*zones, files=(f"{CORP}\nwww A 10.0.0.9",))) == {inner}
    assert set(provided_by(*zones, files=(f"{CORP}\nhost.in A 10.0.0.9",))) == set()


def test_records_of_several_types_at_one_name_are_in_the_order_of_their_types() -> None:
    at = made("www", 4, origin=CORP)
    text = RecordSet("/ID/t", RRset(Name(at.rrset.owner), TXT, 10, (b"\1x",)))
    assert "www.corp.example 1+16" in provided_by(zone(text, at, origin=CORP, vnets=HUB))[CORP]
