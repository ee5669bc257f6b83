"""The commands of the registry: private endpoints, and connections that wait for approval, for people without `az`."""

from typing import Annotated

from typer import Argument, Exit, Option

from resolver.cli.command_class import Commands
from resolver.cli.options import (
    AdminUrl,
    DaemonConfig,
    NameFilter,
    Output,
    OutputForm,
    RowLimit,
    StateFilter,
    admin_url,
)

registry = Commands(help="List, approve, reject and delete what the registry has.", no_args_is_help=True)

SubscriptionFilter = Annotated[
    list[str] | None, Option("--subscription", help="Only those of this subscription, by name or id; repeatable.")
]
TargetFilter = Annotated[
    list[str] | None, Option("--target", help="Only those to this target, by name, id or alias; repeatable.")
]
ConnectionText = Annotated[
    str,
    Argument(
        metavar="CONNECTION",
        help="A connection: the name of its endpoint, its own name or id. The beginning of a name will do.",
    ),
]
Reason = Annotated[str, Option(help="Why. Both sides see it.")]


@registry.command("list")
def list_(  # noqa: PLR0913, PLR0917 - each is an option of the command
    state: StateFilter = None,
    subscription: SubscriptionFilter = None,
    vnet: Annotated[
        list[str] | None, Option("--vnet", help="Only those in this virtual network, by name or id; repeatable.")
    ] = None,
    target: TargetFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the private endpoints of the registry."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {"state": state, "subscription": subscription, "vnet": vnet, "target": target, "name": name}
    raise Exit(what.endpoints(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@registry.command()
def connections(
    state: StateFilter = None,
    subscription: SubscriptionFilter = None,
    target: TargetFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the connections to targets; `--state pending`: those that wait for approval."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {"state": state, "subscription": subscription, "target": target, "name": name}
    raise Exit(what.connections(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@registry.command()
def approve(
    connection: ConnectionText,
    reason: Reason = "",
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Approve a connection. The names of its endpoint are answered from then on."""
    from resolver.cli import registry as what  # noqa: PLC0415

    raise Exit(what.decide(admin_url(admin, config), connection, "approve", reason, output != Output.TABLE))


@registry.command()
def reject(
    connection: ConnectionText,
    reason: Reason = "",
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Reject a connection, also one that was approved. The names of its endpoint are not answered from then on."""
    from resolver.cli import registry as what  # noqa: PLC0415

    raise Exit(what.decide(admin_url(admin, config), connection, "reject", reason, output != Output.TABLE))
