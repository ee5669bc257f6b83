"""The query logger: reads the records of all workers, and passes them to the outputs, until SIGTERM.

It holds no credential and reads no packet of a client but those in records. When it is slow or absent, records wait in
the socket, which outlives it; workers drop those for which there is no room.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from typing import Final

import msgspec

from resolver.channel import query_records
from resolver.process import log
from resolver.process.bootstrap import QueryLoggerStart
from resolver.process.orders import Beat, UseLogLevel
from resolver.process.query_log_state import QueryLogState
from resolver.process.sandbox.level import SandboxLevel
from resolver.query_log.output import Output

INTERVAL: Final = 1.0
"""Seconds between two reports."""
LONGEST: Final = 1 << 19
"""Octets of one message, at most."""
_TURN: Final = 16  # messages that are read before the event loop continues
_LAST: Final = 4_096  # messages that are read at the end: more than fit into the socket

_log = logging.getLogger(__name__)


class QueryLogger:
    """The loop of the query logger, and its outputs."""

    def __init__(self, start: QueryLoggerStart, outputs: Sequence[Output], sandbox: SandboxLevel) -> None:
        self._records = start.records
        self._orders, self._beat = start.orders, start.beat
        self._outputs = outputs
        self._sandbox = sandbox
        self._buffer = memoryview(bytearray(LONGEST))
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Write until SIGTERM, then what is left in the socket."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        Beat(self._orders, self._beat, loop.call_later).start()
        for output in self._outputs:
            await output.open()
        loop.add_reader(self._records.fileno(), self._read)
        loop.add_reader(self._orders.fileno(), self._obey)
        self._orders.send_ready()
        reports = asyncio.create_task(self._report_often())
        await self._stopping.wait()
        reports.cancel()
        loop.remove_reader(self._records.fileno())
        self._read(_LAST)
        for output in self._outputs:
            await output.close()
        self._report()

    def _obey(self) -> None:
        for order in self._orders.receive():
            if isinstance(order, UseLogLevel):
                log.set_level(order.level)

    def _read(self, most: int = _TURN) -> None:
        for _ in range(most):
            try:
                size = self._records.recv_into(self._buffer)
            except BlockingIOError:
                return
            if not size:
                return
            try:
                batch = query_records.decode(self._buffer[:size])
            except msgspec.MsgspecError as error:
                _log.error("query log: a message of a worker cannot be read: %s", error)
                continue
            for output in self._outputs:
                output.write(batch)

    async def _report_often(self) -> None:
        while True:
            self._report()
            await asyncio.sleep(INTERVAL)
            for output in self._outputs:
                output.look()

    def _report(self) -> None:
        states = tuple(output.state for output in self._outputs)
        self._orders.send_query_log(QueryLogState(os.getpid(), self._sandbox, states))
