"""The order in which one question asks the servers of its group, and how long it waits for each of them. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from resolver.forward.health import UpstreamServer
from resolver.settings import UpstreamGroup
from zones.clocks import SteadyTime

ROUNDS: Final = 3
"""Most queries to one server over one transport for a question (RFC 9520 §3.1)."""
CROWD: Final = 256
"""Outstanding queries of a server beyond which each is repeated once at most, so as not to delay other clients."""
FIRST: Final = 1.2
"""Most seconds to wait for a server while another one that is up has not been asked."""


class Turn(NamedTuple):
    """A server to ask, in which round (from 0), and the seconds until the next turn."""

    server: UpstreamServer
    round: int
    wait: float
    hedged: bool = False
    """The wait is so short because two servers race."""


class Turns:
    """The turns of one question: all servers in order, in as many rounds as give at least `tries` queries.

    A server is waited for as its round-trip time says, twice as long in each later round. The last turn waits until the
    end. Every server has its turn in time.
    """

    __slots__ = ("_at", "_count", "_race", "_rounds", "_servers", "refused")

    def __init__(self, group: UpstreamGroup, servers: Sequence[UpstreamServer], tries: int) -> None:
        count = len(servers)
        self._servers = servers
        self._count = count
        self._rounds = min(-(-tries // count), ROUNDS) if count else 0
        self._at = 0
        self._race = group.policy == "race"
        self.refused: list[UpstreamServer] = []
        """Servers that have sent an error. They are not asked again."""

    def next(self, now: SteadyTime, end: SteadyTime) -> Turn | None:
        """Return the next turn of a question that ends at `end`. None: there is no other turn."""
        count = self._count
        while self._at < count * self._rounds:
            at, self._at = self._at, self._at + 1
            server = self._servers[at % count]
            if server not in self.refused and not (at >= 2 * count and server.outstanding > CROWD):
                return self._turn(server, at // count, end - now)
        return None

    def _turn(self, server: UpstreamServer, rounds: int, left: float) -> Turn:
        at, count = self._at, self._count
        if at == count * self._rounds:
            return Turn(server, rounds, left)
        wait = server.round_trip.wait() * (1 << rounds)
        if at >= count:
            return Turn(server, rounds, min(wait, left / 2))
        if not self._servers[at].down:
            if self._race and at == 1:
                return Turn(server, rounds, server.round_trip.hedge(), hedged=True)
            wait = min(wait, FIRST)
        return Turn(server, rounds, min(wait, left / (1 + count - at)))
