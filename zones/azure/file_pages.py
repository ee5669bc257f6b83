"""Decides which files are pages of a longer list whose other pages are not in the same folder.

A page says so itself: with the link or token of the next page, or with a total that is larger than its number of rows.
The pages of one list lie in one folder. They are complete in two cases:

- Pages with a total (Resource Graph): together they have as many different rows as the total says, and one of them has
  no token. Their rows are of the same types, since two queries often have the same total: there are as many endpoints
  as network interfaces.
- Pages without a total (lists of the Resource Manager): each has another link, and beside them is exactly one page
  without a link, whose rows have the types and subscriptions of the others. A missing page in the middle cannot be
  noticed, since links are opaque.

A page that is there twice counts once. Does not know how a page is written or where it came from. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple, Self

RowKey = str
"""Identifies a row of a page: its folded id and that of its NIC, with a number for the second and later equal ones."""


class FilePage(NamedTuple):
    """A page that is not the whole list, or that may be the last of several."""

    digest: bytes
    """Equal for pages with the same rows."""
    size: int
    """Number of rows."""
    rows: frozenset[RowKey]
    """The rows of a page with a total; empty for other pages."""
    total: int | None
    """Number of rows of the whole list, if the page gives it."""
    link: str
    """Link or token of the next page; empty where there is none."""
    is_cut: bool
    """Rows were left out, and no link or token leads to them."""
    types: frozenset[str]
    subscriptions: frozenset[str]

    @classmethod
    def of(cls, names: Sequence[str], total: int | None, link: str, *, is_cut: bool) -> Self:
        """Return the page with these rows. `names` has the folded id of each row, and after a space that of its NIC."""
        rows = sorted(_numbered(names))
        ids = [name.partition(" ")[0].split("/") for name in names]
        return cls(
            blake2b("\n".join(rows).encode(errors="replace"), digest_size=16).digest(),
            len(rows),
            frozenset() if total is None else frozenset(rows),
            total,
            link,
            is_cut,
            frozenset("/".join(parts[6:8]) for parts in ids),
            frozenset("/".join(parts[:3]) for parts in ids),
        )

    @property
    def is_partial(self) -> bool:
        """True for a page that says that it is not the whole list."""
        return bool(self.link) or self.is_cut or (self.total is not None and self.size < self.total)


class Placed(NamedTuple):
    """A page and its file."""

    file: str
    page: FilePage


def lacking(files: Mapping[str, Sequence[FilePage]]) -> dict[str, tuple[str, ...]]:
    """Return what the incomplete files of one folder lack, by file, as texts for people. `files`: the pages by file."""
    placed = [Placed(file, page) for file, pages in files.items() for page in pages]
    totals: dict[int | None, list[Placed]] = {}
    for each in placed:
        totals.setdefault(each.page.total, []).append(each)
    found: dict[str, dict[str, None]] = {}
    for total, pages in totals.items():
        for one_list in _connected(pages, lambda page: page.types):
            for file, why in _chain(one_list) if total is None else _counted(one_list, total):
                found.setdefault(file, {})[why] = None
    return {file: tuple(reasons) for file, reasons in found.items()}


def _counted(pages: list[Placed], total: int) -> Iterator[tuple[str, str]]:
    """Yield the files that lack rows: all pages are one list, or each subscription has a list of its own."""
    if _has_all(pages, total):
        return
    for one_list in _connected(pages, lambda page: page.subscriptions):
        if not _has_all(one_list, total):
            rows = len(_rows(one_list))
            for file, page in one_list:
                if page.is_partial:
                    more = "" if rows < total else ", and more pages follow"
                    yield file, f"{rows} of {total} rows{more}"


def _has_all(pages: list[Placed], total: int) -> bool:
    return len(_rows(pages)) == total and any(not page.link and not page.is_cut for _, page in pages)


def _rows(pages: list[Placed]) -> set[RowKey]:
    return {row for _, page in pages for row in page.rows}


def _chain(pages: list[Placed]) -> Iterator[tuple[str, str]]:
    """Yield the files with a link to a page that is not there."""
    for one_list in _connected(pages, lambda page: page.subscriptions):
        linked = {page.digest: page for _, page in one_list if page.is_partial}
        types = frozenset(kind for page in linked.values() for kind in page.types)
        subscriptions = frozenset(name for page in linked.values() for name in page.subscriptions)
        last = {
            page.digest
            for _, page in one_list
            if not page.is_partial and page.size and page.types <= types and page.subscriptions <= subscriptions
        }
        links = {page.link for page in linked.values()}
        is_cut = any(page.is_cut for page in linked.values())
        if len(links) == len(linked) and len(last - linked.keys()) == 1 and not is_cut:
            continue
        for file, page in one_list:
            if page.is_partial:
                yield file, f"{page.size} row{'s' * (page.size != 1)}, and more pages follow"


def _connected(pages: Iterable[Placed], marks: Callable[[FilePage], frozenset[str]]) -> list[list[Placed]]:
    """Divide pages so that two pages that share a mark are in one group."""
    groups: list[tuple[set[str], list[Placed]]] = []
    for placed in pages:
        names, members = set(marks(placed.page)), [placed]
        apart = []
        for other in groups:
            if names.isdisjoint(other[0]):
                apart.append(other)
            else:
                names |= other[0]
                members = other[1] + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _numbered(names: Iterable[str]) -> Iterator[RowKey]:
    """Yield the names; repetitions of one name get a number, so that each row of a page counts."""
    seen: dict[str, int] = {}
    for name in names:
        count = seen[name] = seen.get(name, 0) + 1
        yield name if count == 1 else f"{name} {count}"
