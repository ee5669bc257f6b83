"""The zones of RFC 6303. `scenarios/local-reverse.txt` shows what clients get."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.worker.answer.local_reverse import APEXES, apex_over
from zones.dns.name import from_text, to_text

LOCAL = [
    ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.2.0/24",
        "198.51.100.0/24", "203.0.113.0/24", "255.255.255.255/32", "100.64.0.0/10",
        "::/128", "::1/128", "fd00::/8", "fe80::/10", "2001:db8::/32",
    )
]  # fmt: skip
"""The registry "Locally-Served DNS Zones", as prefixes."""


@given(st.one_of(st.ip_addresses(), *(st.ip_addresses(network=network) for network in LOCAL)))
def test_the_zones_are_those_of_the_prefixes(address: object) -> None:
    value = ip_address(str(address))
    expected = any(value.version == network.version and value in network for network in LOCAL)
    assert (apex_over(from_text(value.reverse_pointer)) is not None) == expected


def test_the_number_of_zones() -> None:
    assert len(APEXES) == 17 + 1 + 7 + 64 + 8


@pytest.mark.parametrize("name", ["10.example", "in-addr.arpa", "ip6.arpa", "110.in-addr.arpa", "x10.in-addr.arpa"])
def test_other_names_are_in_no_zone(name: str) -> None:
    assert apex_over(from_text(name)) is None


@pytest.mark.parametrize("name", ["10.in-addr.arpa", "a.b.10.in-addr.arpa", "1.2.3.10.in-addr.arpa"])
def test_names_at_and_below_an_apex_are_in_its_zone(name: str) -> None:
    apex = apex_over(from_text(name))
    assert apex is not None
    assert to_text(apex) == "10.in-addr.arpa"
