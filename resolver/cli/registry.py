"""`pldns registry`: what the registry of a running daemon has, and what owners and consumers do with it."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import quote

from resolver.admin.resources import wording
from resolver.cli import admin_client, listings, output
from resolver.cli.admin_client import Json
from resolver.cli.failure import Failed, NotFound
from resolver.cli.listings import Listing

Wanted = Mapping[str, Sequence[str] | None]
"""The options of a list, by the name of the parameter."""
Decision = Literal["approve", "reject"]
Kind = Literal["endpoints", "connections"]


def endpoints(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the private endpoints that the options select; return 0."""
    return _print(url, _ENDPOINTS, wanted, as_json, limit)


def connections(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the connections that the options select; return 0."""
    return _print(url, _CONNECTIONS, wanted, as_json, limit)


def subnets(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the subnets that the options select; return 0."""
    return _print(url, _SUBNETS, wanted, as_json, limit)


def targets(url: str, wanted: Wanted, as_json: bool, limit: int) -> int:
    """Print the targets that the options select; return 0."""
    return _print(url, _TARGETS, wanted, as_json, limit)


def show(url: str, name: str, as_json: bool) -> int:
    """Print a private endpoint, or the connection of this name; return 0."""
    try:
        found = admin_client.get(url, _path("endpoints", name))
    except NotFound as no_endpoint:
        try:
            found = admin_client.get(url, _path("connections", name))
        except NotFound:
            raise no_endpoint from None
    if as_json:
        output.data(found)
        return 0
    for key, value in found.items():
        text = ", ".join(value) if isinstance(value, list) else _pairs(value) if isinstance(value, dict) else value
        if key != "etag" and text not in {"", False}:
            output.line(f"{key.replace('_', '-')}: {'yes' if text is True else text}")
    return 0


def create_endpoint(url: str, wanted: Json, as_json: bool) -> int:
    """Make a private endpoint; return 0."""
    made = admin_client.post(url, "/v1/registry/endpoints", wanted)
    if as_json:
        output.data(made)
        return 0
    names = f", {', '.join(made['names'])}" if made["names"] else ""
    output.line(f"{wording.short(made['id'])} is {made['state']}: {', '.join(made['addresses'])}{names}")
    if made["state"] == "Pending":
        output.note("the owner of the target approves it: `pldns registry approve`")
    return 0


def create_network(url: str, wanted: Json, subnets: Sequence[str], as_json: bool) -> int:
    """Make a virtual network with subnets, each given as `NAME=CIDR`; return 0."""
    pairs = [text.partition("=") for text in subnets]
    if wrong := [text for text, (_, mark, _) in zip(subnets, pairs, strict=True) if not mark]:
        raise Failed(f"--subnet {wrong[0]}: not NAME=CIDR, as in `--subnet pe=10.1.0.0/24`")
    body = {**wanted, "subnets": [{"name": name, "prefix": prefix} for name, _, prefix in pairs]}
    made = admin_client.post(url, "/v1/registry/networks", body)
    if as_json:
        output.data(made)
    else:
        names = ", ".join(wording.short(each["id"]) for each in made["subnets"])
        output.line(f"{wanted['name']} has the subnets {names}")
    return 0


def create_target(url: str, wanted: Json, as_json: bool) -> int:
    """Make a target; return 0."""
    made = admin_client.post(url, "/v1/registry/targets", wanted)
    if as_json:
        output.data(made)
    else:
        offers = f": {', '.join(made['sub_resources'])}" if made["sub_resources"] else ""
        output.line(f"{wording.short(made['id'])} can be connected to{offers}")
    return 0


def delete(url: str, kind: Kind, name: str, as_json: bool) -> int:
    """Delete a private endpoint, or remove a connection; return 0."""
    gone = admin_client.post(url, f"{_path(kind, name)}/delete", {})
    if as_json:
        output.data(gone)
    elif kind == "endpoints":
        output.line(f"{wording.short(gone['id'])} is deleted")
    else:
        output.line(f"{wording.short(gone['endpoint'])} is disconnected from {wording.short(gone['target'])}")
    return 0


def decide(url: str, connection: str, decision: Decision, reason: str, as_json: bool) -> int:
    """Approve or reject a connection; return 0."""
    made = admin_client.post(url, f"{_path('connections', connection)}/{decision}", {"reason": reason})
    if as_json:
        output.data(made)
    else:
        output.line(
            f"the connection of {wording.short(made['endpoint'])} to {wording.short(made['target'])} is {made['state']}"
        )
    return 0


def _print(url: str, listing: Listing, wanted: Wanted, as_json: bool, limit: int) -> int:
    given = {name: values for name, values in wanted.items() if values}
    return listings.print_items(listing, list(admin_client.items(url, listing.path, given)), as_json, limit)


def _path(kind: str, text: str) -> str:
    return f"/v1/registry/{kind}/{quote(text, safe='')}"


def _pairs(values: Json) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _endpoint(item: Json) -> tuple[str, ...]:
    return (
        item["name"], item["state"], wording.short(item["target"]), item["sub_resource"], wording.short(item["subnet"]),
        ", ".join(item["addresses"]), ", ".join(item["names"]),
    )  # fmt: skip


def _connection(item: Json) -> tuple[str, ...]:
    return (
        item["name"], item["state"], wording.short(item["target"]), item["sub_resource"], item["message"],
        item["description"],
    )  # fmt: skip


def _subnet(item: Json) -> tuple[str, ...]:
    return wording.short(item["id"]), item["location"], ", ".join(item["prefixes"]), str(item["endpoints"])


def _target(item: Json) -> tuple[str, ...]:
    return wording.short(item["id"]), item["type"], item["location"], item["alias"], ", ".join(item["sub_resources"])


_ENDPOINTS: Final = Listing(
    "/v1/registry/endpoints", ("endpoint", "state", "target", "sub-resource", "subnet", "addresses", "names"),
    _endpoint, "no private endpoints",
)  # fmt: skip
_CONNECTIONS: Final = Listing(
    "/v1/registry/connections", ("connection", "state", "target", "sub-resource", "message", "description"),
    _connection, "no connections",
)  # fmt: skip
_SUBNETS: Final = Listing(
    "/v1/registry/subnets", ("subnet", "location", "prefixes", "endpoints"), _subnet, "no subnets"
)
_TARGETS: Final = Listing(
    "/v1/registry/targets", ("target", "type", "location", "alias", "sub-resources"), _target, "no targets"
)
