"""From endpoints to the answers of a worker: which public and private names are owned, before and after changes."""

from tests.zones.books import acct, codes, drop, endpoint, ledger, one, put, record, remembered, shown, vnet_id
from tests.zones.tables import ask
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import Endpoint, NicRecord, ResourceId
from zones.claims.contest import Rule
from zones.claims.policy import ConflictPolicy, Policies, ZonePolicy
from zones.clocks import WallTime
from zones.dns.name import from_text
from zones.ledger.ledger import Ledger
from zones.networks.network import Network
from zones.table.table import Table

VAULT, VAULT_CORE = "kv.vault.azure.net", "kv.vaultcore.azure.net"
VAULT_PRIVATE = "kv.privatelink.vaultcore.azure.net"


def served(book: Ledger, table: Table | None = None) -> Table:
    """Return a table with the rows of a ledger; the given one after the rows have changed."""
    table = Table(catalogue(), Policies(ZonePolicy(), {})) if table is None else table
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
