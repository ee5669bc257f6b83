"""Records that a private DNS zone provides in a zone of endpoints, and what the zone's misses are then."""

from tests.zones.tables import ACCT, BLOB, ask, build, zone_file
from zones.claims.policy import ZonePolicy
from zones.dns.name import from_text
from zones.dns.zonefile import parse
from zones.table.table import Table


def provide(table: Table, text: str) -> None:
    zone = parse(zone_file(text), "provided")
    for name, rrsets in zone.names.items():
        table.apply_static(zone.origin, name, rrsets, is_open=True)


def test_a_zone_of_endpoints_with_provided_records_answers_misses_as_before() -> None:
    table = build(ACCT)
    provide(table, f"{BLOB}\nhand A 10.0.0.9")
    assert ask(table, f"hand.{BLOB}") == "A 10.0.0.9"
    assert ask(table, f"acct.{BLOB}") == "A 10.0.0.4"
    assert ask(table, f"other.{BLOB}") == f"PUBLIC {BLOB}"


def test_the_policy_of_that_zone_decides_its_misses() -> None:
    table = build(ACCT, overrides={BLOB: ZonePolicy(on_miss="nodata")})
    provide(table, f"{BLOB}\nhand A 10.0.0.9")
    assert ask(table, f"other.{BLOB}") == f"NODATA {BLOB}"


def test_a_miss_in_such_a_zone_is_a_failure_until_all_sources_have_data() -> None:
    table = build(ACCT)
    provide(table, f"{BLOB}\nhand A 10.0.0.9")
    table.unsynced = True
    assert ask(table, f"other.{BLOB}") == "SERVFAIL unsynced"
    assert ask(table, f"hand.{BLOB}") == "A 10.0.0.9"


def test_a_zone_that_comes_to_be_open_touches_all_that_is_in_it() -> None:
    table = build(files=[f"{BLOB}\nhand A 10.0.0.9"])
    zone = table.static[from_text(BLOB)]
    touched = table.apply_static(zone.origin, zone.origin, zone.names[zone.origin], is_open=True)
    assert touched.subtrees == {zone.origin}
    assert ask(table, f"other.{BLOB}") == f"PUBLIC {BLOB}"
