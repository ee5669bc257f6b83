"""`pldns explain`: prints what a client gets for a name, and why."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from resolver.admin.resources.explanation import Asked, Explanation
from resolver.admin.resources.question import InvalidQuestion, client, question
from resolver.cli import admin_client, explanation_tree, offline_explanation, output
from resolver.cli.failure import Failed, NoDaemon
from resolver.cli.options import DEFAULT_CONFIG
from resolver.host_port import InvalidHostPort, parse
from resolver.settings import Transport
from zones.networks.network import Network

_ASKING: dict[bool, str] = {True: "true", False: "false"}


class Options(NamedTuple):
    """The arguments of the command."""

    name: str
    rtype: str | None
    client: str
    transport: Transport
    listener: str | None
    worker: int | None
    ask: bool


class Configuration(NamedTuple):
    """The configuration to explain by where no daemon does, and what the command line changes in it.

    `named`: the user gave its path, so that only a daemon that runs it may explain.
    """

    path: Path | None
    named: bool
    flags: Mapping[str, str]


def run(url: Callable[[], str], configuration: Configuration, wanted: Options, *, as_json: bool) -> int:
    """Print the explanation; return 0. Raises `Failed`.

    `url` returns the address of the daemon. Without a daemon that runs the configuration, or with flags, explains by
    the configuration itself.
    """
    path, named, flags = configuration
    asked = _asked(wanted)  # a mistake is found before a daemon is looked for
    if flags:
        why = "`--set` changes the configuration"
    else:
        try:
            address = url()
            found = _of_daemon(address, wanted)
        except NoDaemon as error:
            if path is None:
                raise
            why = str(error).partition(" (")[0]
        else:
            if path is None or not named or _is_same(path, found.configuration):
                _print(found, as_json=as_json)
                return 0
            why = f"the one at {address} runs {found.configuration}"
    if wanted.ask or wanted.worker is not None:
        raise Failed(f"`--ask` and `--worker` need a running daemon: {why}")
    _print(offline_explanation.explained(path or DEFAULT_CONFIG, flags, asked), as_json=as_json, why=why)
    return 0


def _is_same(path: Path, other: str) -> bool:
    """Return whether two paths lead to one file. That of a daemon in a container may not exist here."""
    return path.resolve() == Path(other).resolve()


def _of_daemon(url: str, wanted: Options) -> Explanation:
    given = {
        "name": wanted.name, "type": wanted.rtype, "client": wanted.client, "transport": wanted.transport,
        "listener": wanted.listener, "worker": wanted.worker, "ask": _ASKING[wanted.ask],
    }  # fmt: skip
    parameters = {key: str(value) for key, value in given.items() if value is not None}
    return Explanation.model_validate(admin_client.get(url, "/v1/explain", parameters))


def _asked(wanted: Options) -> Callable[[Iterable[Network]], Asked]:
    """Return the question, as a function of the networks. Raises `Failed` for a text that is none.

    The function raises `Failed` for a client that is neither an address nor one of the networks.
    """
    try:
        asked = question(wanted.name, wanted.rtype)
    except InvalidQuestion as error:
        raise Failed(str(error)) from None
    try:
        listener = parse(wanted.listener) if wanted.listener else None
    except InvalidHostPort as error:
        raise Failed(f"listener: {error}") from None

    def of(networks: Iterable[Network]) -> Asked:
        try:
            address, network = client(wanted.client, networks)
        except InvalidQuestion as error:
            raise Failed(str(error)) from None
        return Asked(asked, address, wanted.transport, listener, network)

    return of


def _print(found: Explanation, *, as_json: bool, why: str = "") -> None:
    if as_json:
        output.data(found.model_dump(mode="json"))
        return
    if why:
        saved = f"the inventory saved at {found.saved}" if found.saved else "no saved inventory"
        for line in explanation_tree.wrapped(f"without a daemon ({why}): from {found.configuration} and {saved}"):
            output.line(line)
    for line in explanation_tree.lines(found):
        output.line(line)
