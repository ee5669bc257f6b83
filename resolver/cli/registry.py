"""`pldns registry`: what the registry of a running daemon has, and what owners and consumers do with it."""

from collections.abc import Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json

Wanted = Mapping[str, Sequence[str] | None]
"""The options of a list, by the name of the parameter."""
Decision = Literal["approve", "reject"]


def endpoints(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the private endpoints that the options select; return 0."""
    found = _items(url, "/v1/registry/endpoints", wanted)
    if as_json:
        output.data(found)
        return 0
    rows = [
        (
            each["name"], each["state"], output.short(each["target"]), each["sub_resource"],
            output.short(each["subnet"]), ", ".join(each["addresses"]), ", ".join(each["names"]),
        )
        for each in found[: limit or None]
    ]  # fmt: skip
    output.table(("endpoint", "state", "target", "sub-resource", "subnet", "addresses", "names"), rows)
    if not rows:
        output.line("no private endpoints")
    output.more(len(rows), len(found))
    return 0


def connections(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the connections that the options select; return 0."""
    found = _items(url, "/v1/registry/connections", wanted)
    if as_json:
        output.data(found)
        return 0
    rows = [
        (
            each["name"], each["state"], output.short(each["target"]), each["sub_resource"],
            each["message"], each["description"],
        )
        for each in found[: limit or None]
    ]  # fmt: skip
    output.table(("connection", "state", "target", "sub-resource", "message", "description"), rows)
    if not rows:
        output.line("no connections")
    output.more(len(rows), len(found))
    return 0


def decide(url: str, connection: str, decision: Decision, reason: str, as_json: bool) -> int:
    """Approve or reject a connection; return 0."""
    made = admin_client.post(url, f"{_path('connections', connection)}/{decision}", {"reason": reason})
    if as_json:
        output.data(made)
    else:
        output.line(
            f"the connection of {output.short(made['endpoint'])} to {output.short(made['target'])} is {made['state']}"
        )
    return 0


def _items(url: str, path: str, wanted: Wanted) -> list[Json]:
    return list(admin_client.items(url, path, {name: values for name, values in wanted.items() if values}))


def _path(kind: str, text: str) -> str:
    return f"/v1/registry/{kind}/{quote(text, safe='')}"
