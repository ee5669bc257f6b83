"""The commands. Each one imports what it needs when it runs, to start quickly."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option

from resolver.cli import access_commands, operator_commands, registry_commands
from resolver.cli.command_class import Commands
from resolver.cli.failure import Failed
from resolver.cli.list_commands import listings
from resolver.cli.options import (
    DEFAULT_CONFIG,
    AdminUrl,
    CloudOption,
    ConfigFile,
    DaemonConfig,
    ForwarderProduct,
    NameText,
    Output,
    OutputForm,
    Overrides,
    RowLimit,
    ServerText,
    Shell,
    SourceName,
    TransportOption,
    TypeText,
    admin_url,
)

if TYPE_CHECKING:
    from resolver.control.guard.sync_state import SyncAction
    from resolver.host_port import HostPort

app = Commands(
    help="Private DNS resolver for Azure Private Endpoints.", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
_config = Commands(help="Show the configuration in effect, or its schema.", no_args_is_help=True)
app.add_typer(_config, name="config")
_sync = Commands(help="Show and control the syncs of sources in the running daemon.", no_args_is_help=True)
app.add_typer(_sync, name="sync")
_cache = Commands(help="Show and flush the caches of the running daemon.", no_args_is_help=True)
app.add_typer(_cache, name="cache")
app.add_typer(listings)
app.add_typer(operator_commands.changes)
app.add_typer(access_commands.token, name="token")
app.command()(access_commands.audit)
app.command()(access_commands.dashboard)
app.add_typer(registry_commands.registry, name="registry")


@app.command()
def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    override: Overrides = None,
    takeover: Annotated[
        bool, Option("--takeover", help="Take over from the pldns that uses the same state directory, if there is one.")
    ] = False,
) -> None:
    """Answer DNS queries until SIGTERM or Ctrl-C."""
    from resolver.supervisor import serve  # noqa: PLC0415

    start = serve.Start.TAKEOVER if takeover else serve.Start.FRESH
    raise Exit(serve.serve(config, _flags(override), start))


@app.command()
def reload(admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE) -> None:
    """Have the running daemon read its configuration again. Exit status 1: it has mistakes, and the old one goes on."""
    from resolver.cli import reload  # noqa: PLC0415

    raise Exit(reload.run(admin_url(admin, config), output != Output.TABLE))


@app.command()
def check(
    config: ConfigFile = DEFAULT_CONFIG,
    override: Overrides = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """Read the configuration and every source, and list the findings. Needs no daemon.

    For remote sources, uses the inventory that the daemon saved. Exit status 2: a finding is an error.
    """
    from resolver.cli import check  # noqa: PLC0415

    raise Exit(check.run(config, _flags(override), output != Output.TABLE, limit))


@app.command()
def explain(  # noqa: PLR0913, PLR0917 - each is an option of the command
    name: Annotated[str, Argument(metavar="NAME", help="A domain name; or an address, for its PTR name.")],
    rtype: Annotated[
        str | None, Argument(metavar="TYPE", help="Record type: A, AAAA, PTR, TXT, … or TYPE65. Default: A.")
    ] = None,
    client: Annotated[
        str, Option(metavar="ADDRESS|NETWORK", help="The client that asks; a network: the first address of it.")
    ] = "127.0.0.1",
    transport: Annotated[TransportOption, Option(help="How the query comes.")] = TransportOption.UDP,
    listener: Annotated[
        str | None, Option(metavar="ADDRESS:PORT", help="Where the query arrives, if `dns.listeners` has that.")
    ] = None,
    worker: Annotated[int | None, Option(min=0, help="The worker to ask. Default: the first.")] = None,
    ask: Annotated[bool, Option("--ask", help="Ask the upstream servers, if a client's query would.")] = False,
    override: Overrides = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Explain what a client gets for a name: network, zone, claims, upstream, cache and reply.

    A worker answers the question as it would answer the client, and changes nothing. Without a daemon that runs the
    given configuration, the answer is made from that, its files and the inventory that a daemon saved; the first line
    says so.
    """
    from resolver.cli import explain  # noqa: PLC0415

    wanted = explain.Options(name, rtype, client, transport.value, listener, worker, ask)
    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    by = explain.Configuration(path, named=config is not None and admin is None, flags=_flags(override))
    raise Exit(explain.run(partial(admin_url, admin, config), by, wanted, as_json=output != Output.TABLE))


@app.command()
def plan(
    config: ConfigFile = DEFAULT_CONFIG,
    override: Overrides = None,
    admin: AdminUrl = None,
    output: OutputForm = Output.TABLE,
    limit: RowLimit = 200,
) -> None:
    """Read every source, and show what the next sync would change. Changes nothing.

    Compares with the running daemon, or where none answers, with the inventory that it saved: the first line says
    which. Exit status 2: something would change.
    """
    from resolver.cli import plan  # noqa: PLC0415

    raise Exit(plan.run(partial(admin_url, admin, config), config, _flags(override), output != Output.TABLE, limit))


@app.command()
def export(
    out: Annotated[Path, Argument(metavar="OUT", help="File to write; `-` is standard output.")],
    config: ConfigFile = DEFAULT_CONFIG,
    override: Overrides = None,
    saved: Annotated[bool, Option("--saved", help="Use the inventory that the daemon saved; read no source.")] = False,
    redact: Annotated[
        bool, Option("--redact", help="Replace names and ids by hashes, equal ones by equal hashes.")
    ] = False,
    force: Annotated[bool, Option("--force", help="Replace OUT if it exists.")] = False,
) -> None:
    """Read every source, and write the whole estate to one file, which a source of type `files` can read.

    For a pldns that cannot reach Azure, and for bug reports. Exit status 1: part of the estate could not be read.
    """
    from resolver.cli import export  # noqa: PLC0415

    raise Exit(export.run(out, config, _flags(override), saved=saved, force=force, redact=redact))


@app.command()
def query(
    name: NameText,
    rtype: TypeText = "A",
    server: ServerText = None,
    source: Annotated[
        str | None, Option("--source", "-b", metavar="ADDRESS", help="Send the query from this local address.")
    ] = None,
    tcp: Annotated[bool, Option("--tcp", help="Use TCP from the start.")] = False,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Send a query to the running daemon, or to any other server, and print the reply."""
    from resolver.cli import query  # noqa: PLC0415

    at = _server_address(server, config)
    raise Exit(query.run(name, rtype, at, source=source, tcp=tcp, as_json=output != Output.TABLE))


@_sync.command()
def status(admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE) -> None:
    """Show each source: fresh or stale, last and next sync, and problems. Exit status 2: a sync is held."""
    from resolver.cli import sync  # noqa: PLC0415

    raise Exit(sync.status(admin_url(admin, config), output != Output.TABLE))


@_sync.command()
def now(
    source: SourceName = None,
    wait: Annotated[
        bool | None,
        Option("--wait/--no-wait", help="Wait for the result, for a minute at most. Default: on a terminal."),
    ] = None,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Sync a source now. Exit status 2: the sync is held."""
    from resolver.cli import sync  # noqa: PLC0415

    raise Exit(sync.now(admin_url(admin, config), source, output != Output.TABLE, wait))


@_sync.command()
def accept(
    source: SourceName = None, admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE
) -> None:
    """Publish the held sync of a source; resources that the sync lacks are removed."""
    _act(source, "accept", admin, config, output)


@_sync.command()
def drop(
    source: SourceName = None, admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE
) -> None:
    """Discard the held sync of a source; dropped files keep their last data until they change."""
    _act(source, "drop", admin, config, output)


def _act(source: str | None, action: "SyncAction", admin: str | None, config: Path | None, output: Output) -> None:
    from resolver.cli import sync  # noqa: PLC0415

    raise Exit(sync.act(admin_url(admin, config), source, action, output != Output.TABLE))


@_cache.command("show")
def show_cache(admin: AdminUrl = None, config: DaemonConfig = None, output: OutputForm = Output.TABLE) -> None:
    """Show the size of each worker's caches."""
    from resolver.cli import cache  # noqa: PLC0415

    raise Exit(cache.show(admin_url(admin, config), output != Output.TABLE))


@_cache.command()
def flush(
    name: NameText,
    rtype: Annotated[str | None, Option("--type", metavar="TYPE", help="Only replies for this record type.")] = None,
    subtree: Annotated[bool, Option("--subtree", help="Also all names below NAME; `.` means everything.")] = False,
    admin: AdminUrl = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """Remove upstream replies for a name from the caches of all workers."""
    from resolver.cli import cache  # noqa: PLC0415

    raise Exit(cache.flush(admin_url(admin, config), name, rtype, subtree, output != Output.TABLE))


@_config.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file."""
    from resolver.cli import configuration  # noqa: PLC0415

    raise Exit(configuration.schema())


@_config.command()
def show(config: ConfigFile = DEFAULT_CONFIG, override: Overrides = None, output: OutputForm = Output.TABLE) -> None:
    """Show every setting in effect, and where it comes from."""
    from resolver.cli import configuration  # noqa: PLC0415

    raise Exit(configuration.show(config, _flags(override), output != Output.TABLE))


@_config.command()
def diff(admin: AdminUrl = None, config: ConfigFile = DEFAULT_CONFIG, output: OutputForm = Output.TABLE) -> None:
    """Show what a reload would change, if FILE were the configuration file of the running daemon.

    Exit status 2: something would change, or the reload would be refused because it needs a restart.
    """
    from resolver.cli import config_diff  # noqa: PLC0415

    raise Exit(config_diff.run(admin_url(admin, config), config, output != Output.TABLE))


@app.command()
def catalogue(
    name: Annotated[str | None, Argument(metavar="NAME", help="Show how this public or private name maps.")] = None,
    cloud: Annotated[CloudOption | None, Option(help="Only rows of this cloud.")] = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """List the catalogue of private-link zones, or show how it maps a name, and by which rule. Needs no daemon."""
    from resolver.cli import catalogue  # noqa: PLC0415

    raise Exit(catalogue.run(name, config, DEFAULT_CONFIG, cloud, output != Output.TABLE))


@app.command()
def suffixes(
    product: Annotated[
        ForwarderProduct | None, Option("--for", help="Print the configuration of this product, not a list.")
    ] = None,
    server: Annotated[
        list[str] | None,
        Option(metavar="ADDRESS[:PORT]", help="Where the product reaches pldns; repeatable."),
    ] = None,
    all_: Annotated[
        bool, Option("--all", help="All suffixes of the catalogue, also those without an endpoint.")
    ] = False,
    cloud: Annotated[CloudOption | None, Option(help="Of the catalogue, only suffixes of this cloud.")] = None,
    also: Annotated[
        list[str] | None, Option(metavar="NAME", help="Another suffix, for example a reverse zone; repeatable.")
    ] = None,
    config: DaemonConfig = None,
    output: OutputForm = Output.TABLE,
) -> None:
    """List the suffixes that other resolvers forward to pldns, or print the configuration for it. Needs no daemon.

    Only suffixes of the estate; all those of the catalogue with `--all` or without a configuration file. For remote
    sources, uses the inventory that the daemon saved.
    """
    from resolver.cli import suffixes  # noqa: PLC0415

    path = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)
    raise Exit(
        suffixes.run(
            path,
            suffixes.Wanted(whole=all_, cloud=cloud, also=also or ()),
            product=product,
            servers=server or (),
            as_json=output != Output.TABLE,
        )
    )


@app.command()
def healthcheck(
    server: ServerText = None,
    timeout: Annotated[float, Option(min=0.1, metavar="SECONDS", help="How long to wait for an answer.")] = 2.0,
    config: DaemonConfig = None,
) -> None:
    """Check that the running daemon answers. Exit status 0: it does; 1: it does not."""
    from resolver.cli import healthcheck  # noqa: PLC0415

    raise Exit(healthcheck.run(_server_address(server, config), timeout))


@app.command()
def completion(shell: Annotated[Shell, Argument(metavar="SHELL", help="The shell that gets the script.")]) -> None:
    """Print the script with which a shell completes commands, options, and names of the running daemon."""
    from resolver.cli import completion_scripts  # noqa: PLC0415

    raise Exit(completion_scripts.run(shell))


@app.command()
def version() -> None:
    """Print the version."""
    from resolver.cli import version  # noqa: PLC0415

    raise Exit(version.run())


@app.command("help")
def help_(command: Annotated[list[str] | None, Argument(metavar="COMMAND", help="The command.")] = None) -> None:
    """Show what a command does, and its options; without COMMAND, list the commands."""
    raise Exit(app([*(command or ()), "--help"], prog_name="pldns", standalone_mode=False) or 0)


@app.callback()
def top(
    *, show_version: Annotated[bool, Option("--version", help="Print the version, and exit.", is_eager=True)] = False
) -> None:
    """Private DNS resolver for Azure Private Endpoints."""
    if show_version:
        version()


def _flags(overrides: list[str] | None) -> dict[str, str]:
    """Return the values of `--set` by key path. Raises `Failed`."""
    flags = {}
    for text in overrides or []:
        path, mark, value = text.partition("=")
        if not mark or not path:
            raise Failed(f"--set {text}: not PATH=VALUE, as in `--set dns.workers=2`")
        flags[path] = value
    return flags


def _server_address(server: str | None, config: Path | None) -> "HostPort":
    from resolver.cli import daemon_address  # noqa: PLC0415

    if server:
        return daemon_address.parse_address(server)
    return daemon_address.dns_address(config, DEFAULT_CONFIG, os.environ)
