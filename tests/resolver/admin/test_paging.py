"""Pages: every item once, in order, whatever the size of the page and whatever changes between two."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.admin.paging import SLICE, InvalidCursor, Page, page


def key(item: str) -> tuple[str, ...]:
    return (item[:1],)


def shown(item: str) -> bytes:
    return json.dumps(item).encode()


async def walk(items: list[str], limit: int) -> list[str]:
    found: list[bytes] = []
    cursor: str | None = None
    while True:
        part = await page(items, key, shown, limit, cursor)
        assert len(part.items) <= limit
        found += part.items
        cursor = part.next
        if cursor is None:
            return [json.loads(item) for item in found]


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=40), st.integers(1, 50))
def test_pages_give_every_item_once_in_order_also_where_keys_are_equal(items: list[str], limit: int) -> None:
    assert asyncio.run(walk(items, limit)) == sorted(items, key=key)


async def test_a_list_of_many_slices_is_sorted_as_a_whole() -> None:
    items = [f"{number:06}" for number in range(3 * SLICE)][::-1]
    part = await page(items, lambda item: (item,), shown, 5, None)
    assert [json.loads(item) for item in part.items] == [f"{number:06}" for number in range(5)]


async def test_items_that_come_and_go_move_no_others() -> None:
    first = await page(["a", "c", "e"], key, shown, 2, None)
    rest = await page(["b", "d", "e"], key, shown, 2, first.next)
    assert [json.loads(item) for item in (*first.items, *rest.items)] == ["a", "c", "d", "e"]


async def test_an_item_without_a_key_is_left_out_and_one_that_is_gone_is_not_shown() -> None:
    part = await page(
        ["a", "b", "c"],
        lambda item: None if item == "b" else key(item),
        lambda item: None if item == "c" else shown(item),
        10,
        None,
    )
    assert part == Page([b'"a"'], None)


@pytest.mark.parametrize("cursor", ["!", "", "AAAA", "W10", "e30", "WzEsMl0", "é"])
async def test_a_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await page(["a"], key, shown, 1, cursor)


def test_a_page_is_items_and_next() -> None:
    assert json.loads(Page([b"1", b"2"], "x").encode()) == {"items": [1, 2], "next": "x"}
    assert json.loads(Page([], None).encode()) == {"items": [], "next": None}
