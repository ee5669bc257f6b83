"""`pldns history` and `pldns diff`: what changed in a running daemon, and when."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from resolver.admin.resources import wording
from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json, Parameters

_WORDS: Final = {("finding", "added"): "opened", ("finding", "removed"): "closed"}


def run(url: str, wanted: Parameters, as_json: bool, limit: int) -> int:
    """Print the changes that the filters `wanted` select, the newest first; return 0."""
    found = admin_client.items(url, "/v1/history", wanted)
    shown = list(islice(found, limit or None))
    if as_json:
        output.data(shown)
        return 0
    _write(shown)
    if next(found, None):
        output.note("older changes are not shown; `--limit 0` shows all")
    return 0


def diff(url: str, wanted: Parameters, as_json: bool, limit: int) -> int:
    """Print what differs between two times; return 2 if something does, else 0."""
    found = list(admin_client.items(url, "/v1/diff", wanted))
    if as_json:
        output.data(found)
    else:
        shown = found[: limit or None]
        _write(shown)
        output.more(len(shown), len(found))
    return 2 if found else 0


def _write(entries: Sequence[Json]) -> None:
    rows = [
        (
            each["at"][:19].replace("T", " "), each["kind"],
            str(_WORDS.get((each["kind"], each["change"]), each["change"])), wording.short(each["subject"]),
            _text(each["kind"], each["before"]), _text(each["kind"], each["after"]),
        )
        for each in entries
    ]  # fmt: skip
    output.table(("time (UTC)", "kind", "change", "subject", "before", "after"), rows)
    if not rows:
        output.line("no changes")


def _text(kind: str, state: Json) -> str:
    """Return one state in a few words; empty for no state."""
    if not state:
        return ""
    if kind == "name":
        return "; ".join(_answer(answer) for answer in state["answers"])
    if kind == "finding":
        by = [f"winner {wording.short(state['winner'])}"] if "winner" in state else []
        return ", ".join([f"{state['severity']} {state['code']}", *by])
    error = f": {state['error']}" if "error" in state else ""
    return f"{state['state']}{error}, {state.get('endpoints', 0)} endpoints"


def _answer(answer: Json) -> str:
    data = ", ".join(answer.get("data", ())) or "SERVFAIL"
    names = ", ".join(map(wording.short, answer.get("endpoints", ())))
    networks = wording.listed(answer.get("networks", ()), answer.get("networks_total"))
    return (f"{networks}: " if networks else "") + data + (f" from {names}" if names else "")
