"""The order in which one question asks the servers of its group, and how long it waits for each of them. Pure."""

from collections.abc import Sequence
from typing import Final

from resolver.forward.health import UpstreamServer
from resolver.settings import UpstreamGroup
from zones.clocks import SteadyTime

ROUNDS: Final = 3
"""Most queries to one server over one transport for a question (RFC 9520 §3.1)."""
CROWD: Final = 256
"""Outstanding queries of a server beyond which each is repeated once at most, so as not to delay other clients."""
FIRST: Final = 1.2
"""Most seconds to wait for a server while another one that is up has not been asked."""


class Turns:
    """The turns of one question: all servers in order, in as many rounds as give at least `tries` queries.

    A server is waited for as its round-trip time says, twice as long in each later round. The last turn waits until the
    end. Every server has its turn in time.
    """

    __slots__ = ("_at", "_count", "_race", "_rounds", "_servers", "hedged", "refused", "round", "wait")

    def __init__(self, group: UpstreamGroup, servers: Sequence[UpstreamServer], tries: int) -> None:
        count = len(servers)
        self._servers = servers
        self._count = count
        self._rounds = min(-(-tries // count), ROUNDS) if count else 0
        self._at = 0
        self._race = group.policy == "race"
        self.round = 0
        """The round of this turn, from 0."""
        self.wait = 0.0
        """Seconds until the next turn."""
        self.hedged = False
        """The wait is so short because two servers race."""
        self.refused: tuple[UpstreamServer, ...] = ()
        """Servers that have sent an error. They are not asked again."""

    def next(self, now: SteadyTime, end: SteadyTime) -> UpstreamServer | None:
        """Return the server of the next turn of a question that ends at `end`. None: there is no other turn."""
        count = self._count
        while self._at < count * self._rounds:
            at, self._at = self._at, self._at + 1
            server = self._servers[at % count]
            if server not in self.refused and not (at >= 2 * count and server.outstanding > CROWD):
                self.round, self.hedged = at // count, False
                self.wait = self._patience(server, end - now)
                return server
        return None

    def _patience(self, server: UpstreamServer, left: float) -> float:
        """Return the seconds to wait for a server. `left`: until the end of the question."""
        at, count = self._at, self._count
        if at == count * self._rounds:
            return left
        wait = server.round_trip.wait() * (1 << self.round)
        if at >= count:
            return min(wait, left / 2)
        if not self._servers[at].down:
            if self._race and at == 1:
                self.hedged = True
                return server.round_trip.hedge()
            wait = min(wait, FIRST)
        return min(wait, left / (1 + count - at))
