"""From endpoints to the answers of a worker: which public and private names are owned, before and after changes."""

from tests.zones.books import acct, drop, endpoint, ledger, put, record, remembered, vnet_id
from tests.zones.tables import ask
from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ResourceId
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
    table = table or Table(catalogue(), Policies(ZonePolicy(), {}))
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
