"""PROXY protocol headers, compared with those in HAProxy's specification."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.wire import proxy

CLIENT4 = proxy.ProxiedClient(bytes((192, 0, 2, 1)), 4711)
CLIENT6 = proxy.ProxiedClient(socket.inet_pton(socket.AF_INET6, "2001:db8::1"), 4711)


def header(source: proxy.ProxiedClient, *, command: int = 0x21, transport: int = 2, more: bytes = b"") -> bytes:
    family = 0x10 if len(source.address) == 4 else 0x20
    body = source.address + bytes(len(source.address)) + struct.pack(">2H", source.port, 53) + more
    return proxy.SIGNATURE + struct.pack(">BBH", command, family | transport, len(body)) + body


@pytest.mark.parametrize("transport", [1, 2])
@pytest.mark.parametrize("client", [CLIENT4, CLIENT6])
def test_a_header_has_the_client(client: proxy.ProxiedClient, transport: int) -> None:
    octets = header(client, transport=transport)
    assert proxy.strip(octets + b"query") == (client, b"query")
    assert proxy.rest(octets[: proxy.HEAD]) == len(octets) - proxy.HEAD


def test_extensions_are_skipped() -> None:
    assert proxy.strip(header(CLIENT4, more=b"\x04\x00\x03abc") + b"query") == (CLIENT4, b"query")


@pytest.mark.parametrize(
    "octets",
    [
        header(CLIENT4, command=0x20),
        proxy.SIGNATURE + b"\x20\x00\x00\x00",
        proxy.SIGNATURE + b"\x21\x00\x00\x00",
        proxy.SIGNATURE + b"\x21\x31\x00\x02ab",
    ],
    ids=["local", "local alone", "unspecified", "unix"],
)
def test_a_header_may_be_about_the_proxy_itself(octets: bytes) -> None:
    assert proxy.strip(octets + b"query") == (None, b"query")


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        header(CLIENT4)[:-1],
        header(CLIENT4, command=0x11),
        header(CLIENT4, command=0x22),
        header(CLIENT4, transport=3),
        proxy.SIGNATURE + b"\x21\x41\x00\x00",
        proxy.SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
        proxy.SIGNATURE + b"\x21\x11\x10\x01" + bytes(4097),
    ],
    ids=["empty", "version 1", "cut", "version", "command", "transport", "family", "short", "long"],
)
def test_a_header_with_unknown_values_is_malformed(octets: bytes) -> None:
    with pytest.raises(proxy.MalformedHeader):
        proxy.strip(octets)


@given(st.binary(max_size=80), st.booleans())
def test_any_octets_are_a_header_or_malformed(octets: bytes, signed: bool) -> None:
    given_octets = proxy.SIGNATURE + octets if signed else octets
    try:
        source, payload = proxy.strip(given_octets)
    except proxy.MalformedHeader:
        return
    assert given_octets.endswith(payload)
    assert source is None or len(source.address) in {4, 16}
