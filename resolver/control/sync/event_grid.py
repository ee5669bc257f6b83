"""The listener for Event Grid of one source: a route that accepts events with the right secret and passes on hints.

Supports both handshakes: that of the Event Grid schema, and OPTIONS of CloudEvents 1.0. `validationUrl` is never
fetched. Neither the secret nor a URL is ever logged. The listener speaks plain HTTP: TLS ends at the proxy that Event
Grid reaches. Does not know what becomes of a hint.
"""

import asyncio
import hmac
import json
import logging
import time
import traceback
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

from aiohttp import web

from resolver import http_listener
from resolver.azure_settings import EventSettings, Secret
from resolver.http_protocol import MALFORMED_BODY, Response
from resolver.process.secret import NoSecret, text
from resolver.sources.azure.protocol import events
from resolver.sources.azure.protocol.events import MalformedEvents
from resolver.token_bucket import Quota, TokenBucket
from zones.azure.endpoint import ResourceId
from zones.clocks import SteadyTime, steady_clock

PATH: Final = "/events"
HEADER: Final = "X-Pldns-Secret"
LONGEST: Final = 1 << 20
"""The most octets of a body; Event Grid sends no more."""
RATE: Final = 100.0
"""Requests a second with the right secret, and twice as many at once. Event Grid sends the rest again later."""
STRANGERS: Final = 10.0
"""Requests a second without the right secret. They do not use up the rate of the others."""
_KNOWN: Final = Quota(2 * RATE, RATE)
_UNKNOWN: Final = Quota(2 * STRANGERS, STRANGERS)
REMEMBERED: Final = 10_000
"""Ids of events that are remembered: Event Grid delivers an event at least once, perhaps more often."""
SHORTEST: Final = 16
"""The least characters of a secret."""
_CLOCK: Final = steady_clock(time.monotonic)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)
_MUTE: Final = logging.getLogger(f"{__name__}.http")
_MUTE.disabled = True
"""aiohttp would log the first line of a malformed request, and so the secret."""


class Webhook:
    """The route of one source. `hint` receives the id of a resource and returns whether it is in the source's scope."""

    def __init__(
        self, source: str, secret: Secret, hint: Callable[[ResourceId], bool], clock: Callable[[], SteadyTime] = _CLOCK
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Number of events by result. Requests without the right secret count as `refused`."""
        self._source = source
        self._secret = secret
        self._hint = hint
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._clock = clock
        self._known = TokenBucket(_KNOWN, clock())
        self._strangers = TokenBucket(_UNKNOWN, clock())
        self._logged = ""
        """The problem with the secret that was logged last."""

    def application(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application(client_max_size=LONGEST, middlewares=[self._guarded])
        app.router.add_post(PATH, self._post)
        app.router.add_route("OPTIONS", PATH, self._options)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one request's
            at = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(at.filename).name}:{at.lineno}"  # the text of the error may contain the secret
            _log.error("source %s: a request failed: %s in %s", self._source, type(error).__name__, where)
            raise web.HTTPInternalServerError from None

    async def _post(self, request: web.Request) -> web.Response:
        self._admit(request)
        try:
            async with asyncio.timeout(http_listener.BODY):
                body = await request.read()
            found, malformed = events.read(body)
        except TimeoutError:
            raise web.HTTPRequestTimeout(headers={"Connection": "close"}) from None
        except MALFORMED_BODY:
            self.counts["malformed"] += 1
            raise web.HTTPBadRequest(text="the body is not valid HTTP") from None
        except web.HTTPRequestEntityTooLarge:
            self.counts["malformed"] += 1
            raise web.HTTPRequestEntityTooLarge(LONGEST, text=f"at most {LONGEST} octets") from None
        except MalformedEvents as error:
            self.counts["malformed"] += 1
            raise web.HTTPBadRequest(text=str(error)) from None
        self.counts["malformed"] += malformed
        for event in found:
            if event.validation:
                _log.info("source %s: Event Grid validates the webhook", self._source)
                code = json.dumps({"validationResponse": event.validation})
                return Response(text=code, content_type="application/json")
            self.counts[self._take(event)] += 1
        return Response()

    def _take(self, event: events.Event) -> str:
        if event.id in self._seen:
            return "duplicate"
        self._seen[event.id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if not event.resource:
            return "other"
        return "hint" if self._hint(event.resource) else "out_of_scope"

    async def _options(self, request: web.Request) -> web.Response:
        """Answer the handshake of CloudEvents (HTTP 1.1 Web Hooks for Event Delivery 1.0, section 4)."""
        self._admit(request)
        origin = request.headers.get("WebHook-Request-Origin", "")
        if not origin:
            raise web.HTTPBadRequest(text="no WebHook-Request-Origin")
        per_minute = str(int(RATE * 60))
        return Response(
            headers={"Allow": "POST, OPTIONS", "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": per_minute}
        )

    def _admit(self, request: web.Request) -> None:
        """Refuse a request without the right secret, or beyond the rate. Raises 403, 429 or 503."""
        given = request.headers.get(HEADER) or request.query.get("secret", "")
        known = hmac.compare_digest(given.encode(errors="replace"), self._expected().encode())
        bucket, quota = (self._known, _KNOWN) if known else (self._strangers, _UNKNOWN)
        if not bucket.take(quota, self._clock()):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "1"})
        if not known:
            self.counts["refused"] += 1
            raise web.HTTPForbidden(text="the secret is wrong")

    def _expected(self) -> str:
        """Return the secret. It is read for each request, so that it can be changed while control runs."""
        try:
            secret = text(self._secret)
            why = "" if len(secret) >= SHORTEST else f"the secret has less than {SHORTEST} characters"
        except NoSecret as error:
            secret, why = "", str(error)
        if why and why != self._logged:
            _log.error("source %s: events are refused: %s", self._source, why)
        self._logged = why
        if why:
            raise web.HTTPServiceUnavailable(text="the secret of this listener cannot be used; see the log")
        return secret


def serving(webhook: Webhook, config: EventSettings, source: str) -> AbstractAsyncContextManager[None]:
    """Return a context that serves while it is open."""
    ready = f"source {source}: listening for events at http://{config.listen}{PATH}"
    name = f"source {source}: the listener for events"
    return http_listener.serving(webhook.application(), config.listen, name, ready, _MUTE)
