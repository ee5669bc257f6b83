"""How the upstream servers are: how fast they answer, which ones do not, and what each one can stand.

Learnt from the queries that clients cause. A server that does not answer is asked last, and by a probe beside a
client's query once its time has come; nobody waits for it while another answers. Pure: time and randomness are
arguments.
"""

from collections.abc import Callable
from typing import Final

from resolver.settings import Server, UpstreamGroup

FAILURES: Final = 2
"""In a row, after which a server is taken to be down."""
FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 30.0
"""Seconds until a server that is down is probed; twice as long after each probe that fails."""
_PLAIN: Final = 900.0  # seconds for which a server is remembered that fails on EDNS
_GAIN: Final = 0.25  # of a new sample in the smoothed round-trip time
_EXPLORE: Final = 20  # one of so many questions tries another server than the fastest
_UNKNOWN: Final = 0.05  # seconds, for a server that has not been asked
_FAILED: Final = 1.5  # of the round-trip time, for one that has just failed

Dice = Callable[[int], int]
"""A random number below its argument."""


class _State:
    __slots__ = ("cookie", "delay", "down", "failures", "plain", "probe_at", "rtt")

    def __init__(self) -> None:
        self.rtt = _UNKNOWN
        self.failures = 0
        self.down = False
        self.delay = FIRST_RETRY
        self.probe_at = 0.0
        self.plain = 0.0
        self.cookie = b""


class Health:
    """What is known of every server."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._states: dict[Server, _State] = {}
        self._turns: dict[str, int] = {}

    def _of(self, server: Server) -> _State:
        state = self._states.get(server)
        if state is None:
            state = self._states[server] = _State()
        return state

    # -- whom to ask

    def order(self, group: UpstreamGroup) -> list[Server]:
        """The servers of a group, the first to ask first. Being down only changes the order: the likeliest is asked."""
        servers = list(group.servers)
        if group.policy == "round-robin":
            turn = self._turns[group.name] = self._turns.get(group.name, -1) + 1
            turn %= len(servers) or 1
            servers = servers[turn:] + servers[:turn]
        elif group.policy == "fastest":
            servers.sort(key=lambda server: self._of(server).rtt)
            if len(servers) > 1 and not self._dice(_EXPLORE):
                servers.insert(0, servers.pop(1 + self._dice(len(servers) - 1)))
        return sorted(servers, key=self._lateness)

    def _lateness(self, server: Server) -> float:
        """When one that is down is probed; 0 for one that is up."""
        state = self._states.get(server)
        return state.probe_at if state is not None and state.down else 0.0

    def probe(self, group: UpstreamGroup, now: float) -> Server | None:
        """A server that is down and whose time has come to be asked something, once."""
        for server in group.servers:
            state = self._states.get(server)
            if state is not None and state.down and now >= state.probe_at:
                self._put_off(state, now)
                return server
        return None

    def hedge(self, server: Server) -> float:
        """Seconds after which it is worth to ask a second server as well: three times what this one takes."""
        return min(max(3 * self._of(server).rtt, 0.03), 0.3)

    def is_down(self, server: Server) -> bool:
        """It has failed several times in a row."""
        return server in self._states and self._states[server].down

    # -- what came of it

    def answered(self, server: Server, rtt: float) -> None:
        """It has answered, whatever it said, after `rtt` seconds."""
        state = self._of(server)
        state.rtt += _GAIN * (rtt - state.rtt)
        state.failures, state.down, state.delay = 0, False, FIRST_RETRY

    def refused(self, server: Server, now: float) -> None:
        """It has refused or failed what another server then answered."""
        if server.count_errors:
            self.failed(server, now)

    def failed(self, server: Server, now: float) -> None:
        """It has not answered, or cannot be reached. A reply that is malformed or forged is not its failure."""
        state = self._of(server)
        state.failures += 1
        state.rtt = min(state.rtt * _FAILED, 5.0)
        if not state.down and state.failures >= FAILURES:
            state.down = True
            self._put_off(state, now)

    def _put_off(self, state: _State, now: float) -> None:
        """The next probe, between three quarters and five quarters of the delay from now."""
        state.probe_at = now + state.delay * (0.75 + self._dice(501) / 1000)
        state.delay = min(state.delay * 2, LAST_RETRY)

    # -- what it can stand

    def is_plain(self, server: Server, now: float) -> bool:
        """It fails on EDNS (RFC 6891 §6.2.2)."""
        state = self._states.get(server)
        return state is not None and now < state.plain

    def learn_plain(self, server: Server, now: float) -> None:
        """It has answered without EDNS what it refused with it; after a while that is tried again."""
        self._of(server).plain = now + _PLAIN

    def cookie(self, server: Server) -> bytes:
        """The cookie for a query to it: ours, which is another one for each server, and its own (RFC 7873 §5.1)."""
        state = self._of(server)
        if not state.cookie:
            state.cookie = bytes(self._dice(256) for _ in range(8))
        return state.cookie

    def is_ours(self, server: Server, cookie: bytes) -> bool:
        """A cookie in a reply begins with the one that only this server has got from us (RFC 7873 §5.3)."""
        return cookie[:8] == self.cookie(server)[:8]

    def has_cookie(self, server: Server) -> bool:
        """It gives cookies: a reply without one may be somebody else's."""
        state = self._states.get(server)
        return state is not None and len(state.cookie) > 8

    def learn_cookie(self, server: Server, cookie: bytes) -> None:
        """It has sent a cookie after ours; one that only repeats ours is none."""
        if 16 <= len(cookie) <= 40:
            self._of(server).cookie = cookie

    def forget_cookie(self, server: Server) -> None:
        """It gives none any more."""
        state = self._of(server)
        state.cookie = state.cookie[:8]
