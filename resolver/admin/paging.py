"""Pages of sorted lists. No state is kept between two pages, and a long list does not block the event loop.

A cursor holds the key of the last item on a page, and how many items with that key have been given. Items that appear
or disappear between two pages do not shift the others.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeVar

import msgspec

SLICE: Final = 500
"""Items between two turns of the event loop, which takes a few milliseconds."""

SortKey = tuple[str, ...]
T = TypeVar("T")


class InvalidCursor(ValueError):  # noqa: N818 - it describes the text
    """The text is not a cursor of this interface."""


class _Cursor(NamedTuple):
    """Where the previous page ended."""

    key: SortKey
    given: int
    """Items with this key on the previous pages."""


class Page(NamedTuple):
    """The items of one page as JSON, and the cursor of the next page; None on the last one."""

    items: list[bytes]
    next: str | None

    def encode(self) -> bytes:
        """Return `{"items": […], "next": CURSOR|null}`."""
        return b'{"items":[%b],"next":%b}' % (b",".join(self.items), json.dumps(self.next).encode())


async def page(
    items: Iterable[T], key: Callable[[T], SortKey | None], shown: Callable[[T], bytes | None], limit: int,
    cursor: str | None,
) -> Page:  # fmt: skip
    """Return the first `limit` items after `cursor`, sorted by `key`. An item whose key is None is left out.

    `shown` returns the JSON of an item, or None when the item no longer exists. Raises `InvalidCursor`.
    """
    after = _decoded(cursor) if cursor is not None else None
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
    return Page(encoded, _encoded(_Cursor(last, same)))


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


def _encoded(cursor: _Cursor) -> str:
    return urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _decoded(text: str) -> _Cursor:
    try:
        cursor = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
    except ValueError:
        raise InvalidCursor("not a cursor of this interface") from None
    return cursor._replace(given=max(cursor.given, 0))
