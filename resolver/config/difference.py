"""What differs between two configurations, key by key. Does not know what a key means, or who reads the result. Pure.

Both configurations are JSON objects in the form of the file, with every key (`in_effect.whole`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from resolver.config.nodes import join


class Change(StrEnum):
    """How something differs."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One difference. A removed item of a list has the index that it had before."""

    key: str
    change: Change
    before: Any
    """None where it is added."""
    after: Any
    """None where it is removed."""


def changes(before: Any, after: Any, key: str = "") -> Iterator[KeyChange]:  # noqa: ANN401 - what JSON can hold
    """Yield the differences between two values of `key`, in the order of the file. A missing key is as null."""
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _in_mapping(before, after, key)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_list(before, after, key)
    elif before is None:
        yield KeyChange(key, Change.ADDED, None, after)
    elif after is None:
        yield KeyChange(key, Change.REMOVED, before, None)
    else:
        yield KeyChange(key, Change.CHANGED, before, after)


def _in_mapping(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> Iterator[KeyChange]:
    for name in dict.fromkeys((*before, *after)):
        yield from changes(before.get(name), after.get(name), join(key, name))


def _in_list(before: Sequence[Any], after: Sequence[Any], key: str) -> Iterator[KeyChange]:
    was, now = [_identity(each) for each in before], [_identity(each) for each in after]
    for kind, first, last, start, end in SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "equal":
            for i, j in zip(range(first, last), range(start, end), strict=True):
                yield from changes(before[i], after[j], join(key, j))
            continue
        for i in range(first, last):
            yield KeyChange(join(key, i), Change.REMOVED, before[i], None)
        for j in range(start, end):
            yield KeyChange(join(key, j), Change.ADDED, None, after[j])


def _identity(item: Any) -> str:  # noqa: ANN401 - as above
    """Return what says that two items of a list are the same one: the name of a section, else the whole item."""
    if isinstance(item, dict) and item.get("name"):
        return str(item["name"])
    return json.dumps(item, sort_keys=True)
