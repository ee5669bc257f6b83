"""Listen addresses that pldns may start without (`dns.bind: wait`): which of them this machine lacks now.

The sockets are open already, and answer as soon as the address exists. This file only observes and logs.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from resolver.host_port import HostPort
from resolver.process import local_address

INTERVAL: Final = 2.0
"""Seconds between two checks."""

_log = logging.getLogger(__name__)


class AwaitedAddresses:
    """The addresses, and those that are absent. The supervisor has logged what is absent at the start."""

    def __init__(self, addresses: Iterable[HostPort]) -> None:
        self._addresses = tuple(dict.fromkeys(addresses))
        self.absent: tuple[HostPort, ...] = self._find_absent()

    async def run(self) -> None:
        """Check endlessly."""
        while True:
            await asyncio.sleep(INTERVAL)
            self.check()

    def check(self) -> None:
        """Look up what is absent now, and log each change."""
        before, self.absent = self.absent, self._find_absent()
        for address in self._addresses:
            if address in before and address not in self.absent:
                _log.info("listening on %s: this machine has the address now", address)
            elif address in self.absent and address not in before:
                _log.warning("listening on %s, but this machine does not have the address any more", address)

    def _find_absent(self) -> tuple[HostPort, ...]:
        hosts = {address.host for address in self._addresses}
        absent = {host for host in hosts if local_address.is_absent(host)}
        return tuple(address for address in self._addresses if address.host in absent)
