"""The HTTP side of the registry: lets requests in, runs them in transactions, and answers as the Resource Manager does.

Does not know what a request does (`routes`), or how HTTP connections are limited (`resolver.http_listener`).
"""

import asyncio
import logging
import re
import ssl
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web

from resolver import http_listener
from resolver.http_protocol import MALFORMED_BODY
from resolver.registry.arm import api_version, metadata, tokens
from resolver.registry.arm.reply import JSON, Reply, refusal
from resolver.registry.arm.request import Asked
from resolver.registry.arm.routes import Matched, match
from resolver.registry.arm.signed_tokens import SignedTokens
from resolver.registry.model.access import Caller, check_subscription
from resolver.registry.model.failure import ArmFailure, bad_request, no_database
from resolver.registry.registry import Registry
from resolver.registry.service.resources import Precondition
from resolver.registry.store.sqlite_file import Unavailable

LONGEST: Final = 4 << 20
"""The most octets of a body, as in Azure."""
_UNAVAILABLE: Final = {"Retry-After": "5"}
_AUDITED: Final = 2048
"""Characters of a path in the audit log: those of the longest id."""
_TOO_LARGE: Final = ArmFailure(413, "RequestContentTooLarge", f"A body has at most {LONGEST >> 20} MiB.")
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")
"""The header `Host`: responses have URLs with it."""
_LAST_PORT: Final = 65_535
_MOST_FIELDS: Final = 32

_log = logging.getLogger(__name__)


Others = Callable[[str, str | None], Awaitable[Caller | None]]
"""Returns the caller that a token of another kind is of. Arguments: the token, and the address that it comes from."""
Audit = Callable[[str, str, str, Mapping[str, Any], Mapping[str, Any]], object]
"""Records a change: who, what, to what, before and after."""


class Access(NamedTuple):
    """Who may use the registry. `others`: besides its clients. `audit` records each write, made or refused."""

    signed: SignedTokens
    others: Others
    audit: Audit


def listener(
    registry: Registry, access: Access, tls: Callable[[], ssl.SSLContext] | None
) -> AbstractAsyncContextManager[None]:
    """Return a context that serves the registry while it is open. `tls` as for `http_listener.serving`."""
    at = registry.settings().listen
    ready = f"registry on {'https' if tls else 'http'}://{at}"
    app = application(registry, access, secure=tls is not None)
    return http_listener.serving(app, at, "the registry", ready, tls=tls)


def application(registry: Registry, access: Access, *, secure: bool) -> web.Application:
    """Return the application. `secure`: clients reach it over HTTPS."""
    return _ResourceManager(registry, access, "https" if secure else "http").application()


class _ResourceManager:
    """The handlers of one registry."""

    def __init__(self, registry: Registry, access: Access, scheme: str) -> None:
        self._registry = registry
        self._access = access
        self._scheme = scheme

    def application(self) -> web.Application:
        app = web.Application(middlewares=[_answered], client_max_size=LONGEST)
        app.router.add_get("/metadata/endpoints", self._endpoints)
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/{tenant}/discovery/v2.0/keys", self._public_keys)
        for path in ("/{tenant}/oauth2/v2.0/token", "/{tenant}/oauth2/token"):
            app.router.add_post(path, self._token)
        app.router.add_get("/tenants", self._tenants)
        app.router.add_get("/{root:(?i:subscriptions)}", self._subscriptions)
        app.router.add_route("*", "/{root:(?i:subscriptions)}/{tail:.+}", self._resource)
        app.router.add_route("*", "/{tail:.*}", self._nothing)
        return app

    def _origin(self, request: web.Request) -> str:
        return f"{self._scheme}://{request.host}"

    # -- without a token

    async def _endpoints(self, request: web.Request) -> web.Response:
        return metadata.endpoints(self._origin(request), self._registry.settings()).response()

    async def _discovery(self, request: web.Request) -> web.Response:
        self._check_tenant(request)
        return tokens.discovery(self._origin(request), request.match_info["tenant"]).response()

    async def _public_keys(self, request: web.Request) -> web.Response:
        self._check_tenant(request)
        return tokens.public_keys().response()

    async def _token(self, request: web.Request) -> web.Response:
        self._check_tenant(request)
        form = _form(await _read(request))
        authorization = request.headers.get("Authorization", "")
        return (await self._access.signed.issued(form, authorization, self._origin(request))).response()

    def _check_tenant(self, request: web.Request) -> None:
        tenant = request.match_info["tenant"].casefold()
        if tenant not in {self._registry.settings().tenant, "common", "organizations"}:
            raise ArmFailure(400, "invalid_tenant", f"AADSTS90002: Tenant {tenant[:60]!r} not found.")

    # -- with a token

    async def _tenants(self, request: web.Request) -> web.Response:
        await self._caller(request)
        return metadata.tenants(self._registry.settings()).response()

    async def _subscriptions(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        return metadata.subscriptions(caller, self._registry.settings()).response()

    async def _nothing(self, request: web.Request) -> web.Response:
        await self._caller(request)
        raise ArmFailure(404, "NotFound", f"The registry has nothing at {request.path[:200]}.")

    async def _resource(self, request: web.Request) -> web.Response:
        caller = await self._caller(request)
        if "%2f" in request.rel_url.raw_path.casefold():
            raise bad_request("InvalidResourceName", "A name in the path has a slash (%2F), which no name can have.")
        found = match(request.method, request.path)
        if not found.writes:
            return (await self._reply(request, caller, found)).response()
        try:
            reply = await self._reply(request, caller, found)
        except (ArmFailure, Unavailable, web.HTTPRequestEntityTooLarge) as error:
            failure = _failure_of(error)
            self._audit(request, caller, {"status": failure.status, "refused": failure.code})
            raise
        self._audit(request, caller, {"status": reply.status, **_state(reply.body)})
        return reply.response()

    async def _reply(self, request: web.Request, caller: Caller, found: Matched) -> Reply:
        version = _parameter(request, "api-version")
        api_version.check(version, found.namespace, found.type)
        octets = await _read(request)
        if octets and request.content_type != JSON:
            raise _media_type(request)
        given = Precondition(request.headers.get("If-Match", ""), request.headers.get("If-None-Match", ""))
        asked = Asked(request.method, request.url, self._origin(request), found.path, version, given, octets)
        check_subscription(caller, [each.id for each in self._registry.settings().subscriptions], asked.subscription)
        use = self._registry.write if found.writes else self._registry.read
        return await use(caller, lambda call: found.handler(asked, call))

    def _audit(self, request: web.Request, caller: Caller, after: Mapping[str, Any]) -> None:
        who = f"client {caller.name} at {request.remote}" if caller.id else caller.name
        self._access.audit(who, f"registry.{request.method.lower()}", request.path[:_AUDITED], {}, after)

    async def _caller(self, request: web.Request) -> Caller:
        authorization = request.headers.get("Authorization", "")
        try:
            return await self._access.signed.caller(authorization)
        except ArmFailure as failure:
            scheme, _, token = authorization.partition(" ")
            other = await self._access.others(token.strip(), request.remote) if scheme.casefold() == "bearer" else None
            if other is not None:
                return other
            challenge = tokens.challenge(self._origin(request), self._registry.settings().tenant)
            raise _Challenged(failure, challenge) from None


def _failure_of(error: ArmFailure | Unavailable | web.HTTPRequestEntityTooLarge) -> ArmFailure:
    """Return the failure as whose error a request is answered."""
    if isinstance(error, ArmFailure):
        return error
    return no_database() if isinstance(error, Unavailable) else _TOO_LARGE


def _state(body: Any) -> dict[str, str]:  # noqa: ANN401 - JSON of any resource
    """Return the state of a connection in the body of a response, for the audit log; empty for other resources."""
    state = (body or {}).get("properties", {}).get("privateLinkServiceConnectionState")
    return {"state": state["status"]} if state else {}


class _Challenged(Exception):  # noqa: N818 - an answer, not a mistake of the program
    """A failure whose response has headers."""

    def __init__(self, failure: ArmFailure, headers: dict[str, str]) -> None:
        super().__init__(failure)
        self.failure = failure
        self.headers = headers


def _parameter(request: web.Request, wanted: str) -> str:
    return next((value for name, value in request.query.items() if name.casefold() == wanted), "")


def _check_host(host: str) -> None:
    found = _HOST.fullmatch(host)
    if found is None or int(found["port"] or 0) > _LAST_PORT:
        raise bad_request("InvalidHostHeader", "The header Host must be a host name or an IP address, and a port.")


def _form(octets: bytes) -> dict[str, str]:
    """Return the fields of a form (`application/x-www-form-urlencoded`). Raises `ArmFailure` 400."""
    try:
        return dict(parse_qsl(octets.decode(), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise bad_request("invalid_request", "AADSTS900144: The body of the request is not a form.") from None


def _media_type(request: web.Request) -> ArmFailure:
    given = request.content_type if "Content-Type" in request.headers else "<null>"
    message = f"The content media type {given[:60]!r} is not supported. Only {JSON!r} is supported."
    return ArmFailure(415, "UnsupportedMediaType", message)


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(http_listener.BODY):
            return await request.read()
    except TimeoutError:
        raise ArmFailure(408, "RequestTimeout", "The body of the request took too long.") from None


@web.middleware
async def _answered(request: web.Request, handler: Any) -> web.StreamResponse:  # noqa: ANN401 - aiohttp's own type is private
    """Turn failures into error bodies, and add the headers that every response has."""
    try:
        _check_host(request.host)
        response: web.StreamResponse = await handler(request)
    except ArmFailure as failure:
        response = refusal(failure).response()
    except _Challenged as challenged:
        response = refusal(challenged.failure, challenged.headers).response()
    except Unavailable as error:
        _log.error("registry: %s", error)
        response = refusal(no_database(), _UNAVAILABLE).response()
    except web.HTTPRequestEntityTooLarge:
        response = refusal(_TOO_LARGE, {"Connection": "close"}).response()
    except MALFORMED_BODY:
        response = refusal(ArmFailure(400, "InvalidRequestContent", "The body is not valid HTTP.")).response()
    except web.HTTPException as error:
        response = refusal(ArmFailure(error.status, "NotFound", f"{error.reason}.")).response()
    except ConnectionError:  # the client has gone
        raise
    except Exception:  # noqa: BLE001 - an error in one request must not end the server
        _log.exception("registry: %s %s failed", request.method, request.path)
        response = Reply(500, {"error": {"code": "InternalServerError", "message": "The registry failed."}}).response()
    number = str(uuid.uuid4())
    response.headers["x-ms-request-id"] = response.headers["x-ms-correlation-request-id"] = number
    response.headers.setdefault("Cache-Control", "no-cache")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
