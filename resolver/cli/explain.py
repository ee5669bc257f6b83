"""`pldns explain`: prints what a client gets for a name, and why."""

from typing import NamedTuple

from resolver.admin.resources.explanation import Explanation
from resolver.cli import admin_client, explanation_tree, output

_ASKING: dict[bool, str] = {True: "true", False: "false"}


class Options(NamedTuple):
    """The arguments of the command."""

    name: str
    rtype: str | None
    client: str
    transport: str
    listener: str | None
    worker: int | None
    ask: bool


def run(url: str, wanted: Options, *, as_json: bool) -> int:
    """Print the explanation of a daemon; return 0. Raises `Failed`."""
    given = {
        "name": wanted.name, "type": wanted.rtype, "client": wanted.client, "transport": wanted.transport,
        "listener": wanted.listener, "worker": wanted.worker, "ask": _ASKING[wanted.ask],
    }  # fmt: skip
    parameters = {key: str(value) for key, value in given.items() if value is not None}
    _print(Explanation.model_validate(admin_client.get(url, "/v1/explain", parameters)), as_json=as_json)
    return 0


def _print(found: Explanation, *, as_json: bool) -> None:
    if as_json:
        output.json_out(found.model_dump(mode="json"))
        return
    for line in explanation_tree.lines(found):
        output.line(line)
