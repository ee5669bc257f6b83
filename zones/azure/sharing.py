"""Public names that no single resource owns: all resources of a service, a tenant or a region have the same name.

Two endpoints with a shared name are no mistake in their data. The marks are in `data/additions.json` and in
`catalogue.suffixes` of the configuration. Does not know endpoints and contests.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from zones.azure.additions import SharedMark
from zones.azure.catalogue_table import SharedBy, Suffix
from zones.dns.name import Name, to_text

Kind = tuple[str, str]
"""A resource type and a group id, both folded."""

_PARTS: Final = re.compile(r"(\{\w+\})")
_PLACEHOLDERS: Final = {"{guid}": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{label}": "[^.]+"}
_OF_CUSTOMERS: Final = frozenset(_PLACEHOLDERS)
"""Placeholders for labels that a customer chose, or that identify a customer."""

_WIDTH: Final = (SharedBy.REGION, SharedBy.TENANT, SharedBy.SERVICE)


class _Shared(NamedTuple):
    """Names of one kind of endpoint. `names` matches the text of a whole name; None: all names of that kind."""

    names: re.Pattern[str] | None
    by: SharedBy


class SharedNames:
    """The marks, by resource type and group id, and the suffixes that are marked.

    `kinds` holds the resource type and the group ids of each entry of the table, by the entry's id.
    Raises `KeyError` for a mark of an entry that the table does not have.
    """

    def __init__(
        self,
        marks: Collection[SharedMark],
        kinds: Mapping[str, Collection[Kind]],
        suffixes: Iterable[Suffix] = (),
    ) -> None:
        self._marks: dict[Kind, list[_Shared]] = defaultdict(list)
        names = [name for mark in marks for name in mark.names]
        self._chosen_by_azure = _pattern([name for name in names if not _OF_CUSTOMERS.intersection(_PARTS.split(name))])
        self._suffixes = [(_below(each.public_suffix), each) for each in suffixes if each.shared]
        for mark in marks:
            groups = {group.casefold() for group in mark.groups}
            for kind in kinds[mark.entry]:
                if not groups or kind[1] in groups:
                    self._marks[kind].append(_Shared(_pattern(mark.names), mark.scope))

    def lists(self, public: str) -> bool:
        """Return whether a public name is in a list of shared names, and Azure chose the whole name."""
        names = self._chosen_by_azure
        return names is not None and names.fullmatch(public.casefold().removesuffix(".")) is not None

    def by(self, resource_type: str, groups: Collection[str], publics: Collection[Name]) -> SharedBy | None:
        """Return who shares one of the public names of an endpoint; None where the names are the resource's own."""
        texts = [to_text(public) for public in publics]
        found = [
            mark.by
            for group in groups
            for mark in self._marks.get((resource_type.casefold(), group.casefold()), ())
            if mark.names is None or any(map(mark.names.fullmatch, texts))
        ]
        found += [
            by
            for names, suffix in self._suffixes
            if (by := suffix.shared) and suffix.is_for(resource_type, groups) and any(map(names.fullmatch, texts))
        ]
        return widest(found) if found else None


def widest(found: Collection[SharedBy]) -> SharedBy:
    """Return the one with the most resources. `found` is not empty."""
    return max(found, key=_WIDTH.index)


def names_match(names: Collection[str], public: Name) -> bool:
    """Return whether a public name is one of the names of a mark; no names are all names."""
    wanted = _pattern(names)
    return wanted is None or wanted.fullmatch(to_text(public)) is not None


def _pattern(names: Collection[str]) -> re.Pattern[str] | None:
    """Return an expression for the text of any of the names; None for no names.

    `{guid}` is a GUID, `{label}` any label; another placeholder is letters and digits: the name of a region, no GUID.
    """
    if not names:
        return None
    return re.compile("|".join("".join(map(_expression, _PARTS.split(name.casefold()))) for name in names))


def _expression(part: str) -> str:
    return _PLACEHOLDERS.get(part, "[a-z0-9]+") if part.startswith("{") else re.escape(part)


def _below(suffix: str) -> re.Pattern[str]:
    """Return an expression for the text of any name below a suffix, in which a placeholder is one label."""
    literals = re.split(r"\{\w+\}", suffix.casefold().removesuffix("."))
    return re.compile(r"(?:[^.]+\.)+" + "[^.]+".join(map(re.escape, literals)))
