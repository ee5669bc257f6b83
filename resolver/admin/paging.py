"""Pages of lists: sorted, stateless, and made in slices, so that a long list does not hold up the event loop.

A cursor is the key of the last item given and how many of that key were; items that come or go between two pages
move no others.
"""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple, TypeVar

import msgspec

SLICE: Final = 500
"""Items between two turns of the event loop: a few milliseconds, whatever is done with each."""

Key = tuple[str, ...]
T = TypeVar("T")


class InvalidCursor(ValueError):  # noqa: N818 - what it says of the text
    """The text is no cursor of ours."""


class _After(NamedTuple):
    key: Key
    given: int


class Page(NamedTuple):
    """The items of one page as JSON, and the cursor of the next one."""

    items: list[bytes]
    next: str | None

    def encode(self) -> bytes:
        """`{"items": […], "next": CURSOR|null}`."""
        return b'{"items":[%b],"next":%b}' % (b",".join(self.items), json.dumps(self.next).encode())


async def page(
    items: Iterable[T], key: Callable[[T], Key | None], shown: Callable[[T], bytes | None], limit: int,
    cursor: str | None,
) -> Page:  # fmt: skip
    """The first `limit` items after `cursor` in the order of `key`; an item whose key is None is left out.

    `shown` makes an item's JSON; None where the item has gone since. Raises `InvalidCursor`.
    """
    after = _read(cursor) if cursor is not None else None
    given = after.given if after else 0
    first: list[tuple[Key, T]] = []
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
    return Page(encoded, _written(_After(last, same)))


def slices(items: list[T]) -> Iterator[list[T]]:
    """The items in lists of `SLICE`; let the loop turn after each."""
    each = iter(items)
    while some := list(islice(each, SLICE)):
        yield some


async def _shown(chosen: list[tuple[Key, T]], shown: Callable[[T], bytes | None]) -> list[bytes]:
    out: list[bytes] = []
    for some in slices(chosen):
        for _, item in some:
            encoded = shown(item)
            if encoded is not None:
                out.append(encoded)
        await asyncio.sleep(0)
    return out


def _key(pair: tuple[Key, object]) -> Key:
    return pair[0]


def _written(after: _After) -> str:
    return urlsafe_b64encode(msgspec.json.encode(after)).decode().rstrip("=")


def _read(cursor: str) -> _After:
    try:
        after = msgspec.json.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=_After)
    except ValueError:
        raise InvalidCursor("no cursor of this interface") from None
    return after._replace(given=max(after.given, 0))
