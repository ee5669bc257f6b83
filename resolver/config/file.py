"""Reads the configuration from the file, the environment and flags, and reports all mistakes at once.

Precedence: flag, environment, file, default. The daemon runs this in a short-lived process, so that no other process
loads pydantic. Does not know what the keys mean (`model`), nor the rules between them (`contradictions`).
"""

import difflib
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, get_args, get_origin

from msgspec import structs
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from resolver import settings
from resolver.config import in_effect
from resolver.config.accept import ADMIN_SOCKET, accept
from resolver.config.contradictions import contradictions, warnings
from resolver.config.database_url import hidden
from resolver.config.model import Configuration
from resolver.config.named_files import ZoneFilePaths, find_zone_files, unusable_key_files
from resolver.config.nodes import ConfigProblem, Node, Part, Position, parse, path_of
from resolver.config.resolv_conf import name_servers
from resolver.config.section import fields, kind, written
from resolver.config.values import Invalid
from resolver.host_port import HostPort, InvalidHostPort
from zones.dns.parsed_zones import ParsedZones

PREFIX: Final = "PLDNS_"
DIRECTORIES: Final = {
    "STATE_DIRECTORY": (("state", "directory"), ""),
    "RUNTIME_DIRECTORY": (("admin", "socket"), f"/{ADMIN_SOCKET}"),
}
"""Variables of systemd with directories of the unit. Each one is the start of the path that a key has by default."""
RESOLV_CONF: Final = Path("/etc/resolv.conf")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class ConfigError(Exception):
    """The configuration is invalid. `problems` are all of its mistakes, in order; the text has one line for each."""

    def __init__(self, problems: Iterable[ConfigProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.place.line, p.place.column, p.place.source)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load(
    path: Path,
    environ: Mapping[str, str],
    flags: Mapping[str, str] = _NONE,
    *,
    resolv_conf: Path = RESOLV_CONF,
    parsed: ParsedZones | None = None,
) -> settings.Accepted:
    """Read the file at `path`, with the settings in `environ` (`PLDNS_*`) and in `flags` (`{"dns.workers": "2"}`).

    Values of variables and flags are YAML. Relative paths are relative to the folder of `path`. `parsed` gets the zones
    of the zone files, for a caller that needs them too. Raises `ConfigError`.
    """
    source = _digest(path)
    valid = _read(path, environ, flags, parsed or ParsedZones())
    place = functools.partial(_place_of, valid.root)
    accepted = accept(path, valid.model, valid.files, resolv_conf, valid.warnings, place)
    keys = json.dumps(in_effect.whole(valid.model, accepted.worker.upstreams), ensure_ascii=False)
    overrides = settings.Overrides(
        {each: hidden(environ[each]) for each in sorted(environ) if _is_setting(each)},
        {flag: hidden(text) for flag, text in flags.items()},
    )
    return structs.replace(accepted, source=source, keys=keys, overrides=overrides)


def effective(
    path: Path, environ: Mapping[str, str], flags: Mapping[str, str] = _NONE, *, resolv_conf: Path = RESOLV_CONF
) -> list[tuple[str, Any, str]]:
    """Return each setting as (path, value as JSON, origin).

    The origin is `FILE:LINE`, `environment VARIABLE`, `flag NAME`, `default`, or the path of resolv.conf.

    Raises `ConfigError`.
    """
    valid = _read(path, environ, flags, ParsedZones())
    rows = list(in_effect.rows(valid.model, valid.root))
    if "public" not in valid.model.upstreams:
        servers, _ = name_servers(resolv_conf, valid.model.dns.listen)
        uris = [f"udp://{HostPort(s.address, s.port)}" for s in servers]
        rows.append(("upstreams.public.servers", uris, str(resolv_conf)))
    return rows


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file."""
    example = {"sources": [{"name": "estate", "type": "files", "path": "./endpoints"}]}
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **Configuration.model_json_schema(), "examples": [example]}


class _Valid(NamedTuple):
    """A configuration without mistakes."""

    root: Node
    model: Configuration
    files: ZoneFilePaths
    warnings: list[str]


def _read(path: Path, environ: Mapping[str, str], flags: Mapping[str, str], parsed: ParsedZones) -> _Valid:
    root, problems = _file(path)
    notes: list[str] = []
    for keys, node in _variables(environ, problems, notes):
        root = root.put(keys, node)
    for flag, text in flags.items():
        keys = tuple(flag.split("."))
        root = root.put(keys, _value(text, keys, f"flag {flag}", problems))
    for variable, (keys, name) in DIRECTORIES.items():
        directory = environ.get(variable, "").partition(":")[0]
        if directory and not root.find(keys)[1]:
            place = Position(f"environment {variable}")
            root = root.put(keys, Node(directory + name, place, ".".join(keys), place))
    networks_node = root.child("networks")
    if networks_node and networks_node.value == "auto":
        alone = Node("auto", networks_node.place, "networks[0]")
        root = root.put(("networks",), replace(networks_node, value=[alone]))
    groups, networks = _declared(root)
    model, root = _validate(root, problems)
    files, refused, odd = find_zone_files(model.zones.files, path.parent, parsed)
    refused += unusable_key_files(model, path.parent)
    problems += [_problem(root, location, message) for location, message in refused]
    wrong = [problem.path for problem in problems]
    for found in contradictions(model, groups, networks):
        problem = _problem(root, found.location, found.message, _nearest(found.said, found.known))
        if not any(_within(path, problem.path) for path in wrong):
            problems.append(problem)
    if problems:
        raise ConfigError(problems)
    return _Valid(root, model, files, [*notes, *odd, *warnings(model)])


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits; empty where it cannot be read."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _file(path: Path) -> tuple[Node, list[ConfigProblem]]:
    source = str(path)
    try:
        root, problems = parse(path.read_bytes().decode("utf-8-sig"), source)
    except OSError as error:
        raise ConfigError([ConfigProblem(Position(source), "", f"cannot read the file: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([ConfigProblem(Position(source), "", f"not UTF-8 (at octet {error.start})")]) from None
    if root.value is None and problems:
        raise ConfigError(problems)
    return root, problems


def _variables(
    environ: Mapping[str, str], problems: list[ConfigProblem], notes: list[str]
) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Yield the settings in variables, whole sections before their parts. Other `PLDNS_*` variables get a note each."""
    for variable in sorted(key for key in environ if key.startswith(PREFIX)):
        keys = _keys(variable)
        if kind(Configuration, keys) is None:
            notes.append(f"ignoring the environment variable {variable}, which is not a setting")
            continue
        yield keys, _value(environ[variable], keys, f"environment {variable}", problems)


def _keys(variable: str) -> tuple[str, ...]:
    return tuple(variable.removeprefix(PREFIX).lower().split("__"))


def _is_setting(variable: str) -> bool:
    """Return whether a variable is read as a setting. Others may hold secrets, and are shown to nobody."""
    if variable in DIRECTORIES:
        return True
    return variable.startswith(PREFIX) and kind(Configuration, _keys(variable)) is not None


def _value(text: str, keys: tuple[str, ...], source: str, problems: list[ConfigProblem]) -> Node:
    """Return the text of a variable or flag as a node. It is YAML, but `[::1]:53` for a single value is not a list."""
    path = path_of(keys)
    node, wrong = parse(text, source, path=path, lines=False)
    if text.startswith("[") and text.isprintable() and not _holds_more(kind(Configuration, keys)):
        node, wrong = Node(text, Position(source), path), []
    problems += wrong
    return Node(node.value, node.place, path, node.place)


def _declared(root: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of all upstream groups and of all networks, valid or not."""
    groups, networks = root.child("upstreams"), root.child("networks")
    items = networks.value if networks and isinstance(networks.value, list) else []
    names = (item.child("name") for item in items)
    return (
        tuple(groups.value) if groups and isinstance(groups.value, dict) else (),
        tuple(str(name.value) for name in names if name),
    )


def _holds_more(kind: Any) -> bool:  # noqa: ANN401 - types have no common type
    return get_origin(kind) in {tuple, dict} or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _validate(root: Node, problems: list[ConfigProblem]) -> tuple[Configuration, Node]:
    """Return the model of the valid part of `root`, and the tree of that part. Adds the mistakes to `problems`.

    Invalid values are removed and the rest is validated again, so that the rules between keys still see all that is
    valid.
    """
    first = True
    while True:
        try:
            return Configuration.model_validate(root.plain() if root.value is not None else {}), root
        except ValidationError as error:
            details = error.errors(include_url=False)
            if first:
                problems += _problems(root, details)
            first = False
            root = root.without([root.find(_place(detail))[0] for detail in details])


def _problems(root: Node, details: list[ErrorDetails]) -> Iterator[ConfigProblem]:
    locations = [_place(detail) for detail in details]
    for detail, location in zip(details, locations, strict=True):
        if detail["type"] == "too_short" and any(other[:-1] == location for other in locations):
            continue  # the list is not empty: its items are invalid
        node, _ = root.find(location)
        message, hint = _message(detail)
        at_key = detail["type"] == "extra_forbidden" or location[-1:] == ("[key]",)
        yield ConfigProblem((at_key and node.key) or node.place, node.path, message, hint)


def _place(detail: ErrorDetails) -> tuple[Part, ...]:
    """Return the location in the file of one of pydantic's errors."""
    location = written(Configuration, detail["loc"])
    return (*location, "type") if detail["type"] == "union_tag_invalid" else location


_MESSAGES: Final = {
    "model_attributes_type": "must be a mapping of keys to values",
    "union_tag_not_found": "`type` is missing",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be `true` or `false`",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
}


def _message(detail: ErrorDetails) -> tuple[str, str]:
    """Return the message for one of pydantic's errors, and the hint."""
    location, error_type, context = detail["loc"], detail["type"], detail.get("ctx", {})
    if error_type == "extra_forbidden":
        return _unknown_key(location)
    if error_type == "missing":
        return f"`{location[-1]}` is missing", ""
    if error_type == "value_error":
        error = context["error"]
        return str(error), error.hint if isinstance(error, Invalid | InvalidHostPort) else ""
    if error_type == "union_tag_invalid":
        words = tuple(re.findall(r"'([^']*)'", context["expected_tags"]))
        return f"must be {' or '.join(f'`{word}`' for word in words)}", _nearest(context["tag"], words)
    if error_type == "literal_error":
        known = get_args(kind(Configuration, location)) or ()
        words = _words(known)
        return f"must be {' or '.join(f'`{word}`' for word in words)}", _nearest(str(detail["input"]), words)
    message = _MESSAGES.get(error_type, detail["msg"].replace("Input should", "must"))
    return f"has no value, and {message}" if detail["input"] is None else message, ""


def _words(kinds: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the words of a `Literal`, also of a `Literal` that may be None."""
    return tuple(word for kind in kinds for word in ([kind] if isinstance(kind, str) else get_args(kind)))


def _unknown_key(location: tuple[Part, ...]) -> tuple[str, str]:
    holder = kind(Configuration, location[:-1])
    known = tuple(fields(holder)) if isinstance(holder, type) and issubclass(holder, BaseModel) else ()
    return "unknown key", _nearest(str(location[-1]), known)


def _nearest(said: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(said.casefold(), list(known), n=1, cutoff=0.6)), "") if said else ""


def _problem(root: Node, location: tuple[Part, ...], message: str, hint: str = "") -> ConfigProblem:
    """Return a problem with the value at `location`. The position of a mapping is that of its key."""
    node, whole = root.find(location)
    place = node.key if node.key and isinstance(node.value, dict) else node.place
    return ConfigProblem(place, node.path if whole else path_of(location), message, hint)


def _place_of(root: Node, *location: Part) -> str:
    """Return where the value at `location` is: `names[0] (pldns.yaml:12)`."""
    node, _ = root.find(location)
    return f"{path_of(location)} ({node.place.line_text})"


def _within(path: str, outer: str) -> bool:
    return path.startswith(outer) and path[len(outer) : len(outer) + 1] in {"", ".", "["}
