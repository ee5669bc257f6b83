"""`pldns status`: the state of a running daemon on one screen."""

import time
from collections.abc import Iterator
from typing import Final

from resolver.cli import admin_client, operator_changes, output, progress
from resolver.cli.admin_client import Json
from resolver.cli.failure import NoDaemon

_FALLBACKS: Final = 3
"""Names that the summary of fallbacks lists."""
_PINS: Final = 3
"""Pins of operators that are listed."""
_POLL: Final = 0.3
"""Seconds between two looks at a daemon that is not ready."""
_PROBLEMS: Final = 5
"""Problems that are listed."""


def run(url: str, as_json: bool, wait: float) -> int:
    """Print the state; return 1 when the daemon is not ready, 2 when a finding is an error, else 0.

    `wait`: seconds to wait for a daemon that is not ready.
    """
    found = _ready(url, wait)
    if as_json:
        output.data(found)
    else:
        upstreams = list(admin_client.items(url, "/v1/upstreams"))
        fallbacks = list(admin_client.items(url, "/v1/fallbacks"))
        for line in (*_head(found), *_sources(found), *_traffic(found, upstreams, fallbacks), *_problems(found)):
            output.line(line)
    if not found["ready"]:
        return 1
    return 2 if found["counts"]["findings"].get("error") else 0


def _ready(url: str, wait: float) -> Json:
    """Return the state once the daemon is ready, or after `wait` seconds. A bar shows the sources that have data."""
    end = time.monotonic() + wait
    found = _answer(url, end)
    if found["ready"] or not wait:
        return found
    with progress.steps(len(found["sources"]) + 1) as begin:
        seen = -1
        while not found["ready"] and time.monotonic() < end:
            read = sum(bool(each["synced"]) for each in found["sources"])
            for _ in range(read - seen):
                begin(next(iter(found["missing"]), ""))
            seen = max(seen, read)
            time.sleep(_POLL)
            found = admin_client.get(url, "/v1/status")
    return found


def _answer(url: str, end: float) -> Json:
    """Return the state of a daemon that may be about to start. Raises `NoDaemon` when none answers until `end`."""
    while True:
        try:
            return admin_client.get(url, "/v1/status")
        except NoDaemon:
            if time.monotonic() >= end:
                raise
        time.sleep(_POLL)


def _head(status: Json) -> Iterator[str]:
    word = "ready" if status["ready"] else "NOT READY"
    workers = status["workers"]
    connected = sum(each["connected"] for each in workers)
    yield (
        f"{word}: pldns {status['version']}, control up {duration(status['uptime'])}, "
        f"{connected} of {len(workers)} workers, configuration {status['configuration']['serial']}"
    )
    yield from (f"  missing: {each}" for each in status["missing"][:_PROBLEMS])
    counts = status["counts"]
    yield (
        f"estate: {counts['endpoints']} endpoints ({counts['served']} served), {counts['names']} names, "
        f"{counts['networks']} networks, {counts['zone_files']} zone files"
    )
    findings = [f"{count} {severity}" for severity, count in counts["findings"].items() if count]
    yield from (operator_changes.pin_text(each) for each in status["pins"][:_PINS])
    known = f" ({counts['acknowledged']} acknowledged)" if counts["acknowledged"] else ""
    yield f"findings: {', '.join(findings) or 'none'}{known}"


def _sources(status: Json) -> Iterator[str]:
    for each in status["sources"]:
        state = "held" if each["sync"]["held"] else each["freshness"] or "never read"
        age = "" if each["age"] is None else f", read {duration(each['age'])} ago"
        error = f": {each['last_error']}" if each["last_error"] else ""
        yield f"source {each['name']} ({each['type']}): {state}{age}{error}"


def _traffic(status: Json, upstreams: list[Json], fallbacks: list[Json]) -> Iterator[str]:
    traffic = status["traffic"]
    ratio = "" if traffic["cache_hit_ratio"] is None else f", {traffic['cache_hit_ratio']:.0%} of forwarded ones cached"
    yield f"traffic: {traffic['queries_per_second']:.1f} queries/s{ratio} (last {traffic['seconds']:.0f} s)"
    groups: dict[str, dict[str, list[Json]]] = {}
    for each in upstreams:
        groups.setdefault(each["group"], {}).setdefault(each["server"], []).append(each)
    for group, servers in groups.items():
        yield f"upstream {group}: {', '.join(_server(name, seen) for name, seen in servers.items())}"
    if fallbacks:
        most = sorted(fallbacks, key=lambda each: -each["count"])[:_FALLBACKS]
        names = [f"{each['name']} ({each['count']})" for each in most]
        yield f"fallbacks: {output.listed(names, len(fallbacks))}"


def _server(name: str, seen: list[Json]) -> str:
    """Return a server with what the workers know of it: a server is down when no worker gets answers."""
    times = [each["round_trip_ms"] for each in seen if each["round_trip_ms"] is not None]
    state = "up" if any(each["up"] for each in seen) else "DOWN"
    return f"{name} {state}" + (f" {min(times):.0f} ms" if times else "")


def _problems(status: Json) -> Iterator[str]:
    for each in status["degraded"][:_PROBLEMS]:
        where = ": ".join(filter(None, (each["source"] and f"source {each['source']}", each["scope"], each["message"])))
        yield f"problem: {where}"
    if more := status["degraded_total"] - len(status["degraded"][:_PROBLEMS]):
        yield f"and {more} more problems: see `pldns findings`"
    if status["absent_addresses"]:
        yield f"problem: this machine does not have {', '.join(status['absent_addresses'])}"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `3 d 4 h`, `12 s`."""
    left, parts = int(seconds), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
