"""`pldns findings`, `pldns endpoints` and `pldns zones`: lists of a running daemon."""

from collections.abc import Mapping, Sequence
from itertools import islice

from resolver.cli import admin_client, finding_text, output
from resolver.cli.admin_client import Json


def findings(url: str, wanted: Mapping[str, str | None], as_json: bool, limit: int) -> int:
    """Print the findings; return 2 when one of them is an error, else 0."""
    found = list(admin_client.items(url, "/v1/findings", {key: value for key, value in wanted.items() if value}))
    if as_json:
        output.json_out(found)
    else:
        shown = found[: limit or None]
        finding_text.write(shown)
        if not shown:
            output.line("no findings")
        output.more(len(shown), len(found))
    return 2 if any(finding["severity"] == "error" for finding in found) else 0


def endpoints(url: str, as_json: bool, limit: int) -> int:
    """Print the endpoints; return 0."""
    found = list(admin_client.items(url, "/v1/endpoints"))
    if as_json:
        output.json_out(found)
        return 0
    rows = [
        (
            each["name"], each["state"], output.short(each["target"]), ", ".join(each["groups"]),
            _networks(each),
            ", ".join(map(_record, each["records"])),
        )
        for each in islice(found, limit or None)
    ]  # fmt: skip
    _write(("endpoint", "state", "target", "groups", "networks", "records"), rows, len(found), "no endpoints")
    return 0


def _record(record: Json) -> str:
    by = " (named by the configuration)" if record["configured"] else ""
    return f"{record['fqdn']} {' '.join(record['addresses'])}{by}"


def zones(url: str, as_json: bool, limit: int) -> int:
    """Print the zones; return 0."""
    found = list(admin_client.items(url, "/v1/zones"))
    if as_json:
        output.json_out(found)
        return 0
    rows = [
        (each["zone"], each["source"], str(each["names"]), each["on_miss"], f"{each['ttl']} s", _networks(each))
        for each in islice(found, limit or None)
    ]
    _write(("zone", "source", "names", "on miss", "ttl", "networks"), rows, len(found), "no zones")
    return 0


def _write(columns: tuple[str, ...], rows: Sequence[Sequence[str]], total: int, none: str) -> None:
    output.table(columns, rows)
    if not rows:
        output.line(none)
    output.more(len(rows), total)


def _networks(item: Json) -> str:
    listed, total = item["networks"], item["networks_total"]
    return ", ".join(listed) + (f" and {total - len(listed)} more" if total > len(listed) else "")
