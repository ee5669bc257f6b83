"""The interface between a connection to an upstream server and the protocol on it: DNS over a stream, or HTTP/2.

Contains no I/O: `connection` opens and closes connections, `stream` and `doh` speak the protocols.
"""

from typing import Protocol


class ServerRefused(OSError):  # noqa: N818 - names what the server did
    """The server is reachable but does not answer: it sent an HTTP error status, or speaks another protocol."""


class UpstreamSession(Protocol):
    """The protocol on one open connection. Queries are identified by a number from 0 to 65,535."""

    def send(self, number: int, packet: bytes) -> bool:
        """Send a query, given without its id. Its answer is reported under `number`.

        Return False if the query waits for room. `left_queue` then reports when it is sent.
        """

    def cancel(self, number: int) -> bool:
        """Stop waiting for the answer to query `number`. Return whether it may still come."""

    def close(self) -> None:
        """Close the connection at once."""


class SessionEvents(Protocol):
    """The callbacks of a session."""

    def arrived(self, number: int, message: bytes) -> None:
        """Take the answer to query `number`. The id in `message` has no meaning."""

    def refused(self, number: int, why: str) -> None:
        """The server will not answer query `number`."""

    def left_queue(self, number: int) -> None:
        """Query `number` has been sent only now."""

    def lost(self, error: Exception | None) -> None:
        """The connection has ended. `error` is None where the server closed it."""
