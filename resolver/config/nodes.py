"""YAML as a tree of nodes with positions, so that every mistake can be reported with its line and column.

Scalars follow the core schema of YAML 1.2: only `true` and `false` are booleans, and only decimal digits are numbers,
so that `off`, `no`, `10:30` and dates are text. Duplicate keys are refused. Does not know any setting.
"""

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import yaml

Part = str | int
"""A step into the tree: a key or an index."""


class Position(NamedTuple):
    """A position in a source. Lines and columns count from 1; line 0: the source has no lines (a variable, a flag)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source

    @property
    def line_text(self) -> str:
        """The position without the column."""
        return f"{self.source}:{self.line}" if self.line else self.source


class ConfigProblem(NamedTuple):
    """One mistake. `path` has the form `networks[0].clients[1]`. `hint` is the likely correct text, or empty."""

    place: Position
    path: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.place}: {self.path}: " if self.path else f"{self.place}: "
        line = head + self.message + (f" (did you mean `{self.hint}`?)" if self.hint else "")
        return line.replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its position. In a mapping, `key` is the position of its key."""

    value: "str | int | bool | list[Node] | dict[str, Node] | None"
    place: Position
    path: str = ""
    key: Position | None = None

    def plain(self) -> Any:  # noqa: ANN401 - what JSON can hold
        """Return the value without positions, for pydantic."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        return [child.plain() for child in self.value] if isinstance(self.value, list) else self.value

    def find(self, location: Iterable[Part]) -> "tuple[Node, bool]":
        """Return the node at `location` and True, or the deepest node on the way there and False."""
        node = self
        for part in location:
            child = node.child(part)
            if child is None:
                return node, False
            node = child
        return node, True

    def child(self, part: Part) -> "Node | None":
        """Return the node at a key or index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None

    def put(self, keys: tuple[str, ...], node: "Node") -> "Node":
        """Return a tree with `node` at `keys`. Adds missing mappings. A value that is no mapping stays."""
        if not keys:
            return node
        if self.value is not None and not isinstance(self.value, dict):
            return self
        children = dict(self.value or {})
        below = children.get(keys[0]) or Node(None, node.place, join(self.path, keys[0]), node.place)
        children[keys[0]] = below.put(keys[1:], node)
        return replace(self, value=children)

    def without(self, nodes: "list[Node]") -> "Node":
        """Return the tree without `nodes`. The paths of the other nodes do not change."""
        gone = {id(node) for node in nodes}
        if id(self) in gone:
            return replace(self, value={})
        if isinstance(self.value, dict):
            kept = {key: child.without(nodes) for key, child in self.value.items() if id(child) not in gone}
            return replace(self, value=kept)
        if isinstance(self.value, list):
            return replace(self, value=[child.without(nodes) for child in self.value if id(child) not in gone])
        return self


def parse(text: str, source: str, *, path: str = "", lines: bool = True) -> tuple[Node, list[ConfigProblem]]:
    """Read one YAML document and return its tree with the mistakes in it. Raises nothing.

    An empty document is a node of None. Without `lines`, positions have the source alone. A syntax error gives a node
    of None and one problem. Duplicate keys and tags give one problem each, and the rest of the tree is returned.
    """
    start = Position(source, 1, 1) if lines else Position(source)
    try:
        document = yaml.SafeLoader(text).get_single_node()
        if document is None:
            return Node(None, start, path), []
        reader = _TreeBuilder(source, lines)
        return reader.node(document, path), reader.problems
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(source, mark.line + 1, mark.column + 1) if mark and lines else start
        return Node(None, start, path), [ConfigProblem(place, path, f"not YAML: {_problem(error, lines=lines)}")]
    except yaml.YAMLError as error:
        return Node(None, start, path), [ConfigProblem(start, path, f"not YAML: {str(error).splitlines()[0]}")]
    except RecursionError:
        return Node(None, start, path), [ConfigProblem(start, path, "nested too deeply, or contains itself")]


def _problem(error: yaml.MarkedYAMLError, *, lines: bool) -> str:
    """Return the text of an error. Where a bracket or a quotation is not closed, the mistake is where that began."""
    begin, end = error.context_mark, error.problem_mark
    if lines and error.problem and begin and end and begin.line != end.line:
        return f"{error.problem} ({error.context} that begins in line {begin.line + 1})"
    return error.problem or str(error.context)


def join(path: str, part: Part) -> str:
    """Return `path` with one more step: `.key`, `["a.dotted.key"]` or `[0]`."""
    if isinstance(part, int):
        return f"{path}[{part}]"
    if not _PLAIN_KEY.fullmatch(part):
        return f'{path}["{part}"]'
    return f"{path}.{part}" if path else part


def path_of(location: Iterable[Part]) -> str:
    """Return the path of these steps from the root, as `networks[0].clients[1]`."""
    return functools.reduce(join, location, "")


_DEPTH: Final = 100
"""Levels of nesting. Settings have fewer than 10."""
_PLAIN_KEY: Final = re.compile(r"[\w-]+")
_STANDARD_TAG: Final = "tag:yaml.org,2002:"
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class _TreeBuilder:
    """Makes nodes from the nodes of PyYAML, and collects mistakes."""

    def __init__(self, source: str, lines: bool) -> None:
        self._source, self._lines = source, lines
        self.problems: list[ConfigProblem] = []

    def node(self, raw: yaml.Node, path: str, key: Position | None = None, depth: int = 0) -> Node:
        if depth > _DEPTH:
            raise RecursionError
        place = self._place(raw)
        if not raw.tag.startswith(_STANDARD_TAG):
            self.problems.append(ConfigProblem(place, path, f"the tag `{raw.tag}` is not supported"))
        if isinstance(raw, yaml.ScalarNode) and _UNPRINTABLE.search(raw.value):
            self.problems.append(ConfigProblem(place, path, "control characters are not allowed"))
        if isinstance(raw, yaml.MappingNode):
            return Node(dict(self._items(raw, path, depth)), place, path, key)
        if isinstance(raw, yaml.SequenceNode):
            return Node(
                [self.node(item, join(path, i), None, depth + 1) for i, item in enumerate(raw.value)], place, path, key
            )
        return Node(_scalar(raw), place, path, key)

    def _items(self, raw: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        seen: dict[str, Position] = {}
        for raw_key, raw_value in raw.value:
            place = self._place(raw_key)
            if not isinstance(raw_key, yaml.ScalarNode):
                self.problems.append(ConfigProblem(place, path, "a key must be text"))
                continue
            name = raw_key.value
            if _UNPRINTABLE.search(name):
                self.problems.append(ConfigProblem(place, path, "control characters are not allowed in a key"))
                continue
            if name in seen:
                before = f" (first in line {seen[name].line}, again in line {place.line})" if self._lines else ""
                self.problems.append(ConfigProblem(place, join(path, name), f"the key `{name}` is repeated{before}"))
                continue
            seen[name] = place
            yield name, self.node(raw_value, join(path, name), place, depth + 1)

    def _place(self, raw: yaml.Node) -> Position:
        mark = raw.start_mark
        return Position(self._source, mark.line + 1, mark.column + 1) if self._lines else Position(self._source)


def _scalar(raw: yaml.Node) -> str | int | bool | None:
    text = _UNPRINTABLE.sub("?", str(raw.value))
    if isinstance(raw, yaml.ScalarNode) and raw.style:  # quoted
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _DECIMAL.fullmatch(text) and len(text) < 20 else text
