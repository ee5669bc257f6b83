"""Signing in with an OpenID provider: sends the browser there, and receives it when it comes back.

The cookie of a session is for requests of the page alone (`SameSite=Strict`). A browser does not send it with a request
that another site has caused, and the redirect of the provider is one. So signing in ends with a page that leads to the
view: that request is caused by pldns.

pldns reads the ID token once, and keeps no token. Does not know what an ID token must say (`access.oidc`).
"""

from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from resolver.admin.access import authorization_code
from resolver.admin.access.authorization_code import ExchangeRefused, FlowSecrets, provider_name
from resolver.admin.access.entrances import NetworkEntrance
from resolver.admin.access.oidc import SignedIn, TokenRefused
from resolver.admin.access.oidc_provider import ProviderUnavailable
from resolver.admin.own_hosts import OwnHosts
from resolver.admin.route import Context
from resolver.admin_settings import AdminOidc
from resolver.dashboard import redirect_address, sign_in, sign_in_problems
from resolver.dashboard.markup import document, element, joined
from resolver.dashboard.redirect_address import RedirectAddress
from resolver.dashboard.sign_in import FailureLog
from resolver.dashboard.sign_in_flow import LASTS, Begun, FlowRefused, Flows
from resolver.dashboard.sign_in_problems import Problem
from resolver.http_protocol import Response
from resolver.process.secret import NoSecret

_COOKIE: Final = "pldns_sign_in"
_HOST_COOKIE: Final = f"__Host-{_COOKIE}"
"""With TLS: no other host, such as another one of the domain, can set a cookie of this name (RFC 6265bis §4.1.3)."""


class _Failed(Exception):  # noqa: N818 - the sign-in has
    """A sign-in has failed. `detail`: for the log."""

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


class ProviderSignIn:
    """The handlers. `hosts`: the names of the listener."""

    def __init__(self, context: Context, entrance: NetworkEntrance, hosts: OwnHosts, failures: FailureLog) -> None:
        self._context = context
        self._entrance = entrance
        self._hosts = hosts
        self._flows = Flows()
        self._failures = failures

    @property
    def name(self) -> str:
        """What people call the provider with which they can sign in; empty where they cannot."""
        return provider_name(given) if (given := self._given()) else ""

    async def begin(self, request: web.Request) -> web.Response:
        """Send a browser that comes from the form to the provider."""
        given, following = self._given(), sign_in.safe_view(request.query.get("next", ""))
        redirect = redirect_address.of(request, self._hosts)
        if given is None or redirect is None:
            return _form(following)
        if isinstance(redirect, Problem):
            return self._failed(request, _Failed(redirect, request.headers["Referer"]), following)
        cookie, secrets = self._flows.begin(following, redirect.text)
        try:
            where = await authorization_code.address(
                self._context.bearer.provider.provider(given), given, secrets, redirect.text,
                choose_account="choose" in request.query,
            )  # fmt: skip
        except ProviderUnavailable as error:
            return self._failed(request, _Failed(Problem.NO_PROVIDER, str(error)), following)
        headers = {"Location": where, "Set-Cookie": _cookie(cookie, redirect, LASTS)}
        return Response(status=303, headers=headers)

    async def end(self, request: web.Request) -> web.Response:
        """Receive a browser that the provider has sent back. Only one that has begun a sign-in is let in."""
        given = self._given()
        if given is None:
            return _form("")
        try:
            begun, secrets = self._begun(request)
        except _Failed as error:
            return self._failed(request, error, "")
        redirect = RedirectAddress(begun.redirect)
        try:
            signed_in = await self._exchange(request, given, begun, secrets)
        except _Failed as error:
            response = self._failed(request, error, begun.following)
        else:
            identity = self._context.bearer.provider.of_session(signed_in, given, request.remote)
            sign_in.note(self._context, identity, self.name)
            response = self._let_in(request, signed_in, redirect, begun.following)
        response.headers.add("Set-Cookie", _cookie("", redirect, 0))
        return response

    def _begun(self, request: web.Request) -> tuple[Begun, FlowSecrets]:
        """Return the sign-in that a browser has begun, by its cookie and the state. Raises `_Failed`."""
        host_cookie = request.cookies.get(_HOST_COOKIE)
        try:
            begun, secrets = self._flows.end(
                host_cookie or request.cookies.get(_COOKIE, ""), request.query.get("state", "")
            )
        except FlowRefused as error:
            raise _Failed(error.problem, "the state and the cookie") from None
        if RedirectAddress(begun.redirect).is_encrypted and host_cookie is None:
            raise _Failed(Problem.UNKNOWN, f"the cookie is not {_HOST_COOKIE}")
        return begun, secrets

    async def _exchange(self, request: web.Request, given: AdminOidc, begun: Begun, secrets: FlowSecrets) -> SignedIn:
        """Return who has signed in. Raises `_Failed`."""
        query, tokens = request.query, self._context.bearer.provider
        provider = tokens.provider(given)
        try:
            if not authorization_code.is_of_issuer(await provider.metadata(), query):
                raise _Failed(Problem.UNKNOWN, "the response is of another issuer")
            if error := query.get("error"):
                raise _Failed(sign_in_problems.of_error(error), f"{error}: {query.get('error_description', '')}")
            code = query.get("code", "")
            text = await authorization_code.id_token(provider, given, code, secrets.verifier, begun.redirect)
            return await tokens.signed_in(text, given, secrets.nonce)
        except ProviderUnavailable as error:
            raise _Failed(Problem.NO_PROVIDER, str(error)) from None
        except NoSecret as error:
            raise _Failed(Problem.NO_SECRET, str(error)) from None
        except ExchangeRefused as error:
            raise _Failed(sign_in_problems.of_error(error.code), str(error)) from None
        except TokenRefused as error:
            raise _Failed(sign_in_problems.of_fault(error.fault), f"{error.detail} {error.person}".strip()) from None

    def _let_in(
        self, request: web.Request, signed_in: SignedIn, redirect: RedirectAddress, following: str
    ) -> web.Response:
        """Open the session, and answer with the page that leads to the view."""
        cookie = sign_in.session_cookie(self._entrance, request, signed_in, is_encrypted=redirect.is_encrypted)
        view = f"../{following}"
        page = document(
            joined(
                element("title", "Signed in · pldns"),
                element("meta", name="color-scheme", content="light dark"),
                element("meta", http_equiv="refresh", content=f"0; url={view}"),
            ),
            element("body", element("p", "You are signed in. ", element("a", "Go on", href=view))),
        )
        headers = {"Set-Cookie": f"{cookie}; Path={redirect.top}"}
        return Response(text=page, content_type="text/html", headers=headers)

    def _failed(self, request: web.Request, error: _Failed, following: str) -> web.Response:
        """Answer with the form, which says what is wrong."""
        self._failures.note(self.name, request.remote, error.problem.code, error.detail)
        return _form(following, error.problem.code, sign_in_problems.reference(error.detail))

    def _given(self) -> AdminOidc | None:
        given = self._context.estate.settings.admin.oidc
        return given if given and given.client_id else None


def _form(following: str, problem: str = "", reference: str = "") -> web.Response:
    """Return the way back to the form."""
    values = {"next": following, "problem": problem, "reference": reference}
    query = urlencode({key: value for key, value in values.items() if value})
    return Response(status=303, headers={"Location": f"../sign-in{'?' if query else ''}{query}"})


def _cookie(value: str, redirect: RedirectAddress, seconds: float) -> str:
    """Return the cookie of a sign-in. The provider sends the browser back, so it must not be `Strict`."""
    attributes = f"HttpOnly; SameSite=Lax; Max-Age={seconds:.0f}"
    if redirect.is_encrypted:
        return f"{_HOST_COOKIE}={value}; {attributes}; Secure; Path=/"
    return f"{_COOKIE}={value}; {attributes}"  # without a path: that of the sign-in
