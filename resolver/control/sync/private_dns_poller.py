"""Reads the private DNS zones of one source again and again. The syncs of the source do not wait for these readings.

Does not know how zones are read, or what becomes of a reading.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping

from resolver.sources.reading import PrivateReading, PrivateSource
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone

_log = logging.getLogger(__name__)


class PrivateDnsPoller:
    """Polls one source. `had` returns the zones of the last reading, by key."""

    def __init__(
        self, source: str, private: PrivateSource, had: Callable[[], Mapping[ResourceId, PrivateZone]]
    ) -> None:
        self._source = source
        self._private = private
        self._had = had
        self._begun = asyncio.Event()
        self._error = ""

    def begin(self) -> None:
        """Start polling: the subscriptions of the source, which hold the zones, are known now."""
        self._begun.set()

    async def run(self) -> AsyncGenerator[PrivateReading, None]:
        """Yield each reading, endlessly. The caller applies a reading before it asks for the next."""
        await self._begun.wait()
        while True:
            try:
                reading = await self._private.read(self._had())
            except Exception as error:  # noqa: BLE001 - whatever it is, the zones are kept and read again
                _log.exception("source %s: reading private DNS zones failed with an internal error", self._source)
                reading = PrivateReading({}, error=f"internal error: {error!r}")
            if reading.error and reading.error != self._error:
                data = "their last good data is kept" if self._had() else "they have not been read yet"
                _log.warning("source %s: %s; %s", self._source, reading.error, data)
            self._error = reading.error
            yield reading
            await asyncio.sleep(self._private.interval())
