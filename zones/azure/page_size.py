"""The fields with which a page says how large the whole list is, and where the next page is.

Lists of the Resource Manager have `nextLink`; Resource Graph has `count`, `totalRecords`, `resultTruncated` and
`$skipToken`, and `az graph query` writes `total_records` and `skip_token`. Sizes come from outside: any value may be
there. Does not know the rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from zones.azure.encoding import Document, Node, TypeMismatch

_LINKS: Final = ("nextLink", "@odata.nextLink", "$skipToken", "skipToken", "skip_token")
_TOTALS: Final = ("totalRecords", "total_records")
_CUT: Final = ("resultTruncated", "result_truncated")


class PageSize(NamedTuple):
    """What a page says about its size."""

    page_rows: int | None
    """Number of rows that the page should have."""
    total: int | None
    """Number of rows of the whole list."""
    link: str
    """Link or token of the next page; empty where there is none."""
    is_cut: bool
    """Rows were left out."""
    invalid: tuple[tuple[str, str], ...]
    """The fields that are no number of rows, each with its value."""

    def faults(self, rows: int) -> Iterator[tuple[str, str]]:
        """Yield the path and the message of each fault, for a page with this number of rows."""
        for path, value in self.invalid:
            yield path, f"{value} is not a number of rows, so it is not known whether rows are missing"
        if self.total is not None and self.total < rows:
            yield "total", f"the total is {self.total}, but the page has {rows}"


def page_size(members: Mapping[str, Node], document: Document) -> PageSize:
    """Return what the members of a page say about its size."""
    invalid: dict[str, str] = {}
    values = {key: _plain(document, members[key]) for key in (*_LINKS, *_TOTALS, *_CUT, "count") if key in members}
    link = next((value for key in _LINKS if isinstance(value := values.get(key), str) and value.strip()), "")
    total = next((_number(key, values, invalid) for key in _TOTALS if key in values), None)
    page_rows = None if isinstance(values.get("count"), dict | list) else _number("count", values, invalid)
    is_cut = any(str(values.get(key)).casefold() == "true" for key in _CUT)
    return PageSize(page_rows, total, link.strip(), is_cut and not link, tuple(invalid.items()))


def _plain(document: Document, node: Node) -> Any:  # noqa: ANN401 - any value
    try:
        return document.decode(node, Any)
    except TypeMismatch:
        return None


def _number(key: str, values: Mapping[str, Any], invalid: dict[str, str]) -> int | None:
    """Return a number of rows; None where there is none, or an invalid one, which is added to `invalid`."""
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value == value // 1:
        return int(value)
    invalid[key] = repr(value)[:80]
    return None
