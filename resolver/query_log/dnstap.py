"""Queries as dnstap messages: protocol buffers of the schema `dnstap.proto` (https://dnstap.info).

Owns the few field numbers and encodings that these messages need. Does not know how messages are framed.
"""

from collections.abc import Iterator
from socket import ntohs
from typing import Final

from resolver.channel.query_records import QueryBatch
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log_settings import DnstapSettings

CONTENT_TYPE: Final = b"protobuf:dnstap.Dnstap"

# Fields of the message `Dnstap`.
_IDENTITY: Final = 1
_VERSION: Final = 2
_MESSAGE: Final = 14
_TYPE: Final = 15
_IS_MESSAGE: Final = 1

# Fields of the message `Message`.
_MESSAGE_TYPE: Final = 1
_FAMILY: Final = 2
_PROTOCOL: Final = 3
_QUERY_ADDRESS: Final = 4
_QUERY_PORT: Final = 6
_QUERY_SECOND: Final = 8
_QUERY_NANOSECOND: Final = 9
_QUERY: Final = 10
_RESPONSE_SECOND: Final = 12
_RESPONSE_NANOSECOND: Final = 13
_RESPONSE: Final = 14

_CLIENT_QUERY: Final = 5
_CLIENT_RESPONSE: Final = 6
_FAMILIES: Final = {4: 1, 16: 2}  # INET and INET6, by the octets of an address
_PROTOCOLS: Final = {"udp": 1, "tcp": 2, "tls": 3, "https": 4}

_VARINT: Final = 0  # wire types
_LENGTH: Final = 2
_FIXED32: Final = 5


class DnstapMessages:
    """Encodes queries for one collector."""

    def __init__(self, settings: DnstapSettings, clients: ClientAddresses) -> None:
        self._with_queries = "client_query" in settings.messages
        self._with_responses = "client_response" in settings.messages
        self._clients = clients
        identity, version = settings.identity.encode(), settings.version.encode()
        self._start = _octets(_IDENTITY, identity) + _octets(_VERSION, version) + _number(_TYPE, _IS_MESSAGE)

    def encode(self, batch: QueryBatch) -> Iterator[bytes]:
        """Yield the messages of these queries."""
        for answered in batch.answered:
            protocol = _number(_PROTOCOL, _PROTOCOLS.get(answered.proto, 1))
            asked_at = _time(_QUERY_SECOND, _QUERY_NANOSECOND, answered.at)
            answered_at = _time(_RESPONSE_SECOND, _RESPONSE_NANOSECOND, answered.at + max(answered.seconds, 0.0))
            for packet, address, port, _, reply in answered.records:
                client = self._clients.of(address).packed
                common = (
                    _number(_FAMILY, _FAMILIES.get(len(client), 1)) + protocol + _octets(_QUERY_ADDRESS, client)
                    + _number(_QUERY_PORT, ntohs(port)) + asked_at
                )  # fmt: skip
                if self._with_queries:
                    yield self._message(_CLIENT_QUERY, common + _octets(_QUERY, packet))
                if self._with_responses:
                    response = answered_at + _octets(_RESPONSE, packet[:2] + reply)
                    yield self._message(_CLIENT_RESPONSE, common + response)

    def _message(self, kind: int, fields: bytes) -> bytes:
        return self._start + _octets(_MESSAGE, _number(_MESSAGE_TYPE, kind) + fields)


def _time(second: int, nanosecond: int, at: float) -> bytes:
    whole = int(at)
    fraction = int((at - whole) * 1e9)
    return _number(second, whole) + _varint(nanosecond << 3 | _FIXED32) + fraction.to_bytes(4, "little")


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value)


def _octets(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    if value < 0x80:
        return _SMALL[value]
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


_SMALL: Final = tuple(bytes((value,)) for value in range(0x80))
