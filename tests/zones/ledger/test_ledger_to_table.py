"""From endpoints to the answers of a worker: which public and private names are owned, before and after changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.zones.books import (
    FQDN,
    PRIVATE,
    acct,
    answer,
    codes,
    drop,
    endpoint,
    ledger,
    one,
    put,
    record,
    remembered,
    shown,
    target,
    vnet_id,
)
from tests.zones.tables import ask
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.claims.contest import Rule
from zones.claims.policy import ConflictPolicy, Pin, Policies, ZonePolicy
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.ledger import azure_names, reports
from zones.ledger.ledger import Ledger
from zones.networks.network import Network
from zones.table.table import Table

VAULT, VAULT_CORE = "kv.vault.azure.net", "kv.vaultcore.azure.net"
VAULT_PRIVATE = "kv.privatelink.vaultcore.azure.net"


def served(book: Ledger, table: Table | None = None) -> Table:
    """Return a table with the rows of a ledger; the given one after the rows have changed."""
    table = Table(catalogue(), Policies(ZonePolicy(chain="cname"), {})) if table is None else table
    table.masks = book.classes.masks
    gone = {name for name, _ in table.each()} - book.rows.keys()
    for name, row in [*book.rows.items(), *((name, b"") for name in gone)]:
        table.apply(name, row)
    return table


def test_both_fqdns_of_an_endpoint_with_one_private_name_are_owned() -> None:
    book = ledger()
    put(book, endpoint("x", record(VAULT, 4), record(VAULT_CORE, 4)))
    table = served(book)
    assert ask(table, VAULT) == ask(table, VAULT_CORE) == f"CNAME {VAULT_PRIVATE}"
    assert ask(table, VAULT_PRIVATE) == "A 10.0.0.4"

    put(book, endpoint("x", record(VAULT_CORE, 4)))
    served(book, table)
    assert ask(table, VAULT_CORE) == f"CNAME {VAULT_PRIVATE}"
    assert not ask(table, VAULT).startswith("CNAME")


def test_the_public_fqdn_of_a_loser_leads_to_the_address_of_the_winner() -> None:
    book = ledger()
    put(book, endpoint("x", record(VAULT, 4)), now=1)
    put(book, endpoint("y", record(VAULT_CORE, 5)), now=2)
    table = served(book)
    assert ask(table, VAULT) == ask(table, VAULT_CORE) == f"CNAME {VAULT_PRIVATE}"
    assert ask(table, VAULT_PRIVATE) == "A 10.0.0.4"

    drop(book, "x")
    served(book, table)
    assert ask(table, VAULT_CORE) == f"CNAME {VAULT_PRIVATE}"
    assert ask(table, VAULT_PRIVATE) == "A 10.0.0.5"


def test_the_public_fqdn_of_an_endpoint_that_is_farther_is_owned_too() -> None:
    book = ledger(Network("a", ("10.1.0.0/16",), (vnet_id("a"),), ("all",)))
    put(book, endpoint("x", record(VAULT, 4), vnet="a"), endpoint("y", record(VAULT_CORE, 5), vnet="b"))
    assert [fact.rule for fact in book.board] == [Rule.NEAREST]
    table = served(book)
    assert ask(table, VAULT) == ask(table, VAULT_CORE) == f"CNAME {VAULT_PRIVATE}"
    assert ask(table, VAULT_PRIVATE) == "A 10.0.0.4"


# -- over a restart


def test_every_record_of_an_fqdn_has_the_first_seen_time_from_before_a_restart() -> None:
    two = endpoint("x", record(VAULT, 4), record(VAULT, 5))
    book = ledger()
    put(book, two, now=10)

    again = ledger(memory=remembered(book))
    put(again, two, now=20)
    assert [claim.first_seen for claim in again.find(from_text(VAULT))] == [10.0, 10.0]
    assert set(remembered(again).first_seen.values()) == {10.0}


def test_a_first_seen_time_from_before_a_restart_is_used_once() -> None:
    book = ledger()
    put(book, acct("x", 4), now=10)

    again = ledger(memory=remembered(book))
    put(again, acct("x", 4), now=20)
    drop(again, "x", now=30)
    put(again, acct("x", 4), now=40)
    assert set(remembered(again).first_seen.values()) == {40.0}


def test_merged_addresses_make_no_endpoint_the_incumbent() -> None:
    book = ledger(policy=ConflictPolicy.MERGE)
    put(book, acct("x", 4), now=2)
    put(book, acct("x", 4), acct("y", 5), now=3)
    assert remembered(book).held == {}

    memory = remembered(book)
    memory.first_seen[ResourceId("y"), from_text("acct.blob.core.windows.net")] = WallTime(1)
    again = ledger(memory=memory)
    put(again, acct("x", 4), acct("y", 5), now=4)
    assert [(fact.winner, fact.rule) for fact in again.board] == [("/ID/y", Rule.OLDEST)]


# -- the private names that Azure itself has


def test_the_private_name_that_azure_has_is_served_in_place_of_the_derived_one() -> None:
    book = ledger()
    put(book, acct("x", 4))
    table = served(book)
    put(book, acct("x", 4, private="acct.contoso.internal"))
    served(book, table)
    assert ask(table, FQDN) == "CNAME acct.contoso.internal"
    assert ask(table, "acct.contoso.internal") == "A 10.0.0.4"
    assert ask(table, "acct.contoso.internal AAAA") == "NODATA acct.contoso.internal"
    assert ask(table, "other.contoso.internal") == "OUTSIDE"
    assert not ask(table, PRIVATE).startswith("A ")
    assert [claim.name for claim in book.find(from_text(FQDN))] == [from_text("acct.contoso.internal")]
    put(book, acct("x", 4))
    served(book, table)
    assert ask(table, FQDN) == f"CNAME {PRIVATE}"
    assert ask(table, PRIVATE) == "A 10.0.0.4"
    assert not table.endpoints.explicit
    assert [claim.name for claim in book.find(from_text(FQDN))] == [from_text(PRIVATE)]


def test_the_same_private_name_in_azure_and_in_the_catalogue_changes_nothing() -> None:
    book, plain = ledger(), ledger()
    put(book, acct("x", 4, private=PRIVATE))
    put(plain, acct("x", 4))
    assert book.rows == plain.rows
    assert not list(book.board)


def test_azures_private_name_may_be_the_fqdn_itself() -> None:
    book = ledger()
    put(book, acct("x", 4, private=FQDN))
    table = served(book)
    assert ask(table, FQDN) == "A 10.0.0.4"
    assert [claim.name for claim in book.find(from_text(FQDN))] == [from_text(FQDN)]


def test_an_unserved_endpoint_is_found_by_its_fqdn_and_one_that_lingers_too() -> None:
    book = ledger(hold_down={"s": 60.0})
    put(book, acct("x", 4, private="acct.contoso.internal", state=ConnectionState.PENDING, source="s"))
    assert [claim.endpoint for claim in book.find(from_text(FQDN))] == ["x"]
    put(book, acct("x", 4, private="acct.contoso.internal", source="s"))
    drop(book, "x", now=2)
    assert [claim.endpoint for claim in book.find(from_text(FQDN))] == ["x"]
    book.expire(WallTime(100))
    assert not book.find(from_text(FQDN))


def test_endpoints_with_one_private_name_in_azure_contest_it() -> None:
    book = ledger()
    put(
        book,
        *(acct(key, last, private="acct.contoso.internal", target=target(key)) for key, last in (("x", 4), ("y", 5))),
    )
    assert "conflicting-address" in codes(book)
    assert ask(served(book), "acct.contoso.internal") == "A 10.0.0.4"


def test_a_public_fqdn_with_several_private_names_is_contested_like_a_private_name() -> None:
    book = ledger(
        Network("hub", ("10.1.0.0/16",), (vnet_id("a"),), ("all",)),
        Network("spoke", ("10.2.0.0/16",), (vnet_id("b"),), ("all",)),
    )
    custom = "acct.privatelink.contoso.internal"
    put(book, acct("x", 4, private=custom, vnet="a"), acct("y", 5, vnet="b"))
    table = served(book)
    assert [ask(table, FQDN, network) for network in (0, 1)] == [f"CNAME {custom}", f"CNAME {PRIVATE}"]
    assert ask(table, custom, 1) == "A 10.0.0.4"
    assert [(fact.subject, fact.winner, fact.rule) for fact in book.board if fact.rule] == [
        (FQDN, "/ID/x", Rule.NEAREST), (FQDN, "/ID/y", Rule.NEAREST),
    ]  # fmt: skip

    put(book, acct("y", 5, vnet="a"))
    served(book, table)
    assert [ask(table, FQDN, network) for network in (0, 1)] == [f"CNAME {custom}"] * 2

    drop(book, "x")
    served(book, table)
    assert [ask(table, FQDN, network) for network in (0, 1)] == [f"CNAME {PRIVATE}"] * 2
    assert not [fact for fact in book.board if fact.rule]


def test_a_pin_on_a_public_fqdn_decides_between_private_names() -> None:
    book = ledger(pins=[Pin(FQDN, "y", until=WallTime(50))])
    put(book, acct("x", 4, private="acct.contoso.internal"), acct("y", 5))
    table = served(book)
    assert ask(table, FQDN) == f"CNAME {PRIVATE}"
    book.reconsider(WallTime(60))
    served(book, table)
    assert ask(table, FQDN) == "CNAME acct.contoso.internal"


def test_a_lingering_private_name_loses_the_public_fqdn_to_a_live_claim() -> None:
    book = ledger(hold_down={"s": 60.0})
    put(book, acct("x", 4, private="acct.contoso.internal", source="s"), acct("y", 5))
    drop(book, "x", now=2)
    assert ask(served(book), FQDN) == f"CNAME {PRIVATE}"
    assert ask(served(book), "acct.contoso.internal") == "A 10.0.0.4"


def test_a_difference_is_a_finding_on_the_fqdn_that_closes_with_the_difference() -> None:
    book = ledger()
    put(book, acct("x", 4, private="acct.contoso.internal"), acct("y", 5, private=PRIVATE), acct("z", 6))
    fact = one(book, "source-disagreement")
    assert fact.subject == FQDN
    assert shown(fact.evidence) == {
        "private_names": [{"endpoint": "/ID/x", "azure": "acct.contoso.internal", "derived": PRIVATE}]
    }
    put(book, acct("y", 5, private="acct.other.internal"))
    assert len(shown(one(book, "source-disagreement").evidence)["private_names"]) == 2
    put(book, acct("x", 4), acct("y", 5, private="acct.other.internal", state=ConnectionState.REJECTED))
    assert "source-disagreement" not in codes(book)


def test_many_differences_have_one_finding_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (azure_names, reports):
        monkeypatch.setattr(module, "MOST", 3)
    book = ledger()

    def differing(i: int) -> Endpoint:
        fqdn = f"a{i}.blob.core.windows.net"
        return endpoint(f"e{i}", record(fqdn, i, private=f"a{i}.contoso.internal"))

    put(book, *map(differing, range(5)))
    facts = [fact for fact in book.board if fact.code == "source-disagreement"]
    assert len(facts) == 4
    assert shown(next(f for f in facts if f.subject == "private names").evidence) == {
        "names_listed": 3,
        "names_total": 5,
    }
    drop(book, "e0", "e1")
    assert sorted(fact.subject for fact in book.board if fact.code == "source-disagreement") == [
        f"a{i}.blob.core.windows.net" for i in (2, 3, 4)
    ]
    drop(book, "e2", "e3", "e4")
    assert not list(book.board)


_KEYS = st.sampled_from("xyz")
_ENDPOINTS = st.builds(
    lambda last, private, state: (last, private, state),
    st.integers(4, 6),
    st.sampled_from([None, PRIVATE, FQDN, "acct.contoso.internal", "b.contoso.internal"]),
    st.sampled_from([ConnectionState.APPROVED, ConnectionState.PENDING]),
)


@given(st.lists(st.dictionaries(_KEYS, st.none() | _ENDPOINTS, min_size=1), max_size=6))
def test_any_sequence_of_changes_ends_with_the_answers_and_findings_of_the_final_endpoints(
    steps: list[dict[str, tuple[int, str | None, ConnectionState] | None]],
) -> None:
    book, fresh = ledger(policy=ConflictPolicy.MERGE), ledger(policy=ConflictPolicy.MERGE)
    table, final = served(book), dict[str, Endpoint]()
    for step in steps:
        for key, parts in step.items():
            if parts is None:
                final.pop(key, None)
            else:
                final[key] = acct(key, parts[0], private=parts[1], state=parts[2])
        book.apply({ResourceId(key): final.get(key) for key in step}, WallTime(1))
        served(book, table)
    put(fresh, *final.values())
    assert book.rows == fresh.rows
    wanted = served(fresh)
    assert table.endpoints.explicit == wanted.endpoints.explicit
    differing = [
        {(fact.id, str(fact.evidence)) for fact in each.board if fact.code == "source-disagreement"}
        for each in (book, fresh)
    ]
    assert differing[0] == differing[1]
    contests = [{(fact.id, fact.winner) for fact in each.board if fact.rule} for each in (book, fresh)]
    assert contests[0] == contests[1]
    for name in (FQDN, PRIVATE, "acct.contoso.internal", "b.contoso.internal"):
        assert ask(table, name) == ask(wanted, name)
        found = {(claim.endpoint, claim.name) for claim in book.find(from_text(name))}
        assert found == {(claim.endpoint, claim.name) for claim in fresh.find(from_text(name))}


# -- wildcards that many resources share, and exceptions

GUIDS = ("5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a", "c0ffee12-3456-4789-8abc-def012345678")
INFERENCE = "westeurope.inference.ml.azure.com"


def workspace(key: str, guid: str, last: int, *others: NicRecord) -> Endpoint:
    """Return the endpoint of a Machine Learning workspace. Its NIC lists the wildcard of the whole region."""
    own = record(f"{guid}.workspace.westeurope.api.azureml.ms", last)
    return endpoint(key, own, record(f"*.{INFERENCE}", last + 1), *others, groups=("amlworkspace",))


def inference(guid: str) -> str:
    return f"ep.{guid}.inference.westeurope.privatelink.api.azureml.ms"


def test_each_workspace_has_its_private_wildcard_and_none_has_the_public_one() -> None:
    book = ledger()
    changed = put(book, *(workspace(f"w{i}", guid, 4 + 10 * i) for i, guid in enumerate(GUIDS)))
    table = served(book)
    assert [ask(table, inference(guid)) for guid in GUIDS] == ["A 10.0.0.5", "A 10.0.0.15"]
    for name in (f"ep.{INFERENCE}", f"stranger.{INFERENCE}", f"*.{INFERENCE}", INFERENCE):
        assert ask(table, name) == "OUTSIDE"
        assert book.find(from_text(name)) == []
    assert ask(table, f"ep.{GUIDS[0]}.inference.westeurope.api.azureml.ms") == "OUTSIDE"
    assert ask(table, f"{GUIDS[0]}.workspace.westeurope.api.azureml.ms").startswith("CNAME ")
    assert codes(book) == ["wildcard-shared", "wildcard-shared"]

    assert drop(book, "w0", "w1") == changed
    served(book, table)
    assert ask(table, inference(GUIDS[0])) == "OUTSIDE"
    assert codes(book) == []


def test_a_wildcard_with_the_guid_of_the_workspace_owns_its_public_side_too() -> None:
    book = ledger()
    own = f"*.{GUIDS[0]}.inference.westeurope.api.azureml.ms"
    put(book, workspace("w", GUIDS[0], 4, record(own, 5)))
    table = served(book)
    assert ask(table, own.replace("*", "ep")) == f"CNAME {inference(GUIDS[0])}"
    assert ask(table, inference(GUIDS[0])) == "A 10.0.0.5"
    assert ask(table, f"ep.{INFERENCE}") == "OUTSIDE"


def test_azures_private_wildcard_for_a_shared_one_owns_no_public_name() -> None:
    book = ledger()
    azure = "*.deadbeef-3456-4789-8abc-def012345678.inference.westeurope.privatelink.api.azureml.ms"
    shared = record(f"*.{INFERENCE}", 5, private=azure)
    put(book, endpoint("w", record(f"{GUIDS[0]}.workspace.westeurope.api.azureml.ms", 4), shared))
    table = served(book)
    assert ask(table, azure.replace("*", "ep")) == "A 10.0.0.5"
    assert ask(table, inference(GUIDS[0])).startswith("PUBLIC")
    assert ask(table, f"ep.{INFERENCE}") == ask(table, f"*.{INFERENCE}") == "OUTSIDE"
    assert codes(book) == ["source-disagreement", "wildcard-shared"]
    (names,) = shown(one(book, "source-disagreement").evidence)["private_names"]
    assert (names["azure"], names["derived"]) == (azure, inference(GUIDS[0]).replace("ep", "*", 1))


def test_two_endpoints_of_one_workspace_contend_for_the_private_wildcard() -> None:
    book = ledger()
    put(book, workspace("w", GUIDS[0], 4), now=1)
    put(book, workspace("v", GUIDS[0], 14), now=2)
    assert ask(served(book), inference(GUIDS[0])) == "A 10.0.0.5"


def test_the_first_seen_time_of_a_private_wildcard_survives_a_restart() -> None:
    book = ledger()
    put(book, workspace("w", GUIDS[0], 4), now=1)
    again = ledger(memory=remembered(book))
    put(again, workspace("w", GUIDS[0], 4), now=9)
    star = from_text(inference(GUIDS[0]).replace("ep.", "*.", 1))
    assert [float(claim.first_seen) for claim in again.find(star)] == [1.0]


def test_an_endpoint_of_nothing_but_a_shared_wildcard_claims_nothing_and_lacks_no_name() -> None:
    book = ledger()
    put(book, endpoint("w", record(f"*.{INFERENCE}", 5)))
    assert not book.rows
    assert codes(book) == ["wildcard-shared"]
    (found,) = shown(one(book, "wildcard-shared").evidence)["wildcards"]
    assert found["wildcard"] == f"*.{INFERENCE}"
    assert found["private"] == []
    assert "GUID" in found["why_none"]


def test_an_exception_leads_from_the_exact_name_and_from_no_sibling() -> None:
    book = ledger()
    put(
        book,
        endpoint("web", record("web.purview.azure.com", 4)),
        endpoint("acct", record("acct.purview.azure.com", 5)),
        endpoint("portal", record("adf.azure.com", 6)),
    )
    table = served(book)
    assert ask(table, "web.purview.azure.com") == "CNAME web.privatelink.purviewstudio.azure.com"
    assert ask(table, "web.privatelink.purviewstudio.azure.com") == "A 10.0.0.4"
    assert ask(table, "web.privatelink.purview.azure.com").startswith("PUBLIC ")
    assert ask(table, "web.purviewstudio.azure.com") == "OUTSIDE"
    assert ask(table, "acct.purview.azure.com") == "CNAME acct.privatelink.purview.azure.com"
    assert ask(table, "adf.azure.com") == "CNAME portal.privatelink.adf.azure.com"
    assert ask(table, "portal.adf.azure.com") == "OUTSIDE"
    assert [claim.endpoint for claim in book.find(from_text("adf.azure.com"))] == ["portal"]
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "PTR web.purview.azure.com"


def test_a_zone_that_the_catalogue_lacks_has_an_apex_and_a_miss_policy() -> None:
    book = ledger()
    put(book, endpoint("x", record("a.b.privatelink.foo.example", 4)))
    assert codes(book) == []
    table = served(book, Table(catalogue(), Policies(ZonePolicy(on_miss="nxdomain"), {})))
    assert ask(table, "a.b.privatelink.foo.example") == "A 10.0.0.4"
    assert ask(table, "b.privatelink.foo.example") == "NODATA privatelink.foo.example"
    assert ask(table, "c.privatelink.foo.example") == "NXDOMAIN privatelink.foo.example"
    assert ask(table, "privatelink.foo.example SOA") == "SOA at privatelink.foo.example"
    assert ask(table, "foo.example") == ask(table, "c.foo.example") == "OUTSIDE"


def test_pins_and_zone_files_by_fqdn_concern_a_private_name_that_only_azure_has() -> None:
    book = ledger(pins=[Pin(FQDN, "y", until=WallTime(50))])
    book.set_static({from_text(FQDN): from_text("core.windows.net")}, WallTime(1))
    put(book, acct("x", 4, private="acct.contoso.internal"))
    assert codes(book) == ["pin-ignored", "source-disagreement", "static-shadows-endpoint", "zone-unknown"]
    put(book, acct("y", 5, private="acct.contoso.internal"))
    assert "pin-ignored" not in codes(book)
    assert answer(book, "acct.contoso.internal") == [5]
    assert [fact.rule for fact in book.board if fact.rule] == [Rule.PIN]
    book.reconsider(WallTime(60))
    assert [fact.rule for fact in book.board if fact.rule] == [Rule.INCUMBENT]
    drop(book, "x", "y")
    assert codes(book) == ["pin-ignored"]  # no endpoint claims the name
