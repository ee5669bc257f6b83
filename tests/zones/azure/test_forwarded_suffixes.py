"""What other resolvers forward: one suffix for each name, as short as the documentation has it and no shorter."""

from itertools import pairwise

import pytest

from zones.azure.catalogue import catalogue
from zones.azure.catalogue_rows import CatalogueRows
from zones.azure.catalogue_table import Suffix
from zones.azure.forwarded_suffixes import of_catalogue, of_names, topmost
from zones.dns.name import Name, from_text, is_under, to_text

CONFIGURED = (Suffix("svc.partner.example", "privatelink.svc.partner.example"),)
ROWS = CatalogueRows(catalogue(CONFIGURED), CONFIGURED)


def texts(names: set[Name]) -> list[str]:
    return list(map(to_text, topmost(names)))


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("acct.blob.core.windows.net", "blob.core.windows.net"),
        ("acct.privatelink.blob.core.windows.net", "blob.core.windows.net"),
        ("kv.vault.azure.net", "vault.azure.net"),
        ("kv.privatelink.vaultcore.azure.net", "vaultcore.azure.net"),
        ("acct.weu.batch.azure.com", "batch.azure.com"),
        ("api.aks.privatelink.westeurope.azmk8s.io", "azmk8s.io"),
        ("app.scm.azurewebsites.net", "azurewebsites.net"),
        ("*.happy.westeurope.azurecontainerapps.io", "azurecontainerapps.io"),
        ("adf.azure.com", "adf.azure.com"),
        ("x.signalr.azure.cn", "signalr.azure.cn"),
        ("n.svc.partner.example", "svc.partner.example"),
        # No suffix of the catalogue, or one that has all names of Azure: the name alone, and its private zone.
        ("management.azure.com", "management.azure.com"),
        ("management.privatelink.azure.com", "privatelink.azure.com"),
        ("payments.fabrikam.example", "payments.fabrikam.example"),
        ("*.apps.fabrikam.example", "apps.fabrikam.example"),
        ("a.privatelink.fabrikam.example", "privatelink.fabrikam.example"),
    ],
)
def test_the_suffix_of_a_name(name: str, suffix: str) -> None:
    assert texts(of_names([from_text(name)], ROWS.catalogue)) == [suffix]


def test_the_catalogue_has_one_suffix_for_each_name_and_none_below_another() -> None:
    found = topmost(of_catalogue(ROWS, None))
    assert not [pair for pair in pairwise(found) if is_under(pair[1], pair[0])]
    for name in (
        "kv.vault.azure.net",
        "kv.privatelink.vaultcore.azure.cn",
        "ci.instances.ml.azure.ms",
        "x.adf.azure.us",
    ):
        assert any(is_under(from_text(name), suffix) for suffix in found), name
    assert from_text("azure.com") not in found
    assert not [suffix for suffix in map(to_text, found) if "privatelink" in suffix or "{" in suffix]


def test_a_cloud_has_its_own_suffixes_and_those_of_the_configuration() -> None:
    china = texts(of_catalogue(ROWS, "china"))
    assert {"vaultcore.azure.cn", "signalr.azure.cn", "svc.partner.example"} <= set(china)
    assert "blob.core.windows.net" not in china


def test_every_suffix_by_which_an_alias_is_kept_is_forwarded() -> None:
    """`chain: auto` answers with an alias only where these suffixes lead other resolvers to the alias's target too."""
    found = topmost(of_catalogue(ROWS, None))
    for public in ("acct.blob.core.windows.net", "x.weu.kusto.windows.net", "rdweb.wvd.microsoft.com", "r.azurecr.cn"):
        private = ROWS.catalogue.candidates(from_text(public))[0].name
        suffix = ROWS.catalogue.forwarded_suffix(from_text(public), private)
        assert suffix is not None
        assert any(is_under(suffix, each) for each in found), public
