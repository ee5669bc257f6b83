"""Commands that ask a running daemon, over its admin interface."""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from resolver.cli import output, words
from resolver.cli.failure import Failed

_TIMEOUT = 30.0  # seconds
_PAGE = 5000


def findings(url: str, wanted: Mapping[str, str | None], as_json: bool, limit: int) -> int:
    """Write the findings; 2 when one of them is an error."""
    found = list(_items(url, "/v1/findings", {key: value for key, value in wanted.items() if value}))
    if as_json:
        output.json_out(found)
    else:
        _table(words.COLUMNS, list(map(words.row, islice(found, limit or None))), len(found), "no findings")
    return 2 if any(finding["severity"] == "error" for finding in found) else 0


def endpoints(url: str, as_json: bool, limit: int) -> int:
    """Write the endpoints."""
    found = list(_items(url, "/v1/endpoints", {}))
    if as_json:
        output.json_out(found)
        return 0
    rows = [
        (
            each["name"], each["state"], output.short(each["target"]), ", ".join(each["groups"]),
            _networks(each),
            ", ".join(f"{record['fqdn']} {' '.join(record['addresses'])}" for record in each["records"]),
        )
        for each in islice(found, limit or None)
    ]  # fmt: skip
    _table(("endpoint", "state", "target", "groups", "networks", "records"), rows, len(found), "no endpoints")
    return 0


def zones(url: str, as_json: bool, limit: int) -> int:
    """Write the zones."""
    found = list(_items(url, "/v1/zones", {}))
    if as_json:
        output.json_out(found)
        return 0
    rows = [
        (each["zone"], each["source"], str(each["names"]), each["on_miss"], f"{each['ttl']} s", _networks(each))
        for each in islice(found, limit or None)
    ]
    _table(("zone", "source", "names", "on miss", "ttl", "networks"), rows, len(found), "no zones")
    return 0


def cache(url: str, as_json: bool) -> int:
    """Write what the workers' caches hold."""
    found = list(_items(url, "/v1/cache", {}))
    if as_json:
        output.json_out(found)
        return 0
    rows = [
        (str(each["worker"]), str(each["replies"]), _mebibytes(each["octets"]), str(each["answers"]),
         _mebibytes(each["answer_octets"]))
        for each in found
    ]  # fmt: skip
    _table(("worker", "replies", "room", "answers", "room"), rows, len(rows), "no worker answers")
    return 0


def flush(url: str, name: str, rtype: str | None, subtree: bool, as_json: bool) -> int:
    """Have the workers forget what upstreams said of a name; 1 when one of them did not answer."""
    body = {"action": "flush", "name": name, "subtree": subtree, "type": rtype}
    told = _ask(url, "/v1/cache", {}, json.dumps(body).encode())
    if as_json:
        output.json_out(told)
    else:
        output.line(f"{told['flushed']} replies forgotten")
        for worker in told["silent"]:
            output.line(f"worker {worker} did not answer: it may still have them")
    return 1 if told["silent"] else 0


def sync_status(url: str, as_json: bool) -> int:
    """Write how each source is; 2 when a sync is held."""
    found = list(_items(url, "/v1/sources", {}))
    if as_json:
        output.json_out(found)
    else:
        rows = [words.source(each) for each in found]
        _table(words.SOURCES, rows, len(rows), "no sources")
        for line in words.degraded(_ask(url, "/v1/status", {})):
            output.line(line)
        for each in found:
            for line in words.held(each):
                output.line(line)
    return 2 if any(words.is_held(each) for each in found) else 0


def sync(url: str, source: str, action: str, as_json: bool) -> int:
    """Have the daemon sync a source now, or accept or drop the sync that is held."""
    body = json.dumps({"action": action}).encode()
    told = _ask(url, f"/v1/sources/{quote(source, safe='')}/sync", {}, body)
    if as_json:
        output.json_out(told)
    else:
        output.line(f"source {source}: {_DONE[action]}")
    return 0


_DONE = {
    "now": "a sync begins",
    "accept": "the held sync is accepted: what it lacks is gone",
    "drop": "the held sync is dropped: the next one is judged by itself",
}


def _mebibytes(octets: int) -> str:
    return f"{octets / (1 << 20):.1f} MiB"


def _table(columns: tuple[str, ...], rows: Sequence[Sequence[str]], total: int, none: str) -> None:
    output.table(columns, rows)
    if not rows:
        output.line(none)
    output.more(len(rows), total)


def _networks(item: Mapping[str, Any]) -> str:
    listed, total = item["networks"], item["networks_total"]
    return ", ".join(listed) + (f" and {total - len(listed)} more" if total > len(listed) else "")


def _items(url: str, path: str, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """All items of a list, page after page."""
    cursor: str | None = None
    while True:
        page = _ask(url, path, {**parameters, "limit": str(_PAGE), **({"cursor": cursor} if cursor else {})})
        yield from page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _ask(url: str, path: str, parameters: Mapping[str, str], body: bytes | None = None) -> dict[str, Any]:
    """What the daemon says to one request, a POST if it has a body. Raises `Failed`."""
    if not url.startswith(("http://", "https://")):
        raise Failed(f"--admin {url}: not an http:// address")
    opener = build_opener(ProxyHandler({}))  # a proxy from the environment has no business here
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        request = Request(f"{url.rstrip('/')}{path}?{urlencode(parameters)}", body, headers)  # noqa: S310 - http only, see above
        with opener.open(request, timeout=_TIMEOUT) as response:
            said: dict[str, Any] = json.load(response)
    except HTTPError as error:
        with error:
            raise Failed(f"{url} says: {_problem(error)}") from None
    except (URLError, OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
        raise Failed(f"no daemon answers at {url}: {why.lower()} (is `pldns serve` running?)") from None
    except ValueError:
        raise Failed(f"{url} is not the admin interface of pldns: its answer is not JSON") from None
    return said


def _problem(error: HTTPError) -> str:
    try:
        body = json.load(error)
        return str(body.get("detail") or body["title"])
    except (ValueError, KeyError, AttributeError):
        return f"{error.code} {error.reason}"
