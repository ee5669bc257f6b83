"""A trie of name suffixes with placeholders, such as `{regionName}.azmk8s.io`, and the rules for a placeholder.

Does not know which suffixes there are, nor what they map to.
"""

from collections.abc import Iterator
from typing import Final, Generic, NamedTuple, TypeVar

PRIVATE: Final = frozenset((b"privatelink", b"privatelink-global"))
"""Labels that mark a name as private. A public name has neither, and a placeholder matches neither."""
_DIGITS_ONLY: Final = b"{partitionid}"

Labels = tuple[bytes, ...]
T = TypeVar("T")


class SuffixMatch(NamedTuple, Generic[T]):
    """A pattern of `depth` labels that a name ends in, and the labels that its placeholders matched."""

    depth: int
    bound: dict[bytes, bytes]
    value: T


class SuffixTrie(Generic[T]):
    """Patterns of labels, matched from the right. A label in braces is a placeholder."""

    def __init__(self) -> None:
        self.literals: dict[bytes, SuffixTrie[T]] = {}
        self.placeholders: dict[bytes, SuffixTrie[T]] = {}
        self.value: T | None = None

    def add(self, pattern: Labels, value: T) -> None:
        """Add a pattern with its value, or replace the value of a pattern."""
        node = self
        for label in reversed(pattern):
            children = node.placeholders if label.startswith(b"{") else node.literals
            node = children.setdefault(label, SuffixTrie())
        node.value = value

    def walk(self, parts: list[bytes]) -> Iterator[SuffixMatch[T]]:
        """Yield every pattern that the name ends in, the shortest first, at equal length the placeholder first."""
        paths: list[tuple[dict[bytes, bytes], SuffixTrie[T]]] = [({}, self)]
        for depth, label in enumerate(reversed(parts), 1):
            paths = [longer for bound, node in paths for longer in node._step(bound, label)]  # noqa: SLF001 - own class
            if not paths:
                return
            for bound, node in paths:
                if node.value is not None:
                    yield SuffixMatch(depth, bound, node.value)

    def _step(self, bound: dict[bytes, bytes], label: bytes) -> Iterator[tuple[dict[bytes, bytes], "SuffixTrie[T]"]]:
        for placeholder, child in self.placeholders.items():
            if label not in PRIVATE and (placeholder != _DIGITS_ONLY or label.isdigit()):
                yield {**bound, placeholder: label}, child
        if (literal := self.literals.get(label)) is not None:
            yield bound, literal

    def at_or_below(self, parts: list[bytes]) -> list[SuffixMatch[T]]:
        """Return the matches for a name that may be the pattern itself, best first."""
        return list(self.walk(parts))[::-1]

    def below(self, parts: list[bytes]) -> list[SuffixMatch[T]]:
        """Return the matches for a name with at least one label before the pattern, best first."""
        return [match for match in self.at_or_below(parts) if match.depth < len(parts)]
