"""Azure over HTTP on loopback: the token endpoint, Resource Graph and Resource Manager, with their faults.

    async with FakeAzure(estate) as azure:
        ...  # azure.environment is all that azure-identity needs, azure.url is the management endpoint

Every request to Resource Graph and the Resource Manager needs a token from this server. Does not know any client.
"""

import asyncio
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from email.utils import formatdate
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

import msgspec
from aiohttp import web

from tests.fake_azure.arm import Arm, Call
from tests.fake_azure.estate import FakeEstate
from tests.fake_azure.faults import FakeFault, FakeFaults
from tests.fake_azure.graph import MOST, PATH, Graph
from tests.fake_azure.identity import Identity
from tests.fake_azure.limits import Bucket, FakeQuota, Limits
from tests.fake_azure.replies import FakeReply, Refusal, Warp

TOKEN = "/msi/token"  # noqa: S105  # a path
USUAL = {
    401: ("InvalidAuthenticationToken", "The access token is invalid."),
    403: ("AuthorizationFailed", "The client does not have authorization to perform this action over this scope."),
    404: ("ResourceNotFound", "The resource was not found."),
    429: ("TooManyRequests", "The request is being throttled as the limit has been reached. Please try again later."),
    500: ("InternalServerError", "The server encountered an internal error. Please try again later."),
    503: ("ServiceUnavailable", "The service is temporarily unavailable."),
}


class Request(NamedTuple):
    """A request that was received, for assertions."""

    api: str
    method: str
    path: str
    """The path with the query."""
    status: int
    authorized: bool
    """True if the request had a token."""
    body: Any = None
    """The decoded body of a request to Resource Graph."""


class FakeAzure:
    """The server. `estate`, `faults` and `identity` may be changed while it runs."""

    def __init__(
        self, estate: FakeEstate | None = None, *, tls: ssl.SSLContext | None = None, page: int = 100,
        rows: int = MOST, limits: Limits | None = None, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.estate = estate or FakeEstate()
        self.faults = FakeFaults()
        self.identity = Identity("fake-identity-header", clock)
        self.requests: deque[Request] = deque(maxlen=10_000)
        self.counts: Counter[tuple[str, int]] = Counter()
        """Numbers of responses by API and status."""
        self.url = ""
        self.environment: dict[str, str] = {}
        self._arm = Arm(self.estate, self.faults.access, page)
        self._graph = Graph(self.estate, self.faults.access, rows)
        self._limits = limits or Limits()
        self._quota = FakeQuota(self._limits)
        self._buckets: dict[str, Bucket] = {}
        self._clock = clock
        self._tls = tls
        application = web.Application(client_max_size=16 << 20)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen: the token endpoint without TLS, as in App Service, the other APIs with TLS if there is a context."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0 if self._tls else port)
        await site.start()
        plain = self._runner.addresses[0][1]
        if self._tls:
            await web.TCPSite(self._runner, host, port, ssl_context=self._tls).start()
        self.url = f"https://{host}:{self._runner.addresses[1][1]}" if self._tls else f"http://{host}:{plain}"
        self.environment = {
            "IDENTITY_ENDPOINT": f"http://{host}:{plain}{TOKEN}",
            "IDENTITY_HEADER": self.identity.secret,
        }

    async def stop(self) -> None:
        """Close everything, including hanging connections."""
        await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # -- one request

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path = unquote(request.path)
        api = "token" if path == TOKEN else "graph" if path.casefold() == PATH else "arm"
        faults: dict[str, FakeFault] = {fault.kind: fault for fault in self.faults.take(api, request.path_qs)}
        body = await request.read()
        try:
            reply = self._reply(request, api, body, faults)
        except Refusal as refusal:
            reply = refusal.reply()
        self.counts[api, reply.status] += 1
        self.requests.append(
            Request(
                api, request.method, request.path_qs, reply.status, "Authorization" in request.headers,
                msgspec.json.decode(body) if api == "graph" and reply.status == 200 else None,
            )
        )  # fmt: skip
        return await self._send(request, reply, faults)

    def _reply(self, request: web.Request, api: str, body: bytes, faults: dict[str, FakeFault]) -> FakeReply:
        if api == "token":
            if fault := faults.get("status"):
                said = {
                    "statusCode": fault.status,
                    "message": fault.code or "No managed identity.",
                    "correlationId": "",
                }
                return FakeReply(fault.status, msgspec.json.encode(said), _patience(fault, api))
            return self.identity.issue(request.query, request.headers)
        skew = faults["skew"].seconds if "skew" in faults else 0
        self.identity.check(request.headers.get("Authorization", ""), skew, expired="expired" in faults)
        if fault := faults.get("status"):
            raise _refusal(fault, api)
        if fault := faults.get("redirect"):
            return FakeReply(307, b"", {"Location": f"{fault.to}{request.path_qs}"})
        warp: Warp = "repeat" if "repeat" in faults else "lose" if "lose" in faults else ""
        if api == "graph":
            return self._queried(request, body, warp)
        return self._managed(request, body, warp, faults["elsewhere"].to if "elsewhere" in faults else "")

    def _queried(self, request: web.Request, body: bytes, warp: Warp) -> FakeReply:
        if request.method != "POST":
            raise Refusal(405, "MethodNotAllowed", "Resource Graph is asked with POST.")
        allowed, left, seconds = self._quota.take(self._clock())
        headers = {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": _span(seconds)}
        if not allowed:
            raise _throttled(headers)
        reply = self._graph.answer(body, warp)
        return reply._replace(headers=headers)

    def _managed(self, request: web.Request, body: bytes, warp: Warp, elsewhere: str) -> FakeReply:
        path = unquote(request.path)
        subscription = path.casefold().removeprefix("/subscriptions/").partition("/")[0]
        bucket = self._buckets.setdefault(subscription, Bucket(self._limits))
        allowed, left, seconds = bucket.take(self._clock())
        if not allowed:
            headers = {"Retry-After": str(max(1, round(seconds + 0.5)))}
            raise Refusal(429, "SubscriptionRequestsThrottled", USUAL[429][1], headers)
        origin = str(request.url.origin())
        query = {
            ("$skipToken" if key.casefold() == "$skiptoken" else key): value for key, value in request.query.items()
        }
        reply = self._arm.answer(Call(request.method, origin, path, query, body, warp, elsewhere))
        return reply._replace(headers={"x-ms-ratelimit-remaining-subscription-reads": str(left)})

    # -- sending

    async def _send(self, request: web.Request, reply: FakeReply, faults: dict[str, FakeFault]) -> web.StreamResponse:
        body = reply.body
        if fault := faults.get("huge"):
            body += b" " * (fault.size - len(body))
        if "malformed" in faults:
            body = body[: len(body) // 2]
        headers = {"Content-Type": "application/json; charset=utf-8", **reply.headers}
        if fault := faults.get("skew"):
            headers["Date"] = formatdate(self._clock() + fault.seconds, usegmt=True)
        if "slow" not in faults and "cut" not in faults:
            return web.Response(status=reply.status, body=body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        pieces, pause = 16, faults["slow"].seconds / 16 if "slow" in faults else 0
        whole = len(body) // 2 if "cut" in faults else len(body)
        step = -(-whole // pieces) or 1
        for start in range(0, whole, step):
            await response.write(body[start : min(whole, start + step)])
            await asyncio.sleep(pause)
        if "cut" in faults and request.transport is not None:
            request.transport.abort()
        return response


def _refusal(fault: FakeFault, api: str) -> Refusal:
    code, message = USUAL.get(fault.status, ("Failed", "The request failed."))
    if fault.status == 429 and api == "graph":
        return _throttled(_patience(fault, api))
    headers = {"WWW-Authenticate": f'Bearer error="{fault.code or code}"'} if fault.status == 401 else {}
    return Refusal(fault.status, fault.code or code, message, headers | _patience(fault, api))


def _patience(fault: FakeFault, api: str) -> dict[str, str]:
    if fault.status != 429:
        return {}
    if api == "graph":
        return {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": _span(fault.seconds)}
    return {"Retry-After": str(round(fault.seconds))}


def _throttled(headers: dict[str, str]) -> Refusal:
    refusal = Refusal(
        429, "RateLimiting", "Please provide below info when asking for support: correlationId = fake.", headers
    )
    said = "Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."  # noqa: E501
    refusal.details = [{"code": "RateLimiting", "message": said}]
    return refusal


def _span(seconds: float) -> str:
    whole = -int(-seconds // 1)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
