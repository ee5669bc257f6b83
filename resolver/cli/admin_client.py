"""Requests to the admin interface of a running daemon."""

import contextlib
import http.client
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from resolver.cli import unix_socket
from resolver.cli.daemon_address import UNIX
from resolver.cli.failure import Failed, NoDaemon, NotFound

if TYPE_CHECKING:
    import ssl

Json = dict[str, Any]
"""A JSON object of the admin interface; docs/admin-api.md describes its keys."""
Parameters = Mapping[str, str | Sequence[str]]
"""Query parameters. A parameter with several values is sent once for each."""

TOKEN: Final = "PLDNS_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable with the bearer token of the user."""
_TIMEOUT: Final = 100.0
"""Seconds. A reload may take 90 s."""
CERTIFICATE: Final = "PLDNS_CERTIFICATE"
"""The environment variable with the path of the user's certificate and key (PEM), for https:// addresses."""
_MISTAKES: Final = frozenset({400, 404, 409, 422})
"""Statuses of requests that the person can correct."""
_PAGE: Final = 5000
"""Items to request at a time."""


def items(url: str, path: str, parameters: Parameters | None = None) -> Iterator[Json]:
    """Yield all items of a list, page after page. Raises `Failed`."""
    cursor: str | None = None
    while True:
        asked = {**(parameters or {}), "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
        page = get(url, path, asked)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def get(url: str, path: str, parameters: Parameters | None = None, *, timeout: float = _TIMEOUT) -> Json:
    """Return the response to a GET request. Raises `Failed`. `timeout` is in seconds, for each step of the request."""
    return _request(url, path + (f"?{urlencode(parameters, doseq=True)}" if parameters else ""), None, timeout)


def events(url: str, path: str, parameters: Mapping[str, str]) -> Iterator[tuple[str, Json]]:
    """Yield each server-sent event, as its type and its data, until the daemon ends the stream. Raises `Failed`."""
    connection, prefix = _connection(url)
    with contextlib.closing(connection):
        try:
            connection.request("GET", f"{prefix}{path}?{urlencode(parameters)}", headers=_identity())
            response = connection.getresponse()
            if response.status >= 300:
                raise _refusal(url, response, response.read())
            event = ""
            while line := response.readline():
                key, _, value = line.decode().strip().partition(": ")
                if key == "event":
                    event = value
                elif key == "data":
                    yield event, json.loads(value)
        except (OSError, http.client.HTTPException) as error:
            raise _no_daemon(url, error) from None


def post(url: str, path: str, body: Json) -> Json:
    """Return the response to a POST request. Raises `Failed`."""
    return _request(url, path, json.dumps(body).encode())


def post_octets(url: str, path: str, body: Json) -> bytes:
    """Return the body of the response to a POST request. Raises `Failed`."""
    return _response(url, path, json.dumps(body).encode(), _TIMEOUT)


def octets(url: str, path: str) -> bytes:
    """Return the body of the response to a GET request. Raises `Failed`."""
    return _response(url, path, None, _TIMEOUT)


def _request(url: str, path: str, body: bytes | None, timeout: float = _TIMEOUT) -> Json:
    try:
        found: Json = json.loads(_response(url, path, body, timeout))
    except ValueError:
        raise Failed(f"{url} is not the admin interface of pldns: its answer is not JSON") from None
    return found


def _response(url: str, path: str, body: bytes | None, timeout: float) -> bytes:
    connection, prefix = _connection(url, timeout)
    headers = _identity() | ({"Content-Type": "application/json"} if body else {})
    try:
        with contextlib.closing(connection):
            connection.request("POST" if body else "GET", prefix + path, body, headers)
            response = connection.getresponse()
            found = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise _no_daemon(url, error) from None
    if response.status >= 300:
        raise _refusal(url, response, found)
    return found


def _no_daemon(url: str, error: Exception) -> NoDaemon:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    advice = "is `pldns serve` running? `-c` names its configuration, `--admin` its address"
    return NoDaemon(f"no daemon answers at {url}: {why.lower()} ({advice})")


def _refusal(url: str, response: http.client.HTTPResponse, body: bytes) -> Failed:
    """Return the error for a response that refuses a request. A mistake of the person needs no address."""
    detail = _problem(body, "detail")
    if detail and response.status in _MISTAKES:
        return (NotFound if response.status == http.HTTPStatus.NOT_FOUND else Failed)(detail)
    advice = f" (set `{TOKEN}`, or use the Unix socket of the daemon)" if response.status == 401 else ""
    return Failed(f"{url} says: {detail or _problem(body, 'title') or f'{response.status} {response.reason}'}{advice}")


def _identity() -> dict[str, str]:
    """Return the header with the token of the user, if there is one."""
    token = os.environ.get(TOKEN)
    return {"Authorization": f"Bearer {token}"} if token else {}


def _connection(url: str, timeout: float = _TIMEOUT) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not open yet, and the path before all paths. No proxy is used. Raises `Failed`."""
    if url.startswith(UNIX):
        return _UnixConnection(url.removeprefix(UNIX), timeout), ""
    parts = urlsplit(url)
    with contextlib.suppress(ValueError):  # a port that is no number
        if parts.scheme == "https" and parts.hostname:
            made = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=_tls())
            return made, parts.path.rstrip("/")
        if parts.scheme == "http" and parts.hostname:
            return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout), parts.path.rstrip("/")
    raise Failed(f"--admin {url}: neither `unix:PATH` nor an http:// address")


def _tls() -> "ssl.SSLContext":
    """Return the TLS context of a connection, with the certificate of the user, if there is one. Raises `Failed`."""
    import ssl  # noqa: PLC0415 - only https:// addresses need it

    context = ssl.create_default_context()
    if path := os.environ.get(CERTIFICATE):
        try:
            context.load_cert_chain(path)
        except OSError as error:  # ssl.SSLError is one
            raise Failed(
                f"{CERTIFICATE}: {path} has no usable certificate and key: {error.strerror or error}"
            ) from None
    return context


class _UnixConnection(http.client.HTTPConnection):
    """A connection to the Unix socket at a path."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = unix_socket.connected(os.path.abspath(self._path))  # noqa: PTH100 - only text
        self.sock.settimeout(self.timeout)


def _problem(body: bytes, key: str) -> str:
    """Return a text of an error response; empty where the response does not have it."""
    try:
        return str(json.loads(body).get(key) or "")
    except (ValueError, AttributeError):
        return ""
