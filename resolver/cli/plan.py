"""`pldns plan`: what a sync of every source would change of the saved inventory. Needs no daemon, changes nothing."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from resolver.admin.resources import findings
from resolver.admin.resources.model import time_text
from resolver.cli import output, words
from resolver.cli.failure import Failed
from resolver.cli.settings import load
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file
from resolver.control.sync import remotes
from resolver.offline import plan
from resolver.offline.plan import Plan
from resolver.settings import ControlSettings
from zones.dns.name import to_text
from zones.findings.finding import Finding


def run(path: Path, flags: Mapping[str, str], as_json: bool, limit: int) -> int:
    """Write the plan: 0 nothing would change, 2 something would, 1 a source cannot be read."""
    accepted, now = load(path, flags), time.time()
    directory = accepted.control.state_directory
    try:
        saved = inventory_file.load(directory)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise Failed(
            f"the saved inventory {Path(directory) / inventory_file.FORMAT.name} cannot be used: {why}"
        ) from None
    made, before, after = asyncio.run(_made(accepted.control, saved, now))
    opens, closes = _shown(after, made.opens, now), _shown(before, made.closes, now)
    if as_json:
        output.json_out(_told(made, saved) | {"opens": opens, "closes": closes})
    else:
        _write(made, saved, [*_rows(made), *_facts("open", opens), *_facts("close", closes)], limit)
    return 1 if made.errors else 0 if made.is_empty else 2


async def _made(config: ControlSettings, saved: SavedInventory | None, now: float) -> tuple[Plan, Estate, Estate]:
    async with remotes.opened(config) as asked:
        return await plan.made(config, saved, asked, now)


def _shown(estate: Estate, found: list[Finding], now: float) -> list[dict[str, Any]]:
    ordered = sorted(found, key=findings.most_severe_first)
    return [findings.finding(estate.board, fact, now).model_dump(mode="json") for fact in ordered]


def _told(made: Plan, saved: SavedInventory | None) -> dict[str, Any]:
    return {
        "saved_at": time_text(saved.saved_at) if saved else None,
        "endpoints": [{"change": each.kind, "id": each.id, "differs": each.differs} for each in made.endpoints],
        "vnets": [{"change": each.kind, "id": each.id, "differs": each.differs} for each in made.vnets],
        "names": [{"change": kind, "name": to_text(name)} for kind, name in made.names],
        "errors": made.errors, "held": made.held,
    }  # fmt: skip


Row = tuple[str, str, str, str]


def _write(made: Plan, saved: SavedInventory | None, rows: list[Row], limit: int) -> None:
    when = f"saved {time_text(saved.saved_at)}" if saved else "nothing is saved: all is new"
    output.line(f"against the saved inventory ({when})")
    for name, why in made.errors.items():
        output.line(f"source {name}: {why}; what it gave before is kept")
    for name, reasons in made.held.items():
        output.line(f"source {name}: the sync would be held, and nothing of it published: {', '.join(reasons)}")
    shown = rows[: limit or None]
    output.table(("change", "what", "subject", "detail"), shown)
    if not rows:
        output.line("nothing would change")
    output.more(len(shown), len(rows))


def _rows(made: Plan) -> Iterator[Row]:
    for what, changes in (("endpoint", made.endpoints), ("virtual network", made.vnets)):
        for each in changes:
            yield each.kind, what, output.short(each.id), ", ".join(each.differs)
    for kind, name in made.names:
        yield kind, "name", to_text(name), ""


def _facts(change: str, facts: list[dict[str, Any]]) -> Iterator[Row]:
    for fact in facts:
        severity, code, subject, sentence = words.row(fact)
        yield change, f"{severity} {code}", subject, sentence
