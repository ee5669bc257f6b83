"""One question asked of one group of servers, as a state machine: events in, one action out.

The driver (`net.upstream`) sends what a `Send` says and reports what came of it: `reply`, `timeout` or `error`. It ends
with a `Message` or a `Failure`, at most `TOTAL` seconds after the start if the driver keeps the deadlines. Pure: time
comes in as `now` (seconds on any steady clock), randomness as a function.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from resolver.cache import Key
from resolver.settings import Server
from resolver.wire import codes, relay
from resolver.wire.relay import Message

TOTAL: Final = 4.8  # seconds; a client gets its answer or SERVFAIL within 5 s, and rendering takes a part of it
TRIES: Final = 3  # at least, however few the servers
_FAILING: Final = frozenset((codes.FORMERR, codes.SERVFAIL, codes.NOTIMP, codes.REFUSED))

Transport = Literal["udp", "tcp"]


class Send(msgspec.Struct, frozen=True):
    """Send `packet` (over TCP: framed by its length) to `server`, and wait for replies until `deadline`."""

    server: Server
    transport: Transport
    packet: bytes
    deadline: float


class Failure(msgspec.Struct, frozen=True):
    """No server gave a reply. `ede` and `text` are for the client's extended error (RFC 8914 §4.23, §4.24)."""

    ede: int
    text: str


class _Turn(msgspec.Struct, frozen=True):
    server: Server
    transport: Transport
    weight: int


Action = Send | Message | Failure


class Exchange:
    """Asks `servers` in order, in as many rounds as make `TRIES`.

    Each turn gets its share of the time that is left, in later rounds a greater one: 1.2, 1.6 and 2.0 s for one
    server, 1.6 s each for three. A turn that fails at once leaves its time to the others.
    """

    def __init__(self, key: Key, servers: Sequence[Server], now: float, random_id: Callable[[], int]) -> None:
        self._key = key
        self._question = relay.question(key.name, key.type)
        self._random_id = random_id
        self._end = now + TOTAL
        rounds = -(-TRIES // len(servers)) if servers else 0
        self._turns = [_Turn(server, server.transport, TRIES + i) for i in range(rounds) for server in servers]
        self._turn: _Turn
        self._id = 0
        self._refusal: Message | None = None
        self._failure = Failure(codes.NO_REACHABLE_AUTHORITY, f"upstream {key.group} has no servers")

    def start(self, now: float) -> Action:
        """Begin: the first action."""
        return self._next(now)

    def reply(self, packet: bytes, now: float) -> Action | None:
        """A packet came from the server and to the port of the present turn. None: it does not match; wait on."""
        try:
            message = relay.parse(packet, self._id, self._question)
        except relay.Mismatch:
            return None
        except relay.Malformed as fault:
            return self._failed(codes.NETWORK_ERROR, f"malformed reply: {fault}", now)
        turn = self._turn
        if message.rcode in _FAILING:
            self._refusal = message
            self._turns = [other for other in self._turns if other.server != turn.server]
            return self._next(now)
        if message.tc and turn.transport == "tcp":
            return self._failed(codes.NETWORK_ERROR, "truncated over TCP", now)
        if message.tc:
            self._turns.insert(0, _Turn(turn.server, "tcp", turn.weight))
            return self._next(now)
        return message

    def timeout(self, now: float) -> Action:
        """The deadline of the present turn has passed."""
        return self._failed(codes.NO_REACHABLE_AUTHORITY, "no reply", now)

    def error(self, reason: str, now: float) -> Action:
        """The present turn cannot go on: refused, closed, unreachable, out of sockets."""
        return self._failed(codes.NETWORK_ERROR, reason, now)

    def _failed(self, ede: int, reason: str, now: float) -> Action:
        server = self._turn.server
        self._failure = Failure(ede, f"{server.address} port {server.port}: {reason}")
        return self._next(now)

    def _next(self, now: float) -> Action:
        """The next turn; after the last one what a server refused with, or else what failed."""
        left = self._end - now
        if not self._turns or left <= 0:
            return self._refusal or self._failure
        share = self._turns[0].weight / sum(turn.weight for turn in self._turns)
        turn = self._turn = self._turns.pop(0)
        self._id = self._random_id()
        key = self._key
        packet = relay.query(self._id, key.name, key.type, rd=True, do=key.do, cd=key.cd, payload=codes.PAYLOAD)
        return Send(turn.server, turn.transport, packet, now + left * share)
