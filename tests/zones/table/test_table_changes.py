"""Which answers a change of the table touches: those that it may alter, and no others. Plain examples."""

import pytest

from tests.zones.tables import (
    ACCT,
    BLOB,
    ENVIRONMENT,
    REGISTRY,
    TableClaim,
    ask,
    build,
    outcome,
    rows,
    shown,
    shown_record,
    zone_file,
)
from zones.claims.policy import ZonePolicy
from zones.claims.row import pack
from zones.dns.name import from_text, is_under, to_text
from zones.dns.record import RRset
from zones.dns.zonefile import parse
from zones.table.outcome import Alias, Referral
from zones.table.table import Table, Touched


def change(table: Table, *claims: TableClaim) -> Touched:
    (item,) = rows(claims).items()
    return table.apply(*item)


def test_a_change_touches_the_name_its_public_names_and_its_reverse_names() -> None:
    table = build(ACCT, ACCT._replace(fqdn="other.blob.core.windows.net"))
    touched = change(table, ACCT._replace(addresses="10.0.0.99"))
    assert {to_text(name) for name in touched.names} == {
        "acct.blob.core.windows.net", f"acct.{BLOB}", "4.0.0.10.in-addr.arpa", "99.0.0.10.in-addr.arpa",
    }  # fmt: skip
    assert not touched.subtrees
    assert ask(table, f"acct.{BLOB}") == "A 10.0.0.99"


def test_a_change_touches_every_public_name_of_a_private_one_and_makes_it_exist() -> None:
    also = ("a.b.vault.azure.net", "c.d.vault.azure.net")
    table = build(files=["vault.azure.net\nwww A 192.0.2.1"])
    assert ask(table, "d.vault.azure.net") == "NXDOMAIN vault.azure.net"
    touched = change(table, TableClaim("kv.privatelink.vaultcore.azure.net", "10.0.0.5", also=also))
    assert {from_text(name) for name in also} <= touched.names
    assert {ask(table, name) for name in ("b.vault.azure.net", "d.vault.azure.net")} == {"NODATA vault.azure.net"}


def test_a_new_name_in_a_visible_zone_does_not_touch_its_other_names() -> None:
    table = build(ACCT, ENVIRONMENT, files=["corp.example\nwww A 192.0.2.1"])
    questions = [
        "acct.blob.core.windows.net", f"acct.{BLOB}", f"nope.{BLOB}", BLOB, "nope.blob.core.windows.net",
        "www.corp.example", "nope.corp.example", "www.example.com", "x.env.weu.azurecontainerapps.io",
    ]  # fmt: skip
    touched = change(table, TableClaim("new.blob.core.windows.net", "10.0.0.77"))
    for question in questions:
        assert touched.names.isdisjoint(outcome(table, question).deps)
    touched = table.apply_static(from_text("corp.example"), from_text("new.corp.example"), (
        RRset(from_text("new.corp.example"), 1, 60, (b"\x0a\x00\x00\x01",)),
    ), is_open=False)  # fmt: skip
    assert not touched.subtrees
    for question in questions:
        assert touched.names.isdisjoint(outcome(table, question).deps)


def test_the_same_row_and_the_same_records_again_touch_nothing() -> None:
    table = build(ACCT, files=["corp.example\nwww A 192.0.2.1"])
    assert change(table, ACCT) == Touched()
    zone = table.static[from_text("corp.example")]
    for name, rrsets in dict(zone.names).items():
        assert table.apply_static(zone.origin, name, rrsets, is_open=False) == Touched()


def test_the_first_and_the_last_claim_of_a_zone_touch_what_was_missed_in_it() -> None:
    table = build()
    before = outcome(table, f"nope.{BLOB}")
    assert change(table, ACCT).names.intersection(before.deps)
    missed = outcome(table, f"nope.{BLOB}")
    assert table.apply(from_text(f"acct.{BLOB}"), b"").names.intersection(missed.deps)
    assert ask(table, f"nope.{BLOB}") == "OUTSIDE"


def test_an_exact_record_of_a_file_touches_the_answer_of_the_endpoint_that_it_shadows() -> None:
    table = build(ACCT, files=["blob.core.windows.net\n"])
    answer = outcome(table, "acct.blob.core.windows.net")
    name = from_text("acct.blob.core.windows.net")
    touched = table.apply_static(
        from_text("blob.core.windows.net"), name, (RRset(name, 1, 60, (b"\x0a\x00\x00\x01",)),), is_open=False
    )
    assert touched.names.intersection(answer.deps)


def test_a_name_between_a_private_wildcard_and_a_name_touches_the_public_answer() -> None:
    table = build(TableClaim("*.vault.azure.net", "10.0.0.8"))
    answer = outcome(table, "x.b.vault.azure.net")
    assert shown(answer) == "CNAME x.b.privatelink.vaultcore.azure.net"
    touched = change(table, TableClaim("a.b.privatelink.vaultcore.azure.net", "10.0.0.9"))
    assert ask(table, "x.b.vault.azure.net") == "OUTSIDE"
    assert touched.names.intersection(answer.deps)


def test_a_zone_file_over_the_private_name_touches_the_alias_whose_ttl_is_its_zones() -> None:
    table = build(ACCT, overrides={BLOB: ZonePolicy(ttl=60)})
    answer = outcome(table, "acct.blob.core.windows.net")
    zone = parse(zone_file(f"acct.{BLOB}\n"), "test.zone")
    touched = table.apply_static(zone.origin, zone.origin, zone.names[zone.origin], is_open=False)
    changed = outcome(table, "acct.blob.core.windows.net")
    assert isinstance(answer, Alias)
    assert isinstance(changed, Alias)
    assert (answer.rrsets[0].ttl, changed.rrsets[0].ttl) == (60, 10)
    assert any(is_under(dep, root) for dep in answer.deps for root in touched.subtrees)


def test_a_changed_glue_address_touches_the_referral_that_has_it() -> None:
    table = build(files=["corp.example\ncut NS ns.cut\nns.cut A 192.0.2.3"])
    referral = outcome(table, "x.cut.corp.example")
    assert isinstance(referral, Referral)
    assert [shown_record(rrset) for rrset in referral.glue] == ["A 192.0.2.3"]
    name = from_text("ns.cut.corp.example")
    touched = table.apply_static(
        from_text("corp.example"), name, (RRset(name, 1, 60, (b"\x0a\x00\x00\x01",)),), is_open=False
    )
    assert touched.names.intersection(referral.deps)


def test_a_delegation_above_names_of_a_zone_touches_all_of_them() -> None:
    table = build(files=["corp.example\nwww.sub A 192.0.2.1\nmail A 192.0.2.2"])
    answers = {name: outcome(table, f"{name}.corp.example") for name in ("www.sub", "none.sub", "mail")}
    cut = from_text("sub.corp.example")
    touched = table.apply_static(
        from_text("corp.example"), cut, (RRset(cut, 2, 60, (from_text("ns.example"),)),), is_open=False
    )
    assert touched.subtrees == {cut}
    for name in ("www.sub", "none.sub"):
        assert ask(table, f"{name}.corp.example") == "REFERRAL sub.corp.example"
        assert any(is_under(dep, cut) for dep in answers[name].deps)
    assert ask(table, "mail.corp.example") == "A 192.0.2.2"

    touched = table.apply_static(from_text("corp.example"), cut, (), is_open=False)
    assert touched.subtrees == {cut}
    assert ask(table, "www.sub.corp.example") == "A 192.0.2.1"


def test_a_changed_soa_touches_all_of_its_zone() -> None:
    table = build(files=["corp.example\nwww A 192.0.2.1"])
    zone = parse(zone_file("corp.example\n").replace("hostmaster 1", "hostmaster 2"), "test.zone")
    touched = table.apply_static(zone.origin, zone.origin, zone.names[zone.origin], is_open=False)
    denied = outcome(table, "www.corp.example TXT")
    assert any(is_under(dep, root) for dep in denied.deps for root in touched.subtrees)


def test_a_sweep_removes_rows_without_the_stamp_of_the_generation() -> None:
    table = build()
    first, second = (rows([claim]) for claim in (ACCT, REGISTRY))
    for given, generation in ((first, 4), (second, 5)):
        for name, row in given.items():
            table.apply(name, bytes((generation,)) + row[1:])
    names = {name for touched in table.sweep(5) for name in touched.names}
    assert from_text(f"acct.{BLOB}") in names
    assert from_text("reg.weu.data.azurecr.io") not in names
    assert len(table) == 1
    assert [name for name, _ in table.each()] == list(second)


@pytest.mark.parametrize("row", [b"", pack([], 3)], ids=["no octets", "a generation without variants"])
def test_a_row_without_variants_removes_the_name(row: bytes) -> None:
    table = build(ACCT)
    table.apply(from_text(f"acct.{BLOB}"), row)
    assert len(table) == 0
    assert ask(table, f"acct.{BLOB}") == "OUTSIDE"


def test_a_row_of_a_class_without_a_mask_is_an_error_that_changes_nothing() -> None:
    table = build(ACCT)
    with pytest.raises(KeyError):
        change(table, ACCT._replace(addresses="10.0.0.99", networks=8))
    assert ask(table, f"acct.{BLOB}") == "A 10.0.0.4"
