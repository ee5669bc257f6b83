"""JSON and YAML documents: syntax, typed decoding of parts, and the line of a syntax error.

Does not know the content. YAML is loaded by libyaml and decoded into the same types as JSON.
"""

import re
from collections.abc import Iterable
from typing import Any, Final, Literal, TypeAlias

import msgspec

Form = Literal["json", "yaml"]
Node: TypeAlias = Any
"""A value that is not decoded yet: octets of JSON, or a Python value, which the YAML loader or another form made."""


class UnreadableDocument(Exception):  # noqa: N818 - the finding says "source unreadable"
    """The document as a whole cannot be read. `line` and `column` count from 1; the column counts characters."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.line, self.column = line, column


class TypeMismatch(ValueError):  # noqa: N818 - the fact about the value
    """A value is not of the wanted type. `path` leads from the node to the value."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path

    @property
    def described(self) -> str:
        """The message and the path."""
        return f"{self} at {self.path}" if self.path else str(self)


class Document:
    """The documents of one file, with valid syntax. `roots` are their outermost values, at least one."""

    def __init__(self, data: bytes, form: Form) -> None:
        """Check the syntax of `data`, in UTF-8 or UTF-16 with a byte order mark, which PowerShell's `>` writes.

        Raises `UnreadableDocument`.
        """
        data = _utf8(_unpacked(data))
        if not data.strip():
            raise UnreadableDocument("the file is empty")
        self.roots: list[Node] = _split_json(data) if form == "json" else _load_yaml(data)

    def decode(self, node: Node, into: Any) -> Any:  # noqa: ANN401 - any type that msgspec knows
        """Return the value of a node as the type `into`. Raises `TypeMismatch`."""
        try:
            return msgspec.json.decode(node, type=into) if isinstance(node, _JSON) else msgspec.convert(node, into)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            message, _, path = _reason(error).partition(" - at `")
            raise TypeMismatch(message, path.removeprefix("$").removeprefix(".").rstrip("`")) from None

    def is_array(self, node: Node) -> bool:
        """Return True for an array."""
        return bytes(memoryview(node)[:64]).lstrip()[:1] == b"[" if isinstance(node, _JSON) else isinstance(node, list)

    def split(self, node: Node) -> dict[str, Node] | list[Node]:
        """Return the members of an object or the items of an array as nodes. Raises `TypeMismatch`."""
        parts: dict[str, Node] | list[Node] = self.decode(node, _RAW if isinstance(node, _JSON) else _ANY)
        return parts


_JSON: Final = (memoryview, msgspec.Raw)
_RAW: Final = dict[str, msgspec.Raw] | list[msgspec.Raw]
_ANY: Final = dict[str, Any] | list[Any]


def _utf8(data: bytes) -> bytes:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode()
        except UnicodeError as error:
            raise UnreadableDocument(f"UTF-16 by its byte order mark, but {error}") from None
    return data.removeprefix(b"\xef\xbb\xbf")


def _unpacked(data: bytes) -> bytes:
    if data.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise UnreadableDocument("the file is compressed: unpack it")
    return data


def _split_json(data: bytes) -> list[Node]:
    """Return the documents of a file, one after another with or without white space between them."""
    found: list[Node] = []
    start = 0
    while True:
        rest = memoryview(data)[start:]
        try:
            msgspec.json.decode(rest, type=msgspec.Raw)
        except RecursionError:
            raise UnreadableDocument("nested too deeply") from None
        except msgspec.DecodeError as error:
            octet = re.search(r"\(byte (\d+)\)$", str(error))
            if octet and "trailing characters" in str(error):
                end = int(octet[1]) - 1  # the message counts the first octet of the next document
                found.append(rest[:end])
                start += end
                continue
            place = start + int(octet[1]) if octet else len(data)
            reason = _other_text(data, place) or _reason(error)
            raise UnreadableDocument(reason, *_line_column(data, place)) from None
        return [*found, rest]


def _other_text(data: bytes, octet: int) -> str:
    """Return what a file has at this octet in place of JSON; empty where it may be JSON with a mistake."""
    first = data.lstrip()[:1]
    if first == b"<":
        return "a web page or XML, not JSON: perhaps the sign-in page of a proxy"
    line = data[data.rfind(b"\n", 0, octet) + 1 :][:16]
    if re.match(rb"(ERROR|WARNING|az|usage): ", line):
        return "a message of a command that failed, not JSON"
    if first not in (b"[", b"{"):
        return "not JSON, which begins with `[` or `{`; YAML is read from files that end in .yaml or .yml"
    return ""


def _reason(error: Exception) -> str:
    return re.sub(r" \(byte \d+\)$", "", str(error))


def _line_column(data: bytes, octet: int) -> tuple[int, int]:
    before = data[:octet].decode(errors="replace")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


_DEEPEST: Final = 100  # libyaml recurses on the C stack and crashes on deep nesting; real data has some ten levels


def _load_yaml(data: bytes) -> list[Node]:
    import yaml  # noqa: PLC0415 - workers import `zones`, and must not load yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(yaml.parse(data, loader))
        return list(yaml.load_all(data, loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableDocument(
            error.problem or str(error), *((mark.line + 1, mark.column + 1) if mark else ())
        ) from None
    except yaml.reader.ReaderError as error:
        raise UnreadableDocument(error.reason, *_line_column(data, error.position)) from None
    except (ValueError, KeyError, TypeError, OverflowError) as error:  # a scalar that does not fit its tag: 2001-99-99
        raise UnreadableDocument(f"a value cannot be read: {error}") from None


def _check_depth(events: Iterable[Any]) -> None:
    """Raise `UnreadableDocument` for deep nesting.

    Events are recognised by class name (`MappingStartEvent`), since yaml is not imported here. Marks count from 0.
    """
    depth = 0
    for event in events:
        kind = type(event).__name__
        if kind.endswith("StartEvent"):
            depth += 1
            if depth > _DEEPEST:
                raise UnreadableDocument("nested too deeply", event.start_mark.line + 1, event.start_mark.column + 1)
        elif kind.endswith("EndEvent"):
            depth -= 1
