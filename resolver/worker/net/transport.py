"""The transport of one accepted connection: reads and writes its socket within the limits of the worker.

asyncio's own transport reads 256 KiB at once, whatever else waits, and leaves a reference cycle behind. This one reads
in the time that the worker has for connections, reports the octets that wait to be sent, and is freed at once when the
connection ends. Does not know what the octets mean.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final, cast

from resolver.worker.net.stream_time import StreamTime

READ: Final = 16_384
"""Octets that are read at once."""
HIGH: Final = 65_536
"""Octets that wait to be sent, above which the protocol is asked to pause."""
LOW: Final = 16_384
"""Octets below which it may resume."""
LINGER: Final = 2.0
"""Seconds that the client has to close after `finish`."""
_RESET: Final = struct.pack("ii", 1, 0)  # struct linger, socket(7)


class SocketTransport(asyncio.Transport):
    """The transport of a connected non-blocking socket. `waiting` is called with the octets that wait to be sent."""

    __slots__ = (
        "_closing", "_lingering", "_loop", "_lost", "_paused", "_protocol", "_queued", "_sock", "_time", "_timer",
        "_unsent", "_waiting", "_watched",
    )  # fmt: skip

    def __init__(
        self, sock: socket.socket, loop: asyncio.AbstractEventLoop, time: StreamTime, waiting: Callable[[int], None]
    ) -> None:
        super().__init__()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._loop = loop
        self._time = time
        self._waiting: Callable[[int], None] | None = waiting
        self._protocol: asyncio.Protocol | None = None
        self._unsent = bytearray()
        self._paused = False
        """Whether the protocol does not want octets."""
        self._queued = False
        """Whether reading waits for a later turn."""
        self._watched = False
        """Whether the event loop watches the socket for reading."""
        self._closing = False
        self._lingering = False
        """Whether octets are discarded until the client closes."""
        self._lost = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, protocol: asyncio.Protocol) -> None:
        """Start the connection."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._watch()

    # -- for the protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as in asyncio
        """Return the socket for `socket`."""
        return self._sock if name == "socket" else default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Replace the protocol."""
        self._protocol = cast("asyncio.Protocol", protocol)

    def get_write_buffer_size(self) -> int:
        """Return the octets that wait to be sent."""
        return len(self._unsent)

    def is_reading(self) -> bool:
        """Return whether the protocol wants octets."""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Read nothing until `resume_reading`."""
        self._paused = True
        self._watch()

    def resume_reading(self) -> None:
        """Read again."""
        self._paused = False
        self._watch()

    def is_closing(self) -> bool:
        """Return whether the connection ends."""
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets, or keep them until the client has room for them."""
        if self._lost or (self._closing and not self._lingering):
            return
        if not self._unsent:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._end(error)
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self._loop.add_writer(self._sock.fileno(), self._writable)
        was_low = len(self._unsent) <= HIGH
        self._unsent += data
        if was_low and len(self._unsent) > HIGH and self._protocol:
            self._protocol.pause_writing()
        self._report()

    def close(self) -> None:
        """Send what waits, then close."""
        if not self._closing:
            self._closing = True
            self._watch()
            if not self._unsent:
                self._end(None)

    def finish(self) -> None:
        """Send what waits, then wait until the client closes. A close with octets unread would destroy sent ones."""
        if self._closing:
            return
        self._closing = self._lingering = True
        self._timer = self._loop.call_later(LINGER, self.abort)
        self._watch()
        if not self._unsent:
            self._shut()

    def abort(self) -> None:
        """Close at once. The kernel would try for minutes to send what the client has not read, so it is reset."""
        if self._unsent and not self._lost:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._end(None)

    # -- from the event loop

    def _watch(self) -> None:
        """Watch the socket for reading, or stop that."""
        wanted = self._lingering or not (self._paused or self._closing)
        wanted = wanted and not (self._queued or self._lost)
        if wanted != self._watched:
            self._watched = wanted
            if wanted:
                self._loop.add_reader(self._sock.fileno(), self._readable)
            else:
                self._loop.remove_reader(self._sock.fileno())

    def _readable(self) -> None:
        if self._time.admit(self):
            self._read()
        else:
            self._queued = True
            self._watch()

    def work(self) -> None:
        """Read in the turn that this connection has waited for."""
        self._queued = False
        self._watch()
        if self._watched:
            self._read()

    def _read(self) -> None:
        protocol = self._protocol
        if protocol is None:
            return
        try:
            data = self._sock.recv(READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        try:
            if not data:
                self._end_of_input(protocol)
            elif not self._lingering:
                protocol.data_received(data)
        except Exception as error:  # noqa: BLE001 - the connection ends, and the worker goes on
            context = {"message": "a connection failed", "exception": error, "transport": self, "protocol": protocol}
            self._loop.call_exception_handler(context)
            self._end(error)

    def _end_of_input(self, protocol: asyncio.Protocol) -> None:
        """Close, unless the protocol has something to send."""
        if self._lingering:
            self._end(None)
        elif protocol.eof_received():
            self.pause_reading()
        else:
            self.close()

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        was_high = len(self._unsent) > LOW
        del self._unsent[:sent]
        self._report()
        if not self._unsent:
            self._loop.remove_writer(self._sock.fileno())
            if self._lingering:
                self._shut()
            elif self._closing:
                self._end(None)
                return
        if was_high and len(self._unsent) <= LOW and self._protocol and not self._closing:
            self._protocol.resume_writing()

    def _report(self) -> None:
        if self._waiting:
            self._waiting(len(self._unsent))

    def _shut(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has closed
            self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._watch()
        if self._unsent:
            self._unsent = bytearray()
            self._loop.remove_writer(self._sock.fileno())
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._loop.call_soon(self._lose, error)

    def _lose(self, error: Exception | None) -> None:
        protocol, self._protocol, self._waiting = self._protocol, None, None
        try:
            if protocol:
                protocol.connection_lost(error)
        finally:
            self._sock.close()
