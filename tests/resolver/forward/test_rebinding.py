"""Records that are removed from upstream answers, by group, owner and type."""

from ipaddress import ip_address, ip_network

import dns.rdata
import pytest

from resolver.forward.rebinding import Screen
from resolver.settings import Rebinding, UpstreamGroup
from resolver.wire import codes
from zones.azure.catalogue import catalogue
from zones.dns.name import from_text
from zones.dns.record import AAAA, RRSIG, A, RRset
from zones.networks.private_addresses import PRIVATE, is_private

GUARDED = UpstreamGroup("public", (), rebinding=Rebinding("strip", ("plex.direct",)))
OPEN = UpstreamGroup("onprem", (), rebinding=Rebinding("pass"))


def screen(*, strip_hints: bool = False) -> Screen:
    return Screen((GUARDED, OPEN), catalogue(), strip_hints=strip_hints)


def addresses(name: str, *texts: str) -> RRset:
    packed = tuple(ip_address(text).packed for text in texts)
    return RRset(from_text(name), A if len(packed[0]) == 4 else AAAA, 60, packed)


def https(name: str, text: str) -> RRset:
    return RRset(from_text(name), codes.HTTPS, 60, (dns.rdata.from_text("IN", "HTTPS", text).to_digestable(),))


def shown(rrset: RRset) -> str:
    rdata = rrset.rdatas[0]
    return dns.rdata.from_wire("IN", "HTTPS", rdata, 0, len(rdata)).to_text()


@pytest.mark.parametrize("prefix", PRIVATE)
def test_the_first_and_last_address_of_each_listed_prefix_are_private(prefix: str) -> None:
    network = ip_network(prefix)
    assert is_private(network[0].packed)
    assert is_private(network[-1].packed)


@pytest.mark.parametrize(
    "address",
    ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
     "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0",
     "168.63.129.15", "168.63.129.17", "192.0.2.1", "fbff::", "ff00::", "2001:db8::1", "::fffe:0:0"],
)  # fmt: skip
def test_addresses_next_to_private_prefixes_are_public(address: str) -> None:
    assert not is_private(ip_address(address).packed)


@pytest.mark.parametrize(
    ("form", "private", "public"),
    [
        ("NAT64", "64:ff9b::10.0.0.1", "64:ff9b::192.0.2.1"),
        ("NAT64, a local /96", "64:ff9b:1:2::10.0.0.1", "64:ff9b:1:2::192.0.2.1"),
        ("NAT64, a local /64", "64:ff9b:1:2:a:0:100:0", "64:ff9b:1:2:c0:2:100:0"),
        ("NAT64, a local /56", "64:ff9b:1:20a:0:1::", "64:ff9b:1:2c0:0:201::"),
        ("NAT64, a local /48", "64:ff9b:1:a00:0:100::", "64:ff9b:1:c000:2:100::"),
        ("6to4", "2002:a00:1::1", "2002:c000:201::1"),
        ("IPv4-compatible", "::10.0.0.1", "::192.0.2.1"),
        ("IPv4-compatible", "::168.63.129.16", "::168.63.129.17"),
        ("site-local", "fec0::1", "ff00::1"),
    ],
)
def test_an_address_that_carries_a_private_ipv4_address_is_removed(form: str, private: str, public: str) -> None:
    left = screen().filter("public", (addresses("www.example", private, public),))
    assert left == ((addresses("www.example", public),), True, True), form


def test_private_addresses_of_a_guarded_group_are_removed() -> None:
    left = screen().filter("public", (addresses("www.example", "192.0.2.1", "10.0.0.1"),))
    assert left == ((addresses("www.example", "192.0.2.1"),), True, True)
    left = screen().filter("public", (addresses("www.example", "::ffff:10.0.0.1"),))
    assert left == ((), True, True)


@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("onprem", "www.example"),
        ("public", "a.b.plex.direct"),
        ("public", "acct.privatelink.blob.core.windows.net"),
    ],
)
def test_private_addresses_of_other_groups_allowed_names_and_privatelink_zones_stay(group: str, name: str) -> None:
    rrsets = (addresses(name, "10.0.0.1"),)
    assert screen().filter(group, rrsets) == (rrsets, False, False)


def test_a_public_name_of_a_service_is_guarded_like_any_other() -> None:
    assert screen().filter("public", (addresses("acct.blob.core.windows.net", "10.0.0.1"),)).rrsets == ()


def test_signatures_are_removed_with_the_records_that_they_sign() -> None:
    def signature(covered: int) -> RRset:
        return RRset(from_text("www.example"), RRSIG, 60, (covered.to_bytes(2, "big") + bytes(30),))

    rrsets = (addresses("www.example", "10.0.0.1", "192.0.2.1"), signature(A), signature(AAAA))
    assert screen().filter("public", rrsets).rrsets == (addresses("www.example", "192.0.2.1"), signature(AAAA))


def test_private_hints_are_removed_from_https_records_and_the_rest_stays() -> None:
    left = screen().filter(
        "public", (https("www.example", "1 . alpn=h2 ipv4hint=10.0.0.1,192.0.2.1 ipv6hint=fd00::1"),)
    )
    assert (shown(left.rrsets[0]), left.stripped) == ('1 . alpn="h2" ipv4hint="192.0.2.1"', True)


def test_without_hints_names_of_services_have_none_and_others_keep_theirs() -> None:
    service = https("acct.blob.core.windows.net", "1 . ipv4hint=192.0.2.1")
    other = https("www.example", "1 . ipv4hint=192.0.2.1")
    strict = screen(strip_hints=True)
    left = strict.filter("onprem", (service,))
    assert (shown(left.rrsets[0]), left.stripped, left.changed) == ("1 .", False, True)
    assert strict.filter("onprem", (other,)).rrsets == (other,)
    assert screen().filter("onprem", (service,)).rrsets == (service,)


def test_without_hints_a_record_whose_target_is_a_service_has_none() -> None:
    """The record's owner is any name, and its hints are addresses of the service all the same."""
    other = https("www.example", "1 acct.Blob.core.windows.net. alpn=h2 ipv4hint=192.0.2.1 ech=AAQAAAAA")
    left = screen(strip_hints=True).filter("onprem", (other,))
    assert shown(left.rrsets[0]) == '1 acct.Blob.core.windows.net. alpn="h2" ech="AAQAAAAA"'
    assert screen().filter("onprem", (other,)).rrsets == (other,)
