"""What operators change in a running daemon: acknowledged findings."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from resolver.cli import admin_client, output
from resolver.cli.failure import Failed

_DURATION: Final = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def acknowledge(url: str, finding: str, note: str, until: str | None, as_json: bool) -> int:
    """Acknowledge a finding; return 0."""
    body = {"note": note, "until": end(until)}
    result = admin_client.post(url, f"/v1/findings/{quote(finding, safe='')}/acknowledge", body)
    if as_json:
        output.json_out(result)
        return 0
    ends = result["acknowledged"]["until"]
    output.line(f"{result['code']} {result['subject']}: acknowledged" + (f" until {ends}" if ends else ""))
    return 0


def withdraw(url: str, finding: str, as_json: bool) -> int:
    """Remove the acknowledgement of a finding; return 0."""
    result = admin_client.post(url, f"/v1/findings/{quote(finding, safe='')}/withdraw", {})
    if as_json:
        output.json_out(result)
    else:
        output.line(f"finding {finding} is not acknowledged any more")
    return 0


def end(text: str | None) -> str | None:
    """Return the time that a text names, as RFC 3339: a time with its offset, or a duration from now. Raises `Failed`.

    `text` None: no time.
    """
    if text is None:
        return None
    if match := _DURATION.fullmatch(text):
        return (datetime.now(UTC) + timedelta(seconds=int(match[1]) * _SECONDS[match[2]])).isoformat()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Failed(f"`{text}` is neither a time such as 2030-01-31T18:00:00Z, nor a duration such as 30m or 7d")
    return found.isoformat()
