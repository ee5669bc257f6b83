"""Signing in with a token and out again: a form that turns the token into a session, and a request that ends one.

The token is in the body of one request. It is in no address, and no script can read the cookie of the session. The
forms post to addresses at the top, `sign-in` and `sign-out`, so that the browser limits the cookie to the path under
which it knows pldns (RFC 6265 §5.1.4), also behind a reverse proxy that adds a prefix.
"""

import logging
import re
import time
from typing import Final
from urllib.parse import urlencode

from aiohttp import web

from resolver.admin.access.entrances import NetworkEntrance
from resolver.admin.access.identity import Identity
from resolver.admin.access.problems import Refused
from resolver.admin.access.sessions import COOKIE, Proof, check_origin, is_encrypted
from resolver.admin.route import Context
from resolver.dashboard.markup import visible
from resolver.http_protocol import Response
from resolver.token_bucket import Quota, TokenBucket
from zones.clocks import SteadyTime

_NEXT: Final = re.compile(r"[a-z-]{0,40}(\?[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]{0,2000})?")
"""A view and its parameters, and no other site."""
_MEANS: Final = "a token"
"""What this form takes, for the logs."""
_LOGGED: Final = Quota(20, 0.2)
"""Failures that are logged: anybody who reaches the page can cause some."""
_LONGEST: Final = 400
"""Characters of the reason in the log."""

_log = logging.getLogger(__name__)


class FailureLog:
    """Logs sign-ins that have failed, a bounded number of them."""

    def __init__(self) -> None:
        self._left = TokenBucket(_LOGGED)

    def note(self, means: str, remote: str | None, code: str, detail: str) -> None:
        """Log one. `means`: with what somebody wanted to sign in. `detail` may have any text of strangers."""
        if self._left.take(_LOGGED, SteadyTime(time.monotonic())):
            reason = visible(detail)[:_LONGEST].replace("\n", " ")
            _log.warning("signing in with %s from %s has failed: %s: %s", means, remote, code, reason)


def safe_view(text: str) -> str:
    """Return a view and its parameters; the overview for anything else."""
    return text if _NEXT.fullmatch(text) else ""


async def begin(
    context: Context, entrance: NetworkEntrance, failures: FailureLog, request: web.Request
) -> web.Response:
    """Answer a form with a session and the view that was wanted; or with the way back to the form. Raises `Refused`."""
    check_origin(request)
    sent = await request.post()
    token, following = str(sent.get("token", "")).strip(), safe_view(str(sent.get("next", "")))
    try:
        identity = await entrance.of_token(token, request)
    except Refused as error:
        failures.note(_MEANS, request.remote, error.code.code, error.detail)
        # The form has an address of its own, so that its relative addresses stay right.
        again = urlencode({"next": following, "problem": error.code.code})
        return Response(status=303, headers={"Location": f"ui/sign-in?{again}"})
    note(context, identity, _MEANS)
    cookie = session_cookie(entrance, request, token, is_encrypted=is_encrypted(request))
    return Response(status=303, headers={"Location": f"ui/{following}", "Set-Cookie": cookie})


def session_cookie(entrance: NetworkEntrance, request: web.Request, proof: Proof, *, is_encrypted: bool) -> str:
    """Open a session in place of the one that a request has. Return its cookie, which has no path."""
    entrance.sessions.end(request)
    return f"{COOKIE}={entrance.sessions.begin(proof)}; HttpOnly; SameSite=Strict{'; Secure' if is_encrypted else ''}"


def note(context: Context, identity: Identity, means: str) -> None:
    """Record in the audit log that somebody has signed in. `means`: what proved who it is."""
    context.audit_log.record(identity.name, "sign-in", means, {}, {"role": identity.role.value})


def end(entrance: NetworkEntrance, request: web.Request) -> web.Response:
    """End the session of a request. Raises `Refused` for one from another site."""
    check_origin(request)
    entrance.sessions.end(request)
    return Response(status=303, headers={"Location": "ui/sign-in?signed-out"})
