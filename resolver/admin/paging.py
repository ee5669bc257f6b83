"""Pages of sorted lists. No state is kept between two pages, and a long list does not block the event loop.

A cursor holds the key of the last item on a page, how many items with that key have been given, and what the list is
of. Items that appear or disappear between two pages do not shift the others.
"""

import asyncio
import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

import msgspec

SLICE: Final = 500
"""Items between two turns of the event loop, which takes a few milliseconds."""

SortKey = tuple[str, ...]
T = TypeVar("T")
C = TypeVar("C")


_NOTHING: Final[Mapping[str, Sequence[bytes]]] = MappingProxyType({})


class InvalidCursor(ValueError):  # noqa: N818 - it describes the text
    """The text is not a cursor of this list."""


class PageRequest(NamedTuple):
    """Which page of a list is wanted. A cursor is valid for lists of the same `scope` only: a path and filters."""

    limit: int
    cursor: str | None = None
    scope: str = ""


def scope_of(*parts: str) -> str:
    """Return a short text that is the same for the same texts."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=6).hexdigest()


class _Cursor(NamedTuple):
    """Where the previous page ended."""

    key: SortKey
    given: int
    """Items with this key on the previous pages."""
    scope: str


class Page(NamedTuple):
    """The items of one page as JSON, and the cursor of the next page; None on the last one."""

    items: list[bytes]
    next: str | None

    def encode(self, more: Mapping[str, Sequence[bytes]] = _NOTHING) -> bytes:
        """Return `{"items": […], "next": CURSOR|null}`. `more`: further lists of items as JSON, by key."""
        lists = b"".join(b",%b:[%b]" % (json.dumps(key).encode(), b",".join(each)) for key, each in more.items())
        return b'{"items":[%b],"next":%b%b}' % (b",".join(self.items), json.dumps(self.next).encode(), lists)


async def page(
    items: Iterable[T], key: Callable[[T], SortKey | None], shown: Callable[[T], bytes | None], wanted: PageRequest
) -> Page:
    """Return the items of a page, sorted by `key`. An item whose key is None is left out.

    `shown` returns the JSON of an item, or None when the item no longer exists. Raises `InvalidCursor`.
    """
    limit, cursor, scope = wanted
    after = _decoded(cursor, scope) if cursor is not None else None
    given = after.given if after else 0
    first: list[tuple[SortKey, T]] = []
    for some in slices(list(items)):
        for item in some:
            at = key(item)
            if at is not None and (after is None or at >= after.key):
                first.append((at, item))
        first.sort(key=_key)
        del first[given + limit + 1 :]
        await asyncio.sleep(0)
    skip = sum(after is not None and at == after.key for at, _ in first[:given])
    chosen, more = first[skip : skip + limit], len(first) > skip + limit
    encoded = await _shown(chosen, shown)
    if not more:
        return Page(encoded, None)
    last = chosen[-1][0]
    same = sum(at == last for at, _ in chosen) + (skip if after and after.key == last else 0)
    return Page(encoded, encoded_cursor((last, same, scope)))


def decoded_cursor(text: str, kind: type[C]) -> C:
    """Return what a cursor holds. Raises `InvalidCursor`."""
    try:
        octets = b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        return msgspec.json.decode(octets, type=kind)
    except ValueError:
        raise InvalidCursor("not a cursor of this interface") from None


def encoded_cursor(value: object) -> str:
    """Return a cursor that holds this value."""
    return urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


def check_scope(found: str, wanted: str) -> None:
    """Raise `InvalidCursor` for a cursor of another list, or of the same list with other filters."""
    if found != wanted:
        raise InvalidCursor("a cursor of another list, or of this list with other parameters")


def slices(items: list[T]) -> Iterator[list[T]]:
    """Yield the items in lists of `SLICE`. The caller lets the event loop run after each list."""
    each = iter(items)
    while some := list(islice(each, SLICE)):
        yield some


async def _shown(chosen: list[tuple[SortKey, T]], shown: Callable[[T], bytes | None]) -> list[bytes]:
    out: list[bytes] = []
    for some in slices(chosen):
        for _, item in some:
            encoded = shown(item)
            if encoded is not None:
                out.append(encoded)
        await asyncio.sleep(0)
    return out


def _key(pair: tuple[SortKey, object]) -> SortKey:
    return pair[0]


def _decoded(text: str, scope: str) -> _Cursor:
    cursor = decoded_cursor(text, _Cursor)
    check_scope(cursor.scope, scope)
    return cursor._replace(given=max(cursor.given, 0))
