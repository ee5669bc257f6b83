"""One authorised request to the Resource Manager: the token goes to that origin only, no redirects, a bounded body.

Waits as the budget requires and as 429 responses ask. Does not know what is requested and what a response holds, except
for the error in a refusal. No part of a token is ever in an error or in the log.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Literal, NamedTuple

import aiohttp
import msgspec
from yarl import URL

from resolver.sources.azure.credential import NoToken, Tokens
from resolver.sources.azure.protocol import advice
from resolver.sources.azure.protocol.budget import Budget, Patience, QuotaBucket, retry_after, skew
from zones.clocks import SteadyTime, WallTime, steady_clock, wall_clock

Api = Literal["graph", "subscriptions", "list", "resource", "zones", "zone", "zone records", "zone links"]
"""The kind of request, as the metrics count it."""
MAX_BODY: Final = 64 << 20
"""Bytes of a response body, uncompressed."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=10, sock_read=30)
_MAX_ERROR: Final = 64 << 10  # bytes that are read of an error response
_AGAIN: Final = 1.0  # seconds before a failed read is tried once more


class RequestFailed(Exception):  # noqa: N818 - what became of the request
    """A request had no usable response. The message is one line for people. `status` is 0 where no response came."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        """Azure's error code."""

    @property
    def passing(self) -> bool:
        """True where the same request may well succeed a moment later."""
        return self.status == 0 or self.status >= 500


class AzureResponse(NamedTuple):
    """A response with status 200."""

    body: bytes
    headers: Mapping[str, str]


class Clocks(NamedTuple):
    """The clocks of a client: steady seconds, seconds since the epoch, and how to sleep."""

    now: Callable[[], SteadyTime] = steady_clock(time.monotonic)
    wall: Callable[[], WallTime] = wall_clock(time.time)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class _Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Refusal(msgspec.Struct):
    error: _Error = _Error()


class ManagementClient:
    """Sends requests with the tokens of one identity.

    `calls` counts them by (API, result); the result is the HTTP status, or what failed.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        management: str,
        tokens: Tokens,
        budget: Budget,
        clock: Clocks = Clocks(),  # noqa: B008 - immutable
    ) -> None:
        self._http = http
        self._origin = URL(management).origin()
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self.calls = Counter[tuple[str, str]]()

    async def get(self, url: str, *, api: Api, bucket: str, patience: Patience) -> AzureResponse:
        """Send a GET request, once more where the failure may be a passing one. Raises `RequestFailed`, `NoToken`."""
        try:
            return await self._request("GET", url, None, api, bucket, patience)
        except RequestFailed as error:
            if not error.passing or not patience.allows(_AGAIN):
                raise
        await self._clock.sleep(_AGAIN)
        return await self._request("GET", url, None, api, bucket, patience)

    async def post(self, url: str, body: bytes, *, api: Api, bucket: str, patience: Patience) -> AzureResponse:
        """Send a POST request. Raises `RequestFailed`, `NoToken`."""
        return await self._request("POST", url, body, api, bucket, patience)

    async def _request(
        self, method: str, text: str, body: bytes | None, api: Api, bucket: str, patience: Patience
    ) -> AzureResponse:
        url = self._own(text)
        quota = self._budget.bucket(bucket)
        renewed = False
        while True:
            await self._turn(quota, patience)
            token = await self._token()
            quota.spend(self._clock.now())
            try:
                status, headers, content = await self._send(method, url, body, token)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._count(api, "timeout" if isinstance(error, TimeoutError) else "error")
                raise RequestFailed(f"{self._origin.host}: {_reason(error)}") from None
            except _TooLong:
                self._count(api, "too-long")
                raise RequestFailed(f"{self._origin.host}: an answer of more than {MAX_BODY >> 20} MiB") from None
            self._count(api, str(status))
            quota.learn(headers, self._clock.now())
            if status == 200:
                return AzureResponse(content, headers)
            if status == 429 or (status == 503 and body is None and "Retry-After" in headers):
                quota.close(SteadyTime(self._clock.now() + retry_after(headers, self._clock.wall())))
                continue
            if status == 401 and not renewed:
                renewed = True
                await self._tokens.renew()  # the token may have been revoked, or the local clock may be wrong
                continue
            raise self._failed(status, headers, content, url)

    async def _turn(self, quota: QuotaBucket, patience: Patience) -> None:
        """Wait until a request may be sent. Raises `RequestFailed` where Azure asks for more patience than is left.

        Azure may have asked in an earlier sync. A long wait is an error at once, so that the sync does not time out.
        """
        while (pause := quota.wait(self._clock.now())) > 0:
            refused = quota.refused(self._clock.now())
            if refused and not patience.allows(refused):
                raise RequestFailed(f"Azure asks to wait {refused:.0f} s, which is too long", 429)
            await self._clock.sleep(pause)

    async def _token(self) -> str:
        try:
            return await self._tokens.get()
        except NoToken:
            self._count("token", "failed")  # no request follows that could be counted
            raise

    def _own(self, text: str) -> URL:
        """Return the URL of a link as it is, with the characters escaped that no URL may have.

        Raises `RequestFailed` for a URL of another origin: that must not get a token.
        """
        try:
            url = URL(text, encoded=text.isascii() and text.isprintable() and " " not in text)
            url = url if url.absolute else self._origin.join(url)
            if _origin(url) == _origin(self._origin) and url.user is None and url.password is None:
                return url
            host = url.host
        except ValueError:
            host = "nowhere"
        raise RequestFailed(
            f"a link leads to {host}, not to {self._origin}: it was not followed, to keep the token secret"
        )

    async def _send(
        self, method: str, url: URL, body: bytes | None, token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        async with self._http.request(
            method, url, data=body, headers=headers, allow_redirects=False, timeout=_TIMEOUT
        ) as answer:
            if answer.status == 200:
                return 200, answer.headers, await _body(answer)
            return answer.status, answer.headers, await answer.content.read(_MAX_ERROR)

    def _failed(self, status: int, headers: Mapping[str, str], content: bytes, url: URL) -> RequestFailed:
        if 300 <= status < 400:
            return RequestFailed(f"{self._origin.host} redirects (HTTP {status}), which is not followed", status)
        try:
            error = msgspec.json.decode(content, type=_Refusal).error
        except (msgspec.DecodeError, UnicodeError):
            error = _Error()
        ahead = skew(headers, self._clock.wall())
        return RequestFailed(advice.answered(status, error.code, error.message, url.path, ahead), status, error.code)

    def _count(self, api: Api | Literal["token"], code: str) -> None:
        self.calls[api, code] += 1


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme.lower(), (url.host or "").lower(), url.port


class _TooLong(Exception):  # noqa: N818 - the fact about the body
    pass


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """Return the whole body, uncompressed. Raises `_TooLong`; an announced length is not trusted."""
    found = bytearray()
    async for piece in answer.content.iter_any():
        found += piece
        if len(found) > MAX_BODY:
            raise _TooLong
    return bytes(found)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not valid"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "no TLS version or cipher in common"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"its address is not known: {error.os_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {error.os_error.strerror or type(error.os_error).__name__}"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection broke off"
    return str(error) or type(error).__name__
