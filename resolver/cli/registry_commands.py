"""The commands of the registry: private endpoints, and connections that wait for approval, for people without `az`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from resolver.cli.command_class import Commands
from resolver.cli.options import (
    DEFAULT_CONFIG,
    AdminUrl,
    DaemonConfig,
    NameFilter,
    Output,
    OutputForm,
    RowLimit,
    StateFilter,
    admin_url,
)

if TYPE_CHECKING:  # a command loads the client when it asks the daemon
    from resolver.cli.admin_client import Json

registry = Commands(help="Show, make, approve, reject and delete what the registry has.", no_args_is_help=True)
_create = Commands(help="Make an endpoint, a network or a target. Changes nothing that exists.", no_args_is_help=True)
registry.add_typer(_create, name="create")

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
        help="A connection: the name of its endpoint, its own name or id.",
    ),
]
Reason = Annotated[str, Option(help="Why. Both sides see it.")]
DryRun = Annotated[
    bool,
    Option(
        "--dry-run",
        help="Only show what the change would do to names and findings, as `pldns plan` does. Exit status 2: something "
        "would change.",
    ),
]
NewName = Annotated[str, Argument(metavar="NAME", help="The name of the new resource.")]
Group = Annotated[str, Option("--group", "-g", help="Resource group. It is made if it does not exist.")]
Location = Annotated[str, Option("--location", "-l", help="Location, such as westeurope.")]
Subscription = Annotated[
    str, Option("--subscription", help="Subscription, by name or id. Default: the only one that you see.")
]


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
    dry_run: DryRun = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Approve a connection. The names of its endpoint are answered from then on."""
    from resolver.cli import registry as what  # noqa: PLC0415

    if dry_run:
        raise Exit(_plan(admin, config, output, {"action": "approve", "name": connection}))
    raise Exit(what.decide(admin_url(admin, config), connection, "approve", reason, output != Output.TABLE))


@registry.command()
def reject(
    connection: ConnectionText,
    reason: Reason = "",
    dry_run: DryRun = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Reject a connection, also one that was approved. The names of its endpoint are not answered from then on."""
    from resolver.cli import registry as what  # noqa: PLC0415

    if dry_run:
        raise Exit(_plan(admin, config, output, {"action": "reject", "name": connection}))
    raise Exit(what.decide(admin_url(admin, config), connection, "reject", reason, output != Output.TABLE))


@registry.command()
def show(
    name: Annotated[
        str, Argument(metavar="NAME", help="A private endpoint or a connection: its name, id, or beginning of a name.")
    ],
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Show a private endpoint with its addresses and names, or a connection."""
    from resolver.cli import registry as what  # noqa: PLC0415

    raise Exit(what.show(admin_url(admin, config), name, output != Output.TABLE))


@registry.command()
def delete(
    name: Annotated[
        str,
        Argument(
            metavar="NAME", help="A private endpoint: its name or id. With --connection, a connection as in `approve`."
        ),
    ],
    connection: Annotated[
        bool, Option("--connection", help="As the owner of a target: remove a connection, not the endpoint.")
    ] = False,
    dry_run: DryRun = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Delete a private endpoint, or remove a connection; its endpoint can then only be deleted."""
    from resolver.cli import registry as what  # noqa: PLC0415

    if dry_run:
        raise Exit(_plan(admin, config, output, {"action": "remove" if connection else "delete", "name": name}))
    kind: what.Kind = "connections" if connection else "endpoints"
    raise Exit(what.delete(admin_url(admin, config), kind, name, output != Output.TABLE))


@registry.command()
def subnets(
    subscription: SubscriptionFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the subnets, in which private endpoints can be."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {"subscription": subscription, "name": name}
    raise Exit(what.subnets(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@registry.command()
def targets(
    subscription: SubscriptionFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List what private endpoints can connect to: resources and private link services."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {"subscription": subscription, "name": name}
    raise Exit(what.targets(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@_create.command("endpoint")
def create_endpoint(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: NewName,
    subnet: Annotated[str, Option(metavar="NETWORK/SUBNET", help="Where its addresses come from.")],
    target: Annotated[str, Option(help="What it connects to: name, id or alias.")],
    sub_resource: Annotated[
        str, Option("--sub-resource", help="Group id, such as blob. Default: the only one of the target.")
    ] = "",
    group: Annotated[str, Option("--group", "-g", help="Resource group. Default: that of the virtual network.")] = "",
    manual: Annotated[
        bool, Option("--manual", help="Ask the owner of the target for approval, although you may approve.")
    ] = False,
    message: Annotated[str, Option(help="To the owner of the target.")] = "",
    address: Annotated[
        list[str] | None, Option(help="A static address; repeatable, one for each member of the sub-resource.")
    ] = None,
    dry_run: DryRun = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make a private endpoint. It is approved at once if you own the target, unless you say `--manual`."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {
        "name": name, "subnet": subnet, "target": target, "sub_resource": sub_resource, "group": group,
        "manual": manual, "message": message, "addresses": address or [],
    }  # fmt: skip
    if dry_run:
        raise Exit(_plan(admin, config, output, {"action": "create", "endpoint": wanted}))
    raise Exit(what.create_endpoint(admin_url(admin, config), wanted, output != Output.TABLE))


@_create.command("network")
def create_network(  # noqa: PLR0913, PLR0917 - as above
    name: NewName,
    group: Group,
    location: Location,
    prefix: Annotated[list[str], Option(metavar="CIDR", help="Its address space; repeatable.")],
    subnet: Annotated[list[str], Option(metavar="NAME=CIDR", help="A subnet of it; repeatable.")],
    subscription: Subscription = "",
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make a virtual network with subnets."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {"name": name, "group": group, "location": location, "prefixes": prefix, "subscription": subscription}
    raise Exit(what.create_network(admin_url(admin, config), wanted, subnet, output != Output.TABLE))


@_create.command("target")
def create_target(  # noqa: PLR0913, PLR0917 - as above
    name: NewName,
    type_: Annotated[str, Option("--type", help="Such as Microsoft.Storage/storageAccounts, or storageAccounts.")],
    group: Group,
    location: Location,
    kind: Annotated[str, Option(help="Kind of the resource, such as StorageV2.")] = "",
    subscription: Subscription = "",
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make a resource that private endpoints can connect to, such as a storage account."""
    from resolver.cli import registry as what  # noqa: PLC0415

    wanted = {
        "name": name, "type": type_, "group": group, "location": location, "kind": kind, "subscription": subscription
    }  # fmt: skip
    raise Exit(what.create_target(admin_url(admin, config), wanted, output != Output.TABLE))


def _plan(admin: str | None, config: Path | None, output: Output, wanted: "Json") -> int:
    """Print what a change would do; return the exit status."""
    from resolver.cli import plan  # noqa: PLC0415

    return plan.of_registry(admin_url(admin, config), config or DEFAULT_CONFIG, wanted, output != Output.TABLE)
