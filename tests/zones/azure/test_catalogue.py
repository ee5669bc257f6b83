"""Public names to private names and zones, and back, for every suffix of Microsoft's table and the special cases."""

import json
import re
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.azure.catalogue import PrivateName, catalogue
from zones.dns.name import Name, from_text, to_text

DATA: dict[str, Any] = json.loads(files("zones.azure").joinpath("data/private-link-zones.json").read_bytes())
ADDED: dict[str, Any] = json.loads(files("zones.azure").joinpath("data/additions.json").read_bytes())
SUFFIXES: list[dict[str, Any]] = DATA["fqdnSuffixMap"] + ADDED["suffixes"]
EXACT: dict[str, str] = {each["fqdn"]: each["private"] for each in ADDED["exceptions"] if "fqdn" in each}
BARE: list[str] = sorted(
    {each["forwarder"] for each in (*DATA["forwardersWithoutSuffixRule"], *ADDED["forwarders"])} - {"azure.com"}
)
"""Public suffixes from which no private zone follows, without the one that is opt-in."""
ENTRIES: list[dict[str, Any]] = DATA["entries"]
ARM = "Microsoft.Authorization/resourceManagementPrivateLinks"
MADE_UP = {"partitionId": "3", "subzone": "sub"}


def is_private(label: str) -> bool:
    return label == "privatelink" or label.startswith("privatelink-")


def fill(pattern: str) -> str:
    return re.sub(r"{(\w+)}", lambda match: MADE_UP.get(match[1], "weu"), pattern).lower()


def candidates(name: str) -> list[tuple[str, str]]:
    return [(to_text(m.name), to_text(m.zone)) for m in catalogue().candidates(from_text(name))]


def mapped(name: str, kind: str = "", *groups: str) -> tuple[str, str] | None:
    found = catalogue().map(from_text(name), kind, groups)
    return (to_text(found.name), to_text(found.zone)) if found else None


def zone_of(name: str) -> str | None:
    zone = catalogue().zone_of(from_text(name))
    return to_text(zone) if zone else None


def public(name: str) -> str | None:
    found = catalogue().public(from_text(name))
    return to_text(found) if found else None


def covers(name: str) -> bool:
    return catalogue().covers(from_text(name))


@pytest.mark.parametrize("rule", SUFFIXES, ids=lambda rule: rule["publicSuffix"])
def test_every_suffix_maps_there_and_back(rule: dict[str, Any]) -> None:
    suffix, zone = fill(rule["publicSuffix"]), fill(rule["privateZone"])
    kind = ARM if rule.get("optIn") else "Microsoft.Some/type"
    private = f"acct1.{zone}"

    assert mapped(f"Acct1.{suffix.upper()}.", kind) == (private, zone)
    assert candidates(f"acct1.{suffix}")[0] == (private, zone)
    assert mapped(private, kind) == (private, zone)
    assert candidates(private) == []
    assert zone_of(private) == zone
    assert zone_of(zone) == zone
    assert public(zone) is None

    if suffix.endswith(".azmk8s.io"):
        assert public(private) is None
    else:
        assert public(private) == f"acct1.{fill(default_public(rule['privateZone']))}"


def default_public(zone: str) -> str:
    """Return the public suffix of a zone: of the table's rows the last, those that insert `privatelink` first."""
    rows = [rule for rule in DATA["fqdnSuffixMap"] if rule["privateZone"] == zone]
    rows.sort(key=lambda rule: not rule["derived"])
    return str((rows[-1:] or [rule for rule in SUFFIXES if rule["privateZone"] == zone])[0]["publicSuffix"])


@pytest.mark.parametrize("rule", SUFFIXES, ids=lambda rule: rule["publicSuffix"])
def test_every_suffix_is_covered_at_and_below_itself_and_its_zone_unless_opt_in(rule: dict[str, Any]) -> None:
    expected = not rule.get("optIn")
    for name in (fill(rule["publicSuffix"]), fill(rule["privateZone"])):
        assert covers(name) is expected
        assert covers(f"a.b.{name}") is expected


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["id"])
def test_every_zone_of_an_entry_is_known_and_its_entry_is_found(entry: dict[str, Any]) -> None:
    for zone in entry["createZones"]:
        assert zone_of(f"a.{fill(zone)}") == fill(zone)
    for group in entry["groupIds"] or [""]:
        found = catalogue().by_resource(entry["resourceType"].upper(), group.upper())
        assert entry["id"] in [each.id for each in found]


@pytest.mark.parametrize(
    ("fqdn", "private", "zone"),
    [
        ("kv.vault.azure.net", "kv.privatelink.vaultcore.azure.net", "privatelink.vaultcore.azure.net"),
        ("kv.vaultcore.azure.net", "kv.privatelink.vaultcore.azure.net", "privatelink.vaultcore.azure.net"),
        ("kv.vault.azure.cn", "kv.privatelink.vaultcore.azure.cn", "privatelink.vaultcore.azure.cn"),
        ("reg.azurecr.io", "reg.privatelink.azurecr.io", "privatelink.azurecr.io"),
        ("reg.weu.data.azurecr.io", "reg.weu.data.privatelink.azurecr.io", "privatelink.azurecr.io"),
        (
            "reg.usgovvirginia.data.azurecr.us",
            "reg.usgovvirginia.data.privatelink.azurecr.us",
            "privatelink.azurecr.us",
        ),
        ("g.workspace.weu.api.azureml.ms", "g.workspace.weu.privatelink.api.azureml.ms", "privatelink.api.azureml.ms"),
        ("app.scm.azurewebsites.net", "app.scm.privatelink.azurewebsites.net", "privatelink.azurewebsites.net"),
        ("acct.weu.batch.azure.com", "acct.weu.privatelink.batch.azure.com", "privatelink.batch.azure.com"),
        ("a.weu.service.batch.azure.com", "a.weu.service.privatelink.batch.azure.com", "privatelink.batch.azure.com"),
        ("srv.database.windows.net", "srv.privatelink.database.windows.net", "privatelink.database.windows.net"),
        (
            "mi.1a2b.database.windows.net",
            "mi.privatelink.1a2b.database.windows.net",
            "privatelink.1a2b.database.windows.net",
        ),
        ("web.azurestaticapps.net", "web.privatelink.azurestaticapps.net", "privatelink.azurestaticapps.net"),
        ("web.2.azurestaticapps.net", "web.privatelink.2.azurestaticapps.net", "privatelink.2.azurestaticapps.net"),
        ("web.b.azurestaticapps.net", "web.b.privatelink.azurestaticapps.net", "privatelink.azurestaticapps.net"),
        ("adx.weu.kusto.windows.net", "adx.privatelink.weu.kusto.windows.net", "privatelink.weu.kusto.windows.net"),
        (
            "ingest-adx.weu.kusto.windows.net",
            "ingest-adx.privatelink.weu.kusto.windows.net",
            "privatelink.weu.kusto.windows.net",
        ),
        (
            "m.weu.prometheus.monitor.azure.com",
            "m.privatelink.weu.prometheus.monitor.azure.com",
            "privatelink.weu.prometheus.monitor.azure.com",
        ),
        ("api.monitor.azure.com", "api.privatelink.monitor.azure.com", "privatelink.monitor.azure.com"),
        (
            "pod01.we.backup.windowsazure.com",
            "pod01.privatelink.we.backup.windowsazure.com",
            "privatelink.we.backup.windowsazure.com",
        ),
        (
            "*.env.eastus.azurecontainerapps.io",
            "*.env.privatelink.eastus.azurecontainerapps.io",
            "privatelink.eastus.azurecontainerapps.io",
        ),
        ("*.azurewebsites.net", "*.privatelink.azurewebsites.net", "privatelink.azurewebsites.net"),
        (
            "db.x.mysql.database.usgovcloudapi.net",  # a literal beats a placeholder of equal length
            "db.x.privatelink.mysql.database.usgovcloudapi.net",
            "privatelink.mysql.database.usgovcloudapi.net",
        ),
    ],
)
def test_the_suffix_decides_and_records_may_have_several_labels(fqdn: str, private: str, zone: str) -> None:
    assert mapped(fqdn, "Microsoft.Any/type", "any") == (private, zone)
    assert candidates(fqdn) == [(private, zone)]
    assert zone_of(private) == zone


@pytest.mark.parametrize(
    ("private", "expected"),
    [
        ("kv.privatelink.vaultcore.azure.net", "kv.vault.azure.net"),
        ("s.privatelink.signalr.azure.cn", "s.service.signalr.azure.cn"),
        ("reg.weu.data.privatelink.azurecr.io", "reg.weu.data.azurecr.io"),
        ("mi.privatelink.1a2b.database.windows.net", "mi.1a2b.database.windows.net"),
        ("rdweb.privatelink-global.wvd.microsoft.com", "rdweb.wvd.microsoft.com"),
        ("management.privatelink.azure.com", "management.azure.com"),
        ("*.privatelink.azurewebsites.net", "*.azurewebsites.net"),
        ("x.7.privatelink.azurestaticapps.net", None),  # x.7.azurestaticapps.net is in another zone
        ("x.documents.privatelink.azure.com", None),
        ("api.privatelink.eastus.azmk8s.io", None),
        ("api.sub.privatelink.eastus.azmk8s.io", None),
        ("acct.blob.core.windows.net", None),
        ("www.example.com", None),
    ],
)
def test_public_is_the_default_fqdn_that_maps_to_the_private_name(private: str, expected: str | None) -> None:
    assert public(private) == expected


def test_aks_names_are_private_already() -> None:
    zone = "privatelink.eastus.azmk8s.io"
    kind = "Microsoft.ContainerService/managedClusters"
    assert mapped(f"API-1a2b.{zone}", kind, "management") == (f"api-1a2b.{zone}", zone)
    assert mapped(f"api.sub.{zone}", kind, "management") == (f"api.sub.{zone}", f"sub.{zone}")
    assert zone_of(f"api.{zone}") == zone
    assert candidates(f"api.sub.{zone}") == []


@pytest.mark.parametrize("suffix", ["wvd.microsoft.com", "wvd.azure.us", "wvd.azure.cn"])
def test_group_chooses_between_the_two_zones_of_virtual_desktop(suffix: str) -> None:
    kind = "Microsoft.DesktopVirtualization/workspaces"
    feed = (f"rdweb.privatelink.{suffix}", f"privatelink.{suffix}")
    everywhere = (f"rdweb.privatelink-global.{suffix}", f"privatelink-global.{suffix}")
    assert candidates(f"rdweb.{suffix}") == [feed, everywhere]
    assert mapped(f"rdweb.{suffix}", kind, "feed") == feed
    assert mapped(f"rdweb.{suffix}", kind, "GLOBAL") == everywhere
    assert mapped(f"rdweb.{suffix}", kind) == feed
    assert mapped(everywhere[0], kind, "feed") == everywhere
    assert candidates(everywhere[0]) == []
    assert covers(everywhere[1])


def test_group_decides_nothing_where_one_zone_has_the_suffix() -> None:
    assert mapped("acct.blob.core.windows.net", "Microsoft.Storage/storageAccounts", "table", "global") == (
        "acct.privatelink.blob.core.windows.net",
        "privatelink.blob.core.windows.net",
    )


def test_an_opt_in_suffix_counts_only_for_its_resource_type() -> None:
    expected = ("management.privatelink.azure.com", "privatelink.azure.com")
    assert mapped("management.azure.com", ARM.upper(), "ResourceManagement") == expected
    assert mapped("management.azure.com", "Microsoft.Storage/storageAccounts") is None
    assert mapped(expected[0], ARM) == expected
    assert mapped(expected[0], "Microsoft.Storage/storageAccounts") is None
    assert mapped("acct.documents.azure.com", ARM) == (
        "acct.privatelink.documents.azure.com",
        "privatelink.documents.azure.com",
    )
    assert candidates("management.azure.com") == [expected]
    assert not covers("management.azure.com")
    assert not covers(expected[0])


@pytest.mark.parametrize(
    "name",
    [
        "www.example.com",
        "com",
        ".",
        "net",
        "windows.net",
        "blob.core.windows.net",
        "xblob.core.windows.net",
        "service.inference.ml.azure.cn",
    ],
)
def test_names_without_a_suffix_before_them_are_not_mapped(name: str) -> None:
    assert mapped(name) is None
    assert candidates(name) == []
    assert zone_of(name) is None


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("a.privatelink.vault.azure.net", "privatelink.vault.azure.net"),
        ("a.privatelink.eastus.batch.azure.com", "privatelink.eastus.batch.azure.com"),  # a former zone cut
        ("x.privatelink.azmk8s.io", "privatelink.azmk8s.io"),
        ("a.b.privatelink.foo.example", "privatelink.foo.example"),
        ("x.privatelink-eu.foo.example", "privatelink-eu.foo.example"),
        ("privatelink.foo.example", "privatelink.foo.example"),
        ("a.privatelink.b.privatelink.foo.example", "privatelink.foo.example"),
        ("privatelink-kv.privatelink.foo.example", "privatelink.foo.example"),
        ("reg.weu.data.privatelink.azurecr.io", "privatelink.azurecr.io"),  # the catalogue knows a zone: that one
    ],
)
def test_a_zone_that_the_catalogue_lacks_begins_at_the_label_privatelink(name: str, zone: str) -> None:
    assert zone_of(name) == zone
    assert mapped(name) == (name, zone)
    assert candidates(name) == []
    assert covers(name)
    assert covers(zone)


def test_a_first_label_that_begins_with_privatelink_is_the_name_of_a_resource_below_a_public_suffix() -> None:
    private = ("privatelink-kv.privatelink.vaultcore.azure.net", "privatelink.vaultcore.azure.net")
    assert candidates("privatelink-kv.vault.azure.net") == [private]
    assert mapped("privatelink-kv.vault.azure.net") == private
    assert public(private[0]) == "privatelink-kv.vault.azure.net"
    assert zone_of("privatelink-kv.vault.azure.net") is None
    assert zone_of("privatelink-ep.weu.inference.ml.azure.com") is None
    assert zone_of("privatelink-eu.service.azure.com") == "privatelink-eu.service.azure.com"  # azure.com is opt-in
    assert covers("privatelink-eu.service.azure.com")


@pytest.mark.parametrize("forwarder", BARE)
def test_a_forwarder_from_which_no_zone_follows_is_covered(forwarder: str) -> None:
    assert covers(forwarder)
    assert covers(f"a.b.{forwarder}")
    rules = {rule["publicSuffix"] for rule in SUFFIXES}
    assert (candidates(f"a.{forwarder}") == []) is (forwarder not in rules)
    assert (mapped(f"a.{forwarder}", ARM) is None) is (forwarder not in rules)


@pytest.mark.parametrize(("fqdn", "private"), EXACT.items())
def test_an_exception_for_an_exact_name_comes_before_the_suffix(fqdn: str, private: str) -> None:
    zone = zone_of(private)
    assert zone is not None
    assert candidates(fqdn) == [(private, zone)]
    assert mapped(fqdn.upper(), "Microsoft.Any/type", "any") == (private, zone)
    assert public(private) is None
    assert all(public(name) != fqdn for name, _ in candidates(f"x{fqdn}"))
    assert candidates(f"x{fqdn}") == reference_candidates(f"x{fqdn}")


@pytest.mark.parametrize("name", ["azmk8s.io", "www.example.com", ".", "com", "xprivatelink.azmk8s.com", "windows.net"])
def test_names_outside_the_catalogue_are_not_covered(name: str) -> None:
    assert not covers(name)


def test_an_account_whose_name_begins_with_privatelink_is_public() -> None:
    assert mapped("privatelinkdemo.blob.core.windows.net") == (
        "privatelinkdemo.privatelink.blob.core.windows.net",
        "privatelink.blob.core.windows.net",
    )


def test_a_name_that_would_exceed_255_octets_is_not_mapped() -> None:
    longest = from_text(".".join(["a" * 63] * 3 + ["b" * 39, "blob.core.windows.net"]))
    assert len(longest) == 255
    assert catalogue().candidates(longest) == ()
    assert catalogue().map(longest, "", ()) is None


def test_slots_of_an_app_have_groups_that_begin_with_sites() -> None:
    plain = catalogue().by_resource("Microsoft.Web/sites", "sites")
    assert plain
    assert catalogue().by_resource("microsoft.web/SITES", "Sites-staging") == plain
    assert catalogue().by_resource("Microsoft.Web/sites", "blob") == ()
    assert catalogue().by_resource("Microsoft.Storage/storageAccounts", "blob-x") == ()


def test_rows_without_a_fixed_group_id_match_any() -> None:
    assert catalogue().by_resource("Microsoft.Network/applicationGateways", "my-frontend")
    assert catalogue().by_resource("Microsoft.Network/privateLinkServices", "")


def test_the_data_is_read_on_the_first_call_and_not_on_import() -> None:
    code = "import zones.azure.catalogue as c; print(c.catalogue.cache_info().currsize); c.catalogue(); c.catalogue()"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["0"]
    assert catalogue() is catalogue()


# A slow reference: it tries every rule on every name, label by label.


def bind(pattern: str, tail: list[str]) -> dict[str, str] | None:
    parts = pattern.split(".")
    if len(parts) != len(tail):
        return None
    bound = {}
    for want, got in zip(parts, tail, strict=True):
        if want.startswith("{"):
            if is_private(got) or (want == "{partitionId}" and not got.isdigit()):
                return None
            bound[want] = got
        elif want != got:
            return None
    return bound


def best(patterns: list[str], labels: list[str], least: int) -> tuple[str, dict[str, str]] | None:
    """Return the longest matching pattern with `least` labels before it; of equal ones that with more literals."""
    found = []
    for pattern in patterns:
        size = pattern.count(".") + 1
        if len(labels) - size >= least and (bound := bind(pattern, labels[-size:])) is not None:
            found.append((size, -pattern.count("{"), pattern, bound))
    return max(found, key=lambda item: item[:2])[2:] if found else None


def reference_candidates(name: str) -> list[tuple[str, str]]:
    if name in EXACT:
        return [(EXACT[name], reference_zone(EXACT[name]) or "")]
    labels = name.split(".")
    if reference_zone(name):
        return []
    zones = {rule["publicSuffix"]: rule["privateZone"] for rule in SUFFIXES}
    match = best([*zones, *BARE], labels, 1)
    if match is None or match[0] not in zones:
        return []
    suffix, bound = match
    out = []
    for zone in [zones[suffix], *([f"privatelink-global.{suffix}"] if suffix.startswith("wvd.") else [])]:
        for placeholder, label in bound.items():
            zone = zone.replace(placeholder, label)  # noqa: PLW2901 - simplest
        rest = labels[: len(labels) - suffix.count(".") - 1]
        private = ".".join([*rest, zone])
        out.append((private, reference_zone(private) or ""))
    return out


def private_zones() -> list[str]:
    return [rule["privateZone"] for rule in SUFFIXES] + [zone for entry in ENTRIES for zone in entry["createZones"]]


def reference_zone(name: str) -> str | None:
    labels = name.split(".")
    found = [best([zone], labels, 1 if zone.startswith("{") else 0) for zone in private_zones()]
    sizes = [each[0].count(".") + 1 for each in found if each]
    if sizes:
        return ".".join(labels[-max(sizes) :])
    marked = [i for i, label in enumerate(labels) if is_private(label)]
    suffixes = [*(rule["publicSuffix"] for rule in SUFFIXES if not rule.get("optIn")), *BARE]
    if not marked or (marked == [0] and labels[0] != "privatelink" and best(suffixes, labels, 1)):
        return None
    return ".".join(labels[marked[-1] :])


def reference_covers(name: str) -> bool:
    opt_in = {text for rule in SUFFIXES if rule.get("optIn") for text in (rule["publicSuffix"], rule["privateZone"])}
    patterns = {rule["publicSuffix"] for rule in SUFFIXES} | set(BARE)
    zone = reference_zone(name)
    return best(sorted(patterns - opt_in), name.split("."), 0) is not None or (zone is not None and zone not in opt_in)


WORDS = st.sampled_from(
    [
        "a",
        "1",
        "22",
        "*",
        "privatelink",
        "privatelink-global",
        "privatelink-x",
        "scm",
        "data",
        "eastus",
        "mysql",
        "database",
        "azure",
        "core",
    ]
)
ENDS = st.sampled_from(
    sorted({rule["publicSuffix"] for rule in SUFFIXES} | {*private_zones(), *BARE, *EXACT, *EXACT.values()})
)


@st.composite
def names(draw: st.DrawFn) -> str:
    end = draw(ENDS).split(".")
    tail = [draw(WORDS) if label.startswith("{") else label.lower() for label in end]
    tail = tail[draw(st.integers(0, 2)) :] if draw(st.booleans()) else tail
    return ".".join([*draw(st.lists(WORDS, max_size=3)), *tail]) or "a"


@given(names())
def test_catalogue_agrees_with_a_slow_and_obvious_reference(name: str) -> None:
    wire = from_text(name)
    assert candidates(name) == reference_candidates(name)
    assert zone_of(name) == reference_zone(name)
    assert covers(name) is reference_covers(name)
    for mapping in catalogue().candidates(wire):
        assert mapping.zone == catalogue().zone_of(mapping.name)
        assert catalogue().map(mapping.name, ARM, ()) == mapping
        shown = catalogue().public(mapping.name)
        assert shown is None or mapping in catalogue().candidates(shown)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_any_name_is_handled_without_error(parts: list[bytes]) -> None:
    name = Name(b"".join(bytes((len(part),)) + part.lower() for part in parts) + b"\x00")
    assert isinstance(catalogue().covers(name), bool)
    assert all(isinstance(mapping, PrivateName) for mapping in catalogue().candidates(name))
    assert catalogue().zone_of(name) is None or catalogue().public(name) is not name
