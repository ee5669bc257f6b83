"""One question to its answer: mandatory checks, local names, the served table, upstreams; with re-entry at each alias.

Pure: octets, a network and the time in; a reply, or what an upstream has to be asked first, out. The caller asks and
calls again with what came back: the walk starts anew each time, so that no state is kept between. A step feels those
above it and must not care about those below. Refuses to know sockets, clocks and who the client is beyond its network.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from resolver import local
from resolver.answers import Compiled
from resolver.cache import Cache, Key
from resolver.counters import Counters
from resolver.draft import FOREVER, Draft, error
from resolver.upstream.exchange import Failure as UpstreamFailure
from resolver.upstream.policy import Upstreams
from resolver.wire import codes, relay, render
from resolver.wire.query import Query
from resolver.wire.relay import Message
from zones.name import Name, is_under, to_text
from zones.network import Networks
from zones.outcome import Alias, Failure, Found, NoData, NxDomain, Outside, Referral
from zones.record import RRset
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


class Engine:
    """Answers questions from one table, one cache and one set of upstream groups."""

    def __init__(
        self, table: Table, networks: Networks, upstreams: Upstreams, cache: Cache, counters: Counters
    ) -> None:
        self.table = table
        self.cache = cache
        self._names = (*networks.names, "none")
        self._upstreams = upstreams
        self._counters = counters

    def answer(self, query: Query, network: int, now: float, fetched: Fetched) -> Compiled | Ask:
        """The whole chain. `network` is its index, or -1; `now` in seconds on the steady clock of the cache."""
        draft = self._refused(query) or local.answer(query)
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
        flags = query.flags & (codes.RD | codes.CD)
        if draft.aa:
            flags |= codes.AA
        if draft.ad and draft.aa is False and (query.do or query.ad):
            flags |= codes.AD
        if draft.rcode in _RECURSION_SHOWN:
            flags |= codes.RA
        opt = render.Opt(do=query.do, ede=draft.ede) if query.edns else None
        body = render.body(query.question, flags, draft.rcode, draft.answer, draft.authority, draft.additional, opt)
        deps = tuple(dict.fromkeys(draft.deps))
        labels = (codes.rcode_text(draft.rcode), self._zone_label(draft), self._names[network], draft.origin)
        expires = draft.expires
        if expires != FOREVER:  # records of ours beside an upstream's count down with them
            expires = min(expires, *(now + rrset.ttl for rrset in draft.answer))
        if not draft.keep:
            expires = now
        return Compiled(
            body, deps, self._counters.cell("dns_responses_total", labels), now, expires,
            loose=draft.loose, fallback=draft.fallback,
        )  # fmt: skip

    def _zone_label(self, draft: Draft) -> str:
        """A label from the catalogue or the configuration, never from a query: endpoint zones and files by name."""
        if draft.zone is None:
            return ""
        if draft.origin == "ptr":
            return "(reverse)"
        return to_text(draft.zone) if self.table.is_zone(draft.zone) else "(alone)"


class _Walk:
    """One run from a question to its answer."""

    def __init__(self, engine: Engine, query: Query, network: int, now: float, fetched: Fetched, draft: Draft) -> None:
        self._table = engine.table
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
        outcome = self._table.lookup(name, self._query.qtype, self._network)
        draft.deps += outcome.deps
        match outcome:
            case Found(rrsets=rrsets, zone=zone, origin=origin, wildcard=wildcard):
                draft.ours(rrsets)
                self._decided(zone, origin, loose=wildcard)
                if wildcard or origin == "ptr":
                    draft.ede = (codes.SYNTHESIZED, "")
                return None
            case Alias(rrsets=rrsets, target=target, zone=zone, origin=origin, wildcard=wildcard):
                draft.ours(rrsets)
                draft.hops += 1
                self._decided(zone, origin, loose=wildcard)
                return target
            case NoData(soa=soa, zone=zone, origin=origin) | NxDomain(soa=soa, zone=zone, origin=origin):
                draft.aa = draft.aa is not False
                draft.ad = False
                draft.authority = [soa]
                draft.rcode = codes.NXDOMAIN if isinstance(outcome, NxDomain) else codes.NOERROR
                self._decided(zone, origin, loose=origin == "policy" or isinstance(outcome, NxDomain))
            case Failure(why=why, zone=zone):
                draft.fail(_EDE[why], codes.YXDOMAIN if why == "toolong" else codes.SERVFAIL)
                self._decided(zone, "policy", loose=True)
                draft.keep = why != "unsynced"
            case Referral(cut=cut, ns=ns, glue=glue, zone=zone):
                return self._refer(name, cut, ns, glue, zone)
            case Outside(zone=zone, group=group):
                return self._forward(name, group or self._upstreams.route(name), zone)
        return None

    def _decided(self, zone: Name, origin: str, *, loose: bool) -> None:
        draft = self._draft
        draft.zone, draft.origin = zone, origin
        draft.loose |= loose

    def _refer(self, name: Name, cut: Name, ns: RRset, glue: tuple[RRset, ...], zone: Name) -> Name | None:
        """A delegation in a zone file: an upstream group at or below the cut is asked, else the client gets it."""
        covering = self._upstreams.covering_suffix(name)
        if self._query.rd and covering and is_under(covering[0], cut):
            return self._forward(name, covering[1], None)
        draft = self._draft
        draft.authority, draft.additional = [ns], list(glue)
        draft.ad = False
        if draft.aa is None:
            draft.aa = False
        self._decided(zone, "static", loose=True)
        return None

    def _forward(self, name: Name, group: str, zone: Name | None) -> Name | None:
        """Rows 10 and 12: the upstream group's word, from the cache if it holds; followed as far as it is theirs."""
        draft = self._draft
        query = self._query
        if zone is not None:
            draft.fallback = (zone, name)
            draft.zone = zone
        draft.origin = "public" if zone is not None else "forward"
        key = Key(group, name, query.qtype, query.do, query.cd)
        message, age = self._message(key)
        if message is None:
            if query.rd:
                raise _Stop(key)
            if not draft.answer:
                draft.fail((codes.NOT_AUTHORITATIVE, "recursion was not desired"), codes.REFUSED)
            draft.keep = False
            return None
        if isinstance(message, UpstreamFailure):
            draft.fail((message.ede, message.text))
            draft.keep = False
            return None
        return self._follow(name, group, message, age)

    def _message(self, key: Key) -> tuple[Message | UpstreamFailure | None, float]:
        """What the upstream said, and how many seconds ago."""
        fetched = self._fetched.get(key)
        if fetched is not None:
            return fetched, 0.0
        entry = self._cache.get(key, self._now)
        return (entry.message, self._now - entry.stored) if entry else (None, 0.0)

    def _follow(self, name: Name, group: str, message: Message, age: float) -> Name | None:
        """Take the records of an upstream's chain, re-entering our own data at every hop (RFC 1034 §5.3.3)."""
        draft, qtype = self._draft, self._query.qtype
        try:
            chain = relay.chain(message, name, qtype)
        except relay.Malformed as fault:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"))
            draft.keep = False
            return None
        draft.ad &= message.ad
        for hop in chain.hops:
            self._theirs(hop.rrsets, age)
            draft.hops += 1
            if not self._is_theirs(hop.target, group):
                draft.ad = False
                return hop.target
            if draft.hops > MAX_HOPS:
                return hop.target
        if chain.bare:
            return chain.last
        self._theirs(chain.final, age)
        draft.rcode = message.rcode
        draft.aa = bool(draft.aa)
        negative = (chain.soa, *(chain.proofs if self._query.do else ())) if chain.soa else ()
        draft.authority = [self._aged(rrset, age) for rrset in negative]
        lasting = message.rcode in (codes.NOERROR, codes.NXDOMAIN) and (chain.final or chain.soa)
        draft.keep &= bool(lasting)
        self._limit(rrset.ttl for rrset in draft.authority)
        draft.loose |= message.rcode == codes.NXDOMAIN
        return None

    def _is_theirs(self, target: Name, group: str) -> bool:
        """True when the upstream's chain may go on at `target`: not ours to answer, and the group is the same."""
        outcome = self._table.lookup(target, self._query.qtype, self._network)
        if not isinstance(outcome, Outside) or (outcome.group or self._upstreams.route(target)) != group:
            return False
        self._draft.deps += outcome.deps
        if outcome.zone is not None:
            self._draft.fallback = (outcome.zone, target)
            self._draft.zone, self._draft.origin = outcome.zone, "public"
        return True

    def _theirs(self, rrsets: tuple[RRset, ...], age: float) -> None:
        """Add an upstream's records, `age` seconds old."""
        draft = self._draft
        if rrsets and draft.aa is None:
            draft.aa = False
        aged = [self._aged(rrset, age) for rrset in rrsets]
        draft.answer += aged
        self._limit(rrset.ttl for rrset in aged)

    def _limit(self, ttls: Iterable[int]) -> None:
        for ttl in ttls:
            self._draft.expires = min(self._draft.expires, self._now + ttl)

    @staticmethod
    def _aged(rrset: RRset, age: float) -> RRset:
        return RRset(rrset.owner, rrset.type, max(rrset.ttl - int(age), 0), rrset.rdatas)


_REFUSALS: Final = {
    codes.OPT: codes.FORMERR, codes.TSIG: codes.FORMERR, codes.TKEY: codes.FORMERR, 0: codes.FORMERR,
    codes.MAILA: codes.NOTIMP, codes.MAILB: codes.NOTIMP, codes.AXFR: codes.REFUSED, codes.IXFR: codes.REFUSED,
}  # fmt: skip
_RECURSION_SHOWN: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.SERVFAIL))
_EDE: Final[dict[str, tuple[int, str] | None]] = {
    "unsynced": (codes.NOT_READY, "the private endpoints are not known yet"),
    "refused": (codes.BLOCKED, "several endpoints claim the name"),
    "miss": None,
    "toolong": None,
}
