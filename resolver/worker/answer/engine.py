"""One question to its answer: refusals, special names, then the walk through the table and upstreams, compiled.

The query, the network and the time go in. A compiled answer comes out, or the question that an upstream must answer
first: the caller asks and calls again with the reply. Does not know sockets, clocks, or the client beyond its network.
Pure.
"""

from collections.abc import Callable
from typing import Final

from resolver.channel.frames import FallbackReason
from resolver.forward.cache import UpstreamCache
from resolver.forward.routing import UpstreamGroups
from resolver.wire import codes, render
from resolver.wire.query import Query
from resolver.worker.answer.behaviour import DEFAULT, Behaviour
from resolver.worker.answer.compiled import FOREVER, Compiled, Rotating
from resolver.worker.answer.counters import TYPES, Counters
from resolver.worker.answer.response import Draft, error
from resolver.worker.answer.special_names import SpecialNames
from resolver.worker.answer.walk import Basis, Fetched, Unfetched, UpstreamQuestion, Walk
from zones.clocks import SteadyTime
from zones.dns.name import Name, to_text
from zones.dns.record import AAAA, CNAME, NS, PTR, SOA, A
from zones.networks.network import Networks
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import DataOrigin
from zones.table.table import Table

MakeWalk = Callable[[Basis, Query, NetworkIndex, SteadyTime, Fetched], Walk]
"""Makes the walk of one question."""


class Engine:
    """Answers questions from one table, one cache and one set of upstream groups. `walk` makes the walks."""

    def __init__(
        self,
        table: Table,
        networks: Networks,
        upstreams: UpstreamGroups,
        cache: UpstreamCache,
        counters: Counters,
        behaviour: Behaviour = DEFAULT,
        walk: MakeWalk = Walk,
    ) -> None:
        self.behaviour = behaviour
        self._walk = walk
        self._table = table
        self.special_names = SpecialNames(behaviour.identity, behaviour.designation)
        self._networks = networks
        self._basis = Basis(table, upstreams, cache, behaviour)
        self._counters = counters
        self._cells: dict[tuple[Name | None, int, str, str, bool, int], list[int]] = {}
        self._made = counters.compiled

    def answer(
        self, query: Query, network: NetworkIndex, now: SteadyTime, fetched: Fetched
    ) -> Compiled | UpstreamQuestion:
        """Return the answer, or the question that an upstream must answer first.

        `network` is the index of the client's network, or -1. `now` is in the steady seconds of the cache. `fetched`
        has the replies of upstreams to the questions that earlier calls returned.
        """
        draft = self._refused(query) or self.special_names.answer(query)
        if draft is None:
            try:
                draft = self._walk(self._basis, query, network, now, fetched).draft()
            except Unfetched as unfetched:
                return unfetched.question
        return self._compiled(query, network, now, draft)

    @property
    def hits(self) -> int:
        """How often an answer that expires was sent again: a cached upstream reply, in compiled form."""
        return self._counters.expiring - self._made[0]

    # -- the steps

    def _refused(self, query: Query) -> Draft | None:
        """Return the refusal of a question that is never answered, whatever its name (RFC 6895 §3.1, RFC 5936 §2.2)."""
        if query.qclass != codes.IN:
            return None if query.qclass == codes.CH else error(codes.REFUSED)
        return error(_REFUSALS[query.qtype]) if query.qtype in _REFUSALS else None

    def _compiled(self, query: Query, network: NetworkIndex, now: SteadyTime, draft: Draft) -> Compiled:
        """Return the draft as octets, with its expiry and its counter."""
        flags = query.flags & (codes.RD if draft.rcode in _HEADER_ONLY else codes.RD | codes.CD)
        if draft.aa:
            flags |= codes.AA
        if draft.ad and draft.aa is False and (query.do or query.ad):
            flags |= codes.AD
        if draft.rcode in _WITH_RA:
            flags |= codes.RA
        opt = render.Opt(query.do, self.behaviour.payload, draft.ede) if query.edns else None
        body = render.body(query.question, flags, draft.rcode, draft.answer, draft.authority, draft.additional, opt)
        deps = tuple(dict.fromkeys(draft.deps))
        expires = draft.expires if draft.keep else now
        if expires != FOREVER:  # served records beside an upstream's records expire with them
            expires = SteadyTime(min([expires, *(now + rrset.ttl for rrset in (*draft.answer, *draft.authority))]))
        turning = _turning(draft, body) if self.behaviour.rotate else ()
        answer = (Rotating if turning else draft.shape)(
            body, len(query.question), deps, self._cell(draft, network, expires, query.qtype), now, expires,
            draft.expendable or query.qtype not in _USUAL, _fallback(draft),
        )  # fmt: skip
        answer.prefetch = draft.prefetch
        return answer.turning(turning) if isinstance(answer, Rotating) else answer

    def _cell(self, draft: Draft, network: NetworkIndex, expires: SteadyTime, qtype: int) -> list[int]:
        """Return the counter of such answers. Its labels come from the catalogue or the configuration."""
        expiring = expires != FOREVER
        if expiring:
            self._made[0] += 1
        key = (
            draft.zone,
            draft.rcode,
            draft.origin,
            self._networks.label(network),
            expiring,
            qtype if qtype in TYPES else 0,
        )
        cell = self._cells.get(key)
        if cell is None:
            zone, named = "", True
            if draft.zone is not None:
                named = draft.origin is not DataOrigin.PTR and self._table.is_zone(draft.zone)
                zone = to_text(draft.zone) if named else "(reverse)" if draft.origin is DataOrigin.PTR else "(alone)"
            rcode = codes.rcode_text(draft.rcode)
            cell = self._counters.answer_cell(rcode, zone, key[3], draft.origin, qtype, expiring=expiring)
            if named:
                self._cells[key] = cell
        return cell


def _fallback(draft: Draft) -> tuple[Name, Name, FallbackReason] | None:
    """Return what is counted of an answer that no endpoint gave, although its name may be expected to be private."""
    if draft.unmatched:
        return (*draft.unmatched, FallbackReason.NO_NETWORK)
    return (*draft.fallback, FallbackReason.MISS_POLICY) if draft.fallback else None


def _turning(draft: Draft, body: render.Body) -> tuple[int, ...]:
    """Return the TTL offsets of an answer's last records if these are several addresses under a compressed owner."""
    last = draft.answer[-1] if draft.answer else None
    if last is None or last.type not in {A, AAAA} or len(last.rdatas) < 2:
        return ()
    end = sum(len(rrset.rdatas) for rrset in draft.answer)
    ttls = body.ttls[end - len(last.rdatas) : end]
    return ttls if ttls[1] - ttls[0] == 12 + len(last.rdatas[0]) else ()


_REFUSALS: Final = {
    codes.OPT: codes.FORMERR, codes.TSIG: codes.FORMERR, codes.TKEY: codes.FORMERR, 0: codes.FORMERR,
    codes.MAILA: codes.NOTIMP, codes.MAILB: codes.NOTIMP, codes.AXFR: codes.REFUSED, codes.IXFR: codes.REFUSED,
}  # fmt: skip
_WITH_RA: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.SERVFAIL))
_HEADER_ONLY: Final = frozenset((codes.FORMERR, codes.NOTIMP))
"""Rcodes of replies that copy only the opcode and RD from their query."""
_USUAL: Final = frozenset((A, NS, CNAME, SOA, PTR, codes.MX, codes.TXT, AAAA, codes.SRV, codes.HTTPS))
"""Types whose answers are not expendable. A client can ask for all 65,535 types of one name."""
