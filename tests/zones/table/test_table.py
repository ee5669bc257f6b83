"""The lookup, row by row of the decision table: one plain example after another.

An answer is shown as a line: `A 10.0.0.4`, `CNAME target`, `NODATA owner-of-the-SOA`, `NXDOMAIN zone`, `SERVFAIL why`,
`REFERRAL cut`, `PUBLIC zone` (the miss policy of the zone sends the question to an upstream) or `OUTSIDE`.
"""

from ipaddress import ip_address

import pytest

from tests.zones.tables import (
    ACCT,
    APP,
    ARM,
    BLOB,
    BOTH,
    ENVIRONMENT,
    REGISTRY,
    SECOND,
    TableClaim,
    ask,
    build,
    outcome,
    zone_file,
)
from zones.claims.policy import ZonePolicy
from zones.dns.name import from_text, to_text
from zones.dns.zonefile import parse
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import Found, NoData, NxDomain
from zones.table.table import Touched

# -- row "zone file"


def test_an_exact_name_of_a_file_beats_an_owned_name_public_or_private() -> None:
    table = build(ACCT, files=["blob.core.windows.net\nacct A 192.0.2.1", f"{BLOB}\nacct A 192.0.2.2"])
    assert ask(table, "acct.blob.core.windows.net") == "A 192.0.2.1"
    assert ask(table, f"acct.{BLOB}") == "A 192.0.2.2"


def test_an_exact_name_of_a_file_counts_even_inside_a_longer_zone_of_endpoints() -> None:
    table = build(ACCT, files=["windows.net\nx.privatelink.blob.core A 192.0.2.1"])
    assert ask(table, f"x.{BLOB}") == "A 192.0.2.1"
    assert ask(table, f"y.{BLOB}") == f"PUBLIC {BLOB}"


def test_every_network_and_clients_in_none_see_the_zone_files() -> None:
    table = build(files=["corp.example\nwww A 192.0.2.1"])
    assert {ask(table, "www.corp.example", network) for network in (NONE, 0, 1)} == {"A 192.0.2.1"}


def test_the_longest_zone_file_decides_and_its_parent_is_not_asked() -> None:
    table = build(files=["example\nwww.corp A 192.0.2.1", "corp.example\n"])
    assert ask(table, "www.corp.example") == "NXDOMAIN corp.example"


def test_a_file_is_served_once_its_soa_is_there_and_its_parent_is_until_then() -> None:
    table = build(files=["example\nwww.corp A 192.0.2.1"])
    zone = parse(zone_file("corp.example\nnew A 192.0.2.2"), "test.zone")
    touched = Touched()
    for name in sorted(zone.names, key=len, reverse=True):
        assert ask(table, "www.corp.example") == "A 192.0.2.1"
        assert ask(table, "new.corp.example") == "NXDOMAIN example"
        touched = table.apply_static(zone.origin, name, zone.names[name], is_open=False)
    assert zone.origin in touched.subtrees
    assert ask(table, "new.corp.example") == "A 192.0.2.2"
    assert ask(table, "www.corp.example") == "NXDOMAIN corp.example"


# -- rows "endpoint alias", "endpoint address" and "other types"


def test_a_public_fqdn_is_an_alias_of_its_privatelink_name_that_has_the_address() -> None:
    table = build(ACCT)
    assert ask(table, "acct.blob.core.windows.net") == f"CNAME acct.{BLOB}"
    assert ask(table, f"acct.{BLOB}") == "A 10.0.0.4"


def test_key_vaults_public_name_leads_to_a_zone_of_another_name() -> None:
    table = build(TableClaim("kv.vault.azure.net", "10.0.0.5"))
    assert ask(table, "kv.vault.azure.net") == "CNAME kv.privatelink.vaultcore.azure.net"
    assert ask(table, "kv.vaultcore.azure.net") == "OUTSIDE"  # nobody claims that one


@pytest.mark.parametrize("qtype", ["AAAA", "HTTPS", "MX", "TXT", "NS", "SOA", "DS"])
def test_a_type_that_an_owned_name_has_no_claim_for_is_no_data_and_never_public(qtype: str) -> None:
    table = build(ACCT)
    assert ask(table, f"acct.{BLOB} {qtype}") == f"NODATA {BLOB}"
    assert ask(table, f"acct.blob.core.windows.net {qtype}") == f"CNAME acct.{BLOB}"


def test_any_is_one_rrset_and_cname_is_the_alias_itself() -> None:
    table = build(TableClaim("acct.blob.core.windows.net", "10.0.0.4 fd00::4"))
    assert ask(table, f"acct.{BLOB} ANY") == "A 10.0.0.4"
    assert isinstance(outcome(table, "acct.blob.core.windows.net ANY"), Found)
    assert isinstance(outcome(table, "acct.blob.core.windows.net CNAME"), Found)


def test_flat_gives_the_address_at_the_public_name_whose_denials_are_its_own() -> None:
    table = build(ACCT, overrides={BLOB: ZonePolicy(chain="flat", ttl=30)})
    found = outcome(table, "acct.blob.core.windows.net")
    assert isinstance(found, Found)
    assert found.rrsets[0].ttl == 30
    assert ask(table, "acct.blob.core.windows.net") == "A 10.0.0.4"
    assert ask(table, "acct.blob.core.windows.net AAAA") == "NODATA acct.blob.core.windows.net"
    assert ask(table, f"acct.{BLOB} AAAA") == f"NODATA {BLOB}"


def test_a_name_of_no_known_zone_has_its_address_and_its_denials_itself() -> None:
    table = build(APP)
    assert ask(table, "app.corp.example") == "A 10.0.0.9"
    assert ask(table, "app.corp.example AAAA") == "NODATA app.corp.example"
    assert ask(table, "www.corp.example") == "OUTSIDE"


def test_names_above_and_below_an_owned_name_are_not_owned() -> None:
    table = build(ACCT)
    for name in ("x.acct.blob.core.windows.net", "blob.core.windows.net", "core.windows.net", "example.com"):
        assert ask(table, name) == "OUTSIDE"


def test_a_network_sees_its_own_claims_and_a_client_in_none_sees_no_endpoint() -> None:
    table = build(ACCT, ACCT._replace(addresses="10.9.0.4", networks=SECOND))
    assert [ask(table, f"acct.{BLOB}", network) for network in (0, 1)] == ["A 10.0.0.4", "A 10.9.0.4"]
    assert ask(table, f"acct.{BLOB}", NONE) == "OUTSIDE"
    assert ask(table, "acct.blob.core.windows.net", NONE) == "OUTSIDE"


def test_a_refused_contest_is_servfail_at_the_end_of_the_alias() -> None:
    table = build(ACCT._replace(addresses=""))
    assert ask(table, "acct.blob.core.windows.net") == f"CNAME acct.{BLOB}"
    assert ask(table, f"acct.{BLOB}") == "SERVFAIL refused"


def test_one_fqdn_in_two_zones_leads_to_the_default_one() -> None:
    host = "Microsoft.DesktopVirtualization/workspaces"
    feed = TableClaim("ws.wvd.microsoft.com", "10.0.0.4", kind=host, groups=("feed",))
    shared = TableClaim("ws.wvd.microsoft.com", "10.0.0.5", kind=host, groups=("global",))
    assert ask(build(feed, shared), "ws.wvd.microsoft.com") == "CNAME ws.privatelink.wvd.microsoft.com"
    assert ask(build(shared), "ws.wvd.microsoft.com") == "CNAME ws.privatelink-global.wvd.microsoft.com"


PORTAL, PORTALS_ZONE = "portal.privatelink.adf.azure.com", "privatelink.adf.azure.com"


def test_a_public_name_leads_to_a_private_name_that_the_catalogue_does_not_derive() -> None:
    table = build(TableClaim(PORTAL, "10.0.0.4", also=("adf.azure.com",)))
    assert ask(table, "adf.azure.com") == f"CNAME {PORTAL}"
    assert ask(table, PORTAL) == "A 10.0.0.4"
    assert ask(table, "adf.azure.com", NONE) == "OUTSIDE"
    table.apply(from_text(PORTAL), b"")
    assert ask(table, "adf.azure.com") == "OUTSIDE"
    assert not table.endpoints.explicit


def test_an_explicit_private_name_comes_before_the_derived_one_in_the_networks_that_see_it() -> None:
    table = build(
        ACCT._replace(networks=BOTH), TableClaim("other.corp.example", "10.0.0.9", also=("acct.blob.core.windows.net",))
    )
    assert ask(table, "acct.blob.core.windows.net") == "CNAME other.corp.example"
    assert ask(table, "acct.blob.core.windows.net", 1) == f"CNAME acct.{BLOB}"


def test_a_public_wildcard_leads_to_a_private_wildcard_that_the_catalogue_does_not_derive() -> None:
    table = build(TableClaim("*.env.privatelink.apps.example", "10.0.0.8", also=("*.env.apps.example",)))
    for name in ("app", "a.b"):
        assert ask(table, f"{name}.env.apps.example") == f"CNAME {name}.env.privatelink.apps.example"
        assert ask(table, f"{name}.env.privatelink.apps.example") == "A 10.0.0.8"
    assert ask(table, "env.apps.example") == "OUTSIDE"


def test_a_name_below_an_explicit_wildcard_that_would_be_too_long_leads_nowhere() -> None:
    label = "a" * 50
    table = build(TableClaim(f"*.{label}.{label}.{label}.corp.example", "10.0.0.8", also=("*.apps.example",)))
    assert ask(table, f"{label}.apps.example").startswith("CNAME")
    assert ask(table, f"{label}.{label}.apps.example") == "OUTSIDE"


def test_rows_by_rule_and_names_that_the_catalogue_derives_need_no_index() -> None:
    kv = TableClaim("kv.vault.azure.net", "10.0.0.5", also=("kv.vaultcore.azure.net",))
    assert not build(ACCT, ENVIRONMENT, kv).endpoints.explicit


def test_a_file_that_shares_its_zone_with_endpoints_gives_it_its_soa_and_policy() -> None:
    table = build(ACCT, files=[f"{BLOB}\nother A 192.0.2.1"])
    denied = outcome(table, f"acct.{BLOB} AAAA")
    assert isinstance(denied, NoData)
    assert denied.soa.ttl == 60  # the lesser of the SOA's TTL and its MINIMUM (RFC 2308 §5)
    assert denied.soa == getattr(outcome(table, f"nope.{BLOB}"), "soa", None)
    assert ask(table, f"nope.{BLOB}") == f"NXDOMAIN {BLOB}"
    assert ask(table, "acct.blob.core.windows.net") == f"CNAME acct.{BLOB}"


# -- wildcards of endpoints (RFC 4592)


def test_a_wildcard_owns_names_at_any_depth_below_it() -> None:
    table = build(ENVIRONMENT)
    for name in ("app", "a.b"):
        private = f"{name}.env.privatelink.weu.azurecontainerapps.io"
        assert ask(table, f"{name}.env.weu.azurecontainerapps.io") == f"CNAME {private}"
        assert ask(table, private) == "A 10.0.0.8"
        assert ask(table, f"{private} HTTPS") == "NODATA privatelink.weu.azurecontainerapps.io"
    assert ask(table, "env.weu.azurecontainerapps.io") == "OUTSIDE"


def test_a_wildcard_does_not_cover_existing_names_or_names_below_them() -> None:
    exact = TableClaim("x.y.env.weu.azurecontainerapps.io", "10.0.0.5")
    table = build(ENVIRONMENT, exact)
    zone = "privatelink.weu.azurecontainerapps.io"
    assert ask(table, f"x.y.env.{zone}") == "A 10.0.0.5"
    assert ask(table, f"y.env.{zone}") == f"NODATA {zone}"
    assert ask(table, f"z.y.env.{zone}") == f"PUBLIC {zone}"
    assert ask(table, "z.y.env.weu.azurecontainerapps.io") == "OUTSIDE"
    assert ask(table, f"z.env.{zone}") == "A 10.0.0.8"


def test_a_name_of_another_network_does_not_block_a_wildcard() -> None:
    exact = TableClaim("x.y.env.weu.azurecontainerapps.io", "10.0.0.5", SECOND)
    table = build(ENVIRONMENT, exact)
    assert ask(table, "z.y.env.privatelink.weu.azurecontainerapps.io") == "A 10.0.0.8"


def test_a_wildcard_does_not_reach_into_a_longer_zone() -> None:
    star = TableClaim("*.corp.example", "10.0.0.8")
    assert ask(build(star), "x.sub.corp.example") == "A 10.0.0.8"
    assert ask(build(star, files=["sub.corp.example\n"]), "x.sub.corp.example") == "NXDOMAIN sub.corp.example"
    named = {"sub.corp.example": ZonePolicy(on_miss="nodata")}
    assert ask(build(star, overrides=named), "x.sub.corp.example") == "NODATA sub.corp.example"


def test_a_public_wildcard_does_not_reach_into_a_zone_file_on_either_side() -> None:
    star = TableClaim("*.blob.core.windows.net", "10.0.0.8")
    assert ask(build(star), "a.b.blob.core.windows.net") == f"CNAME a.b.{BLOB}"
    public = build(star, files=["b.blob.core.windows.net\n"])
    assert ask(public, "a.b.blob.core.windows.net") == "NXDOMAIN b.blob.core.windows.net"
    private = build(star, files=[f"b.{BLOB}\n"])
    assert ask(private, "a.b.blob.core.windows.net") == "OUTSIDE"
    assert ask(private, "c.blob.core.windows.net") == f"CNAME c.{BLOB}"


def test_a_wildcard_of_no_known_zone_stops_where_another_endpoint_makes_a_name_exist() -> None:
    table = build(TableClaim("*.corp.example", "10.0.0.8"), TableClaim("a.b.corp.example", "10.0.0.9"))
    assert ask(table, "x.corp.example") == "A 10.0.0.8"
    assert ask(table, "x.b.corp.example") == "OUTSIDE"
    assert ask(table, "b.corp.example") == "OUTSIDE"
    assert ask(table, "x.a.b.corp.example") == "OUTSIDE"


def test_names_of_a_file_are_in_the_way_of_an_endpoints_wildcard_in_the_same_zone() -> None:
    table = build(TableClaim("*.corp.example", "10.0.0.8"), files=["corp.example\nb A 192.0.2.1\n*.c A 192.0.2.2"])
    assert ask(table, "x.corp.example") == "A 10.0.0.8"
    assert ask(table, "x.b.corp.example") == "NXDOMAIN corp.example"
    assert ask(table, "x.c.corp.example") == "A 192.0.2.2"
    assert ask(table, "c.corp.example") == "NODATA corp.example"


def test_synthesised_answers_say_so() -> None:
    table = build(ENVIRONMENT, files=["corp.example\n*.c A 192.0.2.2"])
    for question in (
        "app.env.weu.azurecontainerapps.io", "app.env.privatelink.weu.azurecontainerapps.io",
        "app.env.privatelink.weu.azurecontainerapps.io TXT", "x.c.corp.example", "x.c.corp.example TXT",
    ):  # fmt: skip
        assert getattr(outcome(table, question), "wildcard", None) is True


# -- row "rest of a zone file"


def test_a_file_denies_what_it_does_not_have_unless_its_policy_is_another() -> None:
    assert ask(build(files=["corp.example\n"]), "nope.corp.example") == "NXDOMAIN corp.example"
    for on_miss, expected in {
        "public": "PUBLIC corp.example", "nodata": "NODATA corp.example", "servfail": "SERVFAIL miss",
        "forward:onprem": "PUBLIC corp.example onprem",
    }.items():  # fmt: skip
        table = build(files=["corp.example\na.b A 192.0.2.1"], overrides={"corp.example": ZonePolicy(on_miss=on_miss)})
        assert ask(table, "nope.corp.example") == expected
        assert ask(table, "b.corp.example") == "NODATA corp.example"


def test_the_defaults_on_a_miss_are_not_for_files() -> None:
    table = build(files=["corp.example\n"], defaults=ZonePolicy(on_miss="servfail"))
    assert ask(table, "nope.corp.example") == "NXDOMAIN corp.example"


def test_the_negative_ttl_of_a_file_can_be_overridden_and_the_default_does_not_do_it() -> None:
    for policy, expected in ((None, 60), (ZonePolicy(ttl=1), 60), (ZonePolicy(negative_ttl=7), 7)):
        overrides = {"corp.example": policy} if policy else {}
        table = build(files=["corp.example\n"], defaults=ZonePolicy(negative_ttl=5), overrides=overrides)
        denied = outcome(table, "nope.corp.example")
        assert isinstance(denied, NxDomain)
        assert denied.soa.ttl == expected


def test_an_owned_name_beats_a_files_wildcard_delegation_dname_and_miss() -> None:
    text = "corp.example\n*.w A 192.0.2.1\ncut NS ns.cut\nns.cut A 192.0.2.3\nd DNAME elsewhere.example."
    names = [f"app.{inside}corp.example" for inside in ("w.", "cut.", "d.", "")]
    table = build(*(TableClaim(name, "10.0.0.9") for name in names), files=[text])
    assert {ask(table, name) for name in names} == {"A 10.0.0.9"}
    assert ask(table, "x.w.corp.example") == "A 192.0.2.1"
    assert ask(table, "x.cut.corp.example") == "REFERRAL cut.corp.example"
    assert ask(table, "ns.cut.corp.example") == "REFERRAL cut.corp.example"
    assert ask(table, "x.d.corp.example") == "DNAME elsewhere.example, CNAME x.elsewhere.example"


def test_an_owned_name_in_a_files_zone_makes_its_ancestors_exist_there() -> None:
    table = build(TableClaim("a.b.corp.example", "10.0.0.9"), files=["corp.example\n* A 192.0.2.1"])
    assert ask(table, "b.corp.example") == "NODATA corp.example"
    assert ask(table, "x.b.corp.example") == "NXDOMAIN corp.example"
    assert ask(table, "x.c.corp.example") == "A 192.0.2.1"
    assert ask(table, "x.b.corp.example", network=1) == "A 192.0.2.1"


def test_public_names_that_endpoints_own_exist_in_a_file_over_their_suffix() -> None:
    table = build(REGISTRY, files=["azurecr.io\n"])
    assert ask(table, "data.azurecr.io") == "NODATA azurecr.io"
    assert ask(table, "weu.data.azurecr.io") == "NODATA azurecr.io"
    assert ask(table, "reg.azurecr.io") == "NXDOMAIN azurecr.io"


def test_a_files_delegation_gives_way_to_a_zone_of_endpoints_below_it() -> None:
    table = build(ACCT, files=["windows.net\nblob.core NS ns.elsewhere.example."])
    assert ask(table, "nope.blob.core.windows.net") == "REFERRAL blob.core.windows.net"
    table = build(ACCT, files=["windows.net\nprivatelink.blob.core NS ns.elsewhere.example."])
    assert ask(table, f"nope.{BLOB}") == f"PUBLIC {BLOB}"
    assert ask(table, f"nope.{BLOB}", network=1) == f"REFERRAL {BLOB}"


@pytest.mark.parametrize("qtype", ["A", "ANY"])
def test_a_delegation_inside_a_zone_that_lies_deeper_is_not_followed_and_the_name_exists(qtype: str) -> None:
    """The delegation ends at the apex below it. NXDOMAIN, or asking an upstream, would deny that the name exists."""
    inside = "cut.privatelink.blob.core NS ns.cut.privatelink.blob.core\nns.cut.privatelink.blob.core A 192.0.2.1"
    table = build(ACCT, files=[f"windows.net\n{inside}"])
    assert ask(table, f"cut.{BLOB} {qtype}") == f"NODATA {BLOB}"
    assert ask(table, f"ns.cut.{BLOB} {qtype}") == f"PUBLIC {BLOB}"


def test_a_dname_that_makes_a_name_too_long_fails() -> None:
    long = ".".join(["x" * 63] * 3)
    table = build(files=[f"corp.example\nd DNAME {long}.example."])
    assert ask(table, f"{'y' * 63}.d.corp.example") == "YXDOMAIN d.corp.example"


# -- row "not ready"


def test_while_a_source_is_unread_unowned_names_of_the_catalogue_fail() -> None:
    table = build(ACCT, files=["corp.example\n", "azurecr.io\n"])
    table.unsynced = True
    for name in ("new.blob.core.windows.net", f"new.{BLOB}", BLOB, "blob.core.windows.net", "x.database.windows.net"):
        assert ask(table, name) == "SERVFAIL unsynced"
        assert ask(table, name, NONE) == "SERVFAIL unsynced"
    assert ask(table, f"acct.{BLOB}") == "A 10.0.0.4"
    assert ask(table, "new.azurecr.io") == "NXDOMAIN azurecr.io"  # the row "rest of a zone file" comes first
    assert ask(table, "www.example.com") == "OUTSIDE"
    assert ask(table, "management.azure.com") == "OUTSIDE"  # else no source in Azure could ever be read


def test_an_awaited_zone_fails_even_where_some_of_it_has_arrived() -> None:
    table = build(ACCT, files=["corp.example\nwww A 192.0.2.1"])
    table.awaited = frozenset({from_text("corp.example"), from_text(BLOB)})
    for name in ("corp.example", "www.corp.example", "new.corp.example", BLOB, f"acct.{BLOB}", f"new.{BLOB}"):
        assert ask(table, name) == "SERVFAIL unsynced"
    assert ask(table, "www.example.com") == "OUTSIDE"


# -- row "miss policy"


@pytest.mark.parametrize(
    ("on_miss", "expected"),
    [
        ("public", f"PUBLIC {BLOB}"),
        ("nxdomain", f"NXDOMAIN {BLOB}"),
        ("nodata", f"NODATA {BLOB}"),
        ("servfail", "SERVFAIL miss"),
        ("forward:onprem", f"PUBLIC {BLOB} onprem"),
    ],
)
def test_the_zones_policy_decides_about_unowned_names(on_miss: str, expected: str) -> None:
    for table in (
        build(ACCT, defaults=ZonePolicy(on_miss=on_miss)),
        build(ACCT, overrides={BLOB: ZonePolicy(on_miss=on_miss)}),
    ):
        assert ask(table, f"nope.{BLOB}") == expected
        assert ask(table, f"x.acct.{BLOB}") == expected
        assert ask(table, f"acct.{BLOB}") == "A 10.0.0.4"


def test_a_network_sees_a_zone_with_a_claim_that_it_sees_or_that_the_configuration_names() -> None:
    strict = ZonePolicy(on_miss="nxdomain")
    table = build(ACCT, defaults=strict)
    assert ask(table, f"nope.{BLOB}", network=1) == "OUTSIDE"
    table = build(ACCT, overrides={BLOB: strict, "corp.example": strict})
    assert ask(table, f"nope.{BLOB}", network=1) == f"NXDOMAIN {BLOB}"
    assert ask(table, "nope.corp.example", network=1) == "NXDOMAIN corp.example"
    assert ask(table, f"nope.{BLOB}", NONE) == "OUTSIDE"
    assert ask(table, "nope.corp.example", NONE) == "OUTSIDE"


def test_a_claim_in_a_longer_zone_is_not_one_in_the_zone_above_it() -> None:
    cluster = TableClaim("api.sub.privatelink.weu.azmk8s.io", "10.0.0.4")
    table = build(cluster, defaults=ZonePolicy(on_miss="nxdomain"))
    assert ask(table, "nope.sub.privatelink.weu.azmk8s.io") == "NXDOMAIN sub.privatelink.weu.azmk8s.io"
    assert ask(table, "sub.privatelink.weu.azmk8s.io SOA") == "SOA at sub.privatelink.weu.azmk8s.io"
    assert ask(table, "nope.privatelink.weu.azmk8s.io") == "OUTSIDE"


def test_the_apex_of_a_zone_of_endpoints_has_an_soa_and_nothing_else() -> None:
    table = build(ACCT)
    assert ask(table, f"{BLOB} SOA") == ask(table, f"{BLOB} ANY") == f"SOA at {BLOB}"
    for qtype in ("A", "NS", "TXT"):
        assert ask(table, f"{BLOB} {qtype}") == f"NODATA {BLOB}"
    assert ask(table, f"{BLOB} DS") == "OUTSIDE"  # the parent's word, which a validator needs


@pytest.mark.parametrize("on_miss", ["public", "nxdomain", "servfail"])
def test_an_empty_non_terminal_is_no_data_whatever_the_policy(on_miss: str) -> None:
    table = build(REGISTRY, defaults=ZonePolicy(on_miss=on_miss))
    for name in ("weu.data.privatelink.azurecr.io", "data.privatelink.azurecr.io"):
        assert ask(table, name) == "NODATA privatelink.azurecr.io"


def test_an_opt_in_zone_has_its_claims_and_denies_nothing() -> None:
    manager = TableClaim("management.azure.com", "10.0.0.4", kind=ARM)
    table = build(manager, defaults=ZonePolicy(on_miss="nxdomain"))
    assert ask(table, "management.azure.com") == "CNAME management.privatelink.azure.com"
    assert ask(table, "management.privatelink.azure.com TXT") == "NODATA privatelink.azure.com"
    for name in ("login.azure.com", "login.privatelink.azure.com", "privatelink.azure.com", "azure.com"):
        assert ask(table, name) == "OUTSIDE"


def test_a_zone_that_the_configuration_names_inside_another_is_a_zone_of_its_own() -> None:
    inner = "data.privatelink.azurecr.io"
    table = build(REGISTRY, overrides={inner: ZonePolicy(on_miss="nxdomain", ttl=99)})
    assert ask(table, f"nope.{inner}") == f"NXDOMAIN {inner}"
    assert ask(table, f"reg.weu.{inner} TXT") == f"NODATA {inner}"
    assert ask(table, "nope.privatelink.azurecr.io") == "PUBLIC privatelink.azurecr.io"
    found = outcome(table, f"reg.weu.{inner}")
    assert isinstance(found, Found)
    assert found.rrsets[0].ttl == 99


# -- row "pointer"


def test_a_served_address_points_to_the_public_name() -> None:
    table = build(ACCT, APP, TableClaim(f"lone.{BLOB}", "10.0.0.6 fd00::6"))
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "PTR acct.blob.core.windows.net"
    assert ask(table, "9.0.0.10.in-addr.arpa PTR") == "PTR app.corp.example"
    assert ask(table, "6.0.0.10.in-addr.arpa PTR") == f"PTR lone.{BLOB}"
    ip6 = ip_address("fd00::6").reverse_pointer
    assert ask(table, f"{ip6} PTR") == f"PTR lone.{BLOB}"
    assert ask(table, f"{ip6} TXT") == f"NODATA {ip6}"


def test_of_several_names_the_first_in_canonical_order_is_the_pointer_and_never_a_wildcard() -> None:
    names = ("z.blob.core.windows.net", "a.table.core.windows.net", "*.blob.core.windows.net")
    table = build(*(TableClaim(name, "10.0.0.4") for name in names))
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "PTR z.blob.core.windows.net"
    assert ask(build(ENVIRONMENT), "8.0.0.10.in-addr.arpa PTR") == "OUTSIDE"


def test_a_public_wildcard_is_no_pointer_even_of_a_private_name_that_is_none() -> None:
    table = build(TableClaim(f"acct.{BLOB}", "10.0.0.4", also=("*.blob.core.windows.net",)))
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "OUTSIDE"
    table = build(TableClaim(f"acct.{BLOB}", "10.0.0.4", also=("*.blob.core.windows.net", "z.blob.core.windows.net")))
    assert ask(table, "4.0.0.10.in-addr.arpa PTR") == "PTR z.blob.core.windows.net"


def test_every_other_reverse_name_goes_on() -> None:
    table = build(ACCT, ACCT._replace(fqdn="other.blob.core.windows.net", addresses="10.0.0.5", networks=SECOND))
    for name in ("0.0.10.in-addr.arpa", "10.in-addr.arpa", "5.0.0.10.in-addr.arpa", "x.4.0.0.10.in-addr.arpa"):
        assert ask(table, f"{name} PTR") == "OUTSIDE"
    assert ask(table, "4.0.0.10.in-addr.arpa PTR", NONE) == "OUTSIDE"


# -- listings


def test_the_zones_of_a_network_are_those_with_claims_those_named_and_the_files() -> None:
    table = build(ACCT, REGISTRY._replace(networks=SECOND), files=["corp.example\n"], overrides={"a.b": ZonePolicy()})
    assert [to_text(zone) for zone in table.zones(NetworkIndex(0))] == ["a.b", "corp.example", BLOB]
    assert [to_text(zone) for zone in table.zones(NetworkIndex(1))] == ["a.b", "corp.example", "privatelink.azurecr.io"]
    assert [to_text(zone) for zone in table.zones(NONE)] == ["corp.example"]


def test_zones_are_distinguished_from_names_that_clients_make_up() -> None:
    table = build(ACCT, APP, files=["corp.example\n"], overrides={"a.b": ZonePolicy()})
    assert all(table.is_zone(from_text(text)) for text in (BLOB, "corp.example", "a.b"))
    assert not any(table.is_zone(from_text(text)) for text in ("app.corp.example", "blob.core.windows.net", "b"))
