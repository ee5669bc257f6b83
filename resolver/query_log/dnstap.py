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

_SMALL: Final = tuple(bytes((value,)) for value in range(0x80))


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


def _key(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


_VARINT: Final = 0  # wire types
_LENGTH: Final = 2
_FIXED32: Final = 5

# Keys of the message `Dnstap`.
_IDENTITY: Final = _key(1, _LENGTH)
_VERSION: Final = _key(2, _LENGTH)
_MESSAGE: Final = _key(14, _LENGTH)
_IS_MESSAGE: Final = _key(15, _VARINT) + b"\1"

# Keys of the message `Message`.
_CLIENT_QUERY: Final = _key(1, _VARINT) + b"\5"
_CLIENT_RESPONSE: Final = _key(1, _VARINT) + b"\6"
_FAMILIES: Final = {4: _key(2, _VARINT) + b"\1", 16: _key(2, _VARINT) + b"\2"}
"""INET and INET6, by the octets of an address."""
_PROTOCOLS: Final = {
    proto: _key(3, _VARINT) + _varint(number) for proto, number in {"udp": 1, "tcp": 2, "tls": 3, "https": 4}.items()
}
_QUERY_ADDRESS: Final = _key(4, _LENGTH)
_QUERY_PORT: Final = _key(6, _VARINT)
_QUERY_TIME: Final = _key(8, _VARINT), _key(9, _FIXED32)
"""Seconds and nanoseconds."""
_QUERY: Final = _key(10, _LENGTH)
_RESPONSE_TIME: Final = _key(12, _VARINT), _key(13, _FIXED32)
_RESPONSE: Final = _key(14, _LENGTH)


class DnstapMessages:
    """Encodes queries for one collector."""

    def __init__(self, settings: DnstapSettings, clients: ClientAddresses) -> None:
        self._with_queries = "client_query" in settings.messages
        self._with_responses = "client_response" in settings.messages
        self._clients = clients
        identity, version = settings.identity.encode(), settings.version.encode()
        self._start = _IDENTITY + _counted(identity) + _VERSION + _counted(version) + _IS_MESSAGE

    def encode(self, batch: QueryBatch) -> Iterator[bytes]:
        """Yield the messages of these queries."""
        for answered in batch.answered:
            protocol = _PROTOCOLS[answered.proto]
            asked_at = _time(_QUERY_TIME, answered.at)
            answered_at = _time(_RESPONSE_TIME, answered.at + answered.seconds) + _RESPONSE
            for packet, address, port, _, reply in answered.records:
                client = self._clients.of(address).packed
                common = (
                    _FAMILIES[len(client)] + protocol + _QUERY_ADDRESS + _counted(client)
                    + _QUERY_PORT + _varint(ntohs(port)) + asked_at
                )  # fmt: skip
                if self._with_queries:
                    yield self._message(_CLIENT_QUERY + common + _QUERY + _counted(packet))
                if self._with_responses:
                    yield self._message(_CLIENT_RESPONSE + common + answered_at + _counted(packet[:2] + reply))

    def _message(self, fields: bytes) -> bytes:
        return self._start + _MESSAGE + _counted(fields)


def _time(keys: tuple[bytes, bytes], at: float) -> bytes:
    second = int(at)
    return keys[0] + _varint(second) + keys[1] + int((at - second) * 1e9).to_bytes(4, "little")


def _counted(value: bytes) -> bytes:
    return _varint(len(value)) + value
