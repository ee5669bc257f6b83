"""One question to its answer: mandatory checks, local names, then the walk through table and upstreams, compiled.

Pure: a query, a network and the time in; a reply, or what an upstream has to be asked first, out. The caller asks and
calls again with what came back. Refuses to know sockets, clocks and who the client is beyond its network.
"""

from typing import Final, NamedTuple

from resolver.forward.cache import Key, UpstreamCache
from resolver.forward.routing import UpstreamGroups
from resolver.wire import codes, render
from resolver.wire.query import Query
from resolver.worker.answer.answer_cache import FOREVER, Compiled, Rotating
from resolver.worker.answer.behaviour import PLAIN, Manner
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.response import Draft, error
from resolver.worker.answer.special_names import Local
from resolver.worker.answer.walk import Basis, Fetched, Unasked, Walk
from zones.dns.name import Name, to_text
from zones.dns.record import AAAA, CNAME, NS, PTR, SOA, A
from zones.networks.network import Networks
from zones.table.table import Table


class Ask(NamedTuple):
    """An upstream has to be asked before there is an answer; call again with its reply under this key."""

    key: Key


class Engine:
    """Answers questions from one table, one cache and one set of upstream groups."""

    def __init__(
        self,
        table: Table,
        networks: Networks,
        upstreams: UpstreamGroups,
        cache: UpstreamCache,
        counters: Counters,
        manner: Manner = PLAIN,
    ) -> None:
        self.table = table
        self.cache = cache
        self.manner = manner
        self._local = Local(manner.identity)
        self._networks = networks
        self._basis = Basis(table, upstreams, cache, manner)
        self._counters = counters
        self._cells: dict[tuple[Name | None, int, str, str], list[int]] = {}

    def answer(self, query: Query, network: int, now: float, fetched: Fetched) -> Compiled | Ask:
        """The whole chain. `network` is its index, or -1; `now` in seconds on the steady clock of the cache."""
        draft = self._refused(query) or self._local.answer(query)
        if draft is None:
            try:
                draft = Walk(self._basis, query, network, now, fetched).draft()
            except Unasked as unasked:
                return Ask(unasked.key)
        return self._compiled(query, network, now, draft)

    # -- the steps

    def _refused(self, query: Query) -> Draft | None:
        """Questions that are never answered, whoever holds the name (RFC 6895 §3.1, RFC 5936 §2.2)."""
        if query.qclass != codes.IN:
            return None if query.qclass == codes.CH else error(codes.REFUSED)
        return error(_REFUSALS[query.qtype]) if query.qtype in _REFUSALS else None

    def _compiled(self, query: Query, network: int, now: float, draft: Draft) -> Compiled:
        flags = query.flags & (codes.RD if draft.rcode in _HEADER_ONLY else codes.RD | codes.CD)
        if draft.aa:
            flags |= codes.AA
        if draft.ad and draft.aa is False and (query.do or query.ad):
            flags |= codes.AD
        if draft.rcode in _RECURSION_SHOWN:
            flags |= codes.RA
        opt = render.Opt(query.do, self.manner.payload, draft.ede) if query.edns else None
        body = render.body(query.question, flags, draft.rcode, draft.answer, draft.authority, draft.additional, opt)
        deps = tuple(dict.fromkeys(draft.deps))
        expires = draft.expires if draft.keep else now
        if expires != FOREVER:  # records of ours beside an upstream's count down with them
            expires = min([expires, *(now + rrset.ttl for rrset in (*draft.answer, *draft.authority))])
        turning = _turning(draft, body) if self.manner.rotate else ()
        answer = (Rotating if turning else Compiled)(
            body, len(query.question), deps, self._cell(draft, network), now, expires,
            loose=draft.loose or query.qtype not in _USUAL, fallback=draft.fallback,
        )  # fmt: skip
        answer.renew = draft.renew
        return answer.turning(turning) if isinstance(answer, Rotating) else answer

    def _cell(self, draft: Draft, network: int) -> list[int]:
        """The counter of such answers. Labels are from the catalogue or the configuration, never from a query."""
        key = draft.zone, draft.rcode, draft.origin, self._networks.label(network)
        cell = self._cells.get(key)
        if cell is None:
            zone, named = "", True
            if draft.zone is not None:
                named = draft.origin != "ptr" and self.table.is_zone(draft.zone)
                zone = to_text(draft.zone) if named else "(reverse)" if draft.origin == "ptr" else "(alone)"
            labels = (codes.rcode_text(draft.rcode), zone, key[3], draft.origin)
            cell = self._counters.cell("dns_responses_total", labels)
            if named:
                self._cells[key] = cell
        return cell


def _turning(draft: Draft, body: render.Body) -> tuple[int, ...]:
    """Where the TTLs of an answer's last records stand, if those are several addresses under a compressed owner."""
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
_RECURSION_SHOWN: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.SERVFAIL))
_HEADER_ONLY: Final = frozenset((codes.FORMERR, codes.NOTIMP))
"""Rcodes of replies that say nothing but opcode and RD."""
_USUAL: Final = frozenset((A, NS, CNAME, SOA, PTR, codes.MX, codes.TXT, AAAA, codes.SRV, codes.HTTPS))
"""Types whose answers keep their room; anyone can ask a name for all 65,535."""
