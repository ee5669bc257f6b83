"""Compiled answers: an answer as octets, ready to be sent again to every client that asks the same question.

A compiled answer has everything but the id and the question, which each reply copies from its query. Knows when the
answer expires and which names it depends on. Does not know where compiled answers are kept (`answer_cache`). Pure:
the time is an argument.
"""

from typing import Any, Final, TypeVar

from resolver.channel.frames import FallbackReason
from resolver.forward.cache import Key
from resolver.wire import codes, render
from zones.clocks import SteadyTime
from zones.dns.name import Name

FOREVER: Final = SteadyTime(float("inf"))
"""Expiry of an answer that holds until a change of the served data evicts it."""
PAST: Final = SteadyTime(0.0)
"""A time before every query: the answer is not sent again."""
# Octets of Python objects for each answer, and for each name that it depends on, measured with tracemalloc.
_OVERHEAD: Final = 375
_DEPENDENCY: Final = 110
_HEADER_SIZE: Final = codes.HEADER_SIZE


class Compiled:
    """One answer to one question. It can be sent unchanged before the time `until`."""

    __slots__ = (
        "born", "cell", "current", "deps", "end", "expendable", "expires", "fallback", "forms", "head", "key",
        "network", "octets", "opt", "prefetch", "tail", "ttls", "until",
    )  # fmt: skip

    def __init__(
        self,
        body: render.Body,
        question: int,
        deps: tuple[Name, ...],
        cell: list[int],
        born: SteadyTime,
        expires: SteadyTime,
        expendable: bool = False,
        fallback: tuple[Name, Name, FallbackReason] | None = None,
    ) -> None:
        self.head = _shared(body.head)
        """Flags and counts, 10 octets."""
        self.tail = body.tail
        """Everything after the question, with TTLs as of `born`."""
        self.end = codes.HEADER_SIZE + question
        """Offset in a packet at which the question ends."""
        self.current = body.tail
        """The tail with the TTLs that are left."""
        self.ttls = _shared(body.ttls)
        """Offsets of the TTLs in the tail."""
        self.opt = body.opt
        """Offset of the OPT record in the tail; -1 without one."""
        self.deps = deps
        """Names whose change evicts this answer."""
        self.cell = cell
        """Counter of answers of this kind, shared with them."""
        self.born = born
        self.expires = expires
        """Time in steady seconds; `FOREVER` for an answer of served data only."""
        self.until = PAST if expires <= born else expires if expires == FOREVER else SteadyTime(min(expires, born + 1))
        """Time until which `current` is right; 0 for an answer to one query only and for an evicted one."""
        self.expendable = expendable
        """Clients can invent questions with such answers without end, so that these share a small part of the cache."""
        self.fallback = fallback
        """Zone, name and reason of an answer that no endpoint gave although the name may be expected to be private.

        Each such answer is counted.
        """
        self.prefetch: tuple[SteadyTime, Key] | None = None
        """Time from which a query for this answer makes the worker ask an upstream again, and the question to ask."""
        self.key = b""
        """Key in the cache; empty while the answer is not cached."""
        self.forms: tuple[bytes, ...] = ()
        """Packets after the id for which the exact map of `network` has this answer, oldest first."""
        self.network = 0
        self.octets = _size(body.tail, deps)
        """Approximate memory use, with that of both maps."""

    def reply(self, packet: bytes) -> bytes:
        """Return the reply to a query packet, with the name spelled as in the query. `until` must not be past."""
        return packet[:2] + self.head + packet[_HEADER_SIZE : self.end] + self.current

    def freshness(self) -> int:
        """Return the seconds for which an HTTP cache may keep the reply (RFC 8484 §5.1)."""
        return render.freshness(self.current, self.ttls)

    def sibling(self, key: bytes, tail: bytes, deps: tuple[Name, ...]) -> "Compiled":
        """Return an answer like this one for a sibling of its name. It holds until it is evicted."""
        other = Compiled.__new__(Compiled)
        other.head, other.end, other.ttls, other.opt, other.cell = self.head, self.end, self.ttls, self.opt, self.cell
        other.tail = other.current = tail
        other.deps = deps
        other.born = self.born
        other.expires = other.until = FOREVER
        other.expendable, other.fallback, other.prefetch = False, None, None
        other.key, other.forms, other.network = key, (), 0
        other.octets = _size(tail, deps) + len(key)
        return other

    def refresh(self, now: SteadyTime) -> None:
        """Lower the TTLs to what is left at `now`. Needed at most once a second."""
        age = int(now - self.born)
        self.current = render.patched(self.tail, self.ttls, age)
        self.until = SteadyTime(min(self.expires, self.born + age + 1))


def expiring(
    head: bytes, tail: bytes, ttls: tuple[int, ...], opt: int, deps: tuple[Name, ...], cell: list[int],
    born: SteadyTime, ttl: int,
) -> Compiled:  # fmt: skip
    """Return an answer that expires `ttl` seconds after `born`, without `end`. `head` and `ttls` are shared already."""
    made = Compiled.__new__(Compiled)
    made.head, made.ttls, made.opt, made.deps, made.cell = head, ttls, opt, deps, cell
    made.tail = made.current = tail
    made.born = born
    made.expires = SteadyTime(born + ttl)
    made.until = SteadyTime(born + 1) if ttl else PAST
    made.expendable, made.fallback, made.prefetch = False, None, None
    made.key, made.forms, made.network = b"", (), 0
    made.octets = _size(tail, deps)
    return made


def _size(tail: bytes, deps: tuple[Name, ...]) -> int:
    octets = _OVERHEAD + 2 * len(tail)
    for name in deps:
        octets += _DEPENDENCY + len(name)
    return octets


class Rotating(Compiled):
    """An answer with several addresses, whose order changes from one reply to the next (RFC 1794)."""

    __slots__ = ("_end", "_size", "_start", "turn")

    def turning(self, ttls: tuple[int, ...]) -> "Rotating":
        """Set which records rotate. `ttls`: the offsets of their TTLs; the records are adjacent and of equal size."""
        self._size = ttls[1] - ttls[0]
        self._start = ttls[0] - 6  # before the TTL: the owner as a pointer, type and class, 2 octets each
        self._end = self._start + self._size * len(ttls)
        self.turn = self._start
        """Offset of the address that the next reply has first."""
        return self

    def reply(self, packet: bytes) -> bytes:
        """Return the reply as `Compiled.reply` does, with the next address first."""
        current, start, end = self.current, self._start, self._end
        turn = self.turn
        self.turn = turn + self._size if turn + self._size < end else start
        turned = current[:start] + current[turn:end] + current[start:turn] + current[end:]
        return packet[:2] + self.head + packet[codes.HEADER_SIZE : self.end] + turned


class Supplemented(Compiled):
    """An answer with addresses in the additional section that are left out where the reply would be too large."""

    __slots__ = ()

    def without(self, packet: bytes) -> tuple[bytes, int]:
        """Return the reply without these addresses, and the offset of its OPT record (-1 without one)."""
        answers, authorities = int.from_bytes(self.head[4:6], "big"), int.from_bytes(self.head[6:8], "big")
        end = render.records_end(self.current, answers + authorities)
        opt = self.current[self.opt :] if self.opt >= 0 else b""
        head = self.head[:8] + (b"\0\1" if opt else b"\0\0")
        reply = packet[:2] + head + packet[codes.HEADER_SIZE : self.end] + self.current[:end]
        return reply + opt, len(reply) if opt else -1


_T = TypeVar("_T", bytes, tuple[int, ...])
_parts: dict[bytes | tuple[int, ...], Any] = {}


def _shared(part: _T) -> _T:
    """Return one object for equal heads and equal offsets: there are few different ones, and many answers."""
    if len(_parts) > 10_000:
        _parts.clear()
    shared: _T = _parts.setdefault(part, part)
    return shared
