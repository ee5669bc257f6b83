"""Names that only upstream servers answer: found without a walk, where a sibling of the name was walked before.

Where nothing is held at or below a name's parent, all names directly below that parent go the same way: the same
upstream group is asked, and the same names could change that. What a walk found out about one of them holds for the
others until a name changes. What can set one sibling apart is checked for each of them. Does not know replies. Pure.
"""

from typing import Final

from resolver.forward.cache import Key, UpstreamCache
from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.special_names import SpecialNames
from resolver.worker.answer.walk import UpstreamQuestion
from zones.dns.name import Name, ancestry
from zones.dns.record import AAAA, A
from zones.networks.prefixes import NetworkIndex
from zones.table.table import Table

LIMIT: Final = 4096
"""Parents, some 300 octets each. Clients can invent them."""


class OutsideNames:
    """What is known of the names directly below a parent. `apart`: names that the configuration treats specially."""

    def __init__(
        self, table: Table, special: SpecialNames, cache: UpstreamCache, answers: AnswerCache, apart: frozenset[Name]
    ) -> None:
        self._table = table
        self._special = special
        self._cache = cache
        self._answers = answers
        self._owned = table.endpoints
        self._is_special = table.endpoints.catalogue_index.is_special
        self._apart = apart | special.names
        self._parents: dict[tuple[NetworkIndex, int, bytes], tuple[str, tuple[Name, ...]]] = {}
        """By network, type and parent: the upstream group, and the names beside the name itself that matter."""
        self._changes = answers.changes

    def question(self, query: Query, network: NetworkIndex) -> UpstreamQuestion | None:
        """Return the question that an upstream must answer for this query. None: only a walk can tell."""
        if self._changes != self._answers.changes:
            self._parents.clear()
            self._changes = self._answers.changes
        name, qtype = query.name, query.qtype
        if query.qclass != codes.IN or not name[0]:
            return None
        found = self._parents.get((network, qtype, name[1 + name[0] :]))
        if found is None or not query.rd or self._stands_apart(name):
            return None
        key = Key(found[0], name, qtype, query.do, query.cd)
        return None if self._cache.knows(key) else UpstreamQuestion(key, (name, *found[1]))

    def learn(self, query: Query, network: NetworkIndex, question: UpstreamQuestion) -> None:
        """Take what a walk has found out about one name, if it holds for the siblings."""
        name, table = query.name, self._table
        if not question.deps or not name[0] or query.qtype not in (A, AAAA) or self._changes != self._answers.changes:
            return
        parent = Name(name[1 + name[0] :])
        data = table.endpoints
        if (
            self._stands_apart(name)
            or self._special.answer(query)
            or not table.is_bare(parent)
            or data.catalogue_index.candidates(name)
        ):
            return
        if any(at in table.static for at in ancestry(parent)):
            return
        if len(self._parents) >= LIMIT:
            self._parents.clear()
        self._parents[network, query.qtype, parent] = question.key.group, question.deps[1:]

    def _stands_apart(self, name: Name) -> bool:
        """Return whether something is said about this name alone."""
        return name in self._apart or name in self._owned.explicit or self._is_special(name)
