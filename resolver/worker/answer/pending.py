"""A query on its way through upstreams: asked and walked again until there is an answer, or time is up.

Refuses to know packets: what it sends is what the responder makes of an answer or of a failure.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

from resolver.forward.cache import Key, UpstreamFailure
from resolver.wire import codes
from resolver.wire.relay import Message
from resolver.worker.answer.answer_cache import Compiled

if TYPE_CHECKING:
    from resolver.worker.answer.responder import Request, Responder, Timer

PATIENCE: Final = 4.9
"""Seconds from a query to its answer or SERVFAIL, however many servers its aliases lead to."""
IMPATIENCE: Final = 1.8
"""Seconds after which a stale answer is better than none (RFC 8767 §5)."""
_LONGEST_WALK: Final = 24  # upstream questions for one query: 11 hops, each asked again in another group


class Wait:
    """One query that waits."""

    __slots__ = ("asked", "fetched", "impatient", "key", "over", "request", "responder", "timer")

    def __init__(self, responder: "Responder", request: "Request", key: bytes) -> None:
        self.responder = responder
        self.request = request
        self.key = key
        self.fetched: dict[Key, Message | UpstreamFailure] = {}
        self.asked: Key | None = None
        """What is being asked now."""
        self.timer: Timer | None = None
        self.impatient = False
        self.over = False

    def go_on(self) -> None:
        """Walk with what has been fetched so far."""
        responder = self.responder
        result = responder.compiled(self.request, self.fetched, self.key)
        if isinstance(result, Compiled):
            self._end()
            responder.send(result, self.request)
        elif len(self.fetched) >= _LONGEST_WALK:
            self._give_up((codes.NO_REACHABLE_AUTHORITY, "the aliases lead too far"))
        elif responder.loops.closed(result.key, self.request.said.marks, self.request.client):
            responder.counters.add("forward_loops_total", (result.key.group,))
            self._give_up((codes.NO_REACHABLE_AUTHORITY, f"forwarding loop: upstream {result.key.group} asks us again"))
        else:
            self._ask(result.key)

    def _ask(self, key: Key) -> None:
        responder = self.responder
        self.asked = key
        responder.loops.begin(key, self.request.said.marks, self.request.client)
        responder.ask(key, partial(self._arrived, key))
        if self.asked is not key:
            return  # answered at once
        if self.timer is None:
            responder.waiting += 1
            self.timer = responder.later(IMPATIENCE, self._look_back)
        elif self.impatient:
            self._take_stale()

    def _arrived(self, key: Key, reply: Message | UpstreamFailure) -> None:
        if self.over:
            return
        self._asked_no_more()
        self.fetched[key] = reply
        try:
            self.go_on()
        except Exception as error:  # noqa: BLE001 - as in `Responder.take`
            if not self.over:
                self._end()
                self.responder.broken(self.request, error)

    def _look_back(self) -> None:
        """It takes long: what held before will do for this client, while the question goes on."""
        if self.over:
            return
        self.impatient = True
        self.timer = self.responder.later(PATIENCE - IMPATIENCE, self._late)
        self._take_stale()

    def _take_stale(self) -> None:
        if self.asked and self.responder.has_stale(self.asked):
            self._arrived(
                self.asked, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "the upstream servers take too long")
            )

    def _late(self) -> None:
        if not self.over:
            self._give_up((codes.NO_REACHABLE_AUTHORITY, "the upstream servers took too long"))

    def _give_up(self, why: tuple[int, str]) -> None:
        self._end()
        self.responder.fail(self.request, why)

    def _asked_no_more(self) -> None:
        if self.asked is not None:
            self.responder.loops.end(self.asked, self.request.client)
            self.asked = None

    def _end(self) -> None:
        self.over = True
        self._asked_no_more()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.responder.waiting -= 1
