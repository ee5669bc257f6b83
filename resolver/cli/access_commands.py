"""The commands for access to the running daemon: tokens, the audit log, and the page."""

from enum import StrEnum
from typing import Annotated

from typer import Argument, Exit, Option

from resolver.cli.command_class import Commands
from resolver.cli.options import DEFAULT_CONFIG, AdminUrl, DaemonConfig, Output, OutputForm, RowLimit, admin_url

token = Commands(help="Make, list and revoke bearer tokens of the running daemon.", no_args_is_help=True)


class RoleOption(StrEnum):
    """A role. `resolver.admin.access.identity` has the same values but takes longer to import."""

    REGISTRY = "registry"
    READ = "read"
    OPERATE = "operate"
    ADMIN = "admin"


TokenName = Annotated[str, Argument(metavar="NAME", help="Name of the token.")]


@token.command()
def new(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: TokenName,
    role: Annotated[RoleOption, Option(help="What the token permits.")] = RoleOption.READ,
    expires: Annotated[
        str | None, Option(metavar="TIME", help="When it ends, such as 2030-01-31T18:00:00Z. Default: never.")
    ] = None,
    owner: Annotated[
        list[str] | None, Option(help="Subscription of the registry in which the token owns everything; repeatable.")
    ] = None,
    consumer: Annotated[
        list[str] | None, Option(help="Subscription in which the token may make networks and endpoints; repeatable.")
    ] = None,
    reader: Annotated[
        list[str] | None, Option(help="Subscription of the registry in which the token may read; repeatable.")
    ] = None,
    configured: Annotated[
        bool, Option("--configured", help="Print an item for `admin.tokens` of the configuration. Needs no daemon.")
    ] = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Make a token, and print it. It is not shown again.

    With --owner, --consumer or --reader, it may do that in the registry and nothing else there. A token of the role
    `registry` can use nothing but the registry.
    """
    from resolver.cli import access  # noqa: PLC0415

    roles = {"owner": owner or [], "consumer": consumer or [], "reader": reader or []}
    roles = {role: subscriptions for role, subscriptions in roles.items() if subscriptions}
    as_json = output != Output.TABLE
    if configured:
        raise Exit(access.configured(name, role.value, roles, as_json))
    raise Exit(
        access.new(
            admin_url(admin, config), name, {"role": role.value, "expires": expires, "registry": roles or None}, as_json
        )
    )


@token.command("list")
def list_(admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE) -> None:
    """List the tokens, without their text."""
    from resolver.cli import access  # noqa: PLC0415

    raise Exit(access.listed(admin_url(admin, config), output != Output.TABLE))


@token.command()
def revoke(
    token: TokenName, admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE
) -> None:
    """Remove a token. It is refused from then on."""
    from resolver.cli import access  # noqa: PLC0415

    raise Exit(access.revoke(admin_url(admin, config), token, output != Output.TABLE))


def audit(
    name: Annotated[list[str] | None, Option(help="Only changes of this target; repeatable.")] = None,
    who: Annotated[list[str] | None, Option(help="Only changes by this user or token; repeatable.")] = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the changes that operators made in the running daemon, the newest first: who, what, before and after."""
    from resolver.cli import access  # noqa: PLC0415

    raise Exit(
        access.audit(admin_url(admin, config), {"name": name or (), "who": who or ()}, output != Output.TABLE, limit)
    )


def dashboard(
    open_: Annotated[bool, Option("--open", help="Also open it in the browser of this machine.")] = False,
    config: DaemonConfig = None,
) -> None:
    """Print the address of the page that shows the running daemon in a browser."""
    from resolver.cli import dashboard  # noqa: PLC0415

    raise Exit(dashboard.run(config, DEFAULT_CONFIG, open_browser=open_))
