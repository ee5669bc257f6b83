"""The private names of the whole estate: how many have an answer in which networks, and which differ between networks.

Made in steps, as a `census` is, and only when somebody looks at a network. Pure.
"""

from collections import Counter
from collections.abc import Iterator

from resolver.control.estate.estate import Estate
from zones.claims.row import USUAL, ClassNumber, unpack
from zones.dns.name import Name

STEP = 2_000
"""Names in one step, which takes about a millisecond."""


class NameCensus:
    """The names at one time, once all `steps` were made."""

    def __init__(self) -> None:
        self.answers: Counter[ClassNumber] = Counter()
        """Number of private names by the class of networks that have an answer."""
        self.differing: list[Name] = []
        """Private names with different answers in different networks."""

    def steps(self, estate: Estate) -> Iterator[None]:
        """Count the names. Whatever runs between two steps may change the estate."""
        rows = estate.ledger.rows
        names = list(rows)
        usual: Counter[bytes] = Counter()
        for start in range(0, len(names), STEP):
            others: list[Name] = []
            classes: list[bytes] = []
            for name in names[start : start + STEP]:
                row = rows.get(name, b"")
                if len(row) == USUAL:
                    classes.append(row[1:9])
                elif row:
                    others.append(name)
            usual.update(classes)
            self._count_others(estate, others)
            yield
        for each, count in usual.items():
            self.answers[ClassNumber(int.from_bytes(each))] += count

    def _count_others(self, estate: Estate, names: list[Name]) -> None:
        for name in names:
            variants = unpack(estate.ledger.rows[name])
            self.answers.update(variant.networks for variant in variants)
            if len(variants) > 1:
                self.differing.append(name)
