"""The commands that show what a running daemon has: its state, its lists, and the history of these."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from resolver.cli.command_class import Commands
from resolver.cli.options import (
    AdminUrl,
    CodeFilter,
    DaemonConfig,
    KindFilter,
    NameFilter,
    NetworkFilter,
    Output,
    OutputForm,
    RowLimit,
    SeverityFilter,
    SinceText,
    StateFilter,
    ZoneFilter,
    admin_url,
)

if TYPE_CHECKING:
    from resolver.cli.admin_client import Parameters

listings = Commands()


@listings.command()
def status(
    wait: Annotated[float, Option(min=0, metavar="SECONDS", help="Wait so long for a daemon that is not ready.")] = 0.0,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Show the state of the running daemon on one screen. Exit status 1: not ready; 2: a finding is an error."""
    from resolver.cli import status  # noqa: PLC0415

    raise Exit(status.run(admin_url(admin, config), output != Output.TABLE, wait))


@listings.command()
def findings(  # noqa: PLR0913, PLR0917 - each is an option of the command
    code: CodeFilter = None,
    severity: SeverityFilter = None,
    state: StateFilter = None,
    network: NetworkFilter = None,
    zone: ZoneFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the findings of the running daemon. Exit status 2: one of them is an error, and not acknowledged."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(code=code, severity=severity, state=state, network=network, zone=zone, name=name)
    raise Exit(lists.findings(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def endpoints(
    state: StateFilter = None,
    network: NetworkFilter = None,
    zone: ZoneFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the private endpoints that the running daemon knows."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(state=state, network=network, zone=zone, name=name)
    raise Exit(lists.show("endpoints", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def zones(
    zone: ZoneFilter = None,
    network: NetworkFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the zones that the running daemon answers."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(zone=zone, network=network, name=name)
    raise Exit(lists.show("zones", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def sources(
    name: NameFilter = None,
    state: StateFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the sources, and whether their data is fresh."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(name=name, state=state)
    raise Exit(lists.show("sources", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def networks(
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the networks: their clients, and which endpoints are visible there."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(name=name)
    raise Exit(lists.show("networks", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def upstreams(
    name: NameFilter = None,
    state: StateFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List the upstream servers, and what each worker knows of them."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(name=name, state=state)
    raise Exit(lists.show("upstreams", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def fallbacks(
    zone: ZoneFilter = None,
    network: NetworkFilter = None,
    name: NameFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """List names expected to be private that no endpoint answered, the most frequent first."""
    from resolver.cli import listings as lists  # noqa: PLC0415

    wanted = _filters(zone=zone, network=network, name=name)
    raise Exit(lists.show("fallbacks", admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def history(  # noqa: PLR0913, PLR0917 - as above
    name: Annotated[
        str | None, Argument(metavar="NAME", help="Only this name, subject of findings, or source.")
    ] = None,
    kind: KindFilter = None,
    zone: ZoneFilter = None,
    code: CodeFilter = None,
    severity: SeverityFilter = None,
    since: SinceText = None,
    until: Annotated[str | None, Option(metavar="TIME", help="Only changes before this time, as in `--since`.")] = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 50,
) -> None:
    """Show what changed, the newest first: answers for names, findings, and states of sources."""
    from resolver.cli import history  # noqa: PLC0415

    wanted = _filters(name=name, kind=kind, zone=zone, code=code, severity=severity, since=since, until=until)
    raise Exit(history.run(admin_url(admin, config), wanted, output != Output.TABLE, limit))


@listings.command()
def tail(  # noqa: PLR0913, PLR0917 - as above
    name: Annotated[str | None, Option(help="Only this name and names below it.")] = None,
    client: Annotated[str | None, Option(help="Only clients with this address, or in this network as CIDR.")] = None,
    rcode: Annotated[str | None, Option(help="Only replies with this rcode, for example NXDOMAIN.")] = None,
    network: Annotated[str | None, Option(help="Only clients in this network; `none`: in no network.")] = None,
    origin: Annotated[
        str | None,
        Option(help="Only answers of this origin: `endpoint`, `zone`, `fallback`, `upstream` or `pldns`."),
    ] = None,
    seconds: Annotated[str | None, Option(help="Only queries that took at least so many seconds, such as 0.1.")] = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Show the queries that the running daemon answers, as they are answered. Ctrl-C ends it."""
    from resolver.cli import tail  # noqa: PLC0415

    wanted = {
        "name": name, "client": client, "rcode": rcode, "network": network, "origin": origin, "seconds": seconds,
    }  # fmt: skip
    raise Exit(tail.run(admin_url(admin, config), wanted, output != Output.TABLE))


@listings.command("diff")
def history_diff(  # noqa: PLR0913, PLR0917 - as above
    from_: Annotated[
        str, Option("--from", metavar="TIME", help="A time such as 2026-11-28T14:00:00Z, or a duration before now: 2h.")
    ],
    to: Annotated[str, Option("--to", metavar="TIME", help="As `--from`.")] = "now",
    kind: KindFilter = None,
    name: NameFilter = None,
    zone: ZoneFilter = None,
    code: CodeFilter = None,
    severity: SeverityFilter = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """Show what differs between two times. Exit status 2: something does."""
    from resolver.cli import history  # noqa: PLC0415

    wanted = _filters(since=from_, until=to, kind=kind, name=name, zone=zone, code=code, severity=severity)
    raise Exit(history.diff(admin_url(admin, config), wanted, output != Output.TABLE, limit))


def _filters(**given: str | Sequence[str] | None) -> "Parameters":
    """Return the options that were given, as query parameters."""
    return {name: value for name, value in given.items() if value}
