"""Pages hold every item once and in order, for any page size, even when the list changes between two pages."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.admin.paging import SLICE, InvalidCursor, Page, PageRequest, page


def key(item: str) -> tuple[str, ...]:
    return (item[:1],)


def shown(item: str) -> bytes:
    return json.dumps(item).encode()


async def walk(items: list[str], limit: int) -> list[str]:
    found: list[bytes] = []
    cursor: str | None = None
    while True:
        part = await page(items, key, shown, PageRequest(limit, cursor))
        assert len(part.items) <= limit
        found += part.items
        cursor = part.next
        if cursor is None:
            return [json.loads(item) for item in found]


@given(st.lists(st.text("abc", min_size=1, max_size=3), max_size=40), st.integers(1, 50))
def test_pages_hold_every_item_once_and_in_order_even_with_equal_keys(items: list[str], limit: int) -> None:
    assert asyncio.run(walk(items, limit)) == sorted(items, key=key)


async def test_a_list_of_many_slices_is_sorted_as_a_whole() -> None:
    items = [f"{number:06}" for number in range(3 * SLICE)][::-1]
    part = await page(items, lambda item: (item,), shown, PageRequest(5))
    assert [json.loads(item) for item in part.items] == [f"{number:06}" for number in range(5)]


async def test_items_that_appear_or_disappear_do_not_shift_others() -> None:
    first = await page(["a", "c", "e"], key, shown, PageRequest(2))
    rest = await page(["b", "d", "e"], key, shown, PageRequest(2, first.next))
    assert [json.loads(item) for item in (*first.items, *rest.items)] == ["a", "c", "d", "e"]


async def test_items_without_a_key_or_without_json_are_left_out() -> None:
    part = await page(
        ["a", "b", "c"],
        lambda item: None if item == "b" else key(item),
        lambda item: None if item == "c" else shown(item),
        PageRequest(10),
    )
    assert part == Page([b'"a"'], None)


@pytest.mark.parametrize(
    "cursor", ["!", "", "AAAA", "W10", "e30", "WzEsMl0", "é", "W1siYSJdLDEsIiJd!", "W1siYSJdLC0xXQ"]
)
async def test_an_invalid_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await page(["a"], key, shown, PageRequest(1, cursor))


async def test_a_cursor_is_bound_to_its_list() -> None:
    first = await page(["a", "b"], key, shown, PageRequest(1, None, "of one"))
    assert (await page(["a", "b"], key, shown, PageRequest(1, first.next, "of one"))).items == [b'"b"']
    with pytest.raises(InvalidCursor, match="another list"):
        await page(["a", "b"], key, shown, PageRequest(1, first.next, "of another"))


def test_a_page_is_items_and_next() -> None:
    assert json.loads(Page([b"1", b"2"], "x").encode()) == {"items": [1, 2], "next": "x"}
    assert json.loads(Page([], None).encode()) == {"items": [], "next": None}
