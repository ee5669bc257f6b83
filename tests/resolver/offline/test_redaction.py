"""Redaction: hashed names, kept names, and equal hashes of equal names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.offline.redaction import Redaction
from zones.azure.catalogue import catalogue
from zones.dns.name import from_text

ONE = Redaction(b"1" * 32, catalogue())
OTHER = Redaction(b"2" * 32, catalogue())
LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("contoso.blob.core.windows.net", ".blob.core.windows.net"),
        ("contoso.privatelink.blob.core.windows.net", ".privatelink.blob.core.windows.net"),
        ("data.azurecr.io", ".azurecr.io"),
        ("*.contoso.azurecontainerapps.io", ".azurecontainerapps.io"),
        ("*.contoso.westeurope.azurecontainerapps.io", ".westeurope.azurecontainerapps.io"),
        ("contoso.chinaeast2.kusto.windows.cn", ".chinaeast2.kusto.windows.cn"),
    ],
)
def test_names_chosen_by_azure_are_kept(text: str, kept: str) -> None:
    redacted = ONE.fqdn(text)
    assert redacted.endswith(kept)
    assert redacted.startswith("*.") == text.startswith("*.")
    assert text.replace("*.", "").partition(".")[0] not in redacted.split(".")
    assert ".".join([ONE.name("contoso"), "x"]).partition(".")[0] in redacted or "contoso" not in text


def test_an_id_keeps_its_form_and_its_types() -> None:
    guid = "00000000-0000-0000-0000-000000000001"
    text = f"/subscriptions/{guid}/resourceGroups/RG-Hub/providers/Microsoft.Network/virtualNetworks/Hub/subnets/a"
    hub, group, sub = ONE.name("hub"), ONE.name("rg-hub"), ONE.name(guid)
    assert ONE.reference(text) == (
        f"/subscriptions/{sub}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{hub}/subnets/{ONE.name('a')}"
    )
    assert ONE.reference(text.casefold()) == ONE.reference(text).casefold()
    assert len(sub) == len(guid)


def test_each_redaction_has_its_own_hashes() -> None:
    assert ONE.name("contoso") != OTHER.name("contoso")


@given(LABEL, LABEL)
def test_equal_names_have_equal_hashes_whatever_their_case(one: str, other: str) -> None:
    assert (ONE.name(one) == ONE.name(other)) == (one == other)
    assert ONE.name(one.upper()) == ONE.name(one)
    assert ONE.fqdn(f"{one}.blob.core.windows.net").partition(".")[0] == ONE.name(one)


@given(st.lists(LABEL, min_size=1, max_size=4))
def test_a_redacted_host_name_is_a_host_name(labels: list[str]) -> None:
    assert from_text(ONE.fqdn(".".join(labels)))


def test_a_name_that_all_resources_share_is_kept_whole() -> None:
    assert ONE.fqdn("Api.monitor.azure.com") == "Api.monitor.azure.com"
    assert ONE.fqdn("westeurope-gas.guestconfiguration.azure.com") == "westeurope-gas.guestconfiguration.azure.com"
    assert not ONE.fqdn("scope-1.his.arc.azure.com").startswith("scope-1")
