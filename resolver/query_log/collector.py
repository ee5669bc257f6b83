"""The output of the query log that sends dnstap messages to a collector, and connects again when the collector is gone.

Does not know what a message says (`dnstap`), or how it is framed (`frame_streams`).
"""

import asyncio
from typing import Final

from resolver.channel.query_records import QueryBatch
from resolver.query_log import frame_streams
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.dnstap import CONTENT_TYPE, DnstapMessages
from resolver.query_log.frame_streams import BadFrame, ControlFrame
from resolver.query_log.output import Output
from resolver.query_log_settings import DnstapSettings

ROOM: Final = 1 << 20
"""Octets that wait for the collector at most."""
PATIENCE: Final = 5.0
"""Seconds for a connection and its handshake."""
FINISHING: Final = 0.2
"""Seconds for the collector to confirm the end."""


class Collector(Output):
    """Sends queries as long as there is a connection, and drops them at other times."""

    def __init__(self, settings: DnstapSettings, clients: ClientAddresses) -> None:
        super().__init__("dnstap", settings.to)
        self._settings = settings
        self._messages = DnstapMessages(settings, clients)
        self._connecting: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        """None without a connection that has completed its handshake."""
        self._is_closing = False
        self._tried = asyncio.Event()
        """Whether a connection was made, or could not be made."""

    def write(self, batch: QueryBatch) -> None:
        """Send these queries, or drop them."""
        writer = self._writer
        if writer is None or writer.transport.get_write_buffer_size() > ROOM:
            if writer is not None:
                self._failed("the collector reads too slowly")
            self._drop(batch.size)
            return
        writer.write(frame_streams.data(self._messages.encode(batch)))
        self._works()
        self._wrote(batch.size)

    async def open(self) -> None:
        """Connect before the first query is read, if that is possible soon."""
        self.look()
        tried = asyncio.create_task(self._tried.wait())
        await asyncio.wait([tried], timeout=1)
        tried.cancel()

    def look(self) -> None:
        """Connect, where no connection is open or being made."""
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._stay_connected())

    async def close(self) -> None:
        """Send what waits and the end of the stream, and wait a moment for the collector to confirm it."""
        if self._connecting is None:
            return
        self._is_closing = True
        if self._writer is not None:
            self._writer.write(frame_streams.control(ControlFrame.STOP))
            await asyncio.wait([self._connecting], timeout=FINISHING)
        self._connecting.cancel()
        await asyncio.gather(self._connecting, return_exceptions=True)

    async def _stay_connected(self) -> None:
        """Connect, and wait until the connection ends."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self._connected()
                await _handshake(reader, writer)
            self._writer = writer
            self._works()
            self._tried.set()
            await _control(reader)  # comes at the end of the stream only
            if not self._is_closing:
                self._failed("the collector has ended the stream")
        except TimeoutError:
            self._failed(f"the collector does not answer within {PATIENCE:.0f} s")
        except asyncio.IncompleteReadError:
            self._failed("the collector has closed the connection")
        except OSError as error:
            self._failed(error.strerror or str(error))
        except BadFrame as error:
            self._failed(str(error))
        finally:
            self._writer = None
            self._tried.set()
            if writer is not None:
                writer.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._settings.path:
            return await asyncio.open_unix_connection(self._settings.path)
        return await asyncio.open_connection(self._settings.host, self._settings.port)


async def _handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(frame_streams.control(ControlFrame.READY, CONTENT_TYPE))
    kind, types = await _control(reader)
    if kind != ControlFrame.ACCEPT or (types and CONTENT_TYPE not in types):
        raise BadFrame("the collector does not accept dnstap")
    writer.write(frame_streams.control(ControlFrame.START, CONTENT_TYPE))


async def _control(reader: asyncio.StreamReader) -> tuple[int, tuple[bytes, ...]]:
    size = frame_streams.control_size(await reader.readexactly(8))
    return frame_streams.read_control(await reader.readexactly(size))
