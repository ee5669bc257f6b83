"""The readings of one source's private DNS zones, again and again, beside its syncs, which do not wait for them.

Refuses to know how zones are read and what becomes of them.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping

from resolver.sources.reading import PrivateReading, PrivateSource
from zones.azure.private_dns_zone import PrivateZone

_log = logging.getLogger(__name__)


class PrivateDnsPoller:
    """One source. `had` gives what its zones gave before."""

    def __init__(self, source: str, private: PrivateSource, had: Callable[[], Mapping[str, PrivateZone]]) -> None:
        self._source = source
        self._private = private
        self._had = had
        self._begun = asyncio.Event()
        self._error = ""

    def begin(self) -> None:
        """The subscriptions of the source are known: its zones are in them."""
        self._begun.set()

    async def run(self) -> AsyncGenerator[PrivateReading, None]:
        """Each reading as it is done, for ever; it is to be taken before the next one is asked for."""
        await self._begun.wait()
        while True:
            try:
                reading = await self._private.read(self._had())
            except Exception as error:  # noqa: BLE001 - whatever it is, the zones are kept and read again
                _log.exception("source %s: reading private DNS zones broke off", self._source)
                reading = PrivateReading({}, error=f"internal error: {error!r}")
            if reading.error and reading.error != self._error:
                _log.warning("source %s: %s; what they gave before is kept", self._source, reading.error)
            self._error = reading.error
            yield reading
            await asyncio.sleep(self._private.interval())
