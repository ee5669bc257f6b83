"""The commands with which operators change a running daemon: acknowledged findings, pins, draining, the log level."""

from enum import StrEnum
from typing import Annotated

from typer import Argument, Exit, Option

from resolver.cli.command_class import Commands
from resolver.cli.failure import Failed
from resolver.cli.options import AdminUrl, DaemonConfig, Output, OutputForm, admin_url

changes = Commands()
pin = Commands(help="Choose which endpoint has a name, in the running daemon.", no_args_is_help=True)
changes.add_typer(pin, name="pin")


class LogLevelOption(StrEnum):
    """A level of log lines, the least severe first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


UntilText = Annotated[
    str | None,
    Option(metavar="TIME", help="When it ends: 2030-01-31T18:00:00Z, or a duration from now (7d). Default: never."),
]


@changes.command()
def acknowledge(
    finding: Annotated[str, Argument(metavar="ID", help="The id of a finding, as `pldns findings` prints it.")],
    note: Annotated[str | None, Option(help="Why the finding may stay.")] = None,
    until: UntilText = None,
    withdraw: Annotated[bool, Option("--withdraw", help="Remove the acknowledgement.")] = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Note that a finding is known. It stays in the list, and is not counted as open while it says the same."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    as_json = output != Output.TABLE
    if withdraw:
        if note or until:
            raise Failed("--withdraw takes no --note and no --until")
        raise Exit(operator_changes.withdraw(admin_url(admin, config), finding, as_json))
    if not note:
        raise Failed("say why with --note, or remove the acknowledgement with --withdraw")
    raise Exit(operator_changes.acknowledge(admin_url(admin, config), finding, note, until, as_json))


PinnedName = Annotated[str, Argument(metavar="NAME", help="The name, public or private.")]
PinNetwork = Annotated[str | None, Option(help="Only in this network. Default: in all networks.")]


@pin.command("set")
def set_pin(
    name: PinnedName,
    endpoint: Annotated[
        str, Argument(metavar="ENDPOINT", help="An endpoint that claims the name: its id, or its name, as printed.")
    ],
    reason: Annotated[str, Option(help="Why the endpoint should have the name.")],
    network: PinNetwork = None,
    until: UntilText = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Give a name to an endpoint that claims it. Pins of the configuration take precedence."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    wanted = {"name": name, "endpoint": endpoint, "network": network, "reason": reason}
    raise Exit(operator_changes.pin(admin_url(admin, config), wanted, until, output != Output.TABLE))


@pin.command("list")
def list_pins(admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE) -> None:
    """List the pins of the configuration, and those that operators have made."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    raise Exit(operator_changes.pins(admin_url(admin, config), output != Output.TABLE))


@pin.command("remove")
def remove_pin(
    name: PinnedName,
    network: PinNetwork = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Remove the pin that an operator has made. The endpoint stays the incumbent until a rule decides otherwise."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    raise Exit(operator_changes.unpin(admin_url(admin, config), name, network, output != Output.TABLE))


@changes.command()
def drain(
    end: Annotated[bool, Option("--end", help="Report again that pldns is ready.")] = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Have `/readyz` answer 503, so that load balancers move clients away. Queries are answered as before."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    raise Exit(operator_changes.drain(admin_url(admin, config), not end, output != Output.TABLE))


@changes.command("log-level")
def log_level(
    level: Annotated[LogLevelOption | None, Argument(metavar="LEVEL", help="The level to set.")] = None,
    duration: Annotated[
        str, Option("--for", metavar="DURATION", help="When the level goes back to the configured one: 10m, 2h.")
    ] = "10m",
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Show the log level of the running daemon, or set the level of all its processes for some time."""
    from resolver.cli import operator_changes  # noqa: PLC0415

    url, as_json = admin_url(admin, config), output != Output.TABLE
    raise Exit(operator_changes.log_level(url, level.value if level else None, duration, as_json))
