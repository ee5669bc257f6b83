"""Which record set of Azure has the private name of which FQDN."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.azure.private_names import is_plausible, matched
from zones.dns.name import from_text, to_text

FOUR, FIVE = "10.0.0.4", "10.0.0.5"


def private_names(fqdns: dict[str, str], records: dict[str, str]) -> dict[str, str]:
    """Return the private names by FQDN. Addresses are separated by spaces."""
    found = matched(*(
        {from_text(name): {each.encode() for each in addresses.split()} for name, addresses in named.items()}
        for named in (fqdns, records)
    ))  # fmt: skip
    return {to_text(fqdn): to_text(name) for fqdn, name in found.items()}


@pytest.mark.parametrize(
    ("fqdn", "name"),
    [
        ("acct.blob.core.windows.net", "acct.privatelink.blob.core.windows.net"),
        ("kv.vault.azure.net", "kv.privatelink.vaultcore.azure.net"),
        ("web.purview.azure.com", "web.privatelink.purviewstudio.azure.com"),
        ("adf.azure.com", "portal.privatelink.adf.azure.com"),
        ("api.privatelink.weu.azmk8s.io", "api.privatelink.weu.azmk8s.io"),
        ("acct.blob.core.windows.net", "acct.storage.contoso.internal"),
        ("*.env.weu.azurecontainerapps.io", "*.env.privatelink.weu.azurecontainerapps.io"),
    ],
)
def test_a_record_set_alone_at_the_address_is_the_private_name(fqdn: str, name: str) -> None:
    assert private_names({fqdn: FOUR}, {name: FOUR}) == {fqdn: name}


def test_without_a_common_address_there_is_no_private_name() -> None:
    assert not private_names({"acct.blob.core.windows.net": FOUR}, {"acct.privatelink.blob.core.windows.net": FIVE})


def test_one_common_address_is_enough() -> None:
    fqdn, name = "acct.documents.azure.com", "acct.privatelink.documents.azure.com"
    assert private_names({fqdn: f"{FOUR} fd00::4"}, {name: FOUR}) == {fqdn: name}


def test_the_names_of_a_workspace_at_one_address_are_not_mixed_up() -> None:
    pairs = {
        "guid.workspace.weu.api.azureml.ms": "guid.workspace.weu.privatelink.api.azureml.ms",
        "guid.workspace.weu.cert.api.azureml.ms": "guid.workspace.weu.cert.privatelink.api.azureml.ms",
        "ml-ws-weu-guid.weu.notebooks.azure.net": "ml-ws-weu-guid.weu.privatelink.notebooks.azure.net",
        "*.guid.inference.weu.api.azureml.ms": "*.guid.inference.weu.privatelink.api.azureml.ms",
    }
    assert private_names(dict.fromkeys(pairs, FOUR), dict.fromkeys(pairs.values(), FOUR)) == pairs
    for missing in pairs:
        names = [name for fqdn, name in pairs.items() if fqdn != missing]
        expected = {fqdn: name for fqdn, name in pairs.items() if fqdn != missing}
        assert private_names(dict.fromkeys(pairs, FOUR), dict.fromkeys(names, FOUR)) == expected


def test_the_names_of_a_registry_are_told_apart_at_one_address() -> None:
    pairs = {
        "reg.azurecr.io": "reg.privatelink.azurecr.io",
        "reg.weu.data.azurecr.io": "reg.weu.data.privatelink.azurecr.io",
    }
    assert private_names(dict.fromkeys(pairs, FOUR), dict.fromkeys(pairs.values(), FOUR)) == pairs


def test_the_longest_run_of_leading_labels_decides() -> None:
    fqdns = {"a.b.one.example": FOUR, "a.two.example": FOUR}
    records = {"a.b.privatelink.x.example": FOUR, "a.privatelink.y.example": FOUR}
    assert private_names(fqdns, records) == {
        "a.b.one.example": "a.b.privatelink.x.example", "a.two.example": "a.privatelink.y.example",
    }  # fmt: skip


def test_a_record_set_that_could_belong_to_two_fqdns_belongs_to_none() -> None:
    fqdns = {"name.one.example": FOUR, "name.two.example": FOUR}
    assert not private_names(fqdns, {"name.privatelink.other.example": FOUR})


def test_an_fqdn_with_two_equally_likely_record_sets_has_none() -> None:
    records = {"acct.a.internal": FOUR, "acct.b.internal": FOUR}
    assert not private_names({"acct.blob.core.windows.net": FOUR}, records)
    records["acct.privatelink.blob.core.windows.net"] = FOUR
    assert private_names({"acct.blob.core.windows.net": FOUR}, records) == {
        "acct.blob.core.windows.net": "acct.privatelink.blob.core.windows.net"
    }


@pytest.mark.parametrize(
    ("fqdns", "records"),
    [
        (["adf.azure.com", "other.example"], ["portal.privatelink.adf.azure.com"]),
        (["adf.azure.com"], ["portal.privatelink.adf.azure.com", "x.privatelink.example"]),
        (["adf.azure.com", "*.other.example"], ["portal.privatelink.adf.azure.com"]),
        (["*.one.example"], ["portal.privatelink.adf.azure.com"]),
    ],
)
def test_without_a_common_label_others_at_the_address_leave_it_open(fqdns: list[str], records: list[str]) -> None:
    assert not private_names(dict.fromkeys(fqdns, FOUR), dict.fromkeys(records, FOUR))


def test_others_at_another_address_do_not_matter() -> None:
    fqdns = {"adf.azure.com": FOUR, "other.example": FIVE}
    records = {"portal.privatelink.adf.azure.com": FOUR, "x.privatelink.example": FIVE}
    assert private_names(fqdns, records) == {
        "adf.azure.com": "portal.privatelink.adf.azure.com", "other.example": "x.privatelink.example",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fqdn", "name", "plausible"),
    [
        ("acct.blob.core.windows.net", "acct.contoso.internal", True),
        ("adf.azure.com", "portal.privatelink.adf.azure.com", True),
        ("*.guid.inference.weu.api.azureml.ms", "*.guid.contoso.internal", True),
        ("adf.azure.com", "portal.contoso.internal", False),
        ("kv-dev.vault.azure.net", "kv-prod.privatelink.vaultcore.azure.net", False),
    ],
)
def test_a_pair_is_plausible_by_its_labels_alone(fqdn: str, name: str, plausible: bool) -> None:
    assert is_plausible(from_text(fqdn), from_text(name)) is plausible


LABELS = st.sampled_from(["a", "b", "*", "privatelink", "x"])
NAMES = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
NAMED = st.dictionaries(NAMES, st.sampled_from([FOUR, FIVE, f"{FOUR} {FIVE}"]), max_size=5)


@given(NAMED, NAMED)
def test_no_two_fqdns_have_one_record_set_and_the_order_does_not_matter(
    fqdns: dict[str, str], records: dict[str, str]
) -> None:
    found = private_names(fqdns, records)
    assert len(set(found.values())) == len(found)
    for fqdn, name in found.items():
        assert set(fqdns[fqdn].split()) & set(records[name].split())
        assert fqdn.startswith("*.") == name.startswith("*.")
    assert private_names(dict(reversed(fqdns.items())), dict(reversed(records.items()))) == found
