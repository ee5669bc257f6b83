"""Sessions of browsers: a cookie in place of a token, which no script can read and no other site can use.

A session holds a proof in the memory of control: the token with which a person signed in, or what an OpenID provider
said of the person. Each request evaluates that proof again. So a token that is revoked or expires ends its sessions,
and a reload that changes a role changes theirs. Does not know what a proof is worth (`entrances`).
"""

import secrets
import time
from collections import OrderedDict
from hashlib import sha256
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from resolver.admin.access.oidc import SignedIn
from resolver.admin.access.problems import Code, Refused

COOKIE: Final = "pldns_session"
HEADER: Final = "Pldns-Page"
"""The page sends this header with each change. A form or script of another site cannot: a browser asks first (CORS)."""
LASTS: Final = 12 * 3600.0
"""Seconds from signing in until a session ends."""
_MOST: Final = 1000
"""Sessions at a time. A further one ends the oldest."""
_BITS: Final = 256
_OWN_SITES: Final = frozenset(("same-origin", "none"))
_READING: Final = frozenset(("GET", "HEAD"))


Proof = str | SignedIn
"""A token, or somebody whom an OpenID provider has signed in."""


class _Session(NamedTuple):
    proof: Proof
    until: float


class Sessions:
    """The sessions that are open. Only digests of the cookies are kept."""

    def __init__(self) -> None:
        self._open: OrderedDict[bytes, _Session] = OrderedDict()

    def begin(self, proof: Proof) -> str:
        """Open a session for a proof that counts. Return the value of its cookie."""
        value = secrets.token_urlsafe(_BITS // 8)
        self._open[_digest(value)] = _Session(proof, time.monotonic() + LASTS)
        if len(self._open) > _MOST:
            self._open.popitem(last=False)
        return value

    def proof(self, request: web.Request) -> Proof | None:
        """Return the proof of the session that a request belongs to; None without an open session.

        Raises `Refused` for a change that does not come from the page.
        """
        key = _digest(request.cookies.get(COOKIE, ""))
        found = self._open.get(key)
        if found is None:
            return None
        if found.until <= time.monotonic():
            del self._open[key]
            return None
        if request.method not in _READING:
            if HEADER not in request.headers:
                raise Refused(Code.CROSS_SITE, f"a change with a session cookie needs the header `{HEADER}`")
            check_origin(request)
        return found.proof

    def has(self, request: web.Request) -> bool:
        """Return whether a request has the cookie of an open session."""
        return _digest(request.cookies.get(COOKIE, "")) in self._open

    def end(self, request: web.Request) -> None:
        """End the session of a request, if it has one."""
        self._open.pop(_digest(request.cookies.get(COOKIE, "")), None)


def check_origin(request: web.Request) -> None:
    """Raise `Refused` for a request that a page of another site has made, as far as the browser says where it is from.

    A browser says `Sec-Fetch-Site` to a secure or local address. To any other it names the origin of the page, whose
    host must be the one that the request names.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site in _OWN_SITES:
            return
    else:
        origin = request.headers.get("Origin")
        if origin is None or urlsplit(origin).netloc in {request.headers.get("Host"), *_forwarded(request)}:
            return
    raise Refused(Code.CROSS_SITE, "the request comes from a page of another site")


def is_encrypted(request: web.Request) -> bool:
    """Return whether the browser uses TLS, towards this listener or towards a proxy in front of it."""
    is_own = request.get_extra_info("ssl_object") is not None
    return is_own or request.headers.get("Origin", "").startswith("https:")


def _forwarded(request: web.Request) -> list[str]:
    """Return the hosts that a proxy has received the request for (`X-Forwarded-Host`)."""
    return [each.strip() for each in request.headers.get("X-Forwarded-Host", "").split(",") if each.strip()]


def _digest(value: str) -> bytes:
    return sha256(value.encode(errors="surrogateescape")).digest()
