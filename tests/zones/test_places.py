"""What is remembered of the catalogue is what the catalogue says, for every sibling of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.catalogue import catalogue
from zones.name import MAX_NAME, Name, from_labels, from_text, to_text
from zones.places import Places

SUFFIXES = (
    "blob.core.windows.net", "privatelink.blob.core.windows.net", "vault.azure.net", "vaultcore.azure.net",
    "privatelink.vaultcore.azure.net", "wvd.microsoft.com", "privatelink-global.wvd.microsoft.com", "azure.com",
    "privatelink.azure.com", "azmk8s.io", "privatelink.westeurope.azmk8s.io", "sub.privatelink.westeurope.azmk8s.io",
    "data.azurecr.io", "westeurope.data.azurecr.io", "scm.azurewebsites.net", "westeurope.kusto.windows.net",
    "example", "net", "",
)  # fmt: skip
KINDS = (
    "", "microsoft.storage/storageaccounts", "microsoft.authorization/resourcemanagementprivatelinks",
    "microsoft.containerservice/managedclusters", "microsoft.desktopvirtualization/workspaces",
)  # fmt: skip
LABELS = st.one_of(
    st.sampled_from((b"privatelink", b"privatelink-global", b"privatelinkx", b"*", b"acct", b"westeurope", b"7")),
    st.text("abc-1", min_size=1, max_size=63).map(str.encode),
)
PLACES = Places(catalogue())
"""One for all examples, so that siblings are asked after each other."""


@st.composite
def names(draw: st.DrawFn) -> Name:
    suffix = draw(st.sampled_from(SUFFIXES))
    name = from_labels(draw(st.lists(LABELS, max_size=4)))[:-1] + (from_text(suffix) if suffix else b"\x00")
    return Name(name) if len(name) <= MAX_NAME else from_text(suffix)


@given(names(), st.sampled_from(KINDS), st.sampled_from(((), ("blob",), ("Global",), ("management", "feed"))))
def test_a_claim_stands_where_the_catalogue_says(fqdn: Name, kind: str, groups: tuple[str, ...]) -> None:
    assert PLACES.claimed(fqdn, kind, groups) == (catalogue().map(fqdn, kind, groups) or (fqdn, None))


@given(names())
def test_candidates_zone_and_public_name_are_what_the_catalogue_says(name: Name) -> None:
    zone = catalogue().zone_of(name)

    assert PLACES.candidates(name) == tuple(mapping.name for mapping in catalogue().candidates(name))
    assert PLACES.zones(name)[:1] == ((zone,) if zone else ())
    assert PLACES.public(name) == catalogue().public(name)


@pytest.mark.parametrize("octets", [190, 217, 230])
def test_a_name_whose_private_form_is_too_long_stands_at_itself(octets: int) -> None:
    filler = from_labels([b"a" * 60] * 3)[:-1]
    name = Name(filler + bytes((octets - 184,)) + b"b" * (octets - 184) + from_text("vault.azure.net"))
    private, zone = PLACES.claimed(name, "", ())

    assert len(private) <= MAX_NAME
    assert (zone is None) == (private == name)
    assert to_text(private).startswith("aaa")
    assert (private, zone) == (catalogue().map(name, "", ()) or (name, None))
