"""Renders replies: joins the id, the question, the records and the EDNS options, within the size that a client accepts.

The only place that puts a whole reply together. Does not decide what a reply says.
"""

from resolver.wire import codes, render
from resolver.wire.query import MalformedQuery, Query
from resolver.worker.access.edns import EdnsResult, with_options
from resolver.worker.answer.client_query import ClientQuery
from resolver.worker.answer.compiled import Compiled, Supplemented


class Renderer:
    """Renders the replies of one server. `payload`: octets of UDP that its OPT records offer."""

    def __init__(self, payload: int) -> None:
        self._payload = payload

    def whole(self, answer: Compiled, request: ClientQuery) -> bytes | None:
        """Return the reply with a compiled answer; None if it is larger than the client accepts.

        Supplementary addresses are left out before that (RFC 2181 §9).
        """
        reply = answer.reply(request.packet)
        if request.query.options:
            reply = with_options(reply, answer.end + answer.opt, request.edns)
        if len(reply) <= request.limit:
            return reply
        if not isinstance(answer, Supplemented):
            return None
        reply, opt = answer.without(request.packet)
        if request.query.options:
            reply = with_options(reply, opt, request.edns)
        return reply if len(reply) <= request.limit else None

    def truncated(self, request: ClientQuery, answer: Compiled | None = None) -> bytes:
        """Return a reply with the TC bit and without records, in place of an answer: the client asks again over TCP."""
        query = request.query
        flags = int.from_bytes(answer.head[:2], "big") if answer else _copied(query)
        return self._reply(request, render.truncated(query.question, flags & ~0xF, flags & 0xF, self._opt(query)))

    def error(self, request: ClientQuery, rcode: int, ede: tuple[int, str] | None = None) -> bytes:
        """Return a reply with an error and its reason (RFC 8914)."""
        query = request.query
        flags = _copied(query) | (codes.RA if rcode == codes.SERVFAIL else 0)
        return self._reply(request, render.body(query.question, flags, rcode, edns=self._opt(query, ede)))

    def malformed(self, malformed: MalformedQuery, edns: EdnsResult) -> bytes:
        """Return the reply to a malformed query. Raises `ValueError` for one that gets no reply."""
        body = render.error(malformed, self._payload)
        return _joined(malformed, body, edns if malformed.options else None)

    def _opt(self, query: Query, ede: tuple[int, str] | None = None) -> render.Opt | None:
        return render.Opt(do=query.do, payload=self._payload, ede=ede) if query.edns else None

    @staticmethod
    def _reply(request: ClientQuery, body: render.Body) -> bytes:
        query = request.query
        return _joined(query, body, request.edns if query.options else None)


def _copied(query: Query) -> int:
    """Return the flags that a reply copies from its query."""
    return query.flags & (codes.RD | codes.CD)


def _joined(query: Query | MalformedQuery, body: render.Body, edns: EdnsResult | None) -> bytes:
    reply = render.whole(query, body)
    if edns is None:
        return reply
    return with_options(reply, codes.HEADER_SIZE + len(query.question) + body.opt, edns)
