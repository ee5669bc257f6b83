"""The walk: follows one question from name to name, through the table and upstreams, until a name has an answer.

The query, the time and the replies of upstreams so far go in. A draft comes out, or the question that an upstream must
answer first. The table is asked first at every name, also at the targets of an upstream's aliases. Each walk starts at
the beginning, so that nothing is kept between two. Does not know octets and packets. Pure.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from resolver.forward.cache import MAX_TTL, STALE_TTL, Key, UpstreamCache, UpstreamFailure, lifetime
from resolver.forward.routing import UpstreamGroups
from resolver.wire import aliases, codes, relay
from resolver.wire.query import Query
from resolver.wire.relay import Message
from resolver.worker.answer import local_reverse, targets, unmatched
from resolver.worker.answer.behaviour import Behaviour
from resolver.worker.answer.compiled import Supplemented
from resolver.worker.answer.response import Draft, ReplyOrigin
from zones.clocks import SteadyTime
from zones.dns.name import Name, ancestry, is_under
from zones.dns.record import AAAA, DS, SOA, A, RRset
from zones.dns.record import soa as made_soa
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.outcome import (
    Alias,
    DataOrigin,
    Failure,
    FailureReason,
    Found,
    NoData,
    NxDomain,
    Outcome,
    Outside,
    Referral,
    TooLong,
)  # fmt: skip
from zones.table.table import Table

MAX_HOPS: Final = 11
"""CNAME and DNAME hops of one answer, from whatever source; one more is SERVFAIL."""

PREFETCH: Final = 0.1
"""Last part of the lifetime of an upstream's reply in which a query for it makes the worker ask again."""

Fetched = Mapping[Key, Message | UpstreamFailure]


class UpstreamQuestion(NamedTuple):
    """A question that an upstream must answer before a walk can go on."""

    key: Key
    deps: tuple[Name, ...] = ()
    """If an address in the reply is the whole answer: the names whose change would alter that. Empty otherwise."""


class Unfetched(Exception):  # noqa: N818 - it ends a walk
    """The walk cannot go on until an upstream has answered `question`."""

    def __init__(self, question: UpstreamQuestion) -> None:
        super().__init__(question)
        self.question = question


class Basis(NamedTuple):
    """What all walks use."""

    table: Table
    upstreams: UpstreamGroups
    cache: UpstreamCache
    behaviour: Behaviour


class UpstreamReply(NamedTuple):
    """An upstream's reply, or its failure. It came at `stored` and holds until `expires`."""

    message: Message | UpstreamFailure
    stored: SteadyTime
    expires: SteadyTime
    stale: bool = False
    """It has expired, and nothing better could be fetched."""

    def aged(self, rrsets: Iterable[RRset], now: SteadyTime) -> list[RRset]:
        """Return records with the TTLs that are left; an SOA's is not above the reply's lifetime (RFC 2308 §5)."""
        if self.stale:
            return [RRset(r.owner, r.type, STALE_TTL, r.rdatas) for r in rrsets]
        age, most = int(now - self.stored), int(self.expires - self.stored)
        return [
            RRset(r.owner, r.type, max(min(r.ttl, most if r.type == SOA else MAX_TTL) - age, 0), r.rdatas)
            for r in rrsets
        ]


class Walk:
    """One run from a question to its answer."""

    def __init__(self, basis: Basis, query: Query, network: NetworkIndex, now: SteadyTime, fetched: Fetched) -> None:
        self._table, self._upstreams, self._cache, self._behaviour = basis
        self._query = query
        self._network = network
        self._now = now
        self._fetched = fetched
        self._draft = Draft()

    def draft(self) -> Draft:
        """Follow the name until something answers, denies or fails. Raises `Unfetched`."""
        draft = self._draft
        name: Name | None = self._query.name
        while name is not None:
            if draft.hops > MAX_HOPS:
                draft.fail((codes.NO_REACHABLE_AUTHORITY, f"more than {MAX_HOPS} aliases"))
                break
            name = self._step(name)
        if draft.proofs:
            draft.prove()
        unmatched.explain(draft)
        return draft

    def _step(self, name: Name) -> Name | None:
        """Look one name up. Return its target if it is an alias, else None: the draft is complete."""
        draft = self._draft
        if self._is_dropped(name):
            draft.fail((codes.BLOCKED, "this server does not answer for this name"), codes.REFUSED)
            draft.deps += (name,)  # another configuration may answer for it
            draft.origin, draft.expendable = ReplyOrigin.DROPPED, True
            return None
        outcome = self._table.lookup(name, self._query.qtype, self._network)
        draft.deps += (name, *outcome.deps)
        if self._network == NONE:
            unmatched.note(draft, self._table, name)
        match outcome:
            case Found(rrsets=rrsets, zone=zone, origin=origin, wildcard=wildcard):
                draft.add_served(rrsets)
                if rrsets[0].type in targets.OFFSETS:
                    self._supplement(rrsets[0])
                self._decided(zone, origin, synthesised=wildcard or origin is DataOrigin.PTR, expendable=wildcard)
            case Alias(rrsets=rrsets, target=target, zone=zone, origin=origin, wildcard=wildcard):
                draft.add_served(rrsets)
                draft.hops += 1
                # Two RRsets: a DNAME, which answers for any name below it as a wildcard does, and its CNAME.
                self._decided(zone, origin, synthesised=wildcard, expendable=wildcard or len(rrsets) > 1)
                return target
            case NoData(soa=soa, zone=zone, origin=origin, wildcard=wildcard):
                draft.deny(soa, codes.NOERROR)
                self._decided(zone, origin, expendable=wildcard or origin is DataOrigin.POLICY)
            case NxDomain(soa=soa, zone=zone, origin=origin):
                draft.deny(soa, codes.NXDOMAIN)
                self._decided(zone, origin, expendable=True)
            case Failure(why=FailureReason.UNSYNCED):
                draft.fail((codes.NOT_READY, "the private endpoints have not been read yet"))
                draft.origin, draft.keep = DataOrigin.POLICY, False
            case Failure(why=why, zone=zone):
                draft.fail(_EDE.get(why))
                self._decided(zone, DataOrigin.POLICY, expendable=True)
            case TooLong(rrsets=rrsets, zone=zone):
                draft.add_served(rrsets)
                draft.rcode = codes.YXDOMAIN
                self._decided(zone, DataOrigin.STATIC, expendable=True)
            case Outside() | Referral():
                group = self._group(name, outcome)
                if group is not None:
                    return None if self._is_kept_here(name, outcome) else self._forward(name, group, outcome)
                if isinstance(outcome, Referral):
                    draft.refer(outcome.ns, outcome.glue)
                    self._decided(outcome.zone, DataOrigin.STATIC, expendable=True)
        return None

    def _supplement(self, rrset: RRset) -> None:
        """Add the addresses of the targets that the table holds to the additional section (RFC 1034 §4.3.2, step 6)."""
        draft = self._draft
        for target in targets.of(rrset):
            if not self._is_dropped(target):
                for rtype in (A, AAAA):
                    rrsets, deps = targets.addresses(self._table, target, rtype, self._network)
                    draft.deps += deps
                    draft.additional += [each for each in rrsets if each not in draft.additional]
        draft.shape = Supplemented

    def _is_dropped(self, name: Name) -> bool:
        """Return True if the configuration refuses the name."""
        dropped = self._behaviour.dropped
        return bool(dropped) and not dropped.isdisjoint(ancestry(name))

    def _is_kept_here(self, name: Name, outcome: Outside | Referral) -> bool:
        """Answer a name that no upstream is asked for, and return True; return False for other names."""
        if suffix := self._private_suffix(name):
            self._deny_private(name, suffix, outcome)
            return True
        apex = self._local_apex(name, outcome)
        if apex is None:
            return False
        exists = self._table.is_parent(name, self._network)
        local_reverse.answer(self._draft, name, self._query.qtype, apex, exists=exists)
        return True

    def _private_suffix(self, name: Name) -> Name | None:
        """Return the suffix because of which a name is never asked of an upstream; None for other names."""
        suffixes = self._behaviour.private_only
        return next((at for at in ancestry(name) if at in suffixes), None) if suffixes else None

    def _local_apex(self, name: Name, outcome: Outcome) -> Name | None:
        """Return the reverse zone of RFC 6303 in which a name is answered here; None for other names.

        A zone or an upstream group that the configuration has for the name takes precedence. DS belongs to the parent.
        """
        if not self._behaviour.local_reverse or not isinstance(outcome, Outside) or outcome.zone in self._table.named:
            return None
        apex = local_reverse.apex_over(name)
        if apex is None or (name == apex and self._query.qtype == DS) or self._upstreams.covering_suffix(name):
            return None
        return apex

    def _decided(self, zone: Name, origin: DataOrigin, *, synthesised: bool = False, expendable: bool) -> None:
        """Note which zone decided, and what the client should know about the answer (RFC 8914)."""
        draft = self._draft
        draft.zone, draft.origin = zone, origin
        draft.expendable |= expendable
        if synthesised:
            draft.ede = (codes.SYNTHESIZED, "")
        if (
            self._table.stale
            and draft.origin is not DataOrigin.STATIC
            and draft.rcode in _STALE
            and (synthesised or draft.ede is None)
        ):
            draft.ede = (_STALE[draft.rcode], "the private endpoints may have changed since they were read")

    def _group(self, name: Name, outcome: Outcome) -> str | None:
        """Return the upstream group that answers for a name; None where the table does.

        Below a delegation of a zone file, a group answers if its suffix lies at or below the cut: the configuration
        says who serves the child zone. Without such a group the client gets the referral.
        """
        if isinstance(outcome, Outside):
            return outcome.group or self._upstreams.route(name)
        if isinstance(outcome, Referral) and self._query.rd:
            covering = self._upstreams.covering_suffix(name)
            if covering and is_under(covering[0], outcome.cut):
                return covering[1]
        return None

    def _forward(self, name: Name, group: str, outcome: Outside | Referral) -> Name | None:
        """Answer from the upstream group's reply. Raises `Unfetched` if the reply is not in the cache.

        Returns the target of an alias if the table or another group answers for that.
        """
        draft, query = self._draft, self._query
        if not query.rd and (self._is_denied_apex(outcome) or draft.aa):
            return None  # without RD, a chain of served records ends where it leaves the served data
        self._missed(name, outcome)
        key = Key(group, name, query.qtype, query.do, query.cd)
        reply = self._reply(key)
        if reply is not None:
            return self._follow(name, key, reply)
        if query.rd:
            is_walked = draft.answer or draft.fallback or draft.unmatched or draft.hops
            direct = not (is_walked or isinstance(outcome, Referral))
            raise Unfetched(UpstreamQuestion(key, tuple(dict.fromkeys(draft.deps)) if direct else ()))
        if not draft.answer:
            draft.fail((codes.NOT_AUTHORITATIVE, "recursion was not desired"), codes.REFUSED)
        draft.keep = False
        return None

    def _deny_private(self, name: Name, suffix: Name, outcome: Outside | Referral) -> None:
        """Deny a name that is never asked of an upstream, because of a suffix."""
        if self._is_denied_apex(outcome):
            return
        exists = self._table.is_parent(name, self._network)
        self._draft.deny(made_soa(suffix, _PRIVATE_TTL), codes.NOERROR if exists else codes.NXDOMAIN)
        self._decided(suffix, DataOrigin.POLICY, expendable=True)
        if not exists:
            self._draft.ede = (codes.BLOCKED, "names of this suffix are private only")

    def _is_denied_apex(self, outcome: Outside | Referral) -> bool:
        """Deny DS at the apex of a zone that is served here, and return True; return False for other questions.

        A server of the child zone that does not recurse answers NODATA (RFC 4035 §3.1.4.1).
        """
        apex = outcome.apex if isinstance(outcome, Outside) else None
        if apex is None:
            return False
        self._draft.deny(apex, codes.NOERROR)
        self._decided(Name(apex.owner), DataOrigin.POLICY, expendable=True)
        return True

    def _missed(self, name: Name, outcome: Outside | Referral) -> None:
        """Note a name that an upstream answers. Inside a private zone it is a fallback, which is counted."""
        draft = self._draft
        if isinstance(outcome, Outside) and outcome.zone is not None:
            draft.zone, draft.origin = outcome.zone, ReplyOrigin.PUBLIC
            draft.fallback, draft.expendable = (outcome.zone, name), True
        elif draft.fallback is None:
            draft.origin = ReplyOrigin.FORWARD

    def _reply(self, key: Key) -> UpstreamReply | None:
        """Return the upstream's reply: the one just fetched, else the cached one, else an expired one or a failure."""
        now, fetched = self._now, self._fetched.get(key)
        if isinstance(fetched, Message) and fetched.rcode in codes.ANSWERS:
            return UpstreamReply(fetched, now, SteadyTime(now + lifetime(key, fetched)))
        if fetched is None:
            entry = self._cache.get(key, now)
            if entry is not None:
                return UpstreamReply(entry.message, entry.stored, entry.expires)
            fetched = self._cache.failure(key, now)
            if fetched is None:
                return None
        stale = self._cache.stale(key, now)
        return UpstreamReply(stale.message, now, now, stale=True) if stale else UpstreamReply(fetched, now, now)

    def _follow(self, name: Name, key: Key, reply: UpstreamReply) -> Name | None:
        """Take the records of an upstream's reply up to the first alias whose target the table answers for."""
        draft, message = self._draft, reply.message
        if reply.expires < draft.expires:
            draft.expires = reply.expires
            draft.prefetch = (SteadyTime(reply.expires - PREFETCH * (reply.expires - reply.stored)), key)
        if reply.stale:
            denied = isinstance(message, Message) and message.rcode == codes.NXDOMAIN
            draft.ede = (codes.STALE_NXDOMAIN if denied else codes.STALE_ANSWER, "")
        if isinstance(message, UpstreamFailure):
            draft.fail((message.ede, message.text))
            return None
        try:
            chain = aliases.chain(message, name, self._query.qtype)
        except relay.MalformedReply as fault:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"))
            return None
        group = key.group
        draft.ad &= message.ad
        for hop in chain.hops:
            draft.add_fetched(reply.aged(hop.rrsets, self._now))
            if hop.proofs and self._query.do:  # for the case that the chain leaves this reply
                draft.proofs += tuple(reply.aged(hop.proofs, self._now))
            draft.hops += 1
            if draft.hops > MAX_HOPS:
                return hop.target
            if not self._goes_on(hop.target, group):
                draft.ad = False
                return hop.target
        if chain.bare:
            return chain.last
        draft.add_fetched(reply.aged(self._screened(group, chain.final), self._now))
        if message.rcode not in codes.ANSWERS:
            draft.fail((codes.NO_REACHABLE_AUTHORITY, f"the upstream answered {codes.rcode_text(message.rcode)}"))
            return None
        proofs = chain.proofs if self._query.do else ()
        draft.authority = reply.aged((chain.soa, *proofs) if chain.soa else proofs, self._now)
        draft.rcode = message.rcode
        draft.expendable |= message.rcode == codes.NXDOMAIN
        return None

    def _screened(self, group: str, rrsets: tuple[RRset, ...]) -> tuple[RRset, ...]:
        """Return an upstream's records without the addresses that must not be passed on."""
        if self._behaviour.screen is None:
            return rrsets
        left = self._behaviour.screen.filter(group, rrsets, self._draft.answer, self._leads_here)
        if left.changed:
            self._draft.ad = False
        if left.stripped:
            self._draft.ede = (codes.BLOCKED, "private addresses in a public answer")
        return left.rrsets

    def _leads_here(self, target: Name) -> bool:
        """Return True if a client that asks for the addresses of `target` gets served data, also through aliases.

        True as well if that cannot be found out. Raises `Unfetched`.
        """
        query = self._query.about(target, A)
        basis = Basis(self._table, self._upstreams, self._cache, self._behaviour)
        try:
            found = Walk(basis, query, self._network, self._now, self._fetched).draft()
        except Unfetched as unfetched:  # an address of the target is not the answer to this query
            raise Unfetched(UpstreamQuestion(unfetched.question.key)) from None
        self._draft.deps += found.deps
        self._draft.expires = min(self._draft.expires, found.expires)
        return found.rcode not in codes.ANSWERS or found.served

    def _goes_on(self, target: Name, group: str) -> bool:
        """Return True if the upstream's chain may go on at `target`: the same group answers for it."""
        outcome = self._table.lookup(target, self._query.qtype, self._network)
        if not isinstance(outcome, Outside | Referral) or self._group(target, outcome) != group:
            return False
        if self._is_dropped(target) or self._private_suffix(target) or self._local_apex(target, outcome):
            return False
        self._draft.deps += (target, *outcome.deps)
        self._missed(target, outcome)
        if self._network == NONE:
            unmatched.note(self._draft, self._table, target)
        return True


_STALE: Final = {codes.NOERROR: codes.STALE_ANSWER, codes.NXDOMAIN: codes.STALE_NXDOMAIN}
"""EDE codes of answers from endpoints while a source of endpoints has not been read for too long (RFC 8914)."""
_PRIVATE_TTL: Final = 10
"""TTL of the denial of a private-only name, in seconds."""
_EDE: Final = {FailureReason.REFUSED: (codes.OTHER, "several endpoints claim the name")}
"""EDE code and text of a lookup that fails, by its reason; none for the others."""
