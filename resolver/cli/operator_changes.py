"""What operators change in a running daemon: acknowledged findings, pins, draining, the log level."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from resolver.admin.resources import wording
from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json
from resolver.cli.failure import Failed

_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def acknowledge(url: str, finding: str, note: str, until: str | None, as_json: bool) -> int:
    """Acknowledge a finding; return 0."""
    body = {"note": note, "until": end(until)}
    result = admin_client.post(url, f"/v1/findings/{quote(finding, safe='')}/acknowledge", body)
    if as_json:
        output.data(result)
        return 0
    ends = result["acknowledged"]["until"]
    output.line(f"{result['code']} {result['subject']}: acknowledged" + (f" until {ends}" if ends else ""))
    return 0


def withdraw(url: str, finding: str, as_json: bool) -> int:
    """Remove the acknowledgement of a finding; return 0."""
    result = admin_client.post(url, f"/v1/findings/{quote(finding, safe='')}/withdraw", {})
    if as_json:
        output.data(result)
    else:
        output.line(f"finding {finding} is not acknowledged any more")
    return 0


def pin(url: str, wanted: Json, until: str | None, as_json: bool) -> int:
    """Give a name to an endpoint; return 0."""
    result = admin_client.post(url, "/v1/pins", {**wanted, "until": end(until)})
    if as_json:
        output.data(result)
    else:
        output.line(pin_text(result))
    return 0


def pin_text(item: Json) -> str:
    """Return a pin as a sentence."""
    where = f" in {item['network']}" if item["network"] else ""
    ends = f" until {item['until']}" if item["until"] else ""
    return f"{item['name']} is pinned to {wording.short(item['endpoint'])}{where}{ends}: {item['reason']}"


def pins(url: str, as_json: bool) -> int:
    """Print all pins; return 0."""
    found = list(admin_client.items(url, "/v1/pins"))
    if as_json:
        output.data(found)
        return 0
    rows = [
        (
            each["name"], wording.short(each["endpoint"]), each["network"] or "all", each["by"] or "configuration",
            each["until"] or "", each["reason"],
        )
        for each in found
    ]  # fmt: skip
    output.table(("name", "endpoint", "network", "made by", "until", "reason"), rows)
    if not rows:
        output.line("no pins")
    return 0


def unpin(url: str, name: str, network: str | None, as_json: bool) -> int:
    """Remove an operator's pin; return 0."""
    result = admin_client.post(url, f"/v1/pins/{quote(name, safe='')}/remove", {"network": network})
    if as_json:
        output.data(result)
    else:
        output.line(f"{result['name']} is not pinned to {wording.short(result['endpoint'])} any more")
        output.line(f"`pldns explain {result['name']}` shows which endpoint has the name now, and by which rule")
    return 0


def drain(url: str, is_draining: bool, as_json: bool) -> int:
    """Begin or end to report that the daemon is not ready; return 0."""
    result = admin_client.post(url, "/v1/drain", {"draining": is_draining})
    if as_json:
        output.data(result)
    elif result["draining"]:
        output.line("draining: /readyz answers 503; queries are answered (`pldns drain --end` ends it)")
    else:
        output.line("not draining any more")
    return 0


def log_level(url: str, level: str | None, duration: str, as_json: bool) -> int:
    """Show the log level, or set it for a duration; return 0."""
    if level is None:
        result = admin_client.get(url, "/v1/log-level")
    else:
        result = admin_client.post(url, "/v1/log-level", {"level": level, "seconds": _seconds(duration)})
    if as_json:
        output.data(result)
    elif result["until"]:
        output.line(f"log level {result['level']} until {result['until']}, then {result['configured']}")
    else:
        output.line(f"log level {result['level']}")
    return 0


def _seconds(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise Failed(f"`{duration}` is not a duration such as 30m or 2h")
    return int(match[1]) * _SECONDS[match[2]]


def end(text: str | None) -> str | None:
    """Return the time that a text names, as RFC 3339: a time with its offset, or a duration from now. Raises `Failed`.

    `text` None: no time.
    """
    if text is None:
        return None
    if _DURATION.fullmatch(text):
        return (datetime.now(UTC) + timedelta(seconds=_seconds(text))).isoformat()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Failed(f"`{text}` is neither a time such as 2030-01-31T18:00:00Z, nor a duration such as 30m or 7d")
    return found.isoformat()
