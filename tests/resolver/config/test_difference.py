"""What differs between two configurations, key by key."""

from typing import Any

import pytest

from resolver.config.difference import changes


def changes_as_rows(before: Any, after: Any) -> list[tuple[str, str, Any, Any]]:  # noqa: ANN401 - what JSON can hold
    return [(each.key, each.change.value, each.before, each.after) for each in changes(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": {"b": 1}}, {"a": {"b": 1}}, [], id="equal"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", "changed", 1, 2)], id="a value"),
        pytest.param({"user": None}, {"user": "dns"}, [("user", "added", None, "dns")], id="a value that was not set"),
        pytest.param({"t": {"x": 1}}, {"t": None}, [("t", "removed", {"x": 1}, None)], id="a section"),
        pytest.param(
            {"o": {"b.example": {"ttl": 1}}},
            {"o": {}},
            [('o["b.example"]', "removed", {"ttl": 1}, None)],
            id="a key with a dot",
        ),
        pytest.param(
            {"l": ["127.0.0.1:53", "127.0.0.2:53", "127.0.0.3:53"]},
            {"l": ["127.0.0.1:53", "127.0.0.3:53"]},
            [("l[1]", "removed", "127.0.0.2:53", None)],
            id="an item in the middle",
        ),
        pytest.param({"l": ["b"]}, {"l": ["a", "b"]}, [("l[0]", "added", None, "a")], id="an item at the front"),
        pytest.param(
            {"s": [{"name": "x", "p": 1}, {"name": "y", "p": 1}]},
            {"s": [{"name": "y", "p": 2}]},
            [("s[0]", "removed", {"name": "x", "p": 1}, None), ("s[0].p", "changed", 1, 2)],
            id="named sections are the same ones at another index",
        ),
        pytest.param(
            {"n": ["auto", {"name": "x"}]}, {"n": [{"name": "x"}]}, [("n[0]", "removed", "auto", None)], id="auto"
        ),
    ],
)
def test_each_difference_names_its_key(before: Any, after: Any, expected: list[Any]) -> None:  # noqa: ANN401 - as above
    assert changes_as_rows(before, after) == expected


def test_many_items_are_compared_quickly() -> None:
    pins = [{"name": f"n{number}.example", "endpoint": "e"} for number in range(5000)]
    (change,) = changes({"pins": pins}, {"pins": [*pins[:2500], *pins[2501:]]})
    assert change.key == "pins[2500]"
