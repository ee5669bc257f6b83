"""A trie of name suffixes with placeholders, such as `{regionName}.azmk8s.io`, and the rules for a placeholder.

Does not know which suffixes there are, nor what they map to.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from zones.dns.name import Name, from_labels, from_text, labels

PRIVATELINK: Final = b"privatelink"
"""The label, or the start of the label, that marks a name as private."""
_DIGITS_ONLY: Final = b"{partitionid}"

Labels = tuple[bytes, ...]
T = TypeVar("T")


def is_private_label(label: bytes) -> bool:
    """Return True for `privatelink` and `privatelink-…`, the labels that mark a name as private.

    A placeholder matches neither.
    """
    return label.startswith(PRIVATELINK) and label[len(PRIVATELINK) : len(PRIVATELINK) + 1] in (b"", b"-")


def may_be_private(name: bytes) -> bool:
    """Return False for nearly every name without a private label. Fast, for the packet path."""
    return PRIVATELINK in name


def pattern(text: str) -> Labels:
    """Return the labels of a suffix, folded. Raises `InvalidName`."""
    return tuple(labels(from_text(text)))


def is_placeholder(label: bytes) -> bool:
    """Return True for a label in braces."""
    return label.startswith(b"{")


def example_below(suffix: Labels) -> Name:
    """Return some name below a suffix. A placeholder becomes a number, which every placeholder matches."""
    return from_labels([b"name", *(b"1" if is_placeholder(label) else label for label in suffix)])


def filled(labels_: Iterable[bytes], bound: dict[bytes, bytes]) -> list[bytes]:
    """Return the labels with each placeholder replaced by the label that it matched."""
    return [bound.get(label, label) for label in labels_]


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
            children = node.placeholders if is_placeholder(label) else node.literals
            node = children.setdefault(label, SuffixTrie())
        node.value = value

    def walk(self, parts: Sequence[bytes]) -> Iterator[SuffixMatch[T]]:
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
            if not is_private_label(label) and (placeholder != _DIGITS_ONLY or label.isdigit()):
                yield {**bound, placeholder: label}, child
        if (literal := self.literals.get(label)) is not None:
            yield bound, literal

    def at_or_below(self, parts: Sequence[bytes]) -> list[SuffixMatch[T]]:
        """Return the matches for a name that may be the pattern itself, best first."""
        return list(self.walk(parts))[::-1]

    def below(self, parts: Sequence[bytes]) -> list[SuffixMatch[T]]:
        """Return the matches for a name with at least one label before the pattern, best first."""
        return [match for match in self.at_or_below(parts) if match.depth < len(parts)]

    def is_above(self, parts: Sequence[bytes]) -> bool:
        """Return whether a pattern is the name itself or lies below the name."""
        nodes = [self]
        for label in reversed(parts):
            nodes = [child for node in nodes for _, child in node._step({}, label)]  # noqa: SLF001 - own class
        return bool(nodes)
