"""Pages of resources: read once for each content, checked against each other, put together by subscription.

Pure. What came in the last sync and comes again is not read again, and a subscription of which nothing changed stays
the very same value, so that a sync of an unchanged estate costs little. Refuses to know who sent the pages.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from zones.azure import arm
from zones.azure.endpoint import Fault, VirtualNetwork
from zones.azure.resource import InvalidId, Nic, PrivateEndpoint, Resources, resource_id, subscription

WHERE = "Azure"
"""What faults of these rows say of where they stand."""


class Incomplete(Exception):  # noqa: N818 - the state of what came
    """Pages that do not make up a whole: nothing of them may be used. One line for people."""


class Page(NamedTuple):
    """What one page holds. `rows` names each of its rows; empty for one without an id."""

    rows: tuple[str, ...]
    parts: dict[str, Resources]
    """By subscription, folded; under the empty one faults of rows that do not say theirs."""


class Pages:
    """Reads pages, and remembers those of two syncs."""

    def __init__(self) -> None:
        self._before: dict[bytes, Page] = {}
        self._seen: dict[bytes, Page] = {}
        self._parts: dict[str, tuple[tuple[Resources, ...], Resources]] = {}

    def begin(self) -> None:
        """A sync begins: forget the pages that the last one did not have."""
        self._before, self._seen = self._seen, {}

    def read(self, rows: bytes) -> Page:
        """Read an array of rows. May run in another thread. Raises `Incomplete`."""
        digest = blake2b(rows, digest_size=16).digest()
        page = self._seen.get(digest) or self._before.get(digest)
        if page is None:
            page = _read(rows)
        self._seen[digest] = page
        return page

    def together(self, pages: Iterable[Page], scope: Iterable[str]) -> dict[str, Resources]:
        """The resources of each subscription in `scope`; what belongs to none is the first one's."""
        pieces: dict[str, list[Resources]] = {name: [] for name in scope}
        first = next(iter(pieces), "")
        for page in pages:
            for name, resources in page.parts.items():
                where = pieces.get(name or first)
                if where is not None:
                    where.append(resources)
        self._parts = {name: self._merged(name, tuple(found)) for name, found in pieces.items()}
        return {name: resources for name, (_, resources) in self._parts.items()}

    def _merged(self, name: str, found: tuple[Resources, ...]) -> tuple[tuple[Resources, ...], Resources]:
        before = self._parts.get(name)
        if before and len(before[0]) == len(found) and all(a is b for a, b in zip(before[0], found, strict=True)):
            return before
        return found, Resources.joined(found)


class _Row(msgspec.Struct, rename="camel"):
    id: str = ""
    nic_id: str | None = None


def _read(rows: bytes) -> Page:
    try:
        named = msgspec.json.decode(rows, type=list[_Row])
        resources = arm.read(rows, WHERE, form="json")
    except (msgspec.DecodeError, UnicodeError, arm.Unreadable) as error:
        raise Incomplete(f"its rows cannot be read: {error}") from None
    names = tuple(f"{row.id} {row.nic_id or ''}".strip().casefold() for row in named)
    return Page(names, divided(resources))


def divided(resources: Resources) -> dict[str, Resources]:
    """By subscription."""
    endpoints: dict[str, list[PrivateEndpoint]] = {}
    nics: dict[str, list[Nic]] = {}
    vnets: dict[str, list[VirtualNetwork]] = {}
    for endpoint in resources.endpoints:
        endpoints.setdefault(endpoint.subscription, []).append(endpoint)
    for nic in resources.nics:
        nics.setdefault(subscription(nic.key), []).append(nic)
    for vnet in resources.vnets:
        vnets.setdefault(subscription(vnet.key), []).append(vnet)
    faults: dict[str, list[Fault]] = {}
    for fault in resources.faults:
        faults.setdefault(_subscription(fault.subject), []).append(fault)
    names = dict.fromkeys((*endpoints, *nics, *vnets, *faults))
    return {
        name: Resources(
            tuple(endpoints.get(name, ())),
            tuple(nics.get(name, ())),
            tuple(vnets.get(name, ())),
            tuple(faults.get(name, ())),
        )
        for name in names
    }


def _subscription(subject: str) -> str:
    try:
        return subscription(resource_id(subject))
    except InvalidId:
        return ""


class Check:
    """The pages of one query or list, in their order."""

    def __init__(self) -> None:
        self._rows: set[str] = set()
        self._tokens: set[str] = set()
        self.count = 0

    def rows(self, names: Iterable[str]) -> None:
        """Take the rows of the next page. Raises `Incomplete`."""
        for name in names:
            self.count += 1
            if name in self._rows:
                raise Incomplete(f"{name.partition(' ')[0]} came twice")
            if name:
                self._rows.add(name)

    def token(self, token: str) -> None:
        """Take what leads to the page after it. Raises `Incomplete`."""
        if token in self._tokens:
            raise Incomplete("the same page was announced twice")
        self._tokens.add(token)


def groups(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """In turn, at most so many at a time."""
    every = list(names)
    return (every[at : at + size] for at in range(0, len(every), size))
