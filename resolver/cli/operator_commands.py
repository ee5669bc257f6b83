"""The commands with which operators change a running daemon: acknowledged findings."""

from typing import Annotated

from typer import Argument, Exit, Option, Typer

from resolver.cli.failure import Failed
from resolver.cli.options import AdminUrl, DaemonConfig, Output, OutputForm, admin_url

changes = Typer()

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

    as_json = output == Output.JSON
    if withdraw:
        if note or until:
            raise Failed("--withdraw takes no --note and no --until")
        raise Exit(operator_changes.withdraw(admin_url(admin, config), finding, as_json))
    if not note:
        raise Failed("say why with --note, or remove the acknowledgement with --withdraw")
    raise Exit(operator_changes.acknowledge(admin_url(admin, config), finding, note, until, as_json))
