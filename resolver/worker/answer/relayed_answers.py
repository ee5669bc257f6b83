"""Answers that an upstream server's reply is passed on as, octet for octet after the question.

Such an answer is the one that a walk would give, but no record of it is made. Decides when a walk is needed after all.
Pure: the time is an argument.
"""

from typing import Final

from resolver.forward.cache import MAX_TTL
from resolver.wire import codes, render
from resolver.wire.plain_reply import PlainReply
from resolver.wire.query import Query
from resolver.worker.answer.behaviour import Behaviour
from resolver.worker.answer.compiled import Compiled, expiring
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.response import ReplyOrigin
from resolver.worker.answer.walk import PREFETCH, UpstreamQuestion
from zones.clocks import SteadyTime
from zones.networks.network import Networks
from zones.networks.prefixes import NetworkIndex

_FLAGS: Final = codes.QR | codes.RA
_COPIED: Final = codes.RD | codes.CD
_AD: Final = codes.AD
_MAX_TTL: Final = MAX_TTL
_PREFETCH: Final = PREFETCH


class RelayedAnswers:
    """Makes answers of plain replies."""

    __slots__ = ("_cells", "_counters", "_heads", "_made", "_networks", "_opts", "_rotates", "_screen")

    def __init__(self, behaviour: Behaviour, networks: Networks, counters: Counters) -> None:
        self._rotates = behaviour.rotate
        self._screen = behaviour.screen
        self._networks = networks
        self._counters = counters
        self._made = counters.compiled
        self._cells: dict[tuple[NetworkIndex, int], list[int]] = {}
        self._heads: dict[tuple[int, int, bool], bytes] = {}
        """By flags, number of addresses and presence of EDNS, of which there are few."""
        self._opts = [render.body(b"\0" * 5, 0, 0, edns=render.Opt(do, behaviour.payload)).tail for do in (False, True)]
        """The OPT record of a plain answer, without and with DO."""

    def answer(
        self, query: Query, network: NetworkIndex, now: SteadyTime, question: UpstreamQuestion, reply: PlainReply
    ) -> Compiled | None:
        """Return the answer to a query for which a walk raised `question`: the addresses in the upstream's reply.

        It is the answer that a new walk would give, provided that the names in `question.deps` have not changed. None
        if a walk is needed after all: some addresses must not be passed on, or their order changes.
        """
        ttl, deps, key = reply.ttl, question.deps, question.key
        if not deps or ttl > _MAX_TTL or (self._rotates and reply.count > 1):
            return None
        screen = self._screen
        if screen is not None and not screen.passes(key.group, reply.addresses()):
            return None
        edns, asked = query.edns, query.flags
        flags = _FLAGS | asked & _COPIED
        if reply.ad and (query.do or asked & _AD):
            flags |= _AD
        records = reply.records()
        opt, end = (self._opts[query.do], len(records)) if edns else (b"", -1)
        form = flags, reply.count, edns
        head = self._heads.get(form)
        if head is None:
            head = self._heads[form] = _head(flags, reply.count, edns)
        self._made[0] += 1
        cell = self._cell(network, query.qtype)
        answer = expiring(head, records + opt, reply.ttls(), end, deps, cell, now, ttl)
        answer.end = codes.HEADER_SIZE + len(query.question)
        answer.prefetch = SteadyTime(answer.expires - _PREFETCH * ttl), key
        return answer

    def _cell(self, network: NetworkIndex, qtype: int) -> list[int]:
        """Return the counter of upstreams' addresses for clients of a network."""
        cell = self._cells.get((network, qtype))
        if cell is None:
            labels = codes.rcode_text(codes.NOERROR), "", self._networks.label(network), ReplyOrigin.FORWARD
            cell = self._cells[network, qtype] = self._counters.answer_cell(*labels, qtype, expiring=True)
        return cell


def _head(flags: int, count: int, edns: bool) -> bytes:
    """Return the flags and counts of a reply with one question and `count` answers."""
    return flags.to_bytes(2, "big") + b"\0\1" + count.to_bytes(2, "big") + (b"\0\0\0\1" if edns else b"\0\0\0\0")
