"""Queries of ours that come back to us: a forwarding loop, seen while it runs, broken, and told to control.

A query that we send carries a mark in an EDNS option; a server that passes options on brings it back, and another pldns
passes on the marks of the query that it asks for. Servers that do neither are known by what they ask: again and again
the very question that they are being asked. Both count only where it would be asked of the same group once more: a
resolver may well ask us for our own names. Pure: time is an argument.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

from resolver.channel.frames import Loop
from resolver.forward.cache import Key
from resolver.settings import UpstreamGroup
from zones.dns.name import Name

AGAIN: Final = 3
"""Times that a server asks what it is being asked, after which it is no accident."""
_LISTED: Final = 100  # between two reports
_MARKS: Final = 80  # octets; so many pldns in a circle know each other, 10 octets each


class LoopDetector:
    """What marks queries, and who brings them back. `mark`: random octets, the same in all workers."""

    def __init__(self, groups: Sequence[UpstreamGroup], mark: bytes, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._marks = {group.name: mark + index.to_bytes(2, "big") for index, group in enumerate(groups)}
        addresses = ((ip_address(server.address), group.name) for group in groups for server in group.servers)
        # On loopback anybody has the address of the server.
        self._servers = {(address.packed, group) for address, group in addresses if not address.is_loopback}
        self._addresses = {address for address, _ in self._servers}
        self._asking = Counter[tuple[bytes, Key]]()
        self._brought: dict[Key, bytes] = {}
        self._found: OrderedDict[tuple[str, Name], Loop] = OrderedDict()

    def mark(self, key: Key) -> bytes:
        """What the query for `key` carries: the marks of the query that it is for, and ours."""
        return (self._brought.get(key, b"") + self._marks.get(key.group, b""))[-_MARKS:]

    def closed(self, key: Key, marks: bytes, client: bytes) -> bool:
        """Whether asking `key` for a query with these marks from that client (packed) would go round once more."""
        ours = self._marks.get(key.group, b"")
        marked = bool(ours) and ours in marks
        if marked or (client in self._addresses and self._asking[client, key] >= AGAIN):
            self._note(key, client)
            return True
        return False

    def begin(self, key: Key, marks: bytes, client: bytes) -> None:
        """A client begins to wait for `key`, with a query that carried `marks`."""
        if marks:
            self._brought[key] = marks
        if (client, key.group) in self._servers:
            self._asking[client, key] += 1

    def end(self, key: Key, client: bytes) -> None:
        """It waits no longer."""
        self._brought.pop(key, None)
        if (client, key.group) in self._servers:
            self._asking[client, key] -= 1
            if self._asking[client, key] <= 0:
                del self._asking[client, key]

    def _note(self, key: Key, client: bytes) -> None:
        now = self._clock()
        where = key.group, key.name
        before = self._found.get(where)
        if before or len(self._found) < _LISTED:
            self._found[where] = Loop(key.group, key.name, client, before.count + 1 if before else 1, now)

    def report(self) -> list[Loop]:
        """What was found since the last call."""
        found, self._found = list(self._found.values()), OrderedDict()
        return found
