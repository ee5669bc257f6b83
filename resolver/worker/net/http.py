"""What both versions of HTTP share with the handler of requests: a response, and the handler's interface."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class HttpResponse(NamedTuple):
    """A whole response. `headers` have lower-case names, and no `content-length`."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class RequestHandler(Protocol):
    """Answers the requests of one connection."""

    def take(self, method: str, target: str, kind: str, body: bytes, send: Callable[[HttpResponse], None]) -> None:
        """Answer a request whose content type is `kind`. Calls `send` once, now or later."""

    def count_error(self, reason: str) -> None:
        """Count a connection that ends because of what the client sent."""
