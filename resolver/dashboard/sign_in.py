"""Signing in and out: a form that turns a token into a session, and a request that ends it.

The token is in the body of one request. It is in no address, and no script can read the cookie of the session. The
forms post to addresses at the top, `sign-in` and `sign-out`, so that the browser limits the cookie to the path under
which it knows pldns (RFC 6265 §5.1.4), also behind a reverse proxy that adds a prefix.
"""

import re
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from resolver.admin.access.entrances import NetworkEntrance
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.sessions import COOKIE, check_origin, is_encrypted
from resolver.dashboard.frame import Frame
from resolver.dashboard.markup import Html, element, joined
from resolver.http_protocol import Response

_NEXT: Final = re.compile(r"[a-z-]{0,40}(\?[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]{0,2000})?")
"""A view and its parameters, and no other site."""


def form(frame: Frame, following: str, problem: str = "") -> str:
    """Return the page with the form. `following`: the view to show afterwards. `problem`: the code of a refusal."""
    why = next((each.meaning for each in Code if each.code == problem), "")
    return frame.page("Sign in", _form(following, why), script=False)


def safe_view(text: str) -> str:
    """Return a view and its parameters; the overview for anything else."""
    return text if _NEXT.fullmatch(text) else ""


async def begin(entrance: NetworkEntrance, request: web.Request) -> web.Response:
    """Answer a form with a session and the view that was wanted; or with the way back to the form. Raises `Refused`."""
    check_origin(request)
    sent = await request.post()
    token, following = str(sent.get("token", "")).strip(), safe_view(str(sent.get("next", "")))
    try:
        await entrance.of_token(token, request)
    except Refused as error:
        # The form has an address of its own, so that its relative addresses stay right.
        again = urlencode({"next": following, "problem": error.code.code})
        return Response(status=303, headers={"Location": f"ui/sign-in?{again}"})
    entrance.sessions.end(request)
    secure = "; Secure" if is_encrypted(request) else ""
    cookie = f"{COOKIE}={entrance.sessions.begin(token)}; HttpOnly; SameSite=Strict{secure}"
    return Response(status=303, headers={"Location": f"ui/{following}", "Set-Cookie": cookie})


def end(entrance: NetworkEntrance, request: web.Request) -> web.Response:
    """End the session of a request. Raises `Refused` for one from another site."""
    check_origin(request)
    entrance.sessions.end(request)
    return Response(status=303, headers={"Location": "ui/sign-in"})


def _form(following: str, problem: str) -> Html:
    return joined(
        element("p", problem, class_="problem", role="alert") if problem else None,
        element(
            "form",
            element("label", "Token", for_="token"),
            element(
                "input", id="token", name="token", type="password", autocomplete="current-password", required=True,
                spellcheck="false", autofocus=True,
            ),
            element("input", name="next", type="hidden", value=following),
            element("button", "Sign in"),
            method="post", action="../sign-in", class_="sign-in",
        ),
        element(
            "p", "A token of pldns (", element("code", "pldns token new NAME --role read"), "), or an access token of "
            "Entra ID where the configuration has ", element("code", "admin.oidc"), ": ",
            element("code", "az account get-access-token --resource AUDIENCE --query accessToken -o tsv"), ".",
            class_="quiet",
        ),
    )  # fmt: skip
