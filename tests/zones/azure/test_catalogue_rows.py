"""Rows of the catalogue's data and of the configuration: valid once they exist, and the order in which they decide."""

import msgspec
import pytest

from zones.azure.additions import Additions, MappingException
from zones.azure.catalogue import Catalogue, PrivateName, catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.catalogue_table import CatalogueTable, Suffix
from zones.dns.name import from_labels, from_text, to_text

BLOB = Suffix("blob.example.net", "privatelink.blob.example.net")
SITES, OTHER = "Contoso.Apps/sites", "Contoso.Apps/others"


def made(
    *table: Suffix, exceptions: tuple[MappingException, ...] = (), configured: tuple[Suffix, ...] = ()
) -> Catalogue:
    return Catalogue(CatalogueTable((), table), Additions(exceptions=exceptions), configured)


def by_type(kind: str, group: str, public: str, zone: str) -> MappingException:
    return MappingException(
        resource_type=kind, group=group, public_suffix=public, private_zone=zone, cloud="commercial", source=""
    )


def exact(fqdn: str, private: str) -> MappingException:
    return MappingException(fqdn=fqdn, private=private, cloud="commercial", source="")


def mapped(data: Catalogue, name: str, kind: str = "", *groups: str) -> str | None:
    fqdn = from_text(name)
    found = data.map(fqdn, kind, groups)
    assert CatalogueIndex(data).claimed(fqdn, kind.casefold(), groups) == (found or (fqdn, None))
    assert found is None or found in data.candidates(fqdn)
    return to_text(found.name) if found else None


def names(found: tuple[PrivateName, ...]) -> list[str]:
    return [to_text(each.name) for each in found]


# -- rows that are refused


@pytest.mark.parametrize(
    ("public", "private", "why"),
    [
        ("blob.example.net", "blob.example.net", "no label"),
        ("blob.example.net", "private.blob.example.net", "no label"),
        ("blob.example.net", "privatelinks.blob.example.net", "no label"),
        ("privatelink.blob.example.net", "privatelink.blob.example.net", "private already"),
        ("x.privatelink-eu.example.net", "privatelink.example.net", "private already"),
        ("blob.example.net", "privatelink.{region}.blob.example.net", "{region}"),
        ("*.blob.example.net", "privatelink.blob.example.net", "wildcard"),
        ("blob.example.net", "*.privatelink.blob.example.net", "wildcard"),
        ("net", "privatelink.net", "one label"),
        (".", "privatelink", "one label"),
        ("", "privatelink.example.net", "empty label"),
        ("a..example.net", "privatelink.example.net", "empty label"),
        (f"{'x' * 64}.example.net", "privatelink.example.net", "64 octets"),
        ("example.net", ".".join(["privatelink", *["x" * 63] * 4]), "octets; at most 255"),
    ],
)
def test_a_suffix_that_could_make_a_wrong_name_is_refused(public: str, private: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Suffix(public, private)
    with pytest.raises(ValueError, match=why):
        by_type(SITES, "", public, private) if public else Suffix(public, private)


@pytest.mark.parametrize(
    ("fqdn", "private"),
    [
        ("adf.example.net", "adf.example.net"),
        ("portal.privatelink.adf.example.net", "portal.privatelink.adf.example.net"),
        ("adf.example.net", "privatelink.adf.example.net"),
        ("{region}.example.net", "{region}.privatelink.example.net"),
        ("*.example.net", "*.privatelink.example.net"),
    ],
)
def test_an_exception_that_could_make_a_wrong_name_is_refused(fqdn: str, private: str) -> None:
    with pytest.raises(ValueError, match=r"example\.net"):
        exact(fqdn, private)


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"fqdn": "adf.example.net"},
        {"fqdn": "adf.example.net", "private": "x.privatelink.example.net", "group": "portal"},
        {"resourceType": SITES, "publicSuffix": "example.net"},
        {
            "fqdn": "adf.example.net",
            "resourceType": SITES,
            "publicSuffix": "example.net",
            "privateZone": "privatelink.a.b",
        },
        {"fqdn": "adf.example.net", "private": "x.privatelink.example.net", "publicsuffix": "example.net"},
    ],
)
def test_an_exception_has_one_of_two_forms(row: dict[str, str]) -> None:
    text = msgspec.json.encode({"exceptions": [row | {"cloud": "commercial", "source": ""}]})
    with pytest.raises(msgspec.ValidationError, match=r"exceptions\[0\]|exceptions"):
        msgspec.json.decode(text, type=Additions)


# -- the order of rows


def test_a_suffix_of_the_configuration_comes_before_the_table_and_the_longer_suffix_before_both() -> None:
    data = made(BLOB, configured=(Suffix("blob.example.net", "privatelink.other.example"),))
    assert mapped(data, "a.blob.example.net") == "a.privatelink.other.example"
    assert names(data.candidates(from_text("a.blob.example.net"))) == ["a.privatelink.other.example"]
    assert data.covers(from_text("a.blob.example.net"))
    shorter = made(BLOB, configured=(Suffix("example.net", "privatelink.other.example"),))
    assert mapped(shorter, "a.blob.example.net") == "a.privatelink.blob.example.net"
    assert mapped(shorter, "a.example.net") == "a.privatelink.other.example"


def test_a_suffix_of_the_configuration_for_a_type_or_a_group_leaves_others_to_the_table() -> None:
    data = made(
        BLOB,
        configured=(
            Suffix("blob.example.net", "privatelink-type.blob.example.net", types=(SITES,)),
            Suffix("blob.example.net", "privatelink-group.blob.example.net", groups=("Portal",)),
        ),
    )
    name = "a.blob.example.net"
    assert mapped(data, name, SITES.upper()) == "a.privatelink-type.blob.example.net"
    assert mapped(data, name, OTHER, "portal") == "a.privatelink-group.blob.example.net"
    assert mapped(data, name, OTHER) == "a.privatelink.blob.example.net"
    assert names(data.candidates(from_text(name))) == [
        f"a.{zone}.blob.example.net" for zone in ("privatelink", "privatelink-type", "privatelink-group")
    ]
    assert data.public(from_text("a.privatelink-type.blob.example.net")) == from_text(name)


def test_a_suffix_for_one_type_alone_leaves_names_of_other_types_to_shorter_suffixes() -> None:
    data = made(BLOB, configured=(Suffix("x.blob.example.net", "privatelink.x.example", types=(SITES,)),))
    assert mapped(data, "a.x.blob.example.net", SITES) == "a.privatelink.x.example"
    assert mapped(data, "a.x.blob.example.net", OTHER) == "a.x.privatelink.blob.example.net"


def test_an_exception_by_type_and_group_is_for_that_type_and_group() -> None:
    portal = by_type(SITES, "portal", "blob.example.net", "privatelink.portal.example.net")
    data = made(BLOB, exceptions=(portal,))
    name = "a.blob.example.net"
    assert mapped(data, name, SITES, "Portal") == "a.privatelink.portal.example.net"
    assert mapped(data, name, SITES, "blob") == mapped(data, name, OTHER, "portal") == "a.privatelink.blob.example.net"
    assert data.zone_of(from_text("a.privatelink.portal.example.net")) == from_text("privatelink.portal.example.net")
    assert data.public(from_text("a.privatelink.portal.example.net")) == from_text(name)


def test_an_exact_exception_comes_before_the_configuration() -> None:
    data = made(
        BLOB,
        exceptions=(exact("web.blob.example.net", "portal.privatelink.web.example.net"),),
        configured=(Suffix("blob.example.net", "privatelink.other.example"),),
    )
    assert mapped(data, "web.blob.example.net") == "portal.privatelink.web.example.net"
    assert mapped(data, "a.web.blob.example.net") == "a.web.privatelink.other.example"
    assert data.public(from_text("web.privatelink.other.example")) is None
    assert data.public(from_text("portal.privatelink.web.example.net")) is None


def test_a_suffix_of_the_configuration_does_not_make_an_opt_in_suffix_private_for_all() -> None:
    data = catalogue((Suffix("azure.com", "privatelink.contoso.example"),))
    assert not data.covers(from_text("management.azure.com"))
    assert mapped(data, "x.azure.com") == "x.privatelink.contoso.example"


def test_placeholders_of_the_configuration_match_one_label() -> None:
    data = catalogue((Suffix("{region}.db.contoso.example", "privatelink.{region}.db.contoso.example"),))
    assert mapped(data, "a.weu.db.contoso.example") == "a.privatelink.weu.db.contoso.example"
    assert mapped(data, "weu.db.contoso.example") is None
    assert data.shared_wildcard(from_text("*.weu.db.contoso.example"), "", (), ()) is not None
    assert data.shared_wildcard(from_text("*.a.weu.db.contoso.example"), "", (), ()) is None


def test_no_row_makes_a_name_over_255_octets() -> None:
    data = made(BLOB, exceptions=(by_type(SITES, "", "blob.example.net", f"privatelink.{'z' * 60}.example.net"),))
    long = from_labels([*[b"x" * 60] * 3, b"y" * 30, b"blob", b"example", b"net"])
    assert data.map(long, SITES, ()) is None
    assert names(data.candidates(long)) == [
        f"{to_text(long).removesuffix('blob.example.net')}privatelink.blob.example.net"
    ]
