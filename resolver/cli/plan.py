"""`pldns plan`: prints what a sync of every source would change in the running daemon, or in what it saved.

Changes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from resolver.admin.resources import findings, wording
from resolver.admin.resources.findings import FindingItem
from resolver.admin.resources.model import time_text
from resolver.cli import admin_client, finding_text, output, progress
from resolver.cli.configuration import load
from resolver.cli.failure import Failed, NoDaemon
from resolver.control.estate.estate import Estate
from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.state import inventory_file
from resolver.control.sync import remotes
from resolver.offline import plan
from resolver.offline.plan import Plan
from resolver.settings import ControlSettings
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import to_text
from zones.findings.finding import Finding


class Basis(NamedTuple):
    """The inventory that the sources are compared with; None where there is none, so that everything is new."""

    inventory: SavedInventory | None
    text: str
    """What it is, for people: the first line of the plan."""
    daemon: str | None
    """The address of the daemon that it is from; None for a saved one."""


def run(url: Callable[[], str], path: Path, flags: Mapping[str, str], as_json: bool, limit: int) -> int:
    """Print the plan; return 0 when nothing would change, 2 when something would, 1 when a source cannot be read.

    `url` returns the address of the daemon.
    """
    accepted, now = load(path, flags), WallTime(time.time())
    basis = _basis(url, path, accepted.control.state_directory)
    return _print(asyncio.run(_made(accepted.control, basis.inventory, now)), basis, now, as_json, limit)


def of_registry(url: str, path: Path, wanted: admin_client.Json, as_json: bool) -> int:
    """Print what a change of the registry would do to names and findings; return 0 when nothing, and else 2.

    `wanted`: the body of the request to `/v1/registry/plan`. `path`: the configuration that the daemon runs.
    """
    octets = admin_client.post_octets(url, "/v1/registry/plan", wanted)
    parts = msgspec.msgpack.decode(octets, type=dict[str, Resources | None])
    config, now = load(path, {}).control, WallTime(time.time())
    source = next((each.name for each in config.sources if each.type == "registry"), None)
    if source is None:
        raise Failed(f"{path} has no source of type `registry`, so the change would not be seen in DNS")
    basis = Basis(_running(url), f"compared with the running daemon at {url}", url)
    assert basis.inventory is not None  # noqa: S101 - as above
    return _print(asyncio.run(plan.of_parts(config, basis.inventory, source, parts, now)), basis, now, as_json, 0)


def _print(found: tuple[Plan, Estate, Estate], basis: Basis, now: WallTime, as_json: bool, limit: int) -> int:
    made, before, after = found
    opens, closes = _items(after, made.opens, now), _items(before, made.closes, now)
    if as_json:
        output.data(_json(made, basis, opens, closes))
    else:
        _write(made, basis, [*_rows(made), *_finding_rows("open", opens), *_finding_rows("close", closes)], limit)
    return 1 if made.errors else 0 if made.is_empty else 2


def _basis(url: Callable[[], str], path: Path, directory: str) -> Basis:
    """Return the inventory of the daemon that runs this configuration, or where there is none, the saved one."""
    try:
        address = url()
        runs = str(admin_client.get(address, "/v1/status")["configuration"]["file"])
        if path.resolve() == Path(runs).resolve():
            return Basis(_running(address), f"compared with the running daemon at {address}", address)
        why = f"the daemon at {address} runs {runs}"
    except NoDaemon as error:
        why = str(error).partition(" (")[0]
    return _saved(directory, why)


def _running(address: str) -> SavedInventory:
    try:
        return inventory_file.decoded([admin_client.octets(address, "/v1/inventory")])
    except ValueError:
        raise Failed(f"the daemon at {address} is of another version: run the `pldns plan` of that version") from None


def _saved(directory: str, why: str) -> Basis:
    try:
        saved = inventory_file.load(directory)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        file = Path(directory) / inventory_file.FORMAT.name
        raise Failed(f"cannot use the saved inventory {file}: {reason}") from None
    when = f"saved {time_text(saved.saved_at)}" if saved else "nothing is saved, so everything is new"
    return Basis(saved, f"compared with the saved inventory ({when}), because {why}", None)


async def _made(config: ControlSettings, saved: SavedInventory | None, now: WallTime) -> tuple[Plan, Estate, Estate]:
    async with remotes.opened(config) as opened:
        asked = opened.sources
        with progress.steps(1 + len(asked)) as begin:
            return await plan.made(config, saved, asked, now, begin)


def _items(estate: Estate, found: list[Finding], now: WallTime) -> list[FindingItem]:
    ordered = sorted(found, key=findings.most_severe_first)
    return [findings.finding(estate.board, fact, now) for fact in ordered]


def _json(made: Plan, basis: Basis, opens: list[FindingItem], closes: list[FindingItem]) -> dict[str, Any]:
    saved = basis.inventory if basis.daemon is None else None
    return {
        "daemon": basis.daemon, "saved_at": time_text(saved.saved_at) if saved else None,
        "endpoints": [{"change": each.kind, "id": each.id, "differs": each.differs} for each in made.endpoints],
        "vnets": [{"change": each.kind, "id": each.id, "differs": each.differs} for each in made.vnets],
        "names": [{"change": kind, "name": to_text(name)} for kind, name in made.names],
        "errors": made.errors, "held": made.held,
        "opens": [each.model_dump(mode="json") for each in opens],
        "closes": [each.model_dump(mode="json") for each in closes],
    }  # fmt: skip


Row = tuple[str, str, str, str]
"""Change, what changes, subject, detail."""


def _write(made: Plan, basis: Basis, rows: list[Row], limit: int) -> None:
    output.line(basis.text)
    for name, why in made.errors.items():
        has = basis.inventory is not None and name in basis.inventory.sources
        data = "its last data is kept" if has else "there is no data of it"
        output.line(f"source {name}: {why}; {data}")
    for name, reasons in made.held.items():
        output.line(f"source {name}: the sync would be held and not published: {', '.join(reasons)}")
    shown = rows[: limit or None]
    output.table(("change", "what", "subject", "detail"), shown)
    if not rows:
        output.line("nothing would change")
    output.more(len(shown), len(rows))


def _rows(made: Plan) -> Iterator[Row]:
    for what, changes in (("endpoint", made.endpoints), ("virtual network", made.vnets)):
        for each in changes:
            yield each.kind, what, wording.short(each.id), ", ".join(each.differs)
    for kind, name in made.names:
        yield kind, "name", to_text(name), ""


def _finding_rows(change: str, found: list[FindingItem]) -> Iterator[Row]:
    for each in found:
        severity, code, _, subject, sentence = finding_text.row(each.model_dump(mode="json"))
        yield change, f"{severity} {code}", subject, sentence
