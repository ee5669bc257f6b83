"""The rows of `data/additions.json` fit Microsoft's table, name a source and do not repeat each other."""

import json
import re
from collections import Counter
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from zones.azure.additions import Additions
from zones.azure.catalogue import catalogue
from zones.dns.name import from_text

Row = dict[str, Any]
DATA = files("zones.azure") / "data"
ADDITIONS: dict[str, list[Row]] = json.loads((DATA / "additions.json").read_bytes())
TABLE: dict[str, list[Row]] = json.loads((DATA / "private-link-zones.json").read_bytes())
ENTRIES = {entry["id"]: entry for entry in TABLE["entries"]}
CLOUDS = {"commercial", "government", "china"}
PLACEHOLDERS = {"regionName", "regionCode", "number", "stamp", "account", "dnsZone", "environment", "guid", "label"}
NEWER = {"Microsoft.Security/privateLinks"}  # resource types that the table does not have
REQUIRED = {
    "suffixes": {"publicSuffix", "privateZone", "cloud", "source"},
    "forwarders": {"forwarder", "cloud", "source"},
    "exceptions": {"cloud", "source"},
    "wildcards": {"public", "resourceType", "owner", "cloud", "source"},
    "shared": {"entry", "scope", "source"},
    "companions": {"resourceType", "group", "needs", "source"},
    "regions": {"name", "source"},
}
TLDS = {"commercial": ("com", "net", "ms", "io", "ai"), "government": ("us", "net"), "china": ("cn",)}
KEYS = {  # what no two rows of a list may have in common
    "suffixes": ("publicSuffix",),
    "forwarders": ("forwarder",),
    "exceptions": ("fqdn", "resourceType", "group", "publicSuffix", "cloud"),
    "wildcards": ("public",),
    "shared": ("entry", "groups", "names"),
    "companions": ("resourceType", "group", "needs"),
    "regions": ("name",),
}

ROWS = [pytest.param(kind, row, id=f"{kind}{at}") for kind, rows in ADDITIONS.items() for at, row in enumerate(rows)]


def names(row: Row) -> list[str]:
    """All names and patterns of a row."""
    fields = ("publicSuffix", "privateZone", "forwarder", "fqdn", "private", "public")
    return [row[field] for field in fields if field in row] + list(row.get("names", ()))


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_a_row_is_complete_and_names_its_source(kind: str, row: Row) -> None:
    assert row.keys() >= REQUIRED[kind]
    assert len(row["source"].split()) > 3, "a place, and what that place says"
    assert row.get("cloud", "commercial") in CLOUDS


@pytest.mark.parametrize(("kind", "row"), ROWS)
def test_names_are_folded_and_their_placeholders_are_known(kind: str, row: Row) -> None:
    for name in names(row):
        assert set(re.findall(r"{(\w+)}", name)) <= PLACEHOLDERS, name
        plain = re.sub(r"{\w+}", "x", name).removeprefix("*.")
        assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", plain), name
        if kind != "shared":
            assert name.rsplit(".", 1)[1] in TLDS[row["cloud"]], name


@pytest.mark.parametrize("kind", list(ADDITIONS))
def test_no_row_is_there_twice(kind: str) -> None:
    keys = Counter(json.dumps([row.get(field) for field in KEYS[kind]]).casefold() for row in ADDITIONS[kind])
    assert [key for key, count in keys.items() if count > 1] == []


def test_the_file_is_read_as_a_whole() -> None:
    content = msgspec.json.decode((DATA / "additions.json").read_bytes(), type=Additions)
    read = {kind: len(getattr(content, kind)) for kind in Additions.__struct_fields__}
    assert read == {kind: len(rows) for kind, rows in ADDITIONS.items()}


@pytest.mark.parametrize("row", ADDITIONS["forwarders"], ids=lambda row: row["forwarder"])
def test_a_forwarder_is_not_in_the_table_and_its_names_are_private_link_names(row: Row) -> None:
    assert row["forwarder"] not in {each["forwarder"] for each in TABLE["forwardersWithoutSuffixRule"]}
    assert catalogue().covers(from_text(f"ci1.westeurope.{row['forwarder']}"))


@pytest.mark.parametrize("row", ADDITIONS["regions"], ids=lambda row: row["name"])
def test_a_region_is_not_in_the_table(row: Row) -> None:
    assert row["name"] not in TABLE["regionCodes"]
    assert re.fullmatch(r"[a-z]+\d?", row["name"])


@pytest.mark.parametrize("row", ADDITIONS["suffixes"], ids=lambda row: row["publicSuffix"])
def test_a_suffix_is_not_in_the_table_and_has_a_private_zone(row: Row) -> None:
    assert row["publicSuffix"] not in {each["publicSuffix"] for each in TABLE["fqdnSuffixMap"]}
    assert "privatelink" in row["privateZone"].split(".")
    assert row["privateZone"] != row["publicSuffix"]
    assert row.get("shared", "service") in {"service", "region", "tenant"}


@pytest.mark.parametrize("row", ADDITIONS["exceptions"], ids=lambda row: row.get("fqdn") or row["publicSuffix"])
def test_an_exception_differs_from_the_suffix_rule(row: Row) -> None:
    public, private = row.get("fqdn") or row["publicSuffix"], row.get("private") or row["privateZone"]
    assert any(label.startswith("privatelink") for label in private.split("."))
    assert not any(label.startswith("privatelink") for label in public.split("."))
    labels = private.split(".")
    labels.remove("privatelink")
    assert public != ".".join(labels), "the suffix rule finds that name without an exception"


@pytest.mark.parametrize("row", ADDITIONS["wildcards"], ids=lambda row: row["public"])
def test_a_shared_wildcard_has_a_private_form_and_an_own_one_follows_the_suffix(row: Row) -> None:
    assert row["public"].startswith("*.")
    assert row["resourceType"] in {*(entry["resourceType"] for entry in TABLE["entries"]), *NEWER}
    assert row["owner"] in {"shared", "resource"}
    if row["owner"] == "resource":
        assert "private" not in row
    elif "private" in row:
        assert row["private"].startswith("*.")
        assert "privatelink" in row["private"].split(".")
        assert "{guid}" in row["private"], "the part that only one resource has"


@pytest.mark.parametrize("row", ADDITIONS["shared"], ids=lambda row: row["entry"])
def test_a_shared_mark_fits_its_entry(row: Row) -> None:
    entry = ENTRIES[row["entry"]]
    assert row["scope"] in {"service", "region", "tenant"}
    assert {g.casefold() for g in row.get("groups", ())} <= {g.casefold() for g in entry["groupIds"]}
    suffixes = {re.sub(r"{\w+}\.", "", each) for each in entry["publicForwarders"]}
    for name in row.get("names", ()):
        assert any(name == each or name.endswith(f".{each}") for each in suffixes), name


@pytest.mark.parametrize("row", ADDITIONS["companions"], ids=lambda row: f"{row['resourceType']}-{row['group']}")
def test_a_companion_is_another_group_of_the_same_type(row: Row) -> None:
    kind = row["resourceType"].replace("Microsoft.AzureCosmosDB/", "Microsoft.DocumentDB/")  # the portal's older name
    groups = {
        group.casefold()
        for entry in TABLE["entries"]
        if entry["resourceType"].casefold() == kind.casefold()
        for group in entry["groupIds"]
    }
    assert {row["group"].casefold(), row["needs"].casefold()} <= groups
    assert row["group"].casefold() != row["needs"].casefold()
