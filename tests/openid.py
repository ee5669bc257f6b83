"""An OpenID provider on loopback, with real keys: its metadata, its keys, and signing in with the code flow and PKCE.

It checks what a provider must check, and answers 400 for anything else. Tests change its attributes to make it fail.
"""

import asyncio
import base64
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from typing import Any, Final
from urllib.parse import unquote_plus, urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

RSA, OTHER = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
EC: Final = ec.generate_private_key(ec.SECP256R1())
TENANT: Final = "72f988bf-86f1-41af-91ab-2d7cd011db47"
CLIENT: Final = "6e74172b-be56-4843-9ff4-e66a39bb12e3"


def public(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str, **more: str) -> dict[str, Any]:
    """Return a key of a key set."""
    if isinstance(key, rsa.RSAPrivateKey):
        found = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        found = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**found, "kid": kid, "use": "sig", **more}


def signed(given: dict[str, Any], key: Any = RSA, kid: str = "one", algorithm: str = "RS256") -> str:  # noqa: ANN401
    """Return a token with these claims."""
    return jwt.encode(given, key, algorithm, headers={"kid": kid})


class OpenIdProvider:
    """The provider. `issuer` is known once it runs."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [public(RSA, "one"), public(EC, "two", alg="ES256")]
        self.reads = 0
        """How often the keys were read."""
        self.read_again = asyncio.Event()
        self.issuer = ""
        self.metadata: dict[str, Any] = {}
        """Changes of the metadata; None removes a member."""
        self.redirects: set[str] = set()
        """Addresses that are registered."""
        self.secret = ""
        """Of the client; empty for a public client."""
        self.works()
        self.asked: list[dict[str, str]] = []
        """What authorization requests have asked for."""
        self._codes: dict[str, dict[str, str]] = {}

    def works(self) -> None:
        """Sign in everybody, with the role that reads."""
        self.status = 200
        """Of metadata, keys and tokens."""
        self.roles = ["Pldns.Read"]
        self.claims_changed: dict[str, Any] = {}
        """Changes of the next ID tokens; None removes a claim."""
        self.refusal: dict[str, str] = {}
        """The error that comes back in place of a code."""
        self.token_error: dict[str, str] = {}

    def claims(self, **changes: object) -> dict[str, Any]:
        """Return the claims of a token."""
        now = int(time.time())
        usual = {
            "iss": self.issuer, "aud": CLIENT, "tid": TENANT, "exp": now + 600, "nbf": now - 5, "iat": now - 5,
            "roles": self.roles, "preferred_username": "ada@corp.example", "oid": "0-1", "sub": "s",
        }  # fmt: skip
        return {key: value for key, value in (usual | changes).items() if value is not None}

    def application(self) -> web.Application:
        """Return the server."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._metadata)
        app.router.add_get("/keys", self._key_set)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_get("/approve", self._approve)
        app.router.add_post("/token", self._token)
        return app

    async def _metadata(self, _: web.Request) -> web.Response:
        usual = {
            "issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        }  # fmt: skip
        said = {key: value for key, value in (usual | self.metadata).items() if value is not None}
        return web.json_response(said, status=self.status)

    async def _key_set(self, _: web.Request) -> web.Response:
        self.reads += 1
        if self.reads > 1:
            self.read_again.set()
        return web.json_response({"keys": self.keys}, status=self.status)

    async def _authorize(self, request: web.Request) -> web.Response:
        """Show a page on which a person goes on."""
        asked = dict(request.query)
        self.asked.append(asked)
        wrong = [
            key
            for key, value in (("client_id", CLIENT), ("response_type", "code"), ("code_challenge_method", "S256"))
            if asked.get(key) != value
        ] + [key for key in ("state", "nonce", "code_challenge") if len(asked.get(key, "")) < 43]
        if wrong or asked.get("redirect_uri") not in self.redirects or "openid" not in asked.get("scope", "").split():
            return web.Response(text=f"refused: {wrong} {asked.get('redirect_uri')}", status=400)
        link = escape(f"approve?{urlencode(asked)}")
        title = "Choose an account" if asked.get("prompt") == "select_account" else "Sign in"
        page = f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1><a href='{link}'>Continue as ada</a>"
        return web.Response(text=page, content_type="text/html")

    async def _approve(self, request: web.Request) -> web.Response:
        asked, code = dict(request.query), secrets.token_urlsafe(8)
        self._codes[code] = asked
        values = {"state": asked["state"], **(self.refusal or {"code": code})}
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{urlencode(values)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        if self.token_error or self.status != 200:
            return web.json_response(self.token_error, status=400 if self.token_error else self.status)
        if self.secret and self.secret not in (form.get("client_secret"), _basic(request)):
            return web.json_response({"error": "invalid_client", "error_description": "AADSTS7000215: no"}, status=401)
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or (form.get("redirect_uri"), form.get("client_id")) != (asked["redirect_uri"], CLIENT)
            or challenge.rstrip("=") != asked["code_challenge"]
        ):
            return web.json_response({"error": "invalid_grant", "error_description": "AADSTS54005: no"}, status=400)
        token = signed(self.claims(**{"nonce": asked["nonce"]} | self.claims_changed))
        return web.json_response({"id_token": token, "access_token": "opaque", "token_type": "Bearer"})


def _basic(request: web.Request) -> str:
    """Return the password in the header `Authorization`; empty without one."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return unquote_plus(base64.b64decode(text).decode().partition(":")[2]) if scheme == "Basic" else ""


@contextmanager
def running() -> Iterator[OpenIdProvider]:
    """Run a provider in a thread. Its host is `localhost`: for a browser, another site than 127.0.0.1."""
    made, loop, started = OpenIdProvider(), asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        runner = web.AppRunner(made.application())
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.issuer = f"http://localhost:{runner.addresses[0][1]}"
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    started.wait()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
