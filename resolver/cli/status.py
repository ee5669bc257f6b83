"""`pldns status`: the state of a running daemon on one screen."""

import time
from collections.abc import Iterator
from typing import Final

from resolver.admin.resources import wording
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
_RECENT: Final = 3600
"""Seconds for which the restart of a worker is a problem."""
_FINDINGS: Final = 3
"""Findings of severity error that are listed."""


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
        wanted = {"severity": "error", "state": "open", "limit": str(_FINDINGS)}
        errors = admin_client.get(url, "/v1/findings", wanted)["items"] if _errors(found) else []
        for part in (
            _head(found), findings(found, errors), _sources(found), sharing(found),
            _traffic(found, upstreams, fallbacks), problems(found, upstreams),
        ):  # fmt: skip
            for line in part:
                output.line(line)
    if not found["ready"]:
        return 1
    return 2 if _errors(found) else 0


def _errors(status: Json) -> int:
    """Return the number of findings of severity error that nobody has acknowledged."""
    return int(status["counts"]["findings"].get("error", 0))


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
    yield from (f"  because: {each}" for each in status["missing"][:_PROBLEMS])
    counts = status["counts"]
    yield (
        f"estate: {output.counted(counts['endpoints'], 'endpoint')} ({counts['served']} served), "
        f"{output.counted(counts['names'], 'name')}, {output.counted(counts['networks'], 'network')}, "
        f"{output.counted(counts['zone_files'], 'zone file')}"
    )
    yield from (operator_changes.pin_text(each) for each in status["pins"][:_PINS])


def findings(status: Json, errors: list[Json]) -> Iterator[str]:
    """Yield the numbers of findings, then some of severity error, and the command that says what to do about them."""
    counts = status["counts"]
    numbers = [output.counted(count, severity) for severity, count in counts["findings"].items() if count]
    known = f" ({counts['acknowledged']} acknowledged)" if counts["acknowledged"] else ""
    yield f"findings: {', '.join(numbers) or 'none'}{known}"
    yield from (f"  error {each['code']}: {each['subject']} ({each['id']})" for each in errors)
    if errors:
        yield "  `pldns findings --severity error` explains them; `pldns acknowledge ID --note WHY` notes one as known"


def _sources(status: Json) -> Iterator[str]:
    for each in status["sources"]:
        state = "held" if each["sync"]["held"] else each["freshness"] or "never read"
        age = "" if each["age"] is None else f", read {duration(each['age'])} ago"
        is_problem = any(known["message"] == each["last_error"] for known in status["degraded"][:_PROBLEMS])
        error = f": {each['last_error']}" if each["last_error"] and not is_problem else ""
        yield f"source {each['name']} ({each['type']}): {state}{age}{error}"


def sharing(status: Json) -> Iterator[str]:
    """Yield who leads the control planes that share the registry, or why this one refuses writes."""
    state = status["sharing"]
    if state is None:
        return
    if state["fault"]:
        yield f"problem: registry: {state['fault']}; names and reads go on, writes are refused until it is back"
    elif state["leads"]:
        yield "registry: shared; this control plane is the leader, which reads remote sources for all"
    else:
        yield f"registry: shared; the leader is {state['leader'] or 'not known yet'}"


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
        yield f"fallbacks: {wording.listed(names, len(fallbacks))}"


def _server(name: str, seen: list[Json]) -> str:
    """Return a server with what the workers know of it: a server is down when no worker gets answers."""
    times = [each["round_trip_ms"] for each in seen if each["round_trip_ms"] is not None]
    state = "up" if _is_up(seen) else "DOWN"
    return f"{name} {state}" + (f" {min(times):.0f} ms" if times else "")


def _is_up(seen: list[Json]) -> bool:
    return any(each["up"] for each in seen)


def problems(status: Json, upstreams: list[Json]) -> Iterator[str]:
    """Yield what is wrong outside the estate, with its effect or the command that says more."""
    for each in status["degraded"][:_PROBLEMS]:
        where = ": ".join(filter(None, (each["source"] and f"source {each['source']}", each["scope"], each["message"])))
        yield f"problem: {where}"
    if more := status["degraded_total"] - len(status["degraded"][:_PROBLEMS]):
        yield f"and {more} more problems: see `pldns findings`"
    if status["degraded"]:
        yield "  pldns serves the last good data of what it cannot read; `pldns sync status` shows each source"
    for group in dict.fromkeys(each["group"] for each in upstreams):
        if not _is_up([each for each in upstreams if each["group"] == group]):
            yield f"problem: upstream group {group}: no server answers, so names that are not in the cache get SERVFAIL"
            yield f"  check `upstreams.{group}` and the path to its servers; `pldns upstreams` lists them"
    yield from _workers(status["workers"])
    yield from _query_log(status["query_log"])
    if status["absent_addresses"]:
        yield f"problem: this machine does not have {', '.join(status['absent_addresses'])}"


def _workers(workers: list[Json]) -> Iterator[str]:
    found = []
    for each in workers:
        restarts = f"{output.counted(each['restarts'], 'restart')} since control started"
        if not each["connected"]:
            state = f"is down ({restarts})" if each["pid"] else "has not started yet"
            found.append(f"problem: worker {each['index']} {state}; the other workers answer for it, if any")
        elif each["restart_age"] is not None and each["restart_age"] < _RECENT:
            found.append(
                f"problem: worker {each['index']} died or hung, last {duration(each['restart_age'])} ago: {restarts}"
            )
    yield from found[:_PROBLEMS]
    if len(found) > _PROBLEMS:
        yield f"and {len(found) - _PROBLEMS} more workers"
    if found:
        yield "  pldns starts a worker again by itself; the log says why it ended (`journalctl -u pldns` under systemd)"


def _query_log(state: Json | None) -> Iterator[str]:
    if state is None:
        return
    if not state["running"]:
        yield "problem: query log: its process does not run, so queries are not logged; pldns starts it again"
    for each in state["outputs"]:
        if each["fault"]:
            lost = output.counted(each["dropped"], "query") if each["dropped"] == 1 else f"{each['dropped']} queries"
            yield f"problem: query log: {each['to']}: {each['fault']}; {lost} not logged"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units: `3 d 4 h`, `12 s`."""
    left, parts = int(seconds), list[str]()
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
