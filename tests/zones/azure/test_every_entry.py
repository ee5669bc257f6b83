"""Every row of Microsoft's table, in three clouds: sample names and their private names, there and back.

The expected values come from the page's own columns (`tests/data/azure/private-link-zones.tsv`) by a rule on texts: the
private name has the private zone of its row in place of the public suffix. `IRREGULAR` has the rows where the page's
columns do not fit each other.
"""

import re
from collections import defaultdict
from functools import cache
from typing import NamedTuple

import pytest

from tests.paths import DATA
from zones.azure.catalogue import catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.dns.name import from_text, to_text

OPT_IN, RESOURCE_MANAGER = "azure.com", "Microsoft.Authorization/resourceManagementPrivateLinks"
IRREGULAR: dict[str, str | None] = {
    "vault.azure.net": "privatelink.vaultcore.azure.net",
    "vault.usgovcloudapi.net": "privatelink.vaultcore.usgovcloudapi.net",
    "service.signalr.azure.cn": "privatelink.signalr.azure.cn",
    "blob.storage.azure.net": "privatelink.blob.core.windows.net",
    "servicebus.usgovcloudapi.net": "privatelink.servicebus.usgovcloudapi.net",  # the row's zone ends in windows.us
    "purview.azure.com": "privatelink.purview.azure.com",  # the portal of the commercial cloud in a government row
    "instances.azureml.ms": None,
    "instances.azureml.us": None,
    "instances.azureml.cn": None,
    "aznbcontent.net": None,
    "inference.ml.azure.com": None,
    "inference.ml.azure.us": None,
    "inference.ml.azure.cn": None,
    "services.visualstudio.com": None,
    "applicationinsights.azure.com": None,
}
"""By public forwarder: the zone that replaces it; None where no private name follows from the public one."""
LONGER = {
    "azurecontainerapps.io": "{regionName}.azurecontainerapps.io",
    ("commercial-eventgrid-namespaces-topicspace", "eventgrid.azure.net"): "ts.eventgrid.azure.net",
}
"""Forwarders that are shorter than the suffix of the service's names."""
REGIONS = {"commercial": "westeurope", "government": "usgovvirginia", "china": "chinaeast2"}


class Entry(NamedTuple):
    id: str
    cloud: str
    kind: str
    groups: list[str]
    zones: list[str]
    forwarders: list[str]


class Sample(NamedTuple):
    """A public name of an entry and what the page says about it."""

    entry: Entry
    fqdn: str
    private: str | None
    zone: str | None

    def __str__(self) -> str:
        return f"{self.entry.id}-{self.fqdn}"


def listed(text: str) -> list[str]:
    return text.split(",") if text else []


@cache
def entries() -> list[Entry]:
    lines = (DATA / "azure" / "private-link-zones.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return [Entry(row[0], row[1], row[2], listed(row[3]), listed(row[4]), listed(row[5])) for row in rows]


def fill(text: str, cloud: str) -> str:
    made_up = {"partitionId": "3", "dnsPrefix": "1a2b", "cachename": "cache1", "subzone": "sub", "regionCode": "we"}
    return re.sub(r"{(\w+)}", lambda match: made_up.get(match[1], REGIONS[cloud]), text)


def without_marker(zone: str) -> str:
    return re.sub(r"\bprivatelink(-\w+)?\.", "", zone)


def ends_in(name: str, suffix: str) -> bool:
    return f".{name}".endswith(f".{suffix}")


@cache
def samples() -> list[Sample]:
    out = []
    for entry in entries():
        for forwarder in entry.forwarders:
            suffix = fill(str(LONGER.get((entry.id, forwarder), LONGER.get(forwarder, forwarder))), entry.cloud)
            fqdn = f"acct.{suffix}"
            zones = [fill(zone, entry.cloud) for zone in entry.zones]
            zones = [zone for zone in zones if ends_in(suffix, without_marker(zone))]
            if forwarder in IRREGULAR:
                zone = IRREGULAR[forwarder]
                private = zone and f"acct.{zone}"
            else:
                zone = max(zones, key=lambda zone: len(without_marker(zone)))
                private = f"{fqdn.removesuffix(without_marker(zone))}{zone}"
            out.append(Sample(entry, fqdn, private, zone))
    return out


PRIVATE = [sample for sample in samples() if sample.private]
PUBLICS: dict[str, set[str]] = defaultdict(set)
for each in PRIVATE:
    PUBLICS[str(each.private)].add(each.fqdn)
PUBLICS["acct.privatelink.vaultcore.azure.cn"].add("acct.vault.azure.cn")  # the name of a vault, missing on the page
INDEX = CatalogueIndex(catalogue())


def test_the_page_has_191_rows_in_three_clouds() -> None:
    assert len(entries()) == 191
    assert {entry.cloud for entry in entries()} == REGIONS.keys()
    assert len(PRIVATE) > 200
    assert {str(forwarder) for forwarder in IRREGULAR} <= {f for entry in entries() for f in entry.forwarders}


@pytest.mark.parametrize("sample", PRIVATE, ids=str)
def test_a_public_name_of_an_entry_has_the_private_name_in_the_zone_of_its_row(sample: Sample) -> None:
    fqdn, private, zone = from_text(sample.fqdn), from_text(str(sample.private)), from_text(str(sample.zone))
    for groups in ([group] for group in sample.entry.groups or [""]):
        assert catalogue().map(fqdn, sample.entry.kind, groups) == (private, zone)
        assert INDEX.claimed(fqdn, sample.entry.kind.casefold(), tuple(groups)) == (private, zone)
    assert (private, zone) in catalogue().candidates(fqdn)
    assert private in INDEX.candidates(fqdn)
    assert catalogue().zone_of(fqdn) is None
    assert fqdn not in catalogue().exact


@pytest.mark.parametrize("sample", PRIVATE, ids=str)
def test_the_private_name_of_an_entry_is_private_and_leads_back(sample: Sample) -> None:
    private, zone = from_text(str(sample.private)), from_text(str(sample.zone))
    assert catalogue().zone_of(private) == zone
    assert catalogue().zone_of(zone) == zone
    assert INDEX.zones(private)[0] == zone
    assert catalogue().map(private, sample.entry.kind, sample.entry.groups) == (private, zone)
    assert catalogue().candidates(private) == ()
    public = catalogue().public(private)
    assert public == INDEX.public(private)
    if sample.zone == fill("privatelink.{regionName}.azmk8s.io", "commercial"):
        assert public is None
    else:
        assert public is not None
        assert to_text(public) in PUBLICS[str(sample.private)]


@pytest.mark.parametrize("sample", samples(), ids=str)
def test_every_name_of_an_entry_is_covered_unless_its_suffix_is_opt_in(sample: Sample) -> None:
    suffix = sample.fqdn.partition(".")[2]
    names = [sample.fqdn, suffix, *([sample.private, sample.zone] if sample.private else [])]
    for name in names:
        assert catalogue().covers(from_text(str(name))) is (suffix != OPT_IN), name


@pytest.mark.parametrize("sample", [each for each in samples() if not each.private], ids=str)
def test_no_private_name_is_made_up_where_none_follows(sample: Sample) -> None:
    fqdn = from_text(sample.fqdn)
    assert catalogue().map(fqdn, sample.entry.kind, sample.entry.groups) is None
    assert catalogue().map(fqdn, RESOURCE_MANAGER, []) is None
    assert not catalogue().candidates(fqdn)
    assert not INDEX.candidates(fqdn)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.id)
def test_every_zone_of_an_entry_is_known(entry: Entry) -> None:
    for zone in (fill(zone, entry.cloud) for zone in entry.zones):
        apex, inside = from_text(zone), from_text(f"a.{zone}")
        assert catalogue().zone_of(inside) == apex
        assert catalogue().map(inside, entry.kind, entry.groups) == (inside, apex)
        assert catalogue().public(apex) is None
        assert catalogue().candidates(inside) == catalogue().candidates(apex) == ()
        assert catalogue().covers(apex) is catalogue().covers(inside) is (zone != f"privatelink.{OPT_IN}")
        found = {each.id for group in entry.groups for each in catalogue().by_resource(entry.kind, group)}
        assert not entry.groups or entry.id in found


def test_the_packaged_table_has_the_rows_of_the_page() -> None:
    for entry in entries():
        rows = {each.id: each for each in catalogue().by_resource(entry.kind, (entry.groups or [""])[0])}
        found = rows[entry.id]
        assert (list(found.group_ids), list(found.zones)) == (entry.groups, entry.zones)
        assert (list(found.public_forwarders), found.cloud) == (entry.forwarders, entry.cloud)
