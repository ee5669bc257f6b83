"""The query logger among the children, and the socket to it. The socket outlives the logger and the workers.

Records wait in it while the logger starts again. Does not know what a record is, or where the log goes.
"""

import socket
from collections.abc import Mapping, Sequence

import msgspec

from resolver.settings import Accepted
from resolver.supervisor import heartbeat
from resolver.supervisor.child import Child
from resolver.supervisor.heartbeat import Heartbeat
from zones.clocks import SteadyTime


class QueryLoggerSlot:
    """The process, which runs while queries are logged."""

    def __init__(self, command: Sequence[str], accepted: Accepted, environment: Mapping[str, str]) -> None:
        self._workers_end, self._records = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._records.settimeout(0)
        self._settings = accepted.query_log
        limit = accepted.processes.heartbeat
        settings = msgspec.json.encode(self._settings)
        beats = Heartbeat(limit, limit * heartbeat.BUSY)
        self.process = Child("query log", command, settings, environment, beats)
        if self._settings is None:
            self.process.due = None
        self._sandbox = accepted.worker.sandbox

    @property
    def is_on(self) -> bool:
        """Whether queries are logged."""
        return self._settings is not None

    @property
    def workers_end(self) -> int:
        """The descriptor to which workers write."""
        return self._workers_end.fileno()

    @property
    def records(self) -> int:
        """The descriptor from which the process reads."""
        return self._records.fileno()

    @property
    def options(self) -> dict[str, str]:
        """The options of the process."""
        return {"records": str(self.records), "sandbox": self._sandbox}

    def configure(self, accepted: Accepted, now: SteadyTime) -> None:
        """Start, end or restart the process where another configuration has another query log."""
        before, self._settings = self._settings, accepted.query_log
        if before == self._settings:
            return
        self.process.settings = msgspec.json.encode(self._settings)
        if self._settings is None:
            self.process.end()
        elif before is None:
            self.process.resume(now)
        else:
            self.process.restart()
