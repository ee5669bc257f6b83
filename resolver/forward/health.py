"""The state of upstream servers: round-trip times, servers that are down, cookies, and what names taught about EDNS.

All of it is learned from the queries of clients. A server that is down is asked last. From time to time a client's
query is also sent to it as a probe; no client waits for a probe. Pure: time and randomness are arguments.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from resolver.forward.edns_lessons import Edns, EdnsLessons
from resolver.forward.round_trip import RoundTrip, summed
from resolver.forward.routing import PUBLIC
from resolver.forward.server_cookie import PAUSE, CookieState, ServerCookie
from resolver.host_port import bracketed
from resolver.settings import Server, UpstreamGroup
from zones.clocks import SteadyTime
from zones.dns.name import Name, to_text

FAILURES: Final = 2
"""Failures in a row after which a server is down."""
FIRST_RETRY: Final = 1.0
"""Seconds until a server that is down is probed for the first time."""
LAST_RETRY: Final = 30.0
"""Longest time in seconds until a server that is down is probed. The time doubles after each failed probe."""
_EXPLORE: Final = 20  # one of this many questions goes to another server than the fastest

_log = logging.getLogger(__name__)

Dice = Callable[[int], int]
"""Returns a random number from 0 to its argument - 1."""


class UpstreamServer:
    """The state of one server."""

    __slots__ = (
        "_answered",
        "_delay",
        "_dice",
        "_failures",
        "cookie",
        "down",
        "down_at",
        "failed_at",
        "failure",
        "lessons",
        "outstanding",
        "probe_at",
        "round_trip",
        "server",
        "uri",
    )

    def __init__(self, server: Server, dice: Dice) -> None:
        self.server = server
        self.uri = f"{server.transport}://{bracketed(server.address)}:{server.port}"
        """The server as in the configuration, without its certificate name."""
        self.round_trip = RoundTrip()
        self.cookie = ServerCookie()
        self.lessons = EdnsLessons()
        self.outstanding = 0
        """Number of queries that wait for a reply."""
        self.down = False
        """The last queries have failed."""
        self.probe_at = SteadyTime(0.0)
        """Time of the next probe of a server that is down."""
        self.failure = ""
        """The reason for the last failure, for people; empty without a failure since the start."""
        self.failed_at = SteadyTime(0.0)
        """Time of the last failure."""
        self.down_at = SteadyTime(0.0)
        """Time since which a server that is down is down."""
        self._dice = dice
        self._failures = 0
        self._delay = FIRST_RETRY
        self._answered = SteadyTime(float("-inf"))

    def answered(self, sent: SteadyTime, now: SteadyTime) -> None:
        """Record a reply, of any content, to a query that was sent at `sent`."""
        self.round_trip.add(now - sent)
        if self.down:
            _log.debug("upstream server %s is up again", self)
        self._failures, self.down, self._delay, self._answered = 0, False, FIRST_RETRY, now

    def refused(self, now: SteadyTime) -> None:
        """Record an error reply to a question that another server then answered."""
        if self.server.count_errors:
            self.failed(now, now, "error reply")

    def failed(self, sent: SteadyTime, now: SteadyTime, reason: str) -> None:
        """Record no reply to a query that was sent at `sent`, or a server that cannot be reached.

        A server that has answered another query since then is well: only that name has no answer. Malformed and forged
        replies are not failures.
        """
        if self._answered > sent:
            return
        self._failures += 1
        self.round_trip.fail()
        self.failure, self.failed_at = reason, now
        if not self.down and self._failures >= FAILURES:
            self.down, self.down_at = True, now
            self.put_off(now)
            _log.debug("upstream server %s is down: %d queries in a row failed", self, self._failures)

    def learn_edns(self, name: Name, edns: Edns, now: SteadyTime) -> None:
        """Record that `name` was answered with `edns` and not with more."""
        first = not self.lessons
        if self.lessons.learn(name, edns, now) and first:
            how = "without EDNS" if edns is Edns.NONE else "without EDNS options"
            _log.info(
                "upstream server %s answers %s only %s; /v1/upstreams counts such names", self, to_text(name), how
            )

    def pause_cookies(self, now: SteadyTime) -> None:
        """Record that a cookie came back wrong."""
        if not self.cookie.paused(now):
            _log.warning("upstream server %s sent a wrong cookie and gets none for %d s", self, PAUSE)
        self.cookie.pause(now)

    def __str__(self) -> str:
        return self.uri

    def put_off(self, now: SteadyTime) -> None:
        """Schedule the next probe after 0.75 to 1.25 times the delay, and double the delay."""
        self.probe_at = SteadyTime(now + self._delay * (0.75 + self._dice(501) / 1000))
        self._delay = min(self._delay * 2, LAST_RETRY)


class ServerReport(NamedTuple):
    """What is known of a server."""

    group: str
    server: str
    up: bool
    round_trip: float
    """Seconds, smoothed; 0 before the first answer."""
    answers: int
    outstanding: int
    cookie: CookieState
    plain: int
    """Number of names that are asked without EDNS, or without its options."""
    failures: int = 0
    """Number of queries that failed since the start."""
    failure: str = ""
    """The reason for the last failure; empty without one."""
    failure_age: float = 0.0
    """Seconds since the last failure."""
    down_for: float | None = None
    """Seconds for which the server has been down; None while it is up."""
    probe_in: float | None = None
    """Seconds until the next probe of a server that is down; None while it is up."""


class LatencyReport(NamedTuple):
    """The round-trip times of one server of one group, counted by length, and the queries that failed."""

    group: str
    server: str
    counts: tuple[int, ...]
    """Number of answers by `round_trip.BOUNDS`, longer ones at the end."""
    total: float
    """Sum of the times, in seconds."""
    failures: int
    """Queries without a reply, and queries that could not be sent."""


class Health:
    """The states of all servers, and the order in which a question asks them.

    A server that is in two groups has two states: each group has its own source address, cookies and use of EDNS.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._servers: dict[tuple[str, Server], UpstreamServer] = {}
        self._gone: dict[tuple[str, str], RoundTrip] = {}
        """By group and server, the round-trip times of servers that the group had earlier."""
        self._groups: dict[str, list[UpstreamServer]] = {}
        self._turns: dict[str, int] = {}

    def of(self, server: Server, group: str = PUBLIC) -> UpstreamServer:
        """Return the state of a server of a group."""
        state = self._servers.get((group, server))
        if state is None:
            state = self._servers[group, server] = UpstreamServer(server, self._dice)
        return state

    def replace(self, groups: Iterable[UpstreamGroup]) -> None:
        """Note that these are the groups now. Servers that no group has are forgotten."""
        there = {(group.name, server) for group in groups for server in group.servers}
        for group, server in self._servers.keys() - there:
            state = self._servers.pop((group, server))
            name = group, str(state)
            self._gone[name] = summed([state.round_trip, *([self._gone[name]] if name in self._gone else [])])
        self._groups.clear()
        self._turns.clear()

    def _of_group(self, group: UpstreamGroup) -> list[UpstreamServer]:
        """Return the servers of a group as configured."""
        found = self._groups.get(group.name)
        if found is None:
            found = self._groups[group.name] = [self.of(server, group.name) for server in group.servers]
        return found

    def order(self, group: UpstreamGroup) -> list[UpstreamServer]:
        """Return the servers of a group in the order to ask them. Servers that are down are last, not left out."""
        servers = self._of_group(group)
        if group.policy == "round-robin":
            turn = self._turns[group.name] = self._turns.get(group.name, -1) + 1
            turn %= len(servers) or 1
            servers = servers[turn:] + servers[:turn]
        elif group.policy == "fastest":
            servers = sorted(servers, key=_cost)
            if len(servers) > 1 and not self._dice(_EXPLORE):
                servers.insert(0, servers.pop(1 + self._dice(len(servers) - 1)))
        for server in servers:
            if server.down:
                return sorted(servers, key=_lateness)
        return servers

    def upcoming(self, group: UpstreamGroup) -> list[UpstreamServer]:
        """Return the order in which the next question asks the servers of a group. Takes no turn.

        One of `_EXPLORE` questions to a group with the policy `fastest` begins with another server.
        """
        servers = self._of_group(group)
        if group.policy == "round-robin":
            turn = (self._turns.get(group.name, -1) + 1) % (len(servers) or 1)
            servers = servers[turn:] + servers[:turn]
        elif group.policy == "fastest":
            servers = sorted(servers, key=_cost)
        return sorted(servers, key=_lateness)

    def report(self, groups: Iterable[UpstreamGroup], now: SteadyTime) -> Iterator[ServerReport]:
        """Yield what is known of the servers of these groups."""
        for group in groups:
            for each in self._of_group(group):
                trip = each.round_trip
                yield ServerReport(
                    group.name, str(each), not each.down, trip.smoothed if trip.samples else 0.0, trip.samples,
                    each.outstanding, each.cookie.state(now), len(each.lessons), trip.failures, each.failure,
                    now - each.failed_at if each.failure else 0.0, now - each.down_at if each.down else None,
                    max(each.probe_at - now, 0.0) if each.down else None,
                )  # fmt: skip

    def latencies(self, groups: Iterable[UpstreamGroup]) -> Iterator[LatencyReport]:
        """Yield the round-trip times of the servers of these groups since the start."""
        for group in groups:
            trips: dict[str, list[RoundTrip]] = {}
            for each in self._of_group(group):
                trips.setdefault(str(each), []).append(each.round_trip)
            for server, own in trips.items():
                before = self._gone.get((group.name, server))
                found = summed([*own, before] if before else own)
                yield LatencyReport(group.name, server, tuple(found.counts), found.total, found.failures)

    def probe(self, group: UpstreamGroup, now: SteadyTime) -> UpstreamServer | None:
        """Return a server of the group that is due for a probe, and schedule its next one. None: no server is due."""
        for server in self._of_group(group):
            if server.down and now >= server.probe_at:
                server.put_off(now)
                return server
        return None


def _cost(server: UpstreamServer) -> float:
    """Return the seconds by which servers are compared."""
    return server.round_trip.cost()


def _lateness(server: UpstreamServer) -> float:
    """Return when a server that is down is to be probed; 0 for one that is up."""
    return server.probe_at if server.down else 0.0
