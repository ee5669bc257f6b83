"""The page of pldns, on the listener of the admin interface: which paths it has, and how each is answered.

The page shows what the admin interface says and asks for what that permits. It has no way of its own into pldns: what
a person can do on the page, a program can do with the interface.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from resolver.admin import overview
from resolver.admin.access.entrances import NetworkEntrance
from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.problems import Code, Refused
from resolver.admin.own_hosts import OwnHosts
from resolver.admin.paging import InvalidCursor, PageRequest, page, scope_of
from resolver.admin.resources import findings
from resolver.admin.route import Context
from resolver.dashboard import built, plain_views, sign_in, sign_in_problems, sign_in_view
from resolver.dashboard.built import Built
from resolver.dashboard.frame import Frame
from resolver.dashboard.markup import Html, element, joined
from resolver.dashboard.policy import HEADERS
from resolver.dashboard.provider_sign_in import ProviderSignIn
from resolver.dashboard.sign_in import FailureLog
from resolver.dashboard.sign_in_view import SignInForm
from resolver.http_protocol import Response
from resolver.process import wall_clock

_FOREVER: Final = "public, max-age=31536000, immutable"
_READING: Final = ("", "findings")
"""Views that show what the role `read` sees, without a request of the page's own."""
_ROWS: Final = 200
"""Findings on one page without JavaScript."""
_SIGN_IN: Final = frozenset((Code.TOKEN_MISSING, Code.TOKEN_INVALID))


def pages(context: Context, entrance: NetworkEntrance, hosts: OwnHosts) -> Iterable[web.RouteDef]:
    """Return the routes of the page. `hosts`: the names of the listener."""
    page_of = _Pages(context, entrance, hosts, built.read(built.FOLDER))
    yield web.get("/", partial(_redirect, "ui/"))
    yield web.get("/ui", partial(_redirect, "ui/"))
    yield web.get("/ui/sign-in", page_of.sign_in)
    yield web.get("/ui/sign-in/begin", page_of.begin_with_provider, allow_head=False)
    yield web.get("/ui/sign-in/callback", page_of.end_with_provider, allow_head=False)
    yield web.get("/ui/assets/{name}", page_of.asset)
    yield web.get("/ui/{view:[a-z-]*}", page_of.view)
    yield web.get("/ui/{unknown:.+}", page_of.unknown)
    yield web.post("/sign-in", page_of.begin)
    yield web.post("/sign-out", page_of.end)


async def _redirect(where: str, _: web.Request) -> web.Response:
    return Response(status=307, headers={"Location": where})


class _Pages:
    """The handlers."""

    def __init__(self, context: Context, entrance: NetworkEntrance, hosts: OwnHosts, files: Built) -> None:
        self._context = context
        self._entrance = entrance
        self._failures = FailureLog()
        self._provider = ProviderSignIn(context, entrance, hosts, self._failures)
        self._built = files

    async def view(self, request: web.Request) -> web.Response:
        """Answer with a view, as far as it can be shown without JavaScript."""
        view = request.match_info["view"]
        try:
            identity = await self._entrance.identify(request)
        except Refused as error:
            return self._refused(view, request, error)
        frame = Frame(self._built, identity, view)
        if view in _READING and not identity.role.includes(Role.READ):
            return _html(frame.page("Not permitted", _for_registry(identity)), 403)
        if view == "findings":
            return _html(frame.page("Findings", await self._findings(request)))
        if view:
            return _html(frame.page("pldns", _needs_script()))
        return _html(frame.page("Overview", plain_views.overview(overview.overview(self._context.view))))

    async def unknown(self, request: web.Request) -> web.Response:
        """Answer a request for an address that the page does not have. What it names is not repeated."""
        up = "../" * (request.rel_url.raw_path.count("/") - 2)
        back = element("a", "The overview", href=up or "./")
        return _html(Frame(self._built, None, "").page("No such address", element("p", back), script=False, up=up), 404)

    def _refused(self, view: str, request: web.Request, error: Refused) -> web.Response:
        frame = Frame(self._built, None, view)
        if error.code not in _SIGN_IN:
            return _html(frame.page("Not permitted", element("p", error.detail), script=False), error.code.status)
        query = f"?{request.query_string}" if request.query_string else ""
        return _html(sign_in_view.page(frame, self._form(view + query)), 401)

    def _form(self, following: str) -> SignInForm:
        oidc = self._context.estate.settings.admin.oidc
        return SignInForm(sign_in.safe_view(following), self._provider.name, oidc.audiences[0] if oidc else "")

    async def _findings(self, request: web.Request) -> Html:
        board, now, scope = self._context.estate.board, wall_clock.now(), scope_of(request.path)
        try:
            found = await page(
                board, findings.most_severe_first,
                lambda fact: plain_views.finding(findings.finding(board, fact, now)).encode(),
                PageRequest(_ROWS, request.query.get("after"), scope),
            )  # fmt: skip
        except InvalidCursor:
            return element("p", "This address is of another list: ", element("a", "all findings", href="findings"))
        following = f"findings?{urlencode({'after': found.next})}" if found.next else None
        return plain_views.findings((Html(each.decode()) for each in found.items), following)

    async def asset(self, request: web.Request) -> web.Response:
        """Answer with a built file."""
        asset = self._built.assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        sent = asset.best(request.headers.get("Accept-Encoding", ""))
        headers = {**HEADERS, "Cache-Control": _FOREVER, "ETag": f'"{sent.tag}"', "Vary": "Accept-Encoding"}
        if any(each.value in {"*", sent.tag} for each in request.if_none_match or ()):
            return Response(status=304, headers=headers)
        headers |= {"Content-Type": asset.media} | ({"Content-Encoding": sent.coding} if sent.coding else {})
        return Response(body=sent.octets, headers=headers)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Answer with the ways to sign in."""
        following, problem, reference = (request.query.get(key, "") for key in ("next", "problem", "reference"))
        form = self._form(following)._replace(
            problem=sign_in_problems.of_code(problem),
            reference=sign_in_problems.reference(reference),
            is_signed_out="signed-out" in request.query,
        )
        return _html(sign_in_view.page(Frame(self._built, None, "sign-in"), form))

    async def begin(self, request: web.Request) -> web.Response:
        """Answer the form with a token."""
        return _guarded(await sign_in.begin(self._context, self._entrance, self._failures, request))

    async def begin_with_provider(self, request: web.Request) -> web.Response:
        """Send the browser to the OpenID provider."""
        return _guarded(await self._provider.begin(request))

    async def end_with_provider(self, request: web.Request) -> web.Response:
        """Receive the browser from the OpenID provider."""
        return _guarded(await self._provider.end(request))

    async def end(self, request: web.Request) -> web.Response:
        """End a session."""
        return _guarded(sign_in.end(self._entrance, request))


def _for_registry(identity: Identity) -> Html:
    return joined(
        element("p", f"This needs the role read. {identity.name} has the role {identity.role}."),
        element("p", element("a", "The registry", href="registry")),
    )


def _needs_script() -> Html:
    return joined(
        element("p", "This view needs JavaScript. Without it, you can read the "),
        element("p", element("a", "overview", href="./"), " and the ", element("a", "findings", href="findings"), "."),
    )


def _html(text: str, status: int = 200) -> web.Response:
    return _guarded(Response(text=text, status=status, content_type="text/html"))


def _guarded(response: web.Response) -> web.Response:
    response.headers.update(HEADERS)
    return response
