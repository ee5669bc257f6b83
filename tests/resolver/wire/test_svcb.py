"""Address hints in SVCB and HTTPS rdata, compared with dnspython."""

from ipaddress import ip_address

import dns.rdata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.wire import svcb


def rdata(text: str) -> bytes:
    return dns.rdata.from_text("IN", "HTTPS", text).to_digestable()


def text(octets: bytes) -> str:
    return dns.rdata.from_wire("IN", "HTTPS", octets, 0, len(octets)).to_text()


def addresses(octets: bytes) -> list[str]:
    return [str(ip_address(address)) for address in svcb.hints(octets)]


def test_hints_of_both_families_are_found_in_order() -> None:
    octets = rdata("1 svc.example. alpn=h2,h3 ipv4hint=192.0.2.1,10.0.0.1 port=8443 ipv6hint=2001:db8::1,fd00::1")
    assert addresses(octets) == ["192.0.2.1", "10.0.0.1", "2001:db8::1", "fd00::1"]


@pytest.mark.parametrize(
    ("unwanted", "left"),
    [
        ({"10.0.0.1"}, '1 svc.example. alpn="h2" port="8443" ipv4hint="192.0.2.1" ipv6hint="fd00::1"'),
        ({"10.0.0.1", "192.0.2.1"}, '1 svc.example. alpn="h2" port="8443" ipv6hint="fd00::1"'),
        ({"10.0.0.1", "192.0.2.1", "fd00::1"}, '1 svc.example. alpn="h2" port="8443"'),
        (set(), '1 svc.example. alpn="h2" port="8443" ipv4hint="192.0.2.1,10.0.0.1" ipv6hint="fd00::1"'),
    ],
)
def test_unwanted_hints_are_removed_and_parameters_without_hints_too(unwanted: set[str], left: str) -> None:
    octets = rdata("1 svc.example. alpn=h2 ipv4hint=192.0.2.1,10.0.0.1 port=8443 ipv6hint=fd00::1")
    assert text(svcb.without_hints(octets, lambda address: str(ip_address(address)) in unwanted)) == left


def test_an_alias_has_no_parameters() -> None:
    octets = rdata("0 svc.example.")
    assert addresses(octets) == []
    assert svcb.without_hints(octets, lambda _: True) == octets


@given(octets=st.binary(max_size=60))
def test_any_octets_are_read_or_left_unchanged(octets: bytes) -> None:
    stripped = svcb.without_hints(octets, lambda _: True)
    if not addresses_or_none(octets):
        assert len(stripped) <= len(octets)
    assert not addresses_or_none(stripped)


def addresses_or_none(octets: bytes) -> list[bytes]:
    return list(svcb.hints(octets))
