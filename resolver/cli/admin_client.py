"""Requests to the admin interface of a running daemon."""

import http.client
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from resolver.cli.failure import Failed

Json = dict[str, Any]
"""A JSON object of the admin interface; docs/admin-api.md describes its keys."""

_TIMEOUT: Final = 100.0
"""Seconds. A reload may take 90 s."""
_PAGE: Final = 5000
"""Items to request at a time."""


def items(url: str, path: str, parameters: Mapping[str, str] | None = None) -> Iterator[Json]:
    """Yield all items of a list, page after page. Raises `Failed`."""
    cursor: str | None = None
    while True:
        asked = {**(parameters or {}), "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})}
        page = get(url, path, asked)
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def get(url: str, path: str, parameters: Mapping[str, str] | None = None) -> Json:
    """Return the response to a GET request. Raises `Failed`."""
    return _request(url, path + (f"?{urlencode(parameters)}" if parameters else ""), None)


def post(url: str, path: str, body: Json) -> Json:
    """Return the response to a POST request. Raises `Failed`."""
    return _request(url, path, json.dumps(body).encode())


def _request(url: str, path: str, body: bytes | None) -> Json:
    if not url.startswith(("http://", "https://")):
        raise Failed(f"--admin {url}: not an http:// address")
    opener = build_opener(ProxyHandler({}))  # no proxy of the environment: the daemon is on this host
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        request = Request(f"{url.rstrip('/')}{path}", body, headers)  # noqa: S310 - http only, see above
        with opener.open(request, timeout=_TIMEOUT) as response:
            found: Json = json.load(response)
    except HTTPError as error:
        with error:
            raise Failed(f"{url} says: {_problem(error)}") from None
    except (URLError, OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        advice = "is `pldns serve` running? `--admin` names another address"
        raise Failed(f"no daemon answers at {url}: {why.lower()} ({advice})") from None
    except ValueError:
        raise Failed(f"{url} is not the admin interface of pldns: its answer is not JSON") from None
    return found


def _problem(error: HTTPError) -> str:
    """Return the text of an error response."""
    try:
        body = json.load(error)
        return str(body.get("detail") or body["title"])
    except (ValueError, KeyError, AttributeError):
        return f"{error.code} {error.reason}"
