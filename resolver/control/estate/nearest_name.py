"""The known name that resembles a name that nothing here has: for a person who has mistyped it.

Compares the first label only: with the names that are one slip of the keyboard away; where there is none, in a small
estate, with all names that have the same parent. So the work is bounded, whatever the size of the estate. Pure.
"""

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from resolver.control.estate.estate import Estate
from zones.dns.name import Name, is_wildcard, parent

_FEW: Final = 200
"""Names that are all compared."""
_CUTOFF: Final = 0.75
"""Similarity (`difflib`) that a name has at least."""
_CHARACTERS: Final = b"abcdefghijklmnopqrstuvwxyz0123456789-"


def nearest_name(estate: Estate, name: Name, zones: Iterable[Name]) -> Name | None:
    """Return the nearest name that an endpoint, or a zone file of `zones`, has; None where none resembles `name`.

    For a public FQDN, that is a public FQDN.
    """
    private = [mapping.name for mapping in estate.ledger.catalogue.candidates(name)]
    above = {parent(each) for each in (name, *private)}
    files = [file.names for origin in zones if (file := estate.static.get(origin))]
    known: list[Collection[Name]] = [estate.ledger.names(), *files]
    by_label = {_label(each): each for each in _slips(known, name, above)}
    if not by_label and sum(map(len, known)) <= _FEW:
        by_label = {_label(each): each for each in _all_beside(known, above)}
    near = next(iter(get_close_matches(_label(name), by_label, 1, _CUTOFF)), None)
    return None if near is None else _as_asked(estate, by_label[near], parent(name))


def _all_beside(known: Iterable[Collection[Name]], above: Collection[Name]) -> Iterator[Name]:
    """Yield the names with one of these parents."""
    for names in known:
        yield from (each for each in names if parent(each) in above and not is_wildcard(each))


def _slips(known: Collection[Collection[Name]], name: Name, above: Iterable[Name]) -> Iterator[Name]:
    """Yield the names whose label has one character more, less or other, or two neighbours swapped."""
    label = name[1 : 1 + name[0]]
    for edited in {*_edits(label)}:
        for tail in above:
            each = Name(bytes((len(edited),)) + edited + tail)
            if any(each in names for names in known):
                yield each


def _edits(label: bytes) -> Iterator[bytes]:
    for i in range(len(label) + 1):
        head, tail = label[:i], label[i:]
        if len(tail) > 1:
            yield head + tail[1:2] + tail[:1] + tail[2:]
        if tail and len(label) > 1:
            yield head + tail[1:]
        for character in _CHARACTERS:
            other = bytes((character,))
            yield head + other + tail[1:]
            if len(label) < 63:
                yield head + other + tail


def _label(name: Name) -> str:
    return name[1 : 1 + name[0]].decode("latin-1")


def _as_asked(estate: Estate, found: Name, above: Name) -> Name:
    """Return the name of `found` below `above`: the public FQDN of a private name, if a public one was asked for."""
    publics = (claim.public for claim in estate.ledger.find(found) if parent(claim.public) == above)
    return found if parent(found) == above else next(publics, found)
