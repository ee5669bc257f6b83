"""The cache of upstream replies, with a size limit, for all networks together.

Keeps the records of a reply that lead from the question to its answer, and for a few seconds the failure of a question
(RFC 1034 §4.3.4, RFC 2181 §5.2, RFC 2308 §5, RFC 9520). Does not know networks, zones and endpoints: the reader decides
at every read which records a client may have.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from resolver.wire import aliases, codes, relay
from resolver.wire.plain_reply import PlainReply, Reply
from resolver.wire.relay import Message
from zones.clocks import SteadyTime
from zones.dns.name import Name, is_under
from zones.dns.record import RRset

SIZE: Final = 64 * 1024 * 1024
"""Octets."""
MAX_TTL: Final = 86_400
"""Seconds, one day. RFC 8767 §4 allows a week."""
MAX_NEGATIVE_TTL: Final = 900
"""Seconds. RFC 2308 §5 calls one to three hours sensible."""

FAILURE_TTL: Final = 5
"""Seconds for which a failed question is not asked again. RFC 9520 §3.2 requires 1 to 300."""
STALE_TTL: Final = 30
"""Seconds; the TTL of stale answers (RFC 8767 §4)."""
_FAILURES: Final = 10_000  # most failures kept

# Octets of CPython 3.11 objects without their data, measured with tracemalloc and rounded up.
_ENTRY: Final = 512  # slot, key, name, times, message and its two tuples
_PLAIN: Final = 640  # the same with a plain reply instead of a message, and its question
_RRSET: Final = 160
_RDATA: Final = 40


class Key:
    """A question to a group of servers. The class is always IN; `name` is in lower case. Does not change."""

    __slots__ = ("_hash", "cd", "do", "group", "name", "type")

    def __init__(self, group: str, name: Name, type: int, do: bool = False, cd: bool = False) -> None:  # noqa: A002
        self.group = group
        self.name = name
        self.type = type
        self.do = do
        self.cd = cd
        self._hash = hash(name) ^ type << 2 ^ do << 1 ^ cd

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Key) and self._equals(other))

    def _equals(self, other: "Key") -> bool:
        return (
            self.name == other.name
            and self.type == other.type
            and self.group == other.group
            and self.do == other.do
            and self.cd == other.cd
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Key({self.group!r}, {self.name!r}, {self.type}, do={self.do}, cd={self.cd})"


class UpstreamFailure(msgspec.Struct, frozen=True):
    """No server answered a question. `ede` and `text` make the client's Extended DNS Error (RFC 8914 §4.23, §4.24)."""

    ede: int
    text: str
    lasting: bool = True
    """Asking again at once would probably fail too. False for local limits and errors."""


class CachedReply(msgspec.Struct, frozen=True, gc=False):
    """A cached reply. `stored` and `expires` are seconds on the caller's clock. TTLs count from `stored`."""

    reply: Reply
    stored: SteadyTime
    expires: SteadyTime
    octets: int

    @property
    def message(self) -> Message:
        """The reply with its records."""
        return self.reply if isinstance(self.reply, Message) else self.reply.message()


class UpstreamCache:
    """Replies by question, at most about `size` octets. The least recently used replies are evicted first."""

    def __init__(self, size: int = SIZE, stale: float = 0.0) -> None:
        self._stale = stale
        """Seconds for which an expired reply may still be used."""
        self._failures: OrderedDict[Key, tuple[UpstreamFailure, SteadyTime]] = OrderedDict()
        self._entries: OrderedDict[Key, CachedReply] = OrderedDict()
        self._size = size
        self.octets = 0
        self.hits = 0
        self.misses = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key, now: SteadyTime) -> CachedReply | None:
        """Return the reply to `key` that has not expired at `now`, or None."""
        entry = self._entries.get(key)
        if entry is not None and now < entry.expires:
            self._entries.move_to_end(key)
            self.hits += 1
            return entry
        if entry is not None and now >= entry.expires + self._stale:
            self._remove(key)
        self.misses += 1
        return None

    def held(self, key: Key) -> CachedReply | None:
        """Return the reply to `key`, expired or not, or None. Changes nothing."""
        return self._entries.get(key)

    def failed(self, key: Key) -> tuple[UpstreamFailure, SteadyTime] | None:
        """Return the last failure of `key` and the end of its time, past or not, or None. Changes nothing."""
        return self._failures.get(key)

    def knows(self, key: Key) -> bool:
        """Return whether there is a reply to `key` or a failure of it, expired or not. If not, count a miss."""
        if key in self._entries or (self._failures and key in self._failures):
            return True
        self.misses += 1
        return False

    def holds(self, key: Key, until: SteadyTime) -> bool:
        """Return whether a reply to `key` expires after `until`."""
        entry = self._entries.get(key)
        return entry is not None and entry.expires > until

    def stale(self, key: Key, now: SteadyTime) -> CachedReply | None:
        """Return the reply to `key`, expired or not, if it may still be used as a stale answer (RFC 8767)."""
        entry = self._entries.get(key)
        return entry if entry is not None and now < entry.expires + self._stale else None

    def failure(self, key: Key, now: SteadyTime) -> UpstreamFailure | None:
        """Return the failure of `key` in the last few seconds, or None (RFC 9520)."""
        found = self._failures.get(key)
        if found is None:
            return None
        if now < found[1]:
            return found[0]
        del self._failures[key]
        return None

    def fail(self, key: Key, failure: UpstreamFailure, now: SteadyTime) -> None:
        """Keep the failure of `key`, if it is lasting."""
        if failure.lasting:
            self._failures[key] = failure, SteadyTime(now + FAILURE_TTL)
            self._failures.move_to_end(key)
            if len(self._failures) > _FAILURES:
                self._failures.popitem(last=False)

    def put(self, key: Key, message: Reply, now: SteadyTime) -> CachedReply | None:
        """Keep a new reply. Return None if it must not be kept. A loop becomes a failure (RFC 9520 §2.5)."""
        if self._failures:
            self._failures.pop(key, None)
        before = self._entries.get(key)
        if before is not None and before.reply is message:
            return before  # kept for another client that waited for it
        if isinstance(message, PlainReply):
            ttl, octets = message.ttl, _PLAIN + len(message.packet)
        else:
            try:
                ttl, message = _kept(key, message)
            except relay.MalformedReply as fault:
                self.fail(key, UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, f"the upstream's answer: {fault}"), now)
                return None
            octets = _octets(key, message)
        if ttl <= 0 or octets > self._size:
            return None
        if before is not None:
            self._remove(key)
        entry = self._entries[key] = CachedReply(message, now, SteadyTime(now + min(ttl, MAX_TTL)), octets)
        self.octets += octets
        while self.octets > self._size:
            self._remove(next(iter(self._entries)))
            self.evictions += 1
        return entry

    def flush(self, name: Name, *, subtree: bool, rtype: int | None = None) -> int:
        """Remove the replies to questions for `name` and, with `subtree`, for names below it. Return their number.

        With `rtype`, only replies to questions of that type are removed. Failures are removed for every type.
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

    def forget_group(self, group: str) -> None:
        """Remove the replies and failures of one upstream group: it has other servers now."""
        for key in [key for key in self._failures if key.group == group]:
            del self._failures[key]
        for key in [key for key in self._entries if key.group == group]:
            self._remove(key)

    def limit(self, size: int, stale: float) -> None:
        """Set the limits that the constructor takes. Replies beyond the new size are evicted."""
        self._size, self._stale = size, stale
        while self.octets > self._size:
            self._remove(next(iter(self._entries)))
            self.evictions += 1

    def clear(self) -> None:
        """Remove all replies and failures, and free the memory of both maps: a map keeps its size otherwise."""
        self._entries.clear()
        self._failures.clear()
        self.octets = 0

    def _remove(self, key: Key) -> None:
        self.octets -= self._entries.pop(key).octets


def lifetime(key: Key, message: Message) -> int:
    """Return the seconds for which a reply may be kept, or 0.

    The lifetime is the least TTL of the records from the question to its answer, and of proofs beside them. A negative
    answer must have the SOA of a zone that contains the last name (RFC 2308 §5). Errors, truncated replies and loops
    must not be kept.
    """
    try:
        chain = _chain(key, message)
    except relay.MalformedReply:
        return 0
    return _lifetime(message, chain) if chain else 0


def _kept(key: Key, message: Message) -> tuple[int, Message]:
    """Return the lifetime, and the reply with only the records of the answer. Raises `relay.MalformedReply`."""
    chain = _chain(key, message)
    ttl = _lifetime(message, chain) if chain else 0
    if chain is None or not ttl:
        return 0, message
    answer = (*[rrset for hop in chain.hops for rrset in hop.rrsets], *chain.final)
    authority = (chain.soa, *chain.proofs) if chain.soa else chain.proofs
    if len(answer) == len(message.answer) and len(authority) == len(message.authority):
        return ttl, message
    return ttl, msgspec.structs.replace(message, answer=answer, authority=authority)


def _chain(key: Key, message: Message) -> aliases.Chain | None:
    if message.tc or message.rcode not in (codes.NOERROR, codes.NXDOMAIN):
        return None
    return aliases.chain(message, key.name, key.type)


def _lifetime(message: Message, chain: aliases.Chain) -> int:
    ttls = [rrset.ttl for hop in chain.hops for rrset in hop.rrsets]
    if chain.soa is not None:
        return min(MAX_NEGATIVE_TTL, chain.soa.ttl, _minimum(chain.soa), *ttls)
    if message.rcode == codes.NOERROR and (chain.final or chain.bare):
        return min(MAX_TTL, *ttls, *[rrset.ttl for rrset in (*chain.final, *chain.proofs)])
    return 0


def _minimum(soa: RRset) -> int:
    """Return MINIMUM, the last field of the rdata (RFC 1035 §3.3.13)."""
    return int.from_bytes(soa.rdatas[0][-4:])


def _octets(key: Key, message: Message) -> int:
    total = _ENTRY + len(key.name)
    for section in (message.answer, message.authority):
        for rrset in section:
            total += _RRSET + len(rrset.owner)
            for rdata in rrset.rdatas:
                total += _RDATA + len(rdata)
    return total
