"""The cache of compiled answers: finds them, keeps them within a bound, and evicts them when a name changes.

Two maps lead to an answer. The exact map, one for each network, is keyed by all octets of a packet after the id, so
that a repeated packet needs no parsing. The other map is keyed by the folded question and every property of the query
that changes the reply. An index by name leads to all answers that depend on the name, so that a change evicts these
answers and no others. Does not know how an answer is made (`engine`). Pure: the time is an argument.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.compiled import FOREVER, PAST, Compiled, Rotating
from zones.clocks import SteadyTime
from zones.dns.name import Name, is_under
from zones.networks.prefixes import NetworkIndex

LIMIT: Final = 192 << 20
"""Octets of all compiled answers, private and public together."""
LARGEST_EXACT: Final = 200
"""Octets of the longest packet in the exact map; longer ones are rarely repeated octet for octet."""
_EXACT_OVERHEAD: Final = 238  # octets of Python objects for each packet in the exact map, measured with tracemalloc
_LARGEST_EXACT: Final = LARGEST_EXACT
_REMOVED: Final = 64  # removed answers for which it is not worth while to make a new list
_FORMS: Final = 4
"""Packets of one answer in the exact map. Clients that vary the case of a name (0x20) send new ones without end."""
_IN_KEY: Final = codes.RD | codes.CD | codes.AD
_EXPENDABLE_SHARE: Final = 16  # expendable answers get this fraction of the limit

Form = tuple[bytes, SteadyTime, list[int], Compiled]
"""What the exact map holds for a packet: the reply after the id, the time until which the reply is right, the counter
of the answer, and the answer. A plain tuple, because nothing is unpacked faster.
"""


class AnswerCache:
    """All compiled answers of a worker, within `limit` octets."""

    def __init__(self, networks: int, limit: int = LIMIT) -> None:
        self.exact: list[dict[bytes, Form]] = [{} for _ in range(networks + 1)]
        """By network index, the last one for clients in no network: packets after the id, and their replies."""
        usual, expendable = _limits(limit)
        self._usual, self._expendable = _Part(usual), _Part(expendable)
        self._by_name: dict[Name, Compiled | set[Compiled]] = {}
        self._variants: dict[tuple[int, bool, bool, NetworkIndex], bytes] = {}
        """Ends of keys: all that a query says beside its question, and the network."""
        self.changes = 0
        """How often names have changed. What was found out about a name holds while this number stays the same."""
        self.cleared = 0
        """How often `clear` dropped everything."""

    def limit(self, octets: int) -> None:
        """Set the limit. The oldest answers of each kind beyond it are dropped."""
        self._usual.limit, self._expendable.limit = _limits(octets)
        self._make_room(self._usual)
        self._make_room(self._expendable)

    def widen(self, networks: int) -> None:
        """Make room for this number of networks. The map of clients in no network stays the last one."""
        while len(self.exact) <= networks:
            self.exact.insert(-1, {})

    def key(self, query: Query, network: NetworkIndex) -> bytes:
        """Return everything in a query that its answer depends on, except time and transport."""
        form = query.flags & _IN_KEY, query.edns, query.do, network
        variant = self._variants.get(form)
        if variant is None:
            variant = self._variants[form] = b"%d,%d,%d,%d" % form
        # Only the name is folded: octets of type and class may look like upper-case letters.
        return query.name + query.question[-4:] + variant

    def find(self, key: bytes, now: SteadyTime) -> Compiled | None:
        """Return the answer for a key, with TTLs as of `now`; None if there is none or it has expired."""
        answer = self._usual.answers.get(key)
        if answer is None:
            answer = self._expendable.answers.get(key)
            if answer is None:
                return None
        if now >= answer.until:
            if now >= answer.expires:
                self._drop(answer)
                return None
            answer.refresh(now)
        return answer

    def peek(self, key: bytes, now: SteadyTime) -> Compiled | None:
        """Return the answer that `find` would return, and drop none."""
        answer: Compiled | None = self._usual.answers.get(key) or self._expendable.answers.get(key)
        if answer is None or now >= answer.expires:
            return None
        if now >= answer.until:
            answer.refresh(now)
        return answer

    def keep(self, key: bytes, answer: Compiled) -> None:
        """Add an answer, or replace the one at the same key. The oldest of its kind are dropped to make room."""
        for before in (self._usual.answers.get(key), self._expendable.answers.get(key)):
            if before is not None:
                self._drop(before)
        answer.key = key
        answer.octets += len(key)
        for name in answer.deps:
            self._index(name, answer)
        self._part(answer).add(answer)
        self._make_room(self._part(answer))

    def keep_exact(self, network: NetworkIndex, packet: bytes, answer: Compiled, reply: bytes) -> None:
        """Add to the exact map the reply to a packet, both without their ids, until its answer changes or is dropped.

        Expendable and rotating answers, fallbacks, answers to one query only and long packets are not added.
        """
        if len(packet) > _LARGEST_EXACT or answer.expendable or answer.fallback or not answer.until or not answer.key:
            return
        if isinstance(answer, Rotating):
            return
        part = self.exact[network]
        if packet not in part:
            if len(answer.forms) == _FORMS:
                self._forget(answer, answer.forms[0])
                answer.forms = answer.forms[1:]
            answer.network = network
            answer.forms = (*answer.forms, packet) if answer.forms else (packet,)
            self._grow(answer, _EXACT_OVERHEAD + len(packet) + len(reply))
        part[packet] = (reply, answer.until, answer.cell, answer)
        self._make_room(self._usual)

    def keep_new(self, answer: Compiled, network: NetworkIndex, packet: bytes, reply: bytes) -> None:
        """Add an answer that is in neither map and not expendable: `keep` and `keep_exact` in one step."""
        answer.network, answer.forms = network, (packet,)
        answer.octets += _EXACT_OVERHEAD + len(packet) + len(reply)
        self.exact[network][packet] = (reply, answer.until, answer.cell, answer)
        for name in answer.deps:
            if self._by_name.setdefault(name, answer) is not answer:
                self._index(name, answer)
        self._usual.add(answer)
        self._make_room(self._usual)

    def _forget(self, answer: Compiled, packet: bytes) -> None:
        reply, *_ = self.exact[answer.network].pop(packet)
        self._grow(answer, -_EXACT_OVERHEAD - len(packet) - len(reply))

    def _grow(self, answer: Compiled, octets: int) -> None:
        part = self._part(answer)
        answer.octets += octets
        part.octets += octets

    def _part(self, answer: Compiled) -> "_Part":
        return self._expendable if answer.expendable else self._usual

    def _make_room(self, part: "_Part") -> None:
        """Drop the oldest answers of a kind while they exceed their limit."""
        while part.octets > part.limit:
            self._drop(part.oldest())

    def _index(self, name: Name, answer: Compiled) -> None:
        there = self._by_name.get(name)
        if there is None:
            self._by_name[name] = answer
        elif isinstance(there, Compiled):
            if there is not answer:
                self._by_name[name] = {there, answer}
        else:
            several = there
            several.add(answer)

    def _drop(self, answer: Compiled) -> None:
        answer.until = answer.expires = PAST
        if not self._part(answer).remove(answer):
            return
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
        """Drop every answer that depends on one of `names` or on a name at or under `subtrees`; return how many."""
        self.changes += 1
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

    def evict_expiring(self) -> int:
        """Drop every answer that has records of upstream servers, and return how many."""
        self.changes += 1
        expiring = [answer for answer in self if answer.expires != FOREVER]
        for answer in expiring:
            self._drop(answer)
        return len(expiring)

    def clear(self) -> None:
        """Drop all answers: something that every answer depends on has changed."""
        self.cleared += 1
        self.changes += 1
        self._usual.clear()
        self._expendable.clear()
        self._by_name.clear()
        for part in self.exact:
            part.clear()

    def __iter__(self) -> Iterator[Compiled]:
        yield from self._usual.answers.values()
        yield from self._expendable.answers.values()

    def __contains__(self, key: bytes) -> bool:
        return key in self._usual.answers or key in self._expendable.answers

    def __len__(self) -> int:
        return len(self._usual.answers) + len(self._expendable.answers)

    @property
    def octets(self) -> int:
        """Approximate memory use of both maps."""
        return self._usual.octets + self._expendable.octets


def _limits(octets: int) -> tuple[int, int]:
    """Return the limits of usual and of expendable answers."""
    return octets - octets // _EXPENDABLE_SHARE, octets // _EXPENDABLE_SHARE


class _Part:
    """The answers of one kind, within `limit` octets. An `OrderedDict` would take twice the time and memory."""

    __slots__ = ("_first", "_order", "answers", "limit", "octets")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.octets = 0
        self.answers: dict[bytes, Compiled] = {}
        self._order: list[Compiled | None] = []
        """The answers, oldest first, among others that were removed: at most a quarter as many."""
        self._first = 0
        """Number of entries at the start of `_order` that are not needed any more."""

    def add(self, answer: Compiled) -> None:
        """Add an answer whose key has none."""
        self.answers[answer.key] = answer
        self.octets += answer.octets
        self._order.append(answer)
        if self._first > _REMOVED + len(self.answers) // 4:
            del self._order[: self._first]
            self._first = 0
        elif len(self._order) > _REMOVED + len(self.answers) + len(self.answers) // 4 + self._first:
            self._order = [each for each in self._order if each is not None and self.answers.get(each.key) is each]
            self._first = 0

    def remove(self, answer: Compiled) -> bool:
        """Remove an answer, and return whether it was there."""
        if self.answers.get(answer.key) is not answer:
            return False
        del self.answers[answer.key]
        self.octets -= answer.octets
        return True

    def oldest(self) -> Compiled:
        """Return the oldest answer. There must be one."""
        while True:
            answer = self._order[self._first]
            if answer is not None and self.answers.get(answer.key) is answer:
                return answer
            self._order[self._first] = None
            self._first += 1

    def clear(self) -> None:
        """Remove all answers."""
        self.answers.clear()
        self._order.clear()
        self._first = self.octets = 0
