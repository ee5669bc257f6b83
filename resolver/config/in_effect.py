"""The valid configuration for people: a row for each setting with its origin, and all keys as one JSON object.

Does not know how the file is read or checked.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from resolver.config.model import AUTO, Configuration
from resolver.config.nodes import Node, Part, path_of
from resolver.config.section import fields
from resolver.host_port import HostPort
from resolver.settings import UpstreamGroup


def rows(value: Any, root: Node, location: tuple[Part, ...] = ()) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401 - what JSON can hold
    """Yield (path, value, origin) for each scalar and each list of scalars under `value`, which `root` has set."""
    if value is AUTO:
        value = "auto"
    if isinstance(value, BaseModel):
        parts: Iterable[tuple[Part, Any]] = _fields(value)
    elif isinstance(value, dict) and value:
        parts = value.items()
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        parts = enumerate(value)
    else:
        node, found = root.find(location)
        if found or value is not None:
            origin = node.place.line_text if found else "default"
            yield path_of(location), list(value) if isinstance(value, tuple) else value, origin
        return
    for part, child in parts:
        yield from rows(child, root, (*location, part))


def whole(model: Configuration, groups: Iterable[UpstreamGroup]) -> dict[str, Any]:
    """Return every key and its value. Groups that take their servers from a resolv.conf file have these servers."""
    found: dict[str, Any] = _plain(model)
    for group in groups:
        section = found["upstreams"].setdefault(group.name, {})
        if not section.get("servers"):
            section["servers"] = [f"udp://{HostPort(each.address, each.port)}" for each in group.servers]
    return found


def _plain(value: Any) -> Any:  # noqa: ANN401 - as above
    if value is AUTO:
        return "auto"
    if isinstance(value, BaseModel):
        return {key: _plain(child) for key, child in _fields(value)}
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    for name, key in zip(type(model).model_fields, fields(type(model)), strict=True):
        yield key, getattr(model, name)
