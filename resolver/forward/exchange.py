"""One question asked of one group of servers, as a state machine that answers each event with the next action.

The driver (`client.forwarder`) sends what a `Send` says and reports the result: `reply`, `timeout` or `error`. The
exchange ends with a `Message` or an `UpstreamFailure`, at most `TOTAL` seconds after its start if the driver keeps the
deadlines. Pure: time comes in as `now` (seconds on any steady clock), randomness as a function.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.health import Dice, Health
from resolver.settings import Server, Transport
from resolver.wire import codes, relay, render
from resolver.wire.relay import Message
from zones.clocks import SteadyTime
from zones.dns import record

TOTAL: Final = 4.8
"""Seconds. The client must have an answer or SERVFAIL within 5 s, and rendering takes a part of that."""
TRIES: Final = 3
"""Least number of queries for a question, and the most to one server over one transport (RFC 9520 §3.1)."""
_BLOCK: Final = 128  # octets; the length of an encrypted query is a multiple of this (RFC 8467 §4.1)
_OPT: Final = 11  # octets of an OPT record without options
_OPTION: Final = 4  # octets of an option without data
_NO_EDNS: Final = frozenset((codes.FORMERR, codes.NOTIMP, codes.BADVERS))
"""Rcodes of servers that do not support EDNS (RFC 6891 §7)."""


class Send(msgspec.Struct, frozen=True):
    """Send `packet` to `server` and wait for replies until `deadline`. Streams put the length before the packet."""

    server: Server
    transport: Transport
    packet: bytes
    deadline: SteadyTime


class _Turn(msgspec.Struct, frozen=True):
    """A query to send. A later turn has more `weight`: a greater share of the time that is left."""

    server: Server
    transport: Transport
    weight: int
    edns: bool = True
    last: bool = False
    """The server has already been asked a second time because of BADCOOKIE."""


Action = Send | Message | UpstreamFailure


class Exchange:
    """Asks `servers` in order, in as many rounds as give at least `tries` queries.

    Each turn waits for a share of the time that is left; the share is greater in later rounds. One server waits 1.2,
    1.6 and 2.0 s; three servers wait 1.6 s each. When a turn fails at once, the others have its time.
    """

    def __init__(
        self,
        key: Key,
        servers: Sequence[Server],
        now: SteadyTime,
        dice: Dice,
        health: Health,
        *,
        mixed_case: bool = False,
        mark: bytes = b"",
        tries: int = TRIES,
    ) -> None:
        self._key = key
        self._question = relay.question(key.name, key.type)
        self._sent = self._question
        self._dice = dice
        self._health = health
        self._mixed_case = mixed_case
        self._mark = mark
        self._begun = now
        self._end = now + TOTAL
        rounds = -(-tries // len(servers)) if servers else 0
        self._turns = [_Turn(server, server.transport, TRIES + i) for i in range(rounds) for server in servers]
        self._turn: _Turn
        self._id = 0
        self._refusal: Message | None = None
        self._refusers: list[Server] = []
        self._failure = UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"upstream {key.group} has no servers")

    def start(self, now: SteadyTime) -> Action:
        """Return the first action."""
        return self._next(now)

    def reply(self, packet: bytes, now: SteadyTime) -> Action | None:
        """Take a packet from the server of the current turn. None: it does not match the query; keep waiting."""
        if self._mixed_case and packet[4:6] == b"\0\1" and packet[12 : 12 + len(self._sent)] != self._sent:
            return None
        turn = self._turn
        try:
            message = relay.parse(packet, self._id, self._question)
        except relay.Mismatch:
            return None
        except relay.MalformedReply as fault:
            if turn.transport == "udp":
                return self._over_tcp(turn, now)
            return self._failed(codes.NETWORK_ERROR, f"malformed reply: {fault}", now)
        if turn.edns and turn.server.transport == "udp":
            if message.cookie and not self._health.is_ours(turn.server, message.cookie):
                return None  # forged (RFC 7873 §5.3)
            if not (message.cookie or message.tc) and self._health.has_cookie(turn.server):
                if turn.transport == "udp":
                    return self._over_tcp(turn, now)
                self._health.forget_cookie(turn.server)
        return self._read(message, turn, now)

    def _over_tcp(self, turn: _Turn, now: SteadyTime) -> Action:
        """Ask the same server over TCP, where a forger cannot answer and replies are not truncated."""
        self._turns.insert(0, _Turn(turn.server, "tcp", turn.weight, turn.edns))
        return self._next(now)

    def _read(self, message: Message, turn: _Turn, now: SteadyTime) -> Action:
        server = turn.server
        if message.cookie:
            self._health.learn_cookie(server, message.cookie)
        if again := self._again(message, turn):
            self._turns.insert(0, again)
            return self._next(now)
        if message.rcode not in codes.ANSWERS or _refers(message):
            self._refusers.append(server)
            self._turns = [other for other in self._turns if other.server != server]
            if message.rcode in codes.ANSWERS:
                return self._failed(codes.NO_REACHABLE_AUTHORITY, "the reply is a referral", now)
            self._refusal = message
            return self._next(now)
        self._health.answered(server, now - self._begun)
        if message.tc and turn.transport != "udp":
            return self._failed(codes.NETWORK_ERROR, f"truncated over {turn.transport.upper()}", now)
        if message.tc:
            return self._over_tcp(turn, now)
        if not (turn.edns or self._health.is_plain(server, now)):
            self._health.learn_plain(server, now)
        for refuser in self._refusers:
            self._health.refused(refuser, now)
        return msgspec.structs.replace(message, cookie=b"") if message.cookie else message

    @staticmethod
    def _again(message: Message, turn: _Turn) -> _Turn | None:
        """Return the turn that asks the server again: without EDNS, or with its new cookie, and at last over TCP."""
        if message.rcode in _NO_EDNS and turn.edns:
            return _Turn(turn.server, turn.transport, turn.weight, edns=False)
        if message.rcode == codes.BADCOOKIE and turn.transport == "udp":
            return _Turn(turn.server, "tcp" if turn.last else "udp", turn.weight, last=True)
        return None

    def timeout(self, now: SteadyTime) -> Action:
        """Take the end of the current turn's deadline."""
        self._health.failed(self._turn.server, now)
        return self._failed(codes.NO_REACHABLE_AUTHORITY, "no reply", now)

    def error(self, reason: str, now: SteadyTime, *, local: bool = False) -> Action:
        """Take an error of the current turn: refused, closed, unreachable. `local`: not a failure of the server."""
        if not local:
            self._health.failed(self._turn.server, now)
        return self._failed(codes.NETWORK_ERROR, reason, now, lasting=not local)

    def _failed(self, ede: int, reason: str, now: SteadyTime, *, lasting: bool = True) -> Action:
        server = self._turn.server
        self._failure = UpstreamFailure(ede, f"{server.address} port {server.port}: {reason}", lasting)
        return self._next(now)

    def _next(self, now: SteadyTime) -> Action:
        """Return the next turn's action. After the last turn: the error reply of a server, or else the failure."""
        left = self._end - now
        if not self._turns or left <= 0:
            return self._refusal or self._failure
        share = self._turns[0].weight / sum(turn.weight for turn in self._turns)
        turn = self._turns.pop(0)
        if turn.edns and self._health.is_plain(turn.server, now):
            turn = _Turn(turn.server, turn.transport, turn.weight, edns=False)
        self._turn, self._begun = turn, now
        self._id = self._dice(0x10000)
        return Send(turn.server, turn.transport, self._packet(turn), SteadyTime(now + left * share))

    def _packet(self, turn: _Turn) -> bytes:
        key = self._key
        options = render.option(codes.OPTION_LOOP, self._mark) if self._mark else b""
        if turn.server.transport == "udp":
            options += render.option(codes.OPTION_COOKIE, self._health.cookie(turn.server))
        elif turn.transport in {"tls", "https"}:
            size = codes.HEADER_SIZE + len(self._question) + _OPT + len(options) + _OPTION
            options += render.option(codes.OPTION_PADDING, bytes(-size % _BLOCK))
        packet = relay.query(self._id, key.name, key.type, do=key.do, cd=key.cd, options=options, edns=turn.edns)
        if self._mixed_case:
            end = codes.HEADER_SIZE + len(self._question)
            mixed = bytes(octet ^ 0x20 if 0x61 <= octet <= 0x7A and self._dice(2) else octet for octet in key.name)
            packet = packet[: codes.HEADER_SIZE] + mixed + packet[codes.HEADER_SIZE + len(mixed) :]
            self._sent = packet[codes.HEADER_SIZE : end]
        return packet


def _refers(message: Message) -> bool:
    """Return whether the message is a referral (RFC 2308 §2.2), which a resolver does not send."""
    if message.rcode != codes.NOERROR or message.aa or message.answer:
        return False
    types = {rrset.type for rrset in message.authority}
    return record.NS in types and record.SOA not in types
