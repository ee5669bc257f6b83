"""The text form of an address and port."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.host_port import HostPort, InvalidHostPort, parse

ADDRESSES = st.ip_addresses().filter(lambda address: not (address.version == 6 and address.ipv4_mapped))


@given(ADDRESSES.map(str), st.integers(0, 65535))
def test_what_is_written_is_read_back(host: str, port: int) -> None:
    assert parse(str(HostPort(host, port))) == HostPort(host, port)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1:53", HostPort("192.0.2.1", 53)),
        ("[2001:DB8:0::1]:0", HostPort("2001:db8::1", 0)),
        ("[::ffff:192.0.2.1]:53", HostPort("192.0.2.1", 53)),
        ("192.0.2.1", HostPort("192.0.2.1", 853)),
        ("[::1]", HostPort("::1", 853)),
        ("[FE80::0:1%eth0.7]:53", HostPort("fe80::1%eth0.7", 53)),
    ],
)
def test_the_canonical_form_and_the_default_port(text: str, expected: HostPort) -> None:
    assert parse(text, 853) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "not an IP address", ""),
        ("localhost:53", "not an IP address", ""),
        ("::1:53", "brackets", ""),
        ("[2001:db8::1%eth0]:53", "only a link-local address may have a scope", ""),
        ("[fe80::1%a b]:53", "only a link-local address may have a scope, the name of an interface", ""),
        ("[fe80::1%interface-name-16]:53", "only a link-local address may have a scope", ""),
        ("192.0.2.1", "no port", "192.0.2.1:53"),
        ("[::1]", "no port", "[::1]:53"),
        ("192.0.2.1:65536", "65535", ""),
        ("192.0.2.1:", "not an IP address", ""),
        ("192.0.2.1:\uff15\uff13", "not an IP address", ""),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidHostPort, match=message) as error:
        parse(text)
    assert error.value.hint == hint
