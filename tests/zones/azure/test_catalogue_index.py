"""The cached results of the catalogue against the catalogue itself."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.azure.catalogue import catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.dns.name import MAX_NAME, Name, from_labels, from_text, labels, to_text

_DATA = json.loads(files("zones.azure").joinpath("data/private-link-zones.json").read_bytes())
PATTERNS = sorted({text for rule in _DATA["fqdnSuffixMap"] for text in (rule["publicSuffix"], rule["privateZone"])})
_ADDED = json.loads(files("zones.azure").joinpath("data/additions.json").read_bytes())
PATTERNS += [each[key] for each in _ADDED["exceptions"] for key in ("fqdn", "private") if key in each]
PATTERNS += ["purview.azure.com", "privatelink.purview.azure.com", "privatelink.purviewstudio.azure.com"]
places = CatalogueIndex(catalogue())

label = st.sampled_from([b"a", b"7", b"*", b"x" * 63, b"privatelink", b"privatelink-x", b"weu", b"web"])


@st.composite
def names(draw: st.DrawFn) -> Name:
    """Return names of a few labels before a suffix of the catalogue, with any labels for its placeholders."""
    suffix = [
        draw(label) if part.startswith(b"{") else part
        for part in labels(from_text(draw(st.sampled_from([*PATTERNS, "example.com", "."]))))
    ]
    parts = draw(st.lists(label, max_size=4)) + suffix
    while len(from_labels(parts)) > MAX_NAME:
        parts = parts[1:]
    return from_labels(parts)


@given(names())
def test_cached_results_of_siblings_equal_those_of_the_catalogue(name: Name) -> None:
    assert places.candidates(name) == tuple(mapping.name for mapping in catalogue().candidates(name))
    assert places.public(name) == catalogue().public(name)
    assert places.zones(name)[:1] == tuple(zone for zone in [catalogue().zone_of(name)] if zone)


kinds = st.sampled_from([
    "", "microsoft.authorization/resourcemanagementprivatelinks", "microsoft.containerservice/managedclusters",
    "microsoft.desktopvirtualization/workspaces",
])  # fmt: skip


@given(names(), kinds, st.sampled_from([(), ("blob",), ("Global",), ("management", "feed")]))
def test_the_private_name_of_a_claim_equals_that_of_the_catalogue(
    fqdn: Name, kind: str, groups: tuple[str, ...]
) -> None:
    assert places.claimed(fqdn, kind, groups) == (catalogue().map(fqdn, kind, groups) or (fqdn, None))


def test_a_claim_whose_private_name_would_be_too_long_keeps_its_public_name() -> None:
    fqdn = from_labels([b"x" * 63] * 3 + [b"x" * 40] + labels(from_text("vault.azure.net")))
    assert len(fqdn) <= MAX_NAME
    assert places.claimed(fqdn, "", ()) == (fqdn, None)
    assert places.claimed(from_text("x.vault.azure.net"), "", ())[1] is not None


def test_all_zones_above_a_name_the_longest_first() -> None:
    zones = places.zones(from_text("api.sub.privatelink.weu.azmk8s.io"))
    assert [to_text(zone) for zone in zones] == ["sub.privatelink.weu.azmk8s.io", "privatelink.weu.azmk8s.io"]
    assert places.zones(from_text("acct.blob.core.windows.net")) == ()


def test_opt_in_zones_are_recognised() -> None:
    assert places.is_opt_in(from_text("privatelink.azure.com"))
    for other in ("privatelink.blob.core.windows.net", "azure.com", "corp.example", "sub.privatelink.weu.azmk8s.io"):
        assert not places.is_opt_in(from_text(other))


@pytest.mark.parametrize(
    ("public", "private", "covered"),
    [
        ("adf.azure.com", "portal.privatelink.adf.azure.com", True),
        ("adf.azure.us", "portal.privatelink.adf.azure.us", True),
        ("adf.azure.cn", "portal.privatelink.adf.azure.cn", True),
        ("web.purview.azure.com", "web.privatelink.purviewstudio.azure.com", False),
        ("a.blob.core.windows.net", "a.privatelink.blob.core.windows.net", True),
        ("kv.vault.azure.net", "kv.privatelink.vaultcore.azure.net", False),
    ],
)
def test_a_resolver_in_front_forwards_a_name_that_is_a_suffix_itself(public: str, private: str, covered: bool) -> None:
    assert CatalogueIndex(catalogue()).has_one_forwarder(from_text(public), from_text(private)) is covered
