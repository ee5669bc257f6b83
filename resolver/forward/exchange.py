"""One question asked of one group of servers, as a state machine that answers each event with the next action.

The driver (`client.forwarder`) sends the `Try` that it gets, and reports what happens: `reply`, `timeout` or `error`.
Earlier tries stay open, so that a late reply is still used. The exchange ends with a `Message` or an `UpstreamFailure`,
at most `group.timeout` seconds after its start if the driver keeps the deadlines. Pure: time comes in as `now` (seconds
on any steady clock), randomness as a function.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

import msgspec

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.edns_lessons import Edns
from resolver.forward.health import Dice, UpstreamServer
from resolver.forward.tries import Asker, Try
from resolver.forward.turns import ROUNDS, Turns
from resolver.settings import Transport, UpstreamGroup
from resolver.wire import codes, relay
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.wire.relay import Message
from zones.clocks import SteadyTime
from zones.dns import record

_NO_EDNS: Final = frozenset((codes.FORMERR, codes.NOTIMP, codes.BADVERS))
"""Rcodes of servers that do not support EDNS (RFC 6891 §7)."""


class Listen(Enum):
    """The action where there is nothing to send and no result."""

    ON = "wait for replies until the deadline"
    MISMATCH = "the packet is not a reply to the query; go on as before"


_ON: Final = Listen.ON  # an attribute of an enumeration takes long to read
_FULL: Final = Edns.FULL


class Driver:
    """Takes what happens to an exchange: from the carriers of its tries, and at its deadline. Abstract."""

    __slots__ = ()

    def received(self, exchange: "Exchange", query: Try, packet: bytes) -> None:
        """Take a packet with the id of a query."""
        raise NotImplementedError  # a compiled class cannot have the metaclass of `abc`

    def failed(self, exchange: "Exchange", query: Try, error: OSError | EOFError) -> None:
        """Take an error of the socket or connection of a query."""
        raise NotImplementedError

    def sent(self, exchange: "Exchange", query: Try) -> None:
        """Take note that a query has left a queue."""
        raise NotImplementedError

    def overdue(self, exchange: "Exchange", now: SteadyTime) -> None:
        """Take the end of the deadline."""
        raise NotImplementedError


Action = Try | Reply | UpstreamFailure | Listen
Done = Callable[[Key, Reply | UpstreamFailure], None]
"""Takes the result of a question."""


class Exchange(Asker):
    """A question and its tries. `tries`: the least number of them, instead of the group's."""

    __slots__ = (
        "_again", "_asked", "_current", "_dice", "_failure", "_group", "_mark", "_question", "_refusal", "_turns",
        "client", "deadline", "driver", "end", "first", "hedging", "key", "open", "over", "source", "waiters",
    )  # fmt: skip

    def __init__(
        self,
        key: Key,
        group: UpstreamGroup,
        servers: Sequence[UpstreamServer],
        now: SteadyTime,
        dice: Dice,
        driver: Driver,
        mark: bytes = b"",
        tries: int = 0,
    ) -> None:
        self.tick = 0
        self.key = key
        self.driver = driver
        self.deadline = self.end = SteadyTime(now + group.timeout)
        """`deadline` is the time at which the driver calls `timeout`."""
        self.first = servers[0].uri if servers else ""
        """The server that is asked first."""
        self.open: list[Try] = []
        """Tries whose reply is still wanted."""
        self.hedging = False
        """At `deadline` the second server of a race is asked as well."""
        self.over = False
        """The driver has passed on the result."""
        self.waiters: list[Done] = []
        """Those who wait for the result. A probe has none."""
        self.client = b""
        """The client that asked first."""
        self.source = group.source
        """Address to send from. Empty: the system chooses."""
        self._question = _question(key)
        self._group = group
        self._turns = Turns(group, servers, tries or group.tries)
        self._dice = dice
        self._mark = mark if group.mark else b""
        self._current: Try | None = None
        self._again: Try | None = None
        """The next try, whatever the order is: the same server is asked in another form."""
        self._asked: list[Try] = []
        self._refusal: Message | None = None
        self._failure: UpstreamFailure | None = None
        """Why the last try failed."""

    def start(self, now: SteadyTime) -> Action:
        """Return the first action."""
        return self._next(now)

    def close(self) -> None:
        """Stop waiting for all replies. Let go of the tries: they refer to this exchange."""
        for query in self.open:
            query.uncount()
            query.stop()
        self.open, self._asked = [], []
        self._current = self._again = None

    # -- events of carriers and of the queue of deadlines, for the driver

    def received(self, query: Try, packet: bytes) -> None:
        """Take a packet with the id of a query."""
        self.driver.received(self, query, packet)

    def lost(self, query: Try, error: OSError | EOFError) -> None:
        """Take an error of the socket or connection of a query."""
        self.driver.failed(self, query, error)

    def queue_left(self, query: Try) -> None:
        """Take note that a query has left a queue."""
        self.driver.sent(self, query)

    def overdue(self, now: SteadyTime) -> None:
        """Take the end of the deadline."""
        self.driver.overdue(self, now)

    # -- what follows an event

    def sent(self, query: Try, now: SteadyTime) -> None:
        """Take note that a query has left a queue. Its time begins now."""
        query.sent = now
        if query is self._current:
            self.deadline = SteadyTime(min(now + query.wait, self.end))

    def timeout(self, now: SteadyTime) -> Action:
        """Take the end of `deadline`: ask the next server, and go on listening."""
        query = self._current
        if self.hedging:
            self.hedging = False
        elif query is not None and query in self.open:
            self._late(query, now)
        return self._next(now)

    def error(self, query: Try, reason: str, now: SteadyTime, *, local: bool = False) -> Action:
        """Take an error of a query: refused, closed, unreachable. `local`: not a failure of the server."""
        if query not in self.open:
            return Listen.ON
        if not local:
            query.server.failed(now if query.sent is None else query.sent, now, reason)
        return self._without(query, codes.NETWORK_ERROR, reason, now, answered=False, lasting=not local)

    def reply(self, query: Try, packet: bytes, now: SteadyTime) -> Action:
        """Take a packet from the server of `query` with its id."""
        udp = query.transport == "udp"
        try:
            message = query.read(packet)
        except relay.Mismatch:
            return Listen.MISMATCH if udp else self.error(query, "the reply does not match the query", now)
        except relay.MalformedReply as fault:
            if udp:
                return self._over_tcp(query, now)
            return self._without(query, codes.NETWORK_ERROR, f"malformed reply: {fault}", now)
        useful, tc = True, False
        if not isinstance(message, PlainReply):
            tc = message.tc
            useful = tc or message.rcode in codes.ANSWERS
        if useful and query.sent is not None:
            query.server.answered(query.sent, now)
        if query.cookie and not self._is_proven(query, message.cookie, now, tc):
            return self._over_tcp(query, now)
        if not isinstance(message, PlainReply) and (action := self._useless(message, query, now)):
            return action
        return self._taken(message, query, now)

    # -- replies that match

    def _is_proven(self, query: Try, found: bytes, now: SteadyTime, tc: bool) -> bool:
        """Return whether the cookie in a reply is as expected, or the reply came over TCP (RFC 7873 §5.3)."""
        cookie = query.server.cookie
        if found:
            if found[:8] == query.cookie[:8]:
                cookie.learn(found)
                return True
            query.server.pause_cookies(now)
        elif tc or not cookie.known:
            return True
        elif query.transport != "udp":
            cookie.forget()
        return query.transport != "udp"

    def _useless(self, message: Message, query: Try, now: SteadyTime) -> Action | None:
        """Return what follows a reply that is no answer; None for an answer."""
        if again := self._another_form(message, query, now):
            return self._replace(query, again, now)
        if message.rcode not in codes.ANSWERS or _refers(message):
            return self._refused(message, query, now)
        if message.tc and query.transport != "udp":
            return self._without(query, codes.NETWORK_ERROR, f"truncated over {query.transport.upper()}", now)
        return self._over_tcp(query, now) if message.tc else None

    def _taken(self, message: Reply, query: Try, now: SteadyTime) -> Reply:
        """Take an answer."""
        if query.edns is not _FULL and self._group.edns == "auto":
            query.server.learn_edns(self.key.name, query.edns, now)
        for refuser in self._turns.refused:
            refuser.refused(now)
        self._finish(query)
        if message.cookie and not isinstance(message, PlainReply):
            return msgspec.structs.replace(message, cookie=b"")
        return message

    def _another_form(self, message: Message, query: Try, now: SteadyTime) -> Try | None:
        """Return the query that asks the server again: with less EDNS, or with its new cookie, and at last over TCP.

        A question with DO keeps it as long as the server may support EDNS without options.
        """
        server, transport = query.server, query.transport
        if message.rcode in _NO_EDNS and query.edns is not Edns.NONE:
            less = Edns.BARE if self.key.do and query.edns is Edns.FULL else Edns.NONE
            return self._try(server, transport, less, query.wait, now)
        if message.rcode == codes.BADCOOKIE and transport == "udp":
            again = self._try(server, "tcp" if query.badcookie else "udp", query.edns, query.wait, now)
            if again is not None:
                again.badcookie = True
            return again
        return None

    def _refused(self, message: Message, query: Try, now: SteadyTime) -> Action:
        """Take an error or a referral: the server is not asked this question again."""
        self._turns.refused += (query.server,)
        for other in [other for other in self.open if other.server is query.server and other is not query]:
            self._stop(other)
        if message.rcode in codes.ANSWERS:
            return self._without(query, codes.NO_REACHABLE_AUTHORITY, "the reply is a referral", now)
        self._refusal = message
        return self._without(query, codes.NO_REACHABLE_AUTHORITY, codes.rcode_text(message.rcode), now)

    def _over_tcp(self, query: Try, now: SteadyTime) -> Action:
        """Ask the same server over TCP, where a forger cannot answer and replies are not truncated."""
        return self._replace(query, self._try(query.server, "tcp", query.edns, query.wait, now), now)

    # -- the order of tries

    def _replace(self, query: Try, again: Try | None, now: SteadyTime) -> Action:
        """Send another form of an answered query in its place."""
        self._finish(query)
        self._again = again
        return self._next(now)

    def _without(
        self, query: Try, ede: int, reason: str, now: SteadyTime, *, answered: bool = True, lasting: bool = True
    ) -> Action:
        """Go on without a query that has failed. Only the latest one is replaced by the next try."""
        self._note(query, ede, reason, lasting=lasting)
        if answered:
            self._finish(query)
        else:
            self._stop(query)
        return self._next(now) if query is self._current or not self.open else Listen.ON

    def _next(self, now: SteadyTime) -> Action:
        """Send the next try, or listen until the end. After that: the error reply of a server, or else the failure."""
        self.hedging = False
        if now < self.end:
            query, self._again = self._again or self._following(now), None
            if query is not None:
                self._current = query
                self._asked.append(query)
                self.open.append(query)
                query.counted = True
                query.server.outstanding += 1
                self.deadline = SteadyTime(min(now + query.wait, self.end))
                return query
            if self.open:
                self.deadline = self.end
                return _ON
        for query in self.open:
            self._late(query, now)
            query.uncount()
        return self._refusal or self._failure or self._without_servers()

    def _following(self, now: SteadyTime) -> Try | None:
        """Return the try of the next turn; None after the last."""
        turns = self._turns
        while True:
            server = turns.next(now, self.end)
            if server is None:
                return None
            query = self._try(server, server.server.transport, self._edns(server, now), turns.wait, now)
            if query is not None:
                self.hedging = turns.hedged
                return query

    def _edns(self, server: UpstreamServer, now: SteadyTime) -> Edns:
        """Return how a try is made. The second one goes without options: some firewalls drop queries that have them."""
        if self._group.edns == "off":
            return Edns.NONE
        edns = server.lessons.of(self.key.name, now)
        if self._turns.round == 1 and edns is _FULL and server.server.transport == "udp" and not server.cookie.known:
            return Edns.BARE
        return edns

    def _try(
        self, server: UpstreamServer, transport: Transport, edns: Edns, wait: float, now: SteadyTime
    ) -> Try | None:
        """Return a query to a server. None: it has been asked this question often enough (RFC 9520 §3.1)."""
        if (
            len(self._asked) >= ROUNDS
            and sum([each.server is server and each.transport == transport for each in self._asked]) >= ROUNDS
        ):
            return None
        query = Try(self, server, transport, edns, wait, now)
        query.ask(self._question, self.key, self._group, self._mark, self._dice)
        return query

    def _finish(self, query: Try) -> None:
        """Close a query that has its reply."""
        if query in self.open:
            self.open.remove(query)
            query.uncount()
        query.finish()

    def _stop(self, query: Try) -> None:
        """Close a query without a reply."""
        if query in self.open:
            self.open.remove(query)
            query.uncount()
        query.stop()

    def _late(self, query: Try, now: SteadyTime) -> None:
        """Take note of a query without a reply, once. A query that still waits in a queue is no failure.

        However often the server was asked, one question counts as one failure: it may only be slow.
        """
        if query.sent is not None and not query.late:
            if not any(each.late and each.server is query.server for each in self.open):
                query.server.failed(query.sent, now, "no reply")
            query.late = True
            self._note(query, codes.NO_REACHABLE_AUTHORITY, "no reply")
            if query.carrier is not None:
                query.carrier.timed_out(query)

    def _note(self, query: Try, ede: int, reason: str, *, lasting: bool = True) -> None:
        server = query.server.server
        self._failure = UpstreamFailure(ede, f"{server.address} port {server.port}: {reason}", lasting)

    def _without_servers(self) -> UpstreamFailure:
        return UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"upstream {self.key.group} has no servers")


_KINDS: Final[dict[int, bytes]] = {}
"""Type and class of a question as octets, by type."""


def _question(key: Key) -> bytes:
    """Return the octets of a question."""
    kind = _KINDS.get(key.type)
    if kind is None:
        kind = _KINDS[key.type] = relay.question(b"", key.type)
    return key.name + kind


def _refers(message: Message) -> bool:
    """Return whether the message is a referral (RFC 2308 §2.2), which a resolver does not send."""
    if message.rcode != codes.NOERROR or message.aa or message.answer:
        return False
    types = {rrset.type for rrset in message.authority}
    return record.NS in types and record.SOA not in types
