"""How one name maps, and by which rule."""

import pytest

from zones.azure.catalogue import catalogue
from zones.azure.catalogue_rows import CatalogueRows, MappingRule
from zones.azure.catalogue_table import SharedBy, Suffix
from zones.azure.mapping_rule import NameMapping, mapping
from zones.dns.name import from_text, to_text

CONFIGURED = (
    Suffix("{region}.svc.example", "privatelink.{region}.svc.example", shared=SharedBy.REGION),
    Suffix("table.core.windows.net", "privatelink.mine.example", ("My.Own/kind",)),
)
ROWS = CatalogueRows(catalogue(CONFIGURED), CONFIGURED)


def of(name: str) -> NameMapping:
    return mapping(from_text(name), ROWS)


@pytest.mark.parametrize(
    ("name", "rule", "suffix", "private"),
    [
        ("a.blob.core.windows.net", MappingRule.TABLE, "blob.core.windows.net", "a.privatelink.blob.core.windows.net"),
        ("adf.azure.com", MappingRule.EXCEPTION, "", "portal.privatelink.adf.azure.com"),
        ("a.openai.azure.us", MappingRule.ADDED, "openai.azure.us", "a.privatelink.openai.azure.us"),
        ("a.weu.svc.example", MappingRule.CONFIGURED, "{region}.svc.example", "a.privatelink.weu.svc.example"),
        (
            "a.weu.kusto.windows.net", MappingRule.TABLE, "{regionName}.kusto.windows.net",
            "a.privatelink.weu.kusto.windows.net",
        ),
    ],
)  # fmt: skip
def test_a_public_name_has_a_private_name_and_the_rule(name: str, rule: MappingRule, suffix: str, private: str) -> None:
    found = of(name)
    assert not found.is_private
    assert (found.mapped[0].rule, found.mapped[0].suffix) == (rule, suffix)
    assert to_text(found.mapped[0].private.name) == private


@pytest.mark.parametrize(
    ("name", "rule", "public"),
    [
        ("a.privatelink.blob.core.windows.net", MappingRule.TABLE, "a.blob.core.windows.net"),
        ("a.privatelink.openai.azure.us", MappingRule.ADDED, "a.openai.azure.us"),
        ("portal.privatelink.adf.azure.com", MappingRule.EXCEPTION, "adf.azure.com"),
        ("a.privatelink.weu.svc.example", MappingRule.CONFIGURED, "a.weu.svc.example"),
        ("a.privatelink.partner.example", MappingRule.LABEL, ""),
        ("api.privatelink.eastus.azmk8s.io", MappingRule.TABLE, ""),
    ],
)
def test_a_private_name_has_its_public_name_and_the_rule(name: str, rule: MappingRule, public: str) -> None:
    found = of(name)
    assert found.is_private
    assert [to_text(each.private.name) for each in found.mapped] == [name]
    assert found.mapped[0].rule is rule
    assert ", ".join(map(to_text, found.publics)) == public


def test_a_name_of_several_private_names_says_for_whom_each_is() -> None:
    feed, world = of("rdweb.wvd.microsoft.com").mapped
    assert (to_text(feed.private.zone), feed.groups) == ("privatelink.wvd.microsoft.com", ())
    assert (to_text(world.private.zone), world.groups) == ("privatelink-global.wvd.microsoft.com", ("global",))

    default, own = of("a.table.core.windows.net").mapped
    assert (default.rule, default.resource_types) == (MappingRule.TABLE, ())
    assert (own.rule, own.resource_types) == (MappingRule.CONFIGURED, ("My.Own/kind",))

    (manager,) = of("management.azure.com").mapped
    assert manager.resource_types == ("Microsoft.Authorization/resourceManagementPrivateLinks",)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("blob.core.windows.net", "blob.core.windows.net"),
        ("www.example.org", ""),
        ("x.aznbcontent.net", "aznbcontent.net"),
    ],
)
def test_a_name_without_a_private_name_says_which_suffix_is_above(name: str, suffix: str) -> None:
    found = of(name)
    assert (found.mapped, found.at_suffix) == ((), suffix)


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("a.blob.core.windows.net", []),
        ("api.monitor.azure.com", [SharedBy.SERVICE]),
        ("api.privatelink.monitor.azure.com", [SharedBy.SERVICE]),
        ("global.in.ai.monitor.azure.com", [SharedBy.SERVICE]),
        ("gbl.his.arc.azure.com", [SharedBy.SERVICE]),
        ("weu.his.arc.azure.com", [SharedBy.REGION]),
        ("adf.azure.com", [SharedBy.SERVICE]),
        ("f.weu.datafactory.azure.net", []),
        ("a.weu.svc.example", [SharedBy.REGION]),
    ],
)
def test_shared_names_are_marked(name: str, shared: list[SharedBy]) -> None:
    assert [each.by for each in of(name).shared] == shared


def test_a_mark_of_one_group_says_which_group() -> None:
    (shared,) = of("weu.pl-auth.azuredatabricks.net").shared
    assert (shared.by, shared.groups) == (SharedBy.REGION, ("browser_authentication",))


def test_a_name_below_a_shared_wildcard_says_so() -> None:
    assert of("ep.weu.inference.ml.azure.com").wildcard == "*.{regionName}.inference.ml.azure.com"
    assert of("ep.weu.inference.ml.azure.com").private_form == (
        "*.{guid}.inference.{regionName}.privatelink.api.azureml.ms"
    )
    assert of("*.blob.core.windows.net").private_form == "*.privatelink.blob.core.windows.net"
    assert of("a.blob.core.windows.net").private_form == ""
    assert of("*.weu.inference.ml.azure.com").wildcard == "*.{regionName}.inference.ml.azure.com"
    assert of("a.blob.core.windows.net").wildcard == ""
    assert of("*.blob.core.windows.net").wildcard == "*.blob.core.windows.net"
    assert of("*.happy.westeurope.azurecontainerapps.io").wildcard == ""
    assert of("*.privatelink.blob.core.windows.net").wildcard == ""
    assert of(".").mapped == ()
