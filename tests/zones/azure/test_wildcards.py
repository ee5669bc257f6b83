"""Wildcards on NICs: which the resource owns, which it shares with others, and the private wildcards for these."""

import json
from collections.abc import Iterable
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.azure.additions import Owner, WildcardRow
from zones.azure.catalogue import catalogue
from zones.azure.suffix_trie import may_be_private
from zones.azure.wildcards import NoPrivateWildcard, Wildcards
from zones.dns.name import from_text, labels, to_text

GUID, OTHER = "5d1c2e8a-77b0-4c1e-9a53-0b6f1e2d3c4a", "c0ffee12-3456-4789-8abc-def012345678"
SUFFIXES = [rule["publicSuffix"] for rule in json.loads(
    files("zones.azure").joinpath("data/private-link-zones.json").read_bytes())["fqdnSuffixMap"]]  # fmt: skip


def privates(fqdn: str, others: Iterable[str] = (), kind: str = "") -> list[str] | NoPrivateWildcard | None:
    """Return the private wildcards for a shared one, or why there are none; None for the resource's own wildcard."""
    found = catalogue().shared_wildcard(from_text(fqdn), kind, (), map(from_text, others))
    if found is None:
        return None
    assert all(private.zone == catalogue().zone_of(private.name) for private in found.privates)
    return [to_text(private.name) for private in found.privates] or found.missing


@pytest.mark.parametrize(
    "fqdn",
    [
        "*.happyhill-70162bb9.eastus.azurecontainerapps.io",
        "*.internal.happyhill-70162bb9.eastus.azurecontainerapps.io",
        f"*.{GUID}.inference.westeurope.api.azureml.ms",
        f"*.{GUID}.inference.usgovvirginia.api.ml.azure.us",
        f"*.{GUID}.inference.chinaeast2.api.ml.azure.cn",
        "*.myase.appserviceenvironment.net",
        "*.scm.myase.appserviceenvironment.net",
        "*.app.azurewebsites.net",
        "*.app.westeurope-01.azurewebsites.net",
        "*.site.2.azurestaticapps.net",
        "*.corp.example",
        "*.contoso.com",
        "*.apps.partner.io",
        "*.vm.westeurope.cloudapp.azure.com",
        "*.privatelink.pbidedicated.windows.net",  # private already
        "*.env.privatelink.eastus.azurecontainerapps.io",
        f"*.{GUID}.inference.westeurope.privatelink.api.azureml.ms",
    ],
)
def test_a_wildcard_with_a_label_of_the_resource_is_its_own(fqdn: str) -> None:
    assert privates(fqdn) is None


@pytest.mark.parametrize(
    ("fqdn", "private"),
    [
        ("*.pbidedicated.windows.net", "*.privatelink.pbidedicated.windows.net"),
        ("*.azurewebsites.net", "*.privatelink.azurewebsites.net"),
        ("*.scm.azurewebsites.net", "*.scm.privatelink.azurewebsites.net"),
        ("*.westeurope.azurewebsites.net", "*.westeurope.privatelink.azurewebsites.net"),
        ("*.westeurope-01.azurewebsites.net", "*.westeurope-01.privatelink.azurewebsites.net"),
        ("*.vault.azure.net", "*.privatelink.vaultcore.azure.net"),
        ("*.azurecr.io", "*.privatelink.azurecr.io"),
        ("*.data.azurecr.io", "*.data.privatelink.azurecr.io"),
        ("*.weu.data.azurecr.io", "*.weu.data.privatelink.azurecr.io"),
        ("*.eastus.azurecontainerapps.io", "*.privatelink.eastus.azurecontainerapps.io"),
        ("*.chinaeast2.kusto.windows.cn", "*.privatelink.chinaeast2.kusto.windows.cn"),
        ("*.westeurope.api.azureml.ms", "*.westeurope.privatelink.api.azureml.ms"),
        ("*.workspace.westeurope.api.azureml.ms", "*.workspace.westeurope.privatelink.api.azureml.ms"),
        ("*.workspace.westeurope.cert.api.azureml.ms", "*.workspace.westeurope.cert.privatelink.api.azureml.ms"),
        ("*.1a2b.database.windows.net", "*.privatelink.1a2b.database.windows.net"),
        ("*.westeurope.redis.azure.net", "*.westeurope.privatelink.redis.azure.net"),
    ],
)
def test_a_wildcard_under_a_suffix_or_a_region_is_shared_and_its_private_form_follows_the_suffix(
    fqdn: str, private: str
) -> None:
    assert privates(fqdn) == [private]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_endpoint_owns_all_names_below_a_suffix_or_above_it(suffix: str) -> None:
    plain = suffix.replace("{partitionId}", "3").replace("{", "").replace("}", "")
    names = [plain, f"westeurope.{plain}", f"chinanorth3.{plain}", f"weu-1.{plain}".replace("weu", "eus")]
    parts = plain.split(".")
    for name in [*names, *(".".join(parts[i:]) for i in range(1, len(parts)))]:
        assert privates(f"*.{name}") is not None, name


@pytest.mark.parametrize("fqdn", [f"*.new.{each}" for each in (
    "windows.net", "core.windows.net", "azure.com", "azure.net", "azure.us", "azure.cn", "microsoft.com",
    "cosmos.azure.com", "usgovcloudapi.net", "core.chinacloudapi.cn",
)])  # fmt: skip
def test_a_wildcard_beside_the_suffixes_is_one_of_a_service_that_the_catalogue_lacks(fqdn: str) -> None:
    assert privates(fqdn) == NoPrivateWildcard.NO_RULE
    assert privates(fqdn.replace("*.", "*.westeurope.")) == NoPrivateWildcard.NO_RULE
    assert privates(fqdn.replace("*.", "*.acct.")) is None


@pytest.mark.parametrize("fqdn", ["*.com", "*.org", "*.windows.net", "*.core.windows.net", "*.ml.azure.com"])
def test_a_wildcard_above_every_suffix_has_no_private_form(fqdn: str) -> None:
    assert privates(fqdn) == NoPrivateWildcard.NO_RULE


@pytest.mark.parametrize("fqdn", ["*.inference.ml.azure.com", "*.westeurope.instances.azureml.ms", "*.azure.com"])
def test_a_wildcard_of_a_suffix_without_a_zone_has_no_private_form(fqdn: str) -> None:
    assert privates(fqdn) == NoPrivateWildcard.NO_RULE


# -- Machine Learning: the private wildcard has the GUID of the workspace

CLOUDS = pytest.mark.parametrize(
    ("inference", "api", "region"),
    [
        ("inference.ml.azure.com", "api.azureml.ms", "westeurope"),
        ("inference.ml.azure.us", "api.ml.azure.us", "usgovarizona"),
        ("inference.ml.azure.cn", "api.ml.azure.cn", "chinaeast2"),
    ],
)


@CLOUDS
def test_the_private_wildcard_of_a_workspace_has_the_guid_of_its_other_names(
    inference: str, api: str, region: str
) -> None:
    others = [f"{GUID}.workspace.{region}.{api}", f"{GUID}.workspace.{region}.cert.{api}"]
    expected = [f"*.{GUID}.inference.{region}.privatelink.{api}"]
    assert privates(f"*.{region}.{inference}", others) == expected
    assert privates(f"*.{region.upper()}.{inference}", [*others, f"*.{region}.{inference}"]) == expected


@CLOUDS
def test_without_a_guid_in_the_region_no_private_wildcard_is_made_up(inference: str, api: str, region: str) -> None:
    for others in ([], [f"{GUID}.workspace.elsewhere.{api}"], [f"notaguid.workspace.{region}.{api}"]):
        assert privates(f"*.{region}.{inference}", others) == NoPrivateWildcard.NO_GUID


def test_the_guid_at_the_end_of_a_label_counts_where_no_label_is_one() -> None:
    notebook = f"ml-alpha-westeurope-{GUID}.westeurope.notebooks.azure.net"
    private = "*.{}.inference.westeurope.privatelink.api.azureml.ms"
    star = "*.westeurope.inference.ml.azure.com"
    assert privates(star, [notebook]) == [private.format(GUID)]
    assert privates(star, [notebook, f"{OTHER}.workspace.westeurope.api.azureml.ms"]) == [private.format(OTHER)]


def test_a_hub_has_a_private_wildcard_for_each_of_its_workspaces() -> None:
    others = [f"{each}.workspace.westeurope.api.azureml.ms" for each in (OTHER, GUID)]
    found = privates("*.westeurope.inference.ml.azure.com", others)
    assert found == [f"*.{each}.inference.westeurope.privatelink.api.azureml.ms" for each in (GUID, OTHER)]


# -- rows of data


def wildcards(*rows: WildcardRow) -> Wildcards:
    suffix = tuple(labels(from_text("apps.example.com")))
    return Wildcards([suffix], (), {b"apps"}, {b"weu"}, rows)


def row(public: str, owner: Owner, private: str = "") -> WildcardRow:
    return WildcardRow(
        public=public, resource_type="Contoso.Apps/sites", owner=owner, cloud="commercial", source="", private=private
    )


def test_a_row_comes_before_the_rule_and_what_the_resource_owns_depends_on_its_type() -> None:
    rules = wildcards(row("*.apps.example.com", Owner.RESOURCE), row("*.{x}.apps.example.com", Owner.SHARED))
    assert not rules.is_shared(from_text("*.apps.example.com"), "contoso.apps/sites")
    assert rules.is_shared(from_text("*.apps.example.com"), "contoso.other/sites")
    assert rules.is_shared(from_text("*.own.apps.example.com"), "")


def test_a_private_wildcard_over_255_octets_is_left_out() -> None:
    long = ".".join(["y" * 60] * 3)
    rules = wildcards(row("*.{x}.apps.example.com", Owner.SHARED, f"*.{{x}}.{long}.privatelink.apps.example.com"))
    for octets, count in ((30, 1), (63, 0)):
        found = rules.private_forms(from_text(f"*.{'x' * octets}.apps.example.com"), ())
        assert found is not None
        assert len(found.names) == count


@pytest.mark.parametrize(
    ("public", "owner", "private"),
    [
        ("apps.example.com", Owner.SHARED, ""),
        ("*.apps.example.com", Owner.SHARED, "privatelink.apps.example.com"),
        ("*.apps.example.com", Owner.SHARED, "*.apps.example.com"),
        ("*.apps.example.com", Owner.SHARED, "*.privatelink.apps.example.com"),
        ("*.apps.example.com", Owner.SHARED, "*.{region}.x.privatelink.apps.example.com"),
        ("*.apps.example.com", Owner.RESOURCE, "*.x.y.privatelink.apps.example.com"),
    ],
)
def test_a_row_that_could_make_a_wrong_name_is_refused(public: str, owner: Owner, private: str) -> None:
    with pytest.raises(ValueError, match="apps"):
        row(public, owner, private)


# -- any wildcard

LABELS = st.sampled_from(
    ["own", "weu", "westeurope", "chinaeast2", "eus-1", "data", "workspace", GUID, "privatelink", "z" * 63]
)
OTHER_ENDS = ["inference.ml.azure.com", "windows.net", "azure.com", "com", "contoso.com", "appserviceenvironment.net"]
PLAIN = [suffix.replace("{partitionId}", "3").replace("{", "").replace("}", "") for suffix in SUFFIXES]
ENDS = st.sampled_from(PLAIN + OTHER_ENDS)


@given(st.lists(LABELS, max_size=4), ENDS, st.sampled_from(["", "Microsoft.App/managedEnvironments"]))
def test_what_an_endpoint_gets_for_any_wildcard_is_private_and_a_wildcard(
    middle: list[str], end: str, kind: str
) -> None:
    text = ".".join(["*", *middle, end])
    if len(text) > 250:
        return
    star, others = from_text(text), [from_text(f"{GUID}.workspace.westeurope.api.azureml.ms")]
    found = catalogue().shared_wildcard(star, kind, (), others)
    if "privatelink" in middle:
        assert found is None
    elif not middle:
        assert found is not None or end in ("contoso.com", "appserviceenvironment.net")
    for private in found.privates if found else ():
        assert private.name.startswith(b"\x01*")
        assert may_be_private(private.name)
        assert private.zone == catalogue().zone_of(private.name)
        assert catalogue().candidates(private.name) == ()
