"""What upstreams said, for as long as they said it holds: one bounded cache for all networks.

Keeps of a reply, as matched and read by `wire.relay`, what leads from the question to its answer, and for a moment what
is said when there is none. Who may see what of it is decided at every read, by the reader: nothing here knows networks,
zones or owners (RFC 1034 §4.3.4, RFC 2181 §5.2, RFC 2308 §5).
"""

from collections import OrderedDict
from typing import Final, NamedTuple

import msgspec

from resolver.wire import codes, relay
from resolver.wire.relay import Message
from zones.dns.name import Name, is_under
from zones.dns.record import RRset

SIZE: Final = 64 * 1024 * 1024  # octets
MAX_TTL: Final = 86_400  # seconds; a day, RFC 8767 §4 allows a week
MAX_NEGATIVE_TTL: Final = 900  # seconds; RFC 2308 §5 speaks of one to three hours as still sensible

FAILURE_TTL: Final = 5  # seconds for which a failure is not asked for again; RFC 9520 §3.2 wants 1 to 300
STALE_TTL: Final = 30  # seconds that a stale answer is given with, RFC 8767 §4
_FAILURES: Final = 10_000

# Octets of CPython 3.11 objects beside the data that they hold, measured with tracemalloc and rounded up.
_ENTRY: Final = 512  # slot, key, name, times, message and its two tuples
_RRSET: Final = 160
_RDATA: Final = 40


class Key(NamedTuple):
    """What was asked of whom; the class is always IN. `name` is folded."""

    group: str
    name: Name
    type: int
    do: bool = False
    cd: bool = False


class UpstreamFailure(msgspec.Struct, frozen=True):
    """No server gave a reply. `ede` and `text` are for the client's extended error (RFC 8914 §4.23, §4.24)."""

    ede: int
    text: str
    lasting: bool = True
    """It is likely to be the same a moment later; false where it was about us."""


class CachedReply(msgspec.Struct, frozen=True, gc=False):
    """A cached reply. `stored` and `expires` are on the caller's clock, in seconds; TTLs are as of `stored`."""

    message: Message
    stored: float
    expires: float
    octets: int


class UpstreamCache:
    """Replies by question. Holds at most `size` octets, roughly counted; the least recently used goes first."""

    def __init__(self, size: int = SIZE, stale: float = 0.0) -> None:
        self._stale = stale
        """Seconds after its end for which an entry can still be had."""
        self._failures: OrderedDict[Key, tuple[UpstreamFailure, float]] = OrderedDict()
        self._entries: OrderedDict[Key, CachedReply] = OrderedDict()
        self._size = size
        self.octets = 0
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now: float) -> CachedReply | None:
        """The reply to `key` that still holds at `now`."""
        entry = self._entries.get(key)
        if entry is not None and now < entry.expires:
            self._entries.move_to_end(key)
            self.hits += 1
            return entry
        if entry is not None and now >= entry.expires + self._stale:
            self._remove(key)
        self.misses += 1
        return None

    def holds(self, key: Key, until: float) -> bool:
        """The reply to `key` holds longer than `until`."""
        entry = self._entries.get(key)
        return entry is not None and entry.expires > until

    def stale(self, key: Key, now: float) -> CachedReply | None:
        """The reply to `key` that held before `now`, not too long ago (RFC 8767)."""
        entry = self._entries.get(key)
        return entry if entry is not None and now < entry.expires + self._stale else None

    def failure(self, key: Key, now: float) -> UpstreamFailure | None:
        """Why there was no reply a moment ago (RFC 9520)."""
        found = self._failures.get(key)
        if found is None:
            return None
        if now < found[1]:
            return found[0]
        del self._failures[key]
        return None

    def fail(self, key: Key, failure: UpstreamFailure, now: float) -> None:
        """Remember that there was no reply."""
        if failure.lasting:
            self._failures[key] = failure, now + FAILURE_TTL
            self._failures.move_to_end(key)
            if len(self._failures) > _FAILURES:
                self._failures.popitem(last=False)

    def put(self, key: Key, message: Message, now: float) -> CachedReply | None:
        """Keep a reply that has just come. None for one that is not to be kept; a loop is a failure (RFC 9520 §2.5)."""
        self._failures.pop(key, None)
        try:
            ttl, message = _kept(key, message)
        except relay.MalformedReply as fault:
            self.fail(key, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"), now)
            return None
        octets = _octets(key, message)
        if ttl <= 0 or octets > self._size:
            return None
        if key in self._entries:
            self._remove(key)
        entry = self._entries[key] = CachedReply(message, now, now + ttl, octets)
        self.octets += octets
        while self.octets > self._size:
            self._remove(next(iter(self._entries)))
            self.evictions += 1
        return entry

    def flush(self, name: Name, *, subtree: bool, rtype: int | None = None) -> int:
        """Forget what was asked for `name`, with `subtree` also for names below it. The number of replies gone.

        With `rtype`, only what was asked for that type.
        """
        for key in [key for key in self._failures if key.name == name or (subtree and is_under(key.name, name))]:
            del self._failures[key]
        gone = [
            key
            for key in self._entries
            if (key.name == name or (subtree and is_under(key.name, name))) and rtype in (None, key.type)
        ]
        for key in gone:
            self._remove(key)
        return len(gone)

    def _remove(self, key: Key) -> None:
        self.octets -= self._entries.pop(key).octets


def lifetime(key: Key, message: Message) -> int:
    """Seconds for which a reply may be kept; 0 for one that may not.

    That is the least TTL on the way from the question to its answer. A negative answer needs the SOA of a zone that
    holds the last name (RFC 2308 §5); errors, cut replies and loops are not kept.
    """
    try:
        chain = _chain(key, message)
    except relay.MalformedReply:
        return 0
    return _lifetime(message, chain) if chain else 0


def _kept(key: Key, message: Message) -> tuple[int, Message]:
    """How long, and what of it: nothing that does not belong to the answer. Raises `relay.MalformedReply`."""
    chain = _chain(key, message)
    ttl = _lifetime(message, chain) if chain else 0
    if chain is None or not ttl:
        return 0, message
    answer = (*[rrset for hop in chain.hops for rrset in hop.rrsets], *chain.final)
    authority = (chain.soa, *chain.proofs) if chain.soa else chain.proofs
    if len(answer) == len(message.answer) and len(authority) == len(message.authority):
        return ttl, message
    return ttl, msgspec.structs.replace(message, answer=answer, authority=authority)


def _chain(key: Key, message: Message) -> relay.Chain | None:
    if message.tc or message.rcode not in (codes.NOERROR, codes.NXDOMAIN):
        return None
    return relay.chain(message, key.name, key.type)


def _lifetime(message: Message, chain: relay.Chain) -> int:
    ttls = [rrset.ttl for hop in chain.hops for rrset in hop.rrsets]
    if chain.soa is not None:
        return min(MAX_NEGATIVE_TTL, chain.soa.ttl, _minimum(chain.soa), *ttls)
    if message.rcode == codes.NOERROR and (chain.final or chain.bare):
        return min(MAX_TTL, *ttls, *[rrset.ttl for rrset in chain.final])
    return 0


def _minimum(soa: RRset) -> int:
    """MINIMUM is the last field of the rdata (RFC 1035 §3.3.13)."""
    return int.from_bytes(soa.rdatas[0][-4:])


def _octets(key: Key, message: Message) -> int:
    total = _ENTRY + len(key.name)
    for section in (message.answer, message.authority):
        for rrset in section:
            total += _RRSET + len(rrset.owner)
            for rdata in rrset.rdatas:
                total += _RDATA + len(rdata)
    return total
