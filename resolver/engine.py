"""One question to its answer: mandatory checks, local names, the served table, upstreams; with re-entry at each alias.

Pure: octets, a network and the time in; a reply, or what an upstream has to be asked first, out. The caller asks and
calls again with what came back: the walk starts anew each time, so that no state is kept between. A step feels those
above it and must not care about those below. Refuses to know sockets, clocks and who the client is beyond its network.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from resolver import settings
from resolver.answers import Compiled, Rotating
from resolver.cache import Cache, Key, lifetime
from resolver.counters import Counters
from resolver.draft import FOREVER, Draft, error
from resolver.local import Local
from resolver.upstream.exchange import Failure as UpstreamFailure
from resolver.upstream.policy import Upstreams
from resolver.wire import codes, relay, render
from resolver.wire.query import Query
from resolver.wire.relay import Message
from zones.name import Name, ancestry, from_text, is_under, to_text
from zones.network import Networks
from zones.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.record import AAAA, CNAME, NS, PTR, SOA, A, RRset
from zones.table import Table

MAX_HOPS: Final = 11
"""CNAME and DNAME hops of one answer, whatever their source; the next is SERVFAIL."""


class Ask(NamedTuple):
    """An upstream has to be asked before there is an answer; call again with its reply under this key."""

    key: Key


Fetched = Mapping[Key, Message | UpstreamFailure]


class _Stop(Exception):  # noqa: N818 - it ends the walk
    """The walk cannot go on before an upstream is asked."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


class Manner(NamedTuple):
    """How a server answers, whatever the answer."""

    identity: str = "pldns"
    payload: int = codes.PAYLOAD
    """Octets of UDP that our OPT records offer."""
    dropped: frozenset[Name] = frozenset()
    """Names at and under these are refused."""
    rotate: bool = False
    """See `Rotating`."""


PLAIN: Final = Manner()


def manner(worker: settings.Worker) -> Manner:
    """As the configuration has it."""
    return Manner(worker.identity, worker.payload, frozenset(map(from_text, worker.drop_names)), worker.rotate)


class Engine:
    """Answers questions from one table, one cache and one set of upstream groups."""

    def __init__(
        self,
        table: Table,
        networks: Networks,
        upstreams: Upstreams,
        cache: Cache,
        counters: Counters,
        manner: Manner = PLAIN,
    ) -> None:
        self.table = table
        self.cache = cache
        self.manner = manner
        self._local = Local(manner.identity)
        self._names = (*networks.names, "none")
        self._upstreams = upstreams
        self._counters = counters
        self._cells: dict[tuple[Name | None, int, str, int], list[int]] = {}

    def answer(self, query: Query, network: int, now: float, fetched: Fetched) -> Compiled | Ask:
        """The whole chain. `network` is its index, or -1; `now` in seconds on the steady clock of the cache."""
        draft = self._refused(query) or self._local.answer(query)
        if draft is None:
            try:
                draft = self._walked(query, network, now, fetched)
            except _Stop as stop:
                return Ask(stop.key)
        return self._compiled(query, network, now, draft)

    # -- the steps

    def _refused(self, query: Query) -> Draft | None:
        """Questions that are never answered, whoever holds the name (RFC 6895 §3.1, RFC 5936 §2.2)."""
        if query.qclass != codes.IN:
            return None if query.qclass == codes.CH else error(codes.REFUSED)
        return error(_REFUSALS[query.qtype]) if query.qtype in _REFUSALS else None

    def _walked(self, query: Query, network: int, now: float, fetched: Fetched) -> Draft:
        """Follow the name through the table and upstreams until something answers, denies or fails."""
        draft = Draft()
        walk = _Walk(self, query, network, now, fetched, draft)
        name: Name | None = query.name
        while name is not None:
            if draft.hops > MAX_HOPS:
                draft.fail((codes.NO_REACHABLE_AUTHORITY, "more than 11 aliases"))
                break
            name = walk.step(name)
        return draft

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
        return answer.turning(turning) if isinstance(answer, Rotating) else answer

    def _cell(self, draft: Draft, network: int) -> list[int]:
        """The counter of such answers. Labels are from the catalogue or the configuration, never from a query."""
        key = draft.zone, draft.rcode, draft.origin, network
        cell = self._cells.get(key)
        if cell is None:
            zone, named = "", True
            if draft.zone is not None:
                named = draft.origin != "ptr" and self.table.is_zone(draft.zone)
                zone = to_text(draft.zone) if named else "(reverse)" if draft.origin == "ptr" else "(alone)"
            labels = (codes.rcode_text(draft.rcode), zone, self._names[network], draft.origin)
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


class _Said(NamedTuple):
    """What an upstream said at `stored`; it holds until `expires`."""

    message: Message | UpstreamFailure
    stored: float
    expires: float

    def aged(self, rrsets: Iterable[RRset], now: float) -> list[RRset]:
        """Records with the TTLs that they have left, an SOA's within what the whole may live (RFC 2308 §5)."""
        age, most = int(now - self.stored), int(self.expires - self.stored)
        return [
            RRset(r.owner, r.type, max((min(r.ttl, most) if r.type == SOA else r.ttl) - age, 0), r.rdatas)
            for r in rrsets
        ]


class _Walk:
    """One run from a question to its answer."""

    def __init__(self, engine: Engine, query: Query, network: int, now: float, fetched: Fetched, draft: Draft) -> None:
        self._table = engine.table
        self._dropped = engine.manner.dropped
        self._cache = engine.cache
        self._upstreams = engine._upstreams  # noqa: SLF001 - the walk is the engine's own
        self._query = query
        self._network = network
        self._now = now
        self._fetched = fetched
        self._draft = draft

    def step(self, name: Name) -> Name | None:
        """Look one name up; returns the next one when it is an alias."""
        draft = self._draft
        if self._is_dropped(name):
            draft.fail((codes.BLOCKED, "this name is not answered here"), codes.REFUSED)
            draft.origin, draft.loose = "dropped", True
            return None
        outcome = self._table.lookup(name, self._query.qtype, self._network)
        draft.deps += (name, *outcome.deps)
        match outcome:
            case Found(rrsets=rrsets, zone=zone, origin=origin, wildcard=wildcard):
                draft.ours(rrsets)
                self._decided(zone, origin, synthesised=wildcard or origin == "ptr", loose=wildcard)
            case Alias(rrsets=rrsets, target=target, zone=zone, origin=origin, wildcard=wildcard):
                draft.ours(rrsets)
                draft.hops += 1
                # A DNAME, whose CNAME comes after it, answers for any name below it, as a wildcard does.
                self._decided(zone, origin, synthesised=wildcard, loose=wildcard or len(rrsets) > 1)
                return target
            case NoData(soa=soa, zone=zone, origin=origin, wildcard=wildcard):
                draft.deny(soa, codes.NOERROR)
                self._decided(zone, origin, loose=wildcard or origin == "policy")
            case NxDomain(soa=soa, zone=zone, origin=origin):
                draft.deny(soa, codes.NXDOMAIN)
                self._decided(zone, origin, loose=True)
            case Failure(why="unsynced"):
                draft.fail((codes.NOT_READY, "the private endpoints are not known yet"))
                draft.origin, draft.keep = "policy", False
            case Failure(why=why, zone=zone):
                draft.fail(_EDE.get(why))
                self._decided(zone, "policy", loose=True)
            case TooLong(rrsets=rrsets, zone=zone):
                draft.ours(rrsets)
                draft.rcode = codes.YXDOMAIN
                self._decided(zone, "static", loose=True)
            case Outside() | Referral():
                group = self._group(name, outcome)
                if group is not None:
                    return self._forward(name, group, outcome)
                if isinstance(outcome, Referral):
                    draft.refer(outcome.ns, outcome.glue)
                    self._decided(outcome.zone, "static", loose=True)
        return None

    def _is_dropped(self, name: Name) -> bool:
        return bool(self._dropped) and not self._dropped.isdisjoint(ancestry(name))

    def _decided(self, zone: Name, origin: str, *, synthesised: bool = False, loose: bool) -> None:
        draft = self._draft
        draft.zone, draft.origin = zone, origin
        draft.loose |= loose
        if synthesised:
            draft.ede = (codes.SYNTHESIZED, "")

    def _group(self, name: Name, outcome: Outcome) -> str | None:
        """The upstream group that has the word on a name; None where it is ours to answer.

        Below a delegation of a zone file that is a group whose suffix lies at or below the cut: the configuration says
        who serves the child zone. Without one the client gets the referral.
        """
        if isinstance(outcome, Outside):
            return outcome.group or self._upstreams.route(name)
        if isinstance(outcome, Referral) and self._query.rd:
            covering = self._upstreams.covering_suffix(name)
            if covering and is_under(covering[0], outcome.cut):
                return covering[1]
        return None

    def _forward(self, name: Name, group: str, outcome: Outside | Referral) -> Name | None:
        """Rows 10 and 12: the upstream group's word, from the cache if it holds; followed as far as it is theirs."""
        draft, query = self._draft, self._query
        if not query.rd and draft.aa:
            return None  # a chain that leaves our data ends there
        self._missed(name, outcome)
        key = Key(group, name, query.qtype, query.do, query.cd)
        said = self._said(key)
        if said is not None:
            return self._follow(name, group, said)
        if query.rd:
            raise _Stop(key)
        if not draft.answer:
            draft.fail((codes.NOT_AUTHORITATIVE, "recursion was not desired"), codes.REFUSED)
        draft.keep = False
        return None

    def _missed(self, name: Name, outcome: Outside | Referral) -> None:
        """Note a name that an upstream answers; inside a zone that we hold it is a fallback, and is listed."""
        draft = self._draft
        if isinstance(outcome, Outside) and outcome.zone is not None:
            draft.zone, draft.origin, draft.fallback, draft.loose = outcome.zone, "public", (outcome.zone, name), True
        elif draft.fallback is None:
            draft.origin = "forward"

    def _said(self, key: Key) -> _Said | None:
        """What the upstream said: just now, or before and still holding."""
        fetched = self._fetched.get(key)
        if isinstance(fetched, Message):
            return _Said(fetched, self._now, self._now + lifetime(key, fetched))
        if fetched is not None:
            return _Said(fetched, self._now, self._now)
        entry = self._cache.get(key, self._now)
        return _Said(entry.message, entry.stored, entry.expires) if entry else None

    def _follow(self, name: Name, group: str, said: _Said) -> Name | None:
        """Take the records of an upstream's chain, re-entering our own data at every hop (RFC 1034 §5.3.3)."""
        draft, message = self._draft, said.message
        draft.expires = min(draft.expires, said.expires)
        if isinstance(message, UpstreamFailure):
            draft.fail((message.ede, message.text))
            return None
        try:
            chain = relay.chain(message, name, self._query.qtype)
        except relay.Malformed as fault:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"))
            return None
        draft.ad &= message.ad
        for hop in chain.hops:
            draft.theirs(said.aged(hop.rrsets, self._now))
            draft.hops += 1
            if draft.hops > MAX_HOPS:
                return hop.target
            if not self._is_theirs(hop.target, group):
                draft.ad = False
                return hop.target
        if chain.bare:
            return chain.last
        draft.theirs(said.aged(chain.final, self._now))
        if message.rcode not in _RELAYED:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream answered {codes.rcode_text(message.rcode)}"))
            return None
        proofs = chain.proofs if self._query.do else ()
        draft.authority = said.aged((chain.soa, *proofs) if chain.soa else proofs, self._now)
        draft.rcode = message.rcode
        draft.loose |= message.rcode == codes.NXDOMAIN
        return None

    def _is_theirs(self, target: Name, group: str) -> bool:
        """True when the upstream's chain may go on at `target`: not ours to answer, and the group is the same."""
        outcome = self._table.lookup(target, self._query.qtype, self._network)
        if not isinstance(outcome, Outside | Referral) or self._group(target, outcome) != group:
            return False
        if self._is_dropped(target):
            return False
        self._draft.deps += (target, *outcome.deps)
        self._missed(target, outcome)
        return True


_REFUSALS: Final = {
    codes.OPT: codes.FORMERR, codes.TSIG: codes.FORMERR, codes.TKEY: codes.FORMERR, 0: codes.FORMERR,
    codes.MAILA: codes.NOTIMP, codes.MAILB: codes.NOTIMP, codes.AXFR: codes.REFUSED, codes.IXFR: codes.REFUSED,
}  # fmt: skip
_RECURSION_SHOWN: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.SERVFAIL))
_HEADER_ONLY: Final = frozenset((codes.FORMERR, codes.NOTIMP))
"""Rcodes of replies that say nothing but opcode and RD."""
_RELAYED: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.YXDOMAIN))
"""Rcodes of an upstream that are an answer; any other is about the upstream, and ours is SERVFAIL."""
_USUAL: Final = frozenset((A, NS, CNAME, SOA, PTR, codes.MX, codes.TXT, AAAA, codes.SRV, codes.HTTPS))
"""Types whose answers keep their room; anyone can ask a name for all 65,535."""
_EDE: Final = {"refused": (codes.OTHER, "several endpoints claim the name")}
