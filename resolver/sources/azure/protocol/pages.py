"""Pages of resources: each distinct page is parsed once, pages are checked against each other and joined.

Pure. A page that came in the last sync is not parsed again, and a subscription in which nothing changed is the same
object as before. So a sync of an unchanged estate costs little. Does not know how pages are requested.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from zones.azure import arm
from zones.azure.encoding import UnreadableDocument
from zones.azure.endpoint import Fault, VirtualNetwork
from zones.azure.resource import InvalidId, Nic, PrivateEndpoint, Resources, resource_id, subscription

WHERE: Final = "Azure"
"""Where faults of these rows come from, for people."""


class Incomplete(Exception):  # noqa: N818 - the state of the pages
    """Pages are missing or contradict each other, so none of them may be used. The message is one line for people."""


class ResourcePage(NamedTuple):
    """The resources of one page. `rows` has the id of each row; empty for a row without one."""

    rows: tuple[str, ...]
    parts: dict[str, Resources]
    """By subscription, folded. The empty key has faults of rows whose subscription is not known."""


class Pages:
    """Parses pages, and remembers those of this sync and of the last one."""

    def __init__(self) -> None:
        self._before: dict[bytes, ResourcePage] = {}
        self._seen: dict[bytes, ResourcePage] = {}
        self._parts: dict[str, tuple[tuple[Resources, ...], Resources]] = {}

    def begin(self) -> None:
        """Begin a sync: forget the pages that the last sync did not have."""
        self._before, self._seen = self._seen, {}

    def read(self, rows: bytes) -> ResourcePage:
        """Parse an array of rows. May run in another thread. Raises `Incomplete`."""
        digest = blake2b(rows, digest_size=16).digest()
        page = self._seen.get(digest) or self._before.get(digest)
        if page is None:
            page = _read(rows)
        self._seen[digest] = page
        return page

    def together(self, pages: Iterable[ResourcePage], scope: Iterable[str]) -> dict[str, Resources]:
        """Return the resources of each subscription in `scope`; those without a subscription are the first one's."""
        pieces: dict[str, list[Resources]] = {name: [] for name in scope}
        first = next(iter(pieces), "")
        for page in pages:
            for name, resources in page.parts.items():
                where = pieces.get(name or first)
                if where is not None:
                    where.append(resources)
        self._parts = {name: self._joined(name, tuple(found)) for name, found in pieces.items()}
        return {name: resources for name, (_, resources) in self._parts.items()}

    def _joined(self, name: str, found: tuple[Resources, ...]) -> tuple[tuple[Resources, ...], Resources]:
        before = self._parts.get(name)
        if before and len(before[0]) == len(found) and all(a is b for a, b in zip(before[0], found, strict=True)):
            return before
        return found, Resources.joined(found)


class _RowId(msgspec.Struct, rename="camel"):
    id: str = ""
    nic_id: str | None = None


def _read(rows: bytes) -> ResourcePage:
    try:
        named = msgspec.json.decode(rows, type=list[_RowId])
        resources = arm.read(rows, WHERE, form="json")
    except (msgspec.DecodeError, UnicodeError, UnreadableDocument) as error:
        raise Incomplete(f"its rows cannot be read: {error}") from None
    names = tuple(f"{row.id} {row.nic_id or ''}".strip().casefold() for row in named)
    return ResourcePage(names, divided(resources))


def divided(resources: Resources) -> dict[str, Resources]:
    """Return the resources by subscription."""
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


class PageCheck:
    """Checks the pages of one query or list, in their order."""

    def __init__(self) -> None:
        self._rows: set[str] = set()
        self._tokens: set[str] = set()
        self.count = 0

    def rows(self, names: Iterable[str]) -> None:
        """PageCheck the rows of the next page. Raises `Incomplete` for a row that came before."""
        for name in names:
            self.count += 1
            if name in self._rows:
                raise Incomplete(f"{name.partition(' ')[0]} came twice")
            if name:
                self._rows.add(name)

    def token(self, token: str) -> None:
        """PageCheck the token or link of the page after it. Raises `Incomplete` for one that came before."""
        if token in self._tokens:
            raise Incomplete("the same page was announced twice")
        self._tokens.add(token)


def groups(names: Iterable[str], size: int) -> Iterator[list[str]]:
    """Return the names in groups of at most `size`, in their order."""
    every = list(names)
    return (every[at : at + size] for at in range(0, len(every), size))
