"""`pldns sync`: the sources of a running daemon, and their syncs."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from resolver.admin.resources import wording
from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json
from resolver.cli.failure import Failed

if TYPE_CHECKING:
    from resolver.control.guard.sync_state import SyncAction  # at run time it would load the whole control process

_COLUMNS: Final = ("source", "type", "state", "last success", "next sync", "absent", "problem")
PATIENCE: Final = 60.0
"""Seconds to wait for the end of a sync."""
_DONE: Final[dict["SyncAction", str]] = {
    "now": "a sync begins now",
    "accept": "accepted the held sync: resources that it lacks are removed",
    "drop": "dropped the held sync",
}


def status(url: str, as_json: bool) -> int:
    """Print the state of each source; return 2 when a sync is held, else 0."""
    found = list(admin_client.items(url, "/v1/sources"))
    if as_json:
        output.data(found)
    else:
        output.table(_COLUMNS, [_row(each) for each in found])
        if not found:
            output.line("no sources")
        for line in _degradations(admin_client.get(url, "/v1/status")):
            output.line(line)
        for each in found:
            for line in _held(each):
                output.line(line)
    return 2 if any(_is_held(each) for each in found) else 0


def now(url: str, source: str | None, as_json: bool, wait: bool | None) -> int:
    """Sync a source; return 0, 2 when the sync is held. Raises `Failed` for a sync that fails or takes too long.

    `source` None: the only one. `wait` None: wait for the result if a person looks at the output, on a terminal.
    """
    if not (sys.stdout.isatty() if wait is None else wait):
        return act(url, source, "now", as_json)
    source = source or _only(url)
    reply = admin_client.post(url, _path(source), {"action": "now", "wait": PATIENCE})
    result = reply["result"]
    if as_json:
        output.data(reply)
    elif result and result["outcome"] == "published":
        output.line(f"source {source}: synced: {_changes(result)}")
    elif result and result["outcome"] == "held":
        for line in _held(reply):
            output.line(line)
    if result is None:
        raise Failed(f"source {source}: the sync has not ended after {PATIENCE:.0f} s; see `pldns sync status`")
    if result["outcome"] == "failed":
        raise Failed(f"source {source}: the sync failed: {result['error']}")
    return 2 if result["outcome"] == "held" else 0


def _changes(result: Json) -> str:
    """Return what a sync changed, as a list in a sentence."""
    parts = []
    for key, noun in (("endpoints", "endpoints"), ("vnets", "virtual networks")):
        counts = [f"{count} {what}" for what, count in result[key].items() if count]
        parts += [f"{noun}: {', '.join(counts)}"] if counts else []
    if not parts and not result["names"]:
        return "nothing changed"
    return "; ".join([*parts, f"{result['names']} names changed"])


def _path(source: str) -> str:
    return f"/v1/sources/{quote(source, safe='')}/sync"


def _only(url: str) -> str:
    """Return the only source that has syncs. Raises `Failed` where several have, or none has."""
    found = [each["name"] for each in admin_client.items(url, "/v1/sources") if each["type"] != "registry"]
    if len(found) == 1:
        return str(found[0])
    raise Failed(f"name one of the sources: {', '.join(found)}" if found else "no source has syncs")


def act(url: str, source: str | None, action: "SyncAction", as_json: bool) -> int:
    """Sync a source now, or accept or drop its held sync; return 0. `source` None: the only one. Raises `Failed`."""
    source = source or _only(url)
    result = admin_client.post(url, _path(source), {"action": action})
    if as_json:
        output.data(result)
    else:
        output.line(f"source {source}: {_DONE[action]}")
    return 0


def _row(source: Json) -> tuple[str, ...]:
    sync = source["sync"]
    following = "under way" if sync["syncing"] else sync["next"] or "when it changes"
    state = "held" if _is_held(source) else source["freshness"] or "never read"
    last = source["last_success"] or "never"
    return (source["name"], source["type"], state, last, following, str(sync["absent"]), source["last_error"])


def _is_held(source: Json) -> bool:
    return bool(source["sync"]["held"])


def _held(source: Json) -> Iterator[str]:
    """Yield the lines about a held sync, and what the operator can do."""
    if _is_held(source):
        name, held = source["name"], source["sync"]["held"]
        yield f"source {name}: a change is held since {held['since']}; it would remove {', '.join(held['reasons'])}"
        total = held["endpoints"] + held["vnets"] + held["zone_groups"]
        yield f"  {wording.listed(map(wording.short, held['ids']), total)}"
        later = (
            "files keep their last data until they change" if source["type"] == "files" else "the next sync is checked"
        )
        if source["type"] == "files":
            yield "  `pldns check` reads the files as they are now, and shows what is wrong with them"
        yield f"  `pldns sync accept {name}` publishes it; `pldns sync drop {name}` discards it: {later}"


def _degradations(status: Json) -> Iterator[str]:
    """Yield a line for each part of a source that cannot be read. The table shows problems of whole sources."""
    for each in status["degraded"]:
        if each["scope"]:
            yield f"source {each['source']}: {each['scope']}: {each['message']}"
    if more := status["degraded_total"] - len(status["degraded"]):
        yield f"and {more} more"
