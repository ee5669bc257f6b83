"""A query that waits for upstreams: asked and resolved again until there is an answer or its time is up.

Owns how long a query waits and how many questions it may cause. Does not know packets: the responder sends the reply.
"""

from typing import Final

from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.deadlines import Waiting
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply
from resolver.wire.relay import Message
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.client_query import ClientQuery
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.fetcher import Fetcher, Result
from resolver.worker.answer.patience import Patience
from resolver.worker.answer.walk import Fetched, UpstreamQuestion
from zones.clocks import SteadyTime

PATIENCE: Final = 4.9
"""Seconds from a query to its answer or SERVFAIL, however many servers its aliases lead to."""
IMPATIENCE: Final = 1.8
"""Seconds after which a stale answer is better than none (RFC 8767 §5)."""
_MOST_QUESTIONS: Final = 24  # upstream questions for one query: 11 hops, each asked again in another group


class Answering:
    """What a pending query needs of the responder. Abstract."""

    pending: int
    """Number of queries that wait for an upstream."""
    patience: Patience
    fetcher: Fetcher
    answers: AnswerCache

    def resolve(self, request: ClientQuery, fetched: Fetched) -> Compiled | UpstreamQuestion:
        """Return the answer as far as upstreams have replied, or the question that an upstream must answer first."""
        raise NotImplementedError  # a compiled class cannot have the metaclass of `abc`

    def relayed(
        self, request: ClientQuery, question: UpstreamQuestion, reply: PlainReply, changes: int
    ) -> Compiled | None:
        """Return the answer that is only the addresses in `reply`; None if it may be another one."""
        raise NotImplementedError

    def send(self, answer: Compiled, request: ClientQuery) -> None:
        """Send an answer."""
        raise NotImplementedError

    def fail(self, request: ClientQuery, ede: tuple[int, str]) -> None:
        """Send SERVFAIL with a reason."""
        raise NotImplementedError

    def broken(self, request: ClientQuery, error: Exception) -> None:
        """Send SERVFAIL because of a bug."""
        raise NotImplementedError


class Pending(Waiting):
    """One query that waits."""

    __slots__ = ("_changes", "_fetched", "_impatient", "_over", "_question", "_request", "_responder", "_waits")

    def __init__(self, responder: Answering, request: ClientQuery) -> None:
        self.tick = 0
        self._responder = responder
        self._request = request
        request.forwarded = True
        self._changes = responder.answers.changes
        self._fetched: dict[Key, Message | UpstreamFailure] = {}
        self._question: UpstreamQuestion | None = None
        """The question that an upstream is being asked."""
        self._waits = False
        self._impatient = False
        self._over = False

    def ask(self, question: UpstreamQuestion) -> None:
        """Ask an upstream, unless the query has caused too many questions or a loop."""
        responder, key = self._responder, question.key
        if len(self._fetched) >= _MOST_QUESTIONS:
            self._give_up("the aliases lead too far")
        elif not responder.fetcher.begin(key, self._request):
            self._give_up(f"forwarding loop: upstream {key.group} asks us again")
        else:
            self._question = question
            responder.fetcher.fetch(key, self.arrived, self._request.client)
            if self._question is question:  # not answered at once
                self._wait()

    def _wait(self) -> None:
        if not self._waits:
            self._waits = True
            self._responder.pending += 1
            self._responder.patience.wait(self, IMPATIENCE)
        elif self._impatient:
            self._take_stale()

    def arrived(self, key: Key, result: Result) -> None:
        """Take the result of a question. Only the cache needs one that came too late for this query."""
        self._responder.fetcher.keep(key, result)
        question = self._question
        if question is not None and question.key == key:
            self._go_on(question, result)

    def _go_on(self, question: UpstreamQuestion, result: Result) -> None:
        """Answer the query, or ask the next question."""
        self._stop_asking()
        try:
            answer = self._answer(question, result)
            if isinstance(answer, Compiled):
                self._end()
                self._responder.send(answer, self._request)
            else:
                self.ask(answer)
        except Exception as error:  # noqa: BLE001 - as in `Responder.take`
            if not self._over:
                self._end()
                self._responder.broken(self._request, error)

    def _answer(self, question: UpstreamQuestion, result: Result) -> Compiled | UpstreamQuestion:
        if isinstance(result, PlainReply):
            answer = self._responder.relayed(self._request, question, result, self._changes)
            if answer is not None:
                return answer
            result = result.message()
        self._fetched[question.key] = result
        return self._responder.resolve(self._request, self._fetched)

    def overdue(self, now: SteadyTime) -> None:  # noqa: ARG002 - as in `Waiting`
        """Take note that the query has waited long.

        First a stale answer becomes good enough for this client, while the question to the upstream goes on.
        """
        if self._impatient:
            self._give_up("the upstream servers took too long")
        else:
            self._impatient = True
            self._responder.patience.wait(self, PATIENCE - IMPATIENCE)
            self._take_stale()

    def _take_stale(self) -> None:
        question = self._question
        if question is not None and self._responder.fetcher.has_stale(question.key):
            self._go_on(question, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "the upstream servers take too long"))

    def _give_up(self, why: str) -> None:
        self._end()
        self._responder.fail(self._request, (codes.NO_REACHABLE_AUTHORITY, why))

    def _stop_asking(self) -> None:
        question = self._question
        if question is not None:
            self._question = None
            self._responder.fetcher.end(question.key, self._request)

    def _end(self) -> None:
        self._over = True
        self._stop_asking()
        if self._waits:
            self._waits = False
            self._responder.pending -= 1
            self._responder.patience.stop(self)
