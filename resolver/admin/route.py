"""A route of the admin interface, and what its handler receives. The table of all routes is in `routes`."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

from aiohttp import web

from resolver.admin.access.audit import AuditLog
from resolver.admin.access.bearer import BearerTokens
from resolver.admin.access.identity import IDENTITY, Role
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.sessions import Sessions
from resolver.admin.access.tokens import Tokens
from resolver.admin.live import Live
from resolver.admin.map_census import MapCensus
from resolver.admin.resources.model import Model, Parameters
from resolver.admin.view import View
from resolver.admin.zone_census import ZoneCensus
from resolver.control.estate.estate import Estate

STREAMS: Final = 16
"""Most event streams at a time: each one holds a connection of the listener."""

PAGES: Final = 40
"""Most pages that follow the overview at a time."""


class EventStreams:
    """Counts the event streams that are open."""

    most: ClassVar[int] = STREAMS
    """How many may be open."""

    def __init__(self) -> None:
        self._count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count one stream while the block runs. Raises `Refused` where as many are open as may be."""
        if self._count >= self.most:
            raise Refused(Code.TOO_MANY_STREAMS, f"{self.most} event streams are open, which is the most")
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


class PageStreams(EventStreams):
    """Counts the pages that follow the overview."""

    most: ClassVar[int] = PAGES


@dataclass(frozen=True, slots=True)
class Context:
    """What every handler reads: control at the time of the request."""

    view: View
    zone_census: ZoneCensus
    tokens: Tokens
    audit_log: AuditLog
    bearer: BearerTokens
    live: Live
    """The overview that all open pages show."""
    map_census: MapCensus
    streams: EventStreams = field(default_factory=EventStreams)
    pages: PageStreams = field(default_factory=PageStreams)
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def estate(self) -> Estate:
        """The estate that control holds."""
        return self.view.estate

    def audit(
        self, request: web.Request, action: str, target: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> None:
        """Record a change that a request has made."""
        self.audit_log.record(request[IDENTITY].name, action, target, before, after)


Version = Callable[[Context, web.Request], str]
"""Returns the version of the resource of a request: a text for each state."""
Handler = Callable[[Context, web.Request, Any], Awaitable[web.StreamResponse]]
"""Handles one request. The third argument is an instance of the route's `parameters`, or of its `body`."""


class Route(NamedTuple):
    """One path and method. A route with a `body` is a POST; every other one is a GET, which changes nothing."""

    path: str
    handler: Handler
    summary: str
    returns: type[Model] | None = None
    """The model of the response, or of each item when `listed`; None: the response is not described by a model."""
    listed: bool = False
    """The response is a page of a list."""
    parameters: type[Parameters] = Parameters
    problems: tuple[tuple[int, str], ...] = ()
    """Statuses of the errors that this route adds to those of all routes, with their meaning."""
    aliases: tuple[str, ...] = ()
    body: type[Parameters] | None = None
    """The model of the JSON that a POST carries."""
    status: int = 200
    """The status of a successful response."""
    media: tuple[str, ...] = ("application/json",)
    """The media types of a successful response."""
    headers: tuple[tuple[str, str], ...] = ()
    """Request headers that the route reads, with their meaning."""
    version: Version | None = None
    """Of a resource that requests can change. `None`: such requests cannot depend on its state (`If-Match`)."""
    role: Role | None = Role.READ
    """The role that somebody needs. None: everybody may ask, without any identity."""
    health: bool = False
    """It is also on the listener for health checks, which everyone may ask."""

    @property
    def has_tags(self) -> bool:
        """Whether responses have an entity tag: those with JSON, except for health checks."""
        return not self.body and self.role is not None and self.media == ("application/json",)
