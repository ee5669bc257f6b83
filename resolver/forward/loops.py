"""Forwarding loops: queries of this server that come back to it. Finds loops, breaks them and reports them to control.

Queries to upstream servers have a mark in an EDNS option. A loop is found in two ways: a query with the mark comes back
(another pldns passes on the marks of the query that it asks for), or a server repeatedly asks the question that it is
being asked itself. Either counts only if the question would go to the same group again, because a resolver may ask this
server for private names. Pure: time is an argument.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import Final

from resolver.channel.frames import Loop
from resolver.forward.cache import Key
from resolver.settings import UpstreamGroup
from zones.clocks import WallTime
from zones.dns.name import Name

AGAIN: Final = 3
"""Number of queries in progress from a server for its own question that make a loop."""
_LISTED: Final = 100  # most loops in one report
_MARKS: Final = 80  # octets; marks of 8 servers, 10 octets each


class LoopDetector:
    """Marks queries and recognises those that come back. `mark` is 8 random octets, the same in all workers."""

    def __init__(self, groups: Sequence[UpstreamGroup], mark: bytes, wall: Callable[[], WallTime]) -> None:
        self._wall = wall
        self._marks = {group.name: mark + index.to_bytes(2, "big") for index, group in enumerate(groups)}
        addresses = ((ip_address(server.address), group.name) for group in groups for server in group.servers)
        # On loopback every program has the address of the server.
        self._servers = {(address.packed, group) for address, group in addresses if not address.is_loopback}
        self._addresses = {address for address, _ in self._servers}
        self._asking = Counter[tuple[bytes, Key]]()
        self._brought: dict[Key, bytes] = {}
        self._found: OrderedDict[tuple[str, Name], Loop] = OrderedDict()

    def mark(self, key: Key) -> bytes:
        """Return the marks for the query `key`: those of the client's query, then that of this server and group."""
        ours = self._marks.get(key.group, b"")
        return (self._brought.get(key, b"") + ours)[-_MARKS:] if self._brought else ours

    def closed(self, key: Key, marks: bytes, client: bytes) -> bool:
        """Return whether asking `key` would repeat a loop, for a query with `marks` from `client` (packed address)."""
        ours = self._marks.get(key.group, b"") if marks else b""
        marked = bool(ours) and ours in marks
        if marked or (client in self._addresses and self._asking[client, key] >= AGAIN):
            self._note(key, client)
            return True
        return False

    def begin(self, key: Key, marks: bytes, client: bytes) -> None:
        """Record that `client` waits for `key`. Its query had the marks `marks`."""
        if marks:
            self._brought[key] = marks
        if client in self._addresses and (client, key.group) in self._servers:
            self._asking[client, key] += 1

    def end(self, key: Key, client: bytes) -> None:
        """Record that `client` does not wait for `key` any more."""
        if self._brought:
            self._brought.pop(key, None)
        if client in self._addresses and (client, key.group) in self._servers:
            self._asking[client, key] -= 1
            if self._asking[client, key] <= 0:
                del self._asking[client, key]

    def _note(self, key: Key, client: bytes) -> None:
        now = self._wall()
        where = key.group, key.name
        before = self._found.get(where)
        if before or len(self._found) < _LISTED:
            self._found[where] = Loop(key.group, key.name, client, before.count + 1 if before else 1, now)

    def report(self) -> list[Loop]:
        """Return the loops that were found since the last call."""
        found, self._found = list(self._found.values()), OrderedDict()
        return found
