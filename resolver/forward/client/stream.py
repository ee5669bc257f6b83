"""DNS over TCP and TLS as a client (RFC 1035 §4.2.2, RFC 7858 §3.3): each message follows its length."""

import asyncio

from resolver.forward.client.session import SessionEvents


class StreamSession(asyncio.Protocol):
    """The session of one connection over TCP or TLS."""

    def __init__(self, events: SessionEvents) -> None:
        self._events = events
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream has no other
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take messages. A message that is too short to have an id is ignored."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= 2 and len(buffer) >= (end := 2 + int.from_bytes(buffer[:2], "big")):
            message = bytes(buffer[2:end])
            del buffer[:end]
            if len(message) >= 2:
                self._events.arrived(int.from_bytes(message[:2], "big"), message)

    def connection_lost(self, error: Exception | None) -> None:
        """Report the end of the connection."""
        self._transport = None
        self._events.lost(error)

    def send(self, number: int, packet: bytes) -> bool:
        """Send a query with `number` as its id. Return True: a stream has room for every query."""
        if self._transport:
            self._transport.write((len(packet) + 2).to_bytes(2, "big") + number.to_bytes(2, "big") + packet)
        return True

    def cancel(self, number: int) -> bool:  # noqa: ARG002 - as in `UpstreamSession`
        """Return True: the answer cannot be stopped."""
        return True

    def close(self) -> None:
        """Close at once."""
        if self._transport:
            self._transport.abort()
