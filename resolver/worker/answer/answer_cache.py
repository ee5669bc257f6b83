"""The compiled answers: every answer that was made before, ready to be sent again (and evicted when it must be).

Two maps lead to them. The exact one, per network, has every octet of a UDP packet after the id, so that a repeated
packet needs no parsing; the other has the folded question with all of the query that shapes a reply. Each answer is
indexed under every name that decided it, so that a change evicts those answers and no others. Pure: time is passed in.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from resolver.forward.cache import Key
from resolver.wire import codes, render
from resolver.wire.query import Query
from zones.dns.name import Name, is_under

LIMIT: Final = 192 << 20
"""Octets of all compiled answers, private and public together."""
_OVERHEAD: Final = 375  # octets of objects around one answer, measured with tracemalloc; so are the next two
_DEP: Final = 110  # for each name that it is indexed under
_EXACT_OVERHEAD: Final = 230
LARGEST_EXACT: Final = 200
"""Octets of a packet; what is longer is rarely asked twice in the same form."""
_FORMS: Final = 4
"""Forms of a packet that are remembered of one answer: clients that spell a name anew each time (0x20) have no end."""
FOREVER: Final = float("inf")


class Compiled:
    """One answer. `until`: it can be sent as it stands before this time; 0 for one query only, and once evicted."""

    __slots__ = (
        "born", "cell", "deps", "end", "expires", "fallback", "forms", "head", "key",
        "loose", "network", "now", "octets", "opt", "renew", "tail", "ttls", "until",
    )  # fmt: skip

    def __init__(
        self,
        body: render.Body,
        question: int,
        deps: tuple[Name, ...],
        cell: list[int],
        born: float,
        expires: float,
        *,
        loose: bool,
        fallback: tuple[Name, Name] | None,
    ) -> None:
        self.head = _shared(body.head)
        self.tail = body.tail
        self.end = codes.HEADER_SIZE + question
        """Where the question ends in a packet."""
        self.now = body.tail
        """The tail with TTLs as of now."""
        self.ttls = _shared(body.ttls)
        self.opt = body.opt
        """Where the OPT record begins, after the question; -1 without."""
        self.deps = deps
        self.cell = cell
        """Counter of answers of this kind, shared: one addition for each answer sent."""
        self.born = born
        self.expires = expires
        """Seconds; infinite for an answer that is ours alone and stands until it is evicted."""
        self.until = 0.0 if expires <= born else expires if expires == FOREVER else min(expires, born + 1)
        self.loose = loose
        """Anyone can make up names for such answers, so they have a small part of the room."""
        self.fallback = fallback
        """(zone, name) of a question inside a private zone that an upstream answered: each one is listed."""
        self.renew: tuple[float, Key] | None = None
        """From when on it is worth to ask an upstream again, and what; None once that was done."""
        self.key = b""
        self.forms: tuple[bytes, ...] = ()
        """What the exact map has of it in the part of `network`: packets after the id, the oldest first."""
        self.network = 0
        self.octets = _room(body.tail, deps)
        """Room that it takes, roughly, in both maps."""

    def reply(self, packet: bytes) -> bytes:
        """The reply to a query for this answer, in the query's own spelling of the name. `until` must not be past."""
        return packet[:2] + self.head + packet[codes.HEADER_SIZE : self.end] + self.now

    def sibling(self, key: bytes, tail: bytes, deps: tuple[Name, ...]) -> "Compiled":
        """An answer like this one, which stands until it is evicted, at a sibling of its name."""
        other = Compiled.__new__(Compiled)
        other.head, other.end, other.ttls, other.opt, other.cell = self.head, self.end, self.ttls, self.opt, self.cell
        other.tail = other.now = tail
        other.deps = deps
        other.born = self.born
        other.expires = other.until = FOREVER
        other.loose, other.fallback, other.renew = False, None, None
        other.key, other.forms, other.network = key, (), 0
        other.octets = _room(tail, deps) + len(key)
        return other

    def refresh(self, now: float) -> None:
        """Lower the TTLs to what is left at `now`; at most once a second."""
        age = int(now - self.born)
        self.now = render.patched(self.tail, self.ttls, age)
        self.until = min(self.expires, self.born + age + 1)


def _room(tail: bytes, deps: tuple[Name, ...]) -> int:
    return _OVERHEAD + 2 * len(tail) + len(b"".join(deps)) + _DEP * len(deps)


class Rotating(Compiled):
    """An answer of several addresses, which change their places from one reply to the next (RFC 1794)."""

    __slots__ = ("_end", "_size", "_start", "_turn")

    def turning(self, ttls: tuple[int, ...]) -> "Rotating":
        """`ttls`: offsets of the TTLs of the records that turn, one after the other and of one size."""
        self._size = ttls[1] - ttls[0]
        self._start = ttls[0] - 6  # the owner, a pointer, and type and class before the TTL
        self._end = self._start + self._size * len(ttls)
        self._turn = self._start
        return self

    def reply(self, packet: bytes) -> bytes:
        """As `Compiled.reply`, with the next address in front."""
        now, start, end = self.now, self._start, self._end
        turn = self._turn
        self._turn = turn + self._size if turn + self._size < end else start
        turned = now[:start] + now[turn:end] + now[start:turn] + now[end:]
        return packet[:2] + self.head + packet[codes.HEADER_SIZE : self.end] + turned


_T = TypeVar("_T", bytes, tuple[int, ...])
_parts: dict[bytes | tuple[int, ...], Any] = {}


def _shared(part: _T) -> _T:
    """One object for equal heads, and for equal lists of offsets: there are few, and answers are many."""
    if len(_parts) > 10_000:
        _parts.clear()
    shared: _T = _parts.setdefault(part, part)
    return shared


Form = tuple[bytes, float, list[int]]
"""What a packet in just one form gets: all octets of the reply after the id, until when, and the counter of the answer.

A plain tuple: nothing is unpacked faster.
"""


class Answers:
    """All compiled answers of a worker, within `limit` octets."""

    def __init__(self, networks: int, limit: int = LIMIT) -> None:
        self.exact: list[dict[bytes, Form]] = [{} for _ in range(networks + 1)]
        """By network, the last for clients in none, and packet after the id: the answer that such a packet gets."""
        # By looseness, the oldest first. A plain dict would search its own holes for the oldest.
        self._by_question = {loose: OrderedDict[bytes, Compiled]() for loose in (False, True)}
        self._octets = {False: 0, True: 0}
        self._rooms = {False: limit - limit // 16, True: limit // 16}
        self._by_name: dict[Name, Compiled | set[Compiled]] = {}
        self.cleared = 0
        """How often everything was dropped at once."""

    def widen(self, networks: int) -> None:
        """There are so many networks now, and perhaps no fewer than before."""
        while len(self.exact) <= networks:
            self.exact.insert(-1, {})

    @staticmethod
    def key(query: Query, network: int) -> bytes:
        """What a query's answer depends on, apart from time and transport. Type and class are not folded."""
        variant = query.flags & (codes.RD | codes.CD | codes.AD)
        return b"%b%b%d,%d,%d,%d" % (query.name, query.question[-4:], variant, query.edns, query.do, network)

    def find(self, key: bytes, now: float) -> Compiled | None:
        """The answer for a key, with TTLs as of `now`; None if there is none that still holds."""
        answer = self._by_question[False].get(key) or self._by_question[True].get(key)
        if answer is None:
            return None
        if now >= answer.until:
            if now >= answer.expires:
                self._drop(answer)
                return None
            answer.refresh(now)
        return answer

    def keep(self, key: bytes, answer: Compiled) -> None:
        """Take an answer; the oldest of its part make room for it."""
        for before in self._by_question.values():
            if key in before:
                self._drop(before[key])
        answer.key = key
        answer.octets += len(key)
        self._by_question[answer.loose][key] = answer
        self._octets[answer.loose] += answer.octets
        for name in answer.deps:
            self._index(name, answer)
        self._make_room(answer.loose)

    def keep_exact(self, network: int, packet: bytes, answer: Compiled, reply: bytes) -> None:
        """Remember the reply that a packet in just this form gets, for as long as its answer is kept as it is now.

        Packet and reply are without the id. Not for answers that anyone can make up names for, that are noted each
        time, or that change from one reply to the next.
        """
        if len(packet) > LARGEST_EXACT or answer.loose or answer.fallback or not answer.until or not answer.key:
            return
        if isinstance(answer, Rotating):
            return
        part = self.exact[network]
        if packet not in part:
            if len(answer.forms) == _FORMS:
                self._forget(answer, answer.forms[0])
                answer.forms = answer.forms[1:]
            answer.network = network
            answer.forms = (*answer.forms, packet)
            self._grow(answer, _EXACT_OVERHEAD + len(packet) + len(reply))
        part[packet] = (reply, answer.until, answer.cell)
        self._make_room(answer.loose)

    def keep_new(self, answer: Compiled, network: int, packet: bytes, reply: bytes) -> None:
        """Take a firm answer whose question and form are in neither map: `keep` and `keep_exact` in one."""
        answer.network, answer.forms = network, (packet,)
        answer.octets += _EXACT_OVERHEAD + len(packet) + len(reply)
        self.exact[network][packet] = (reply, answer.until, answer.cell)
        self._by_question[False][answer.key] = answer
        for name in answer.deps:
            if self._by_name.setdefault(name, answer) is not answer:
                self._index(name, answer)
        self._octets[False] += answer.octets
        self._make_room(loose=False)

    def _forget(self, answer: Compiled, packet: bytes) -> None:
        reply, _, _ = self.exact[answer.network].pop(packet)
        self._grow(answer, -_EXACT_OVERHEAD - len(packet) - len(reply))

    def _grow(self, answer: Compiled, octets: int) -> None:
        answer.octets += octets
        self._octets[answer.loose] += octets

    def _make_room(self, loose: bool) -> None:
        """The oldest answers of a part go while it is too large."""
        part = self._by_question[loose]
        while self._octets[loose] > self._rooms[loose]:
            self._drop(next(iter(part.values())))

    def _index(self, name: Name, answer: Compiled) -> None:
        there = self._by_name.get(name)
        if there is None:
            self._by_name[name] = answer
        elif isinstance(there, set):
            there.add(answer)
        elif there is not answer:
            self._by_name[name] = {there, answer}

    def _drop(self, answer: Compiled) -> None:
        answer.until = answer.expires = 0.0
        part = self._by_question[answer.loose]
        if part.get(answer.key) is not answer:
            return
        del part[answer.key]
        self._octets[answer.loose] -= answer.octets
        for packet in answer.forms:
            self.exact[answer.network].pop(packet, None)
        answer.forms = ()
        for name in answer.deps:
            there = self._by_name.get(name)
            if there is answer:
                del self._by_name[name]
            elif isinstance(there, set):
                there.discard(answer)
                if not there:
                    del self._by_name[name]

    # -- eviction

    def evict(self, names: Iterable[Name], subtrees: Iterable[Name] = ()) -> int:
        """Drop every answer that one of `names` decided, and every one that a name under `subtrees` did."""
        count = 0
        for name in names:
            count += self._drop_all(self._by_name.get(name))
        for root in subtrees:
            below = [name for name in self._by_name if is_under(name, root)]
            count += sum(self._drop_all(self._by_name.get(name)) for name in below)
        return count

    def _drop_all(self, there: Compiled | set[Compiled] | None) -> int:
        if there is None:
            return 0
        answers = tuple(there) if isinstance(there, set) else (there,)
        for answer in answers:
            self._drop(answer)
        return len(answers)

    def clear(self) -> None:
        """Drop everything: what made the answers has changed as a whole."""
        self.cleared += 1
        for answers in self._by_question.values():
            answers.clear()
        self._octets = dict.fromkeys(self._octets, 0)
        self._by_name.clear()
        for part in self.exact:
            part.clear()

    def __iter__(self) -> Iterator[Compiled]:
        for part in self._by_question.values():
            yield from part.values()

    def __contains__(self, key: bytes) -> bool:
        return key in self._by_question[False] or key in self._by_question[True]

    def __len__(self) -> int:
        return sum(map(len, self._by_question.values()))

    @property
    def octets(self) -> int:
        """Room taken, roughly, by both maps."""
        return sum(self._octets.values())
