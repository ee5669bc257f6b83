"""Makes connections for the workers: to control, and over TCP to the configured upstream servers.

A connection is passed on before it is established, so nothing waits here.
"""

import errno
import os
import socket
from collections.abc import Iterable

from resolver.process import dial
from resolver.process.connecting import connecting
from resolver.process.dial import GREETING, DialControl, DialUpstream
from resolver.settings import UpstreamGroup


class Destinations:
    """The TCP connections that workers may have."""

    def __init__(self, groups: Iterable[UpstreamGroup]) -> None:
        self.permit(groups)

    def permit(self, groups: Iterable[UpstreamGroup]) -> None:
        """Permit connections to the servers of these groups, and no others. Open connections stay."""
        self._permitted = {
            DialUpstream(server.address, server.port, group.source) for group in groups for server in group.servers
        }

    def __contains__(self, wanted: DialUpstream) -> bool:
        return wanted in self._permitted


class Dialer:
    """The supervisor's end for one worker. Watch `fileno()` for reading, then call `serve`."""

    def __init__(self, index: int, channel: str, destinations: Destinations) -> None:
        """`channel`: the path of control's Unix socket."""
        self.pid = 0
        """Process id of the worker."""
        self._index = index
        self._channel = channel
        self._destinations = destinations
        self._link, self._worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link.settimeout(0)

    def fileno(self) -> int:
        """Return the descriptor to watch."""
        return self._link.fileno()

    @property
    def worker_end(self) -> int:
        """The descriptor for the worker; close it here once the worker has it (`started`)."""
        return self._worker_end.fileno()

    def started(self, pid: int) -> None:
        """Note that the worker runs."""
        self.pid = pid
        self._worker_end.close()

    def close(self) -> None:
        """Serve this worker no longer."""
        self._link.close()
        self._worker_end.close()

    def serve(self) -> bool:
        """Serve one request. Return False where the worker has ended or breaks the rules of the exchange."""
        try:
            wanted = dial.received_request(self._link)
            if wanted is None:
                return False
            self._serve(wanted)
        except BlockingIOError:
            return True
        except (OSError, ValueError):
            return False
        return True

    def _serve(self, wanted: dial.Request) -> None:
        try:
            connection = self._to_control() if isinstance(wanted, DialControl) else self._to_upstream(wanted)
        except OSError as error:
            dial.refuse(self._link, error.errno or errno.EIO)
            return
        with connection:
            dial.reply(self._link, connection)

    def _to_control(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(0)
            connection.connect(self._channel)
            connection.send(GREETING.pack(self._index, self.pid))
        except OSError:
            connection.close()
            raise
        return connection

    def _to_upstream(self, wanted: DialUpstream) -> socket.socket:
        if wanted not in self._destinations:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return connecting(socket.SOCK_STREAM, wanted.address, wanted.port, wanted.source)
