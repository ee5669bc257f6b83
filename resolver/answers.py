"""The compiled answers: every answer that was made before, ready to be sent again (and evicted when it must be).

Two maps lead to them. The exact one, per network, has every octet of a UDP packet after the id, so that a repeated
packet needs no parsing; the other has the folded question with all of the query that shapes a reply. Each answer is
indexed under every name that decided it, so that a change evicts those answers and no others. Pure: time is passed in.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from resolver.wire import codes, render
from resolver.wire.query import Query
from zones.name import Name, is_under

LIMIT: Final = 128 << 20
"""Octets of all compiled answers, private and public together."""
_OVERHEAD: Final = 420  # octets of objects around one answer, measured with tracemalloc; so are the next two
_DEP: Final = 110  # for each name that it is indexed under
_EXACT_OVERHEAD: Final = 200
_LARGEST_EXACT: Final = 200  # octets; what is longer is rarely asked twice in the same form


_FOREVER: Final = float("inf")


class Compiled:
    """One answer. `until`: it can be sent as it stands before this time; 0 for one query only, and once evicted."""

    __slots__ = ("born", "cell", "deps", "expires", "fallback", "head", "key", "loose", "now", "tail", "ttls", "until")

    def __init__(
        self,
        body: render.Body,
        deps: tuple[Name, ...],
        cell: list[int],
        born: float,
        expires: float,
        *,
        loose: bool,
        fallback: tuple[Name, Name] | None,
    ) -> None:
        self.head = body.head
        self.tail = body.tail
        self.now = body.tail
        """The tail with TTLs as of now."""
        self.ttls = body.ttls
        self.deps = deps
        self.cell = cell
        """Counter of answers of this kind, shared: one addition for each answer sent."""
        self.born = born
        self.expires = expires
        """Seconds; infinite for an answer that is ours alone and stands until it is evicted."""
        self.until = 0.0 if expires <= born else expires if expires == _FOREVER else min(expires, born + 1)
        self.loose = loose
        """Anyone can make up names for such answers, so they have a small part of the room."""
        self.fallback = fallback
        """(zone, name) of a question inside a private zone that an upstream answered: each one is listed."""
        self.key = b""

    @property
    def octets(self) -> int:
        """Room that it takes, roughly."""
        return _OVERHEAD + 2 * len(self.tail) + len(self.key) + sum(_DEP + len(name) for name in self.deps)

    def refresh(self, now: float) -> None:
        """Lower the TTLs to what is left at `now`; at most once a second."""
        age = int(now - self.born)
        self.now = render.patched(self.tail, self.ttls, age)
        self.until = min(self.expires, self.born + age + 1)


class Answers:
    """All compiled answers of a worker, within `limit` octets."""

    def __init__(self, networks: int, limit: int = LIMIT) -> None:
        self.exact: list[dict[bytes, tuple[Compiled, float, bytes]]] = [{} for _ in range(networks + 1)]
        """By network, the last for clients in none: packet after the id -> (answer, its `until`, reply after the id).

        The reply may be sent while `now < answer.until == until`: a refresh or an eviction moves `answer.until`.
        """
        # By looseness, the oldest first. A plain dict would search its own holes for the oldest.
        self._by_question = {loose: OrderedDict[bytes, Compiled]() for loose in (False, True)}
        self._octets = {False: 0, True: 0}
        self._rooms = {False: limit // 2, True: limit // 8}
        self._exact_room = limit // 4 // (networks + 1)
        self._exact_octets = [0] * (networks + 1)
        self._by_name: dict[Name, Compiled | set[Compiled]] = {}

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
        part = self._by_question[answer.loose]
        part[key] = answer
        self._octets[answer.loose] += answer.octets
        for name in answer.deps:
            self._index(name, answer)
        while self._octets[answer.loose] > self._rooms[answer.loose]:
            self._drop(next(iter(part.values())))

    def keep_exact(self, network: int, packet: bytes, answer: Compiled, reply: bytes) -> None:
        """Remember the reply (both without their ids) to a packet in just this form.

        Not for answers that anyone can make up names for, nor those that are noted each time.
        """
        if len(packet) > _LARGEST_EXACT or answer.loose or answer.fallback or not answer.until:
            return
        room = self.exact[network]
        before = room.get(packet)
        octets = len(reply) - len(before[2]) if before else _EXACT_OVERHEAD + len(packet) + len(reply)
        if self._exact_octets[network] + octets > self._exact_room:
            room.clear()
            self._exact_octets[network], octets = 0, _EXACT_OVERHEAD + len(packet) + len(reply)
        room[packet] = (answer, answer.until, reply)
        self._exact_octets[network] += octets

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
        for part in self._by_question.values():
            part.clear()
        self._octets = dict.fromkeys(self._octets, 0)
        self._by_name.clear()
        for room in self.exact:
            room.clear()
        self._exact_octets = [0] * len(self._exact_octets)

    def __iter__(self) -> Iterator[Compiled]:
        for part in self._by_question.values():
            yield from part.values()

    def __len__(self) -> int:
        return sum(map(len, self._by_question.values()))

    @property
    def octets(self) -> int:
        """Room taken, roughly, by both maps."""
        return sum(self._octets.values()) + sum(self._exact_octets)
