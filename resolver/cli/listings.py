"""The lists of a running daemon as tables: findings, endpoints, zones, sources, networks, upstreams, fallbacks."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from resolver.admin.resources import wording
from resolver.cli import admin_client, finding_text, output
from resolver.cli.admin_client import Json, Parameters


class Listing(NamedTuple):
    """A list of the admin interface, and its table."""

    path: str
    columns: tuple[str, ...]
    row: Callable[[Json], tuple[str, ...]]
    none: str
    """The text in place of an empty table."""
    order: Callable[[Json], int] = lambda _: 0
    """A sort key. By default the order stays that of the daemon."""


def show(name: str, url: str, wanted: Parameters, as_json: bool, limit: int) -> int:
    """Print the items of one of the lists (`LISTINGS`) that the filters `wanted` select; return 0."""
    listing = LISTINGS[name]
    found = sorted(admin_client.items(url, listing.path, wanted), key=listing.order)
    return print_items(listing, found, as_json, limit)


def print_items(listing: Listing, found: list[Json], as_json: bool, limit: int) -> int:
    """Print the items of a list as its table, or all of them as JSON; return 0."""
    if as_json:
        output.data(found)
        return 0
    shown = found[: limit or None]
    output.table(listing.columns, [listing.row(each) for each in shown])
    if not shown:
        output.line(listing.none)
    output.more(len(shown), len(found))
    return 0


def findings(url: str, wanted: Parameters, as_json: bool, limit: int) -> int:
    """Print the findings that `wanted` selects; return 2 when one is an error that nobody has acknowledged, else 0."""
    found = list(admin_client.items(url, "/v1/findings", wanted))
    if as_json:
        output.data(found)
    else:
        shown = found[: limit or None]
        finding_text.write(shown)
        if not shown:
            output.line("no findings")
        output.more(len(shown), len(found))
    return 2 if any(each["severity"] == "error" and not each["acknowledged"] for each in found) else 0


def _endpoint(item: Json) -> tuple[str, ...]:
    return (
        item["name"], item["state"], wording.short(item["target"]), ", ".join(item["groups"]), _networks(item),
        ", ".join(map(_record, item["records"])),
    )  # fmt: skip


def _record(record: Json) -> str:
    by = " (named by the configuration)" if record["configured"] else ""
    return f"{record['fqdn']} {' '.join(record['addresses'])}{by}"


def _zone(item: Json) -> tuple[str, ...]:
    return (item["zone"], item["source"], str(item["names"]), item["on_miss"], f"{item['ttl']} s", _networks(item))


def _source(item: Json) -> tuple[str, ...]:
    state = "held" if item["sync"]["held"] else item["freshness"] or "never read"
    return (
        item["name"], item["type"], state, item["last_success"] or "never", str(item["parts"]), str(item["unreadable"]),
        item["last_error"],
    )  # fmt: skip


def _network(item: Json) -> tuple[str, ...]:
    vnets, reach = (", ".join(map(wording.short, item[key])) for key in ("vnets", "reach"))
    return (item["name"], item["origin"], ", ".join(item["clients"]), vnets, reach or ("" if vnets else "all"))


def _upstream(item: Json) -> tuple[str, ...]:
    time = "" if item["round_trip_ms"] is None else f"{item['round_trip_ms']:.1f} ms"
    return (
        item["group"], item["server"], str(item["worker"]), "up" if item["up"] else "down", time, str(item["answers"]),
        str(item["outstanding"]), str(item["failures"]), item["last_failure"],
    )  # fmt: skip


def _fallback(item: Json) -> tuple[str, ...]:
    return (
        item["name"], item["zone"], item["network"], item["reason"], str(item["count"]), item["last"],
        ", ".join(item["clients"]),
    )  # fmt: skip


def _networks(item: Json) -> str:
    return wording.listed(item["networks"], item["networks_total"])


LISTINGS: Final[Mapping[str, Listing]] = {
    "endpoints": Listing(
        "/v1/endpoints", ("endpoint", "state", "target", "groups", "networks", "records"), _endpoint, "no endpoints"
    ),
    "zones": Listing("/v1/zones", ("zone", "source", "names", "on miss", "ttl", "networks"), _zone, "no zones"),
    "sources": Listing(
        "/v1/sources", ("source", "type", "state", "last success", "parts", "unreadable", "problem"), _source,
        "no sources",
    ),
    "networks": Listing("/v1/networks", ("network", "origin", "clients", "vnets", "reach"), _network, "no networks"),
    "upstreams": Listing(
        "/v1/upstreams",
        (
            "group", "server", "worker", "state", "round trip", "answers", "outstanding", "failures", "last failure",
        ),
        _upstream,
        "no upstream servers",
    ),
    "fallbacks": Listing(
        "/v1/fallbacks", ("name", "zone", "network", "reason", "count", "last", "clients"), _fallback, "no fallbacks",
        order=lambda item: -item["count"],
    ),
}  # fmt: skip
