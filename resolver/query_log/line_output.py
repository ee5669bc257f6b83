"""The output of the query log that writes lines: to a file, or to stdout."""

import asyncio
from typing import Protocol

from resolver.channel.query_records import QueryBatch
from resolver.process.log_output import STDOUT as STDOUT_FD
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.lines import form
from resolver.query_log.log_file import LogFile
from resolver.query_log.output import Output
from resolver.query_log.standard_output import StandardOutput
from resolver.query_log_settings import STDOUT, LineSettings


class _Destination(Protocol):
    """Where lines go. Each method raises OSError where that is not possible."""

    def write(self, lines: bytes) -> None: ...
    def look(self) -> None: ...
    def close(self) -> None: ...


class LineOutput(Output):
    """Writes a line for each query."""

    def __init__(self, settings: LineSettings, clients: ClientAddresses, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__("lines", settings.to)
        self._lines = form(settings.format)
        self._clients = clients
        self._destination: _Destination
        if settings.to == STDOUT:
            self._destination = StandardOutput(STDOUT_FD, loop)
        else:
            self._destination = LogFile(settings.to, settings.size, settings.files)

    def write(self, batch: QueryBatch) -> None:
        """Write a line for each of these queries."""
        lines = "".join(self._lines(batch, self._clients))
        try:
            self._destination.write(lines.encode())
        except OSError as error:
            self._failed(_reason(error))
            self._drop(batch.size)
        else:
            self._works()
            self._wrote(batch.size)

    def look(self) -> None:
        """Open a file again that was moved, or that could not be opened."""
        try:
            self._destination.look()
        except OSError as error:
            self._failed(_reason(error))

    async def close(self) -> None:
        """Write what waits, and close the file."""
        try:
            self._destination.close()
        except OSError as error:
            self._failed(_reason(error))


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
