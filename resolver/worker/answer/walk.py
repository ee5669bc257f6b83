"""One question from name to name: local zones, the served table, upstreams, with re-entry at each alias.

Pure: what is known, the time and what upstreams have just said in; a draft, or what has to be asked first, out. The
walk starts anew each time, so that no state is kept between. Refuses to know octets and packets.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from resolver.forward.cache import MAX_TTL, STALE_TTL, Key, UpstreamCache, UpstreamFailure, lifetime
from resolver.forward.routing import UpstreamGroups
from resolver.wire import codes, relay
from resolver.wire.query import Query
from resolver.wire.relay import Message
from resolver.worker.answer.behaviour import Manner
from resolver.worker.answer.response import Draft
from zones.dns.name import Name, ancestry, is_under
from zones.dns.record import SOA, RRset
from zones.dns.record import soa as made_soa
from zones.table.outcome import Alias, Failure, Found, NoData, NxDomain, Outcome, Outside, Referral, TooLong
from zones.table.table import Table

MAX_HOPS: Final = 11
"""CNAME and DNAME hops of one answer, whatever their source; the next is SERVFAIL."""

PREFETCH: Final = 0.1
"""Part of what an upstream said, at whose end a client that asks for it makes us ask again."""

Fetched = Mapping[Key, Message | UpstreamFailure]


class Unasked(Exception):  # noqa: N818 - it ends a walk
    """The walk cannot go on before an upstream has been asked `key`."""

    def __init__(self, key: Key) -> None:
        super().__init__(key)
        self.key = key


class Basis(NamedTuple):
    """What every walk draws on."""

    table: Table
    upstreams: UpstreamGroups
    cache: UpstreamCache
    manner: Manner


class _Said(NamedTuple):
    """What an upstream said at `stored`; it holds until `expires`."""

    message: Message | UpstreamFailure
    stored: float
    expires: float
    stale: bool = False
    """It held before; what there is now is worse."""

    def aged(self, rrsets: Iterable[RRset], now: float) -> list[RRset]:
        """Records with the TTLs that they have left, an SOA's within what the whole may live (RFC 2308 §5)."""
        if self.stale:
            return [RRset(r.owner, r.type, STALE_TTL, r.rdatas) for r in rrsets]
        age, most = int(now - self.stored), int(self.expires - self.stored)
        return [
            RRset(r.owner, r.type, max(min(r.ttl, most if r.type == SOA else MAX_TTL) - age, 0), r.rdatas)
            for r in rrsets
        ]


class Walk:
    """One run from a question to its answer."""

    def __init__(self, basis: Basis, query: Query, network: int, now: float, fetched: Fetched) -> None:
        self._table, self._upstreams, self._cache, self._manner = basis
        self._query = query
        self._network = network
        self._now = now
        self._fetched = fetched
        self._draft = Draft()

    def draft(self) -> Draft:
        """Follow the name until something answers, denies or fails. Raises `Unasked`."""
        name: Name | None = self._query.name
        while name is not None:
            if self._draft.hops > MAX_HOPS:
                self._draft.fail((codes.NO_REACHABLE_AUTHORITY, f"more than {MAX_HOPS} aliases"))
                break
            name = self._step(name)
        return self._draft

    def _step(self, name: Name) -> Name | None:
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
                    suffix = self._kept(name)
                    if suffix is None:
                        return self._forward(name, group, outcome)
                    draft.deny(made_soa(suffix, _PRIVATE_TTL), codes.NXDOMAIN)
                    draft.ede = (codes.BLOCKED, "names of this suffix are private only")
                    self._decided(suffix, "policy", loose=True)
                    return None
                if isinstance(outcome, Referral):
                    draft.refer(outcome.ns, outcome.glue)
                    self._decided(outcome.zone, "static", loose=True)
        return None

    def _is_dropped(self, name: Name) -> bool:
        dropped = self._manner.dropped
        return bool(dropped) and not dropped.isdisjoint(ancestry(name))

    def _kept(self, name: Name) -> Name | None:
        """The suffix that keeps a name from every upstream."""
        suffixes = self._manner.private_only
        return next((at for at in ancestry(name) if at in suffixes), None) if suffixes else None

    def _decided(self, zone: Name, origin: str, *, synthesised: bool = False, loose: bool) -> None:
        draft = self._draft
        draft.zone, draft.origin = zone, origin
        draft.loose |= loose
        if synthesised:
            draft.ede = (codes.SYNTHESIZED, "")
        if self._table.stale and origin != "static" and draft.rcode in _STALE and (synthesised or draft.ede is None):
            draft.ede = (_STALE[draft.rcode], "what is known of private endpoints is not up to date")

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
        """Follow the reply of the upstream group, from the cache if possible (rows "miss policy" and "upstream")."""
        draft, query = self._draft, self._query
        if not query.rd and draft.aa:
            return None  # a chain that leaves our data ends there
        self._missed(name, outcome)
        key = Key(group, name, query.qtype, query.do, query.cd)
        said = self._said(key)
        if said is not None:
            return self._follow(name, key, said)
        if query.rd:
            raise Unasked(key)
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
        """What the upstream said: just now, or before and still holding, or before where it says nothing now."""
        now, fetched = self._now, self._fetched.get(key)
        if isinstance(fetched, Message) and fetched.rcode in _RELAYED:
            return _Said(fetched, now, now + lifetime(key, fetched))
        if fetched is None:
            entry = self._cache.get(key, now)
            if entry is not None:
                return _Said(entry.message, entry.stored, entry.expires)
            fetched = self._cache.failure(key, now)
            if fetched is None:
                return None
        stale = self._cache.stale(key, now)
        return _Said(stale.message, now, now, stale=True) if stale else _Said(fetched, now, now)

    def _follow(self, name: Name, key: Key, said: _Said) -> Name | None:
        """Take the records of an upstream's chain, re-entering our own data at every hop (RFC 1034 §5.3.3)."""
        draft, message = self._draft, said.message
        if said.expires < draft.expires:
            draft.expires = said.expires
            draft.renew = (said.expires - PREFETCH * (said.expires - said.stored), key)
        if said.stale:
            denied = isinstance(message, Message) and message.rcode == codes.NXDOMAIN
            draft.ede = (codes.STALE_NXDOMAIN if denied else codes.STALE_ANSWER, "")
        if isinstance(message, UpstreamFailure):
            draft.fail((message.ede, message.text))
            return None
        try:
            chain = relay.chain(message, name, self._query.qtype)
        except relay.Malformed as fault:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"))
            return None
        group = key.group
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
        draft.theirs(said.aged(self._screened(group, chain.final), self._now))
        if message.rcode not in _RELAYED:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream answered {codes.rcode_text(message.rcode)}"))
            return None
        proofs = chain.proofs if self._query.do else ()
        draft.authority = said.aged((chain.soa, *proofs) if chain.soa else proofs, self._now)
        draft.rcode = message.rcode
        draft.loose |= message.rcode == codes.NXDOMAIN
        return None

    def _screened(self, group: str, rrsets: tuple[RRset, ...]) -> tuple[RRset, ...]:
        """What may be passed on of an upstream's records."""
        if self._manner.screen is None:
            return rrsets
        left = self._manner.screen.filter(group, rrsets, self._draft.answer)
        if left.changed:
            self._draft.ad = False
        if left.stripped:
            self._draft.ede = (codes.BLOCKED, "private addresses in a public answer")
        return left.rrsets

    def _is_theirs(self, target: Name, group: str) -> bool:
        """True when the upstream's chain may go on at `target`: not ours to answer, and the group is the same."""
        outcome = self._table.lookup(target, self._query.qtype, self._network)
        if not isinstance(outcome, Outside | Referral) or self._group(target, outcome) != group:
            return False
        if self._is_dropped(target) or self._kept(target):
            return False
        self._draft.deps += (target, *outcome.deps)
        self._missed(target, outcome)
        return True


_RELAYED: Final = frozenset((codes.NOERROR, codes.NXDOMAIN, codes.YXDOMAIN))
"""Rcodes of an upstream that are an answer; any other is about the upstream, and ours is SERVFAIL."""
_STALE: Final = {codes.NOERROR: codes.STALE_ANSWER, codes.NXDOMAIN: codes.STALE_NXDOMAIN}
"""What is said of an answer from endpoints while a source of them could not be read for a while (RFC 8914)."""
_PRIVATE_TTL: Final = 10
"""Seconds that the denial of a private-only name holds."""
_EDE: Final = {"refused": (codes.OTHER, "several endpoints claim the name")}
