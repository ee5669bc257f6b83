"""The commands and their options. Each one imports what it needs when it runs."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

from typer import Argument, Exit, Option, Typer

from resolver.cli.failure import Failed

DEFAULT_CONFIG: Final = Path("/etc/pldns/pldns.yaml")


class Output(StrEnum):
    """For people or for programs."""

    TABLE = "table"
    JSON = "json"


class Severity(StrEnum):
    """Of findings; the same words as in `zones.findings.finding`, which costs more to import."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


_Config = Annotated[Path, Option("--config", "-c", metavar="FILE", help="Configuration file.")]
_Set = Annotated[
    list[str] | None,
    Option("--set", metavar="PATH=VALUE", help="Overrides one key of the file, as `dns.workers=2`; repeatable."),
]
_Output = Annotated[Output, Option("--output", "-o", help="`table` for people, `json` for programs.")]
_Limit = Annotated[int, Option(min=0, help="Rows of a table, at most; 0: all.")]
_Running = Annotated[
    Path | None, Option("--config", "-c", metavar="FILE", help=f"Where its addresses stand; {DEFAULT_CONFIG} if any.")
]
_Admin = Annotated[str | None, Option(metavar="URL", help="Admin interface of the daemon, if not as configured.")]
_Server = Annotated[str | None, Option(metavar="ADDRESS:PORT", help="Whom to ask, if not as configured.")]
_Name = Annotated[str, Argument(metavar="NAME")]
_Source = Annotated[str, Argument(metavar="SOURCE", help="Its name in the configuration.")]
_Type = Annotated[str, Argument(metavar="[TYPE]", help="A, AAAA, PTR, TXT, … or TYPE65.")]

app = Typer(
    help="Private DNS resolver for Azure Private Endpoints.", no_args_is_help=True, add_completion=True,
    pretty_exceptions_enable=False,
)  # fmt: skip
_config = Typer(help="The configuration: its schema, and what holds now.", no_args_is_help=True)
app.add_typer(_config, name="config")
_sync = Typer(help="The syncs of remote sources, in the running daemon.", no_args_is_help=True)
app.add_typer(_sync, name="sync")
_cache = Typer(help="What the running daemon has of upstream answers.", no_args_is_help=True)
app.add_typer(_cache, name="cache")


@app.command()
def serve(config: _Config = DEFAULT_CONFIG, override: _Set = None) -> None:
    """Answer DNS until SIGTERM or Ctrl-C."""
    from resolver.supervisor import serve  # noqa: PLC0415

    raise Exit(serve.serve(config, _flags(override)))


@app.command()
def check(
    config: _Config = DEFAULT_CONFIG, override: _Set = None, output: _Output = Output.TABLE, limit: _Limit = 200
) -> None:
    """Read the configuration and every source, and say what was found. Needs no daemon. Exit 2: errors were found."""
    from resolver.cli import offline  # noqa: PLC0415

    raise Exit(offline.check(config, _flags(override), output == Output.JSON, limit))


@app.command()
def lookup(
    name: _Name,
    rtype: _Type = "A",
    client: Annotated[str, Option(metavar="ADDRESS", help="Who asks.")] = "127.0.0.1",
    config: _Config = DEFAULT_CONFIG,
    override: _Set = None,
    output: _Output = Output.TABLE,
) -> None:
    """Say what a client gets for a name, and why: network, zone, claims, winner, rule. Needs no daemon."""
    from resolver.cli import offline  # noqa: PLC0415

    raise Exit(offline.lookup(config, _flags(override), (name, rtype, client), output == Output.JSON))


@app.command()
def plan(
    config: _Config = DEFAULT_CONFIG, override: _Set = None, output: _Output = Output.TABLE, limit: _Limit = 200
) -> None:
    """Read every source, and say what that would change of the saved inventory. Changes nothing. Exit 2: something."""
    from resolver.cli import plan  # noqa: PLC0415

    raise Exit(plan.run(config, _flags(override), output == Output.JSON, limit))


@app.command("import")
def import_(
    out: Annotated[Path, Argument(metavar="OUT", help="The file to write; `-` is the standard output.")],
    config: _Config = DEFAULT_CONFIG,
    override: _Set = None,
    saved: Annotated[bool, Option("--saved", help="What the daemon saved, asking nobody.")] = False,
    redact: Annotated[bool, Option("--redact", help="Hash names and ids, the same for the same.")] = False,
    force: Annotated[bool, Option("--force", help="Replace OUT if it is there.")] = False,
) -> None:
    """Read every source, and write what they gave to one file for a `files` source. Exit 1: some could not be read."""
    from resolver.cli import snapshot  # noqa: PLC0415

    raise Exit(snapshot.run(out, config, _flags(override), saved=saved, force=force, redact=redact))


@app.command()
def query(
    name: _Name,
    rtype: _Type = "A",
    server: _Server = None,
    source: Annotated[str | None, Option(metavar="ADDRESS", help="Ask from this address.")] = None,
    tcp: Annotated[bool, Option("--tcp", help="Over TCP from the start.")] = False,
    config: _Running = None,
    output: _Output = Output.TABLE,
) -> None:
    """Ask the running daemon, or any server, and print the reply."""
    from resolver.cli import place, query  # noqa: PLC0415

    at = place.endpoint(server) if server else place.dns(config, DEFAULT_CONFIG, os.environ)
    raise Exit(query.run(name, rtype, at, source=source, tcp=tcp, as_json=output == Output.JSON))


@app.command()
def findings(
    code: Annotated[str | None, Option(help="Only this code.")] = None,
    severity: Annotated[Severity | None, Option(help="Only this severity.")] = None,
    admin: _Admin = None,
    config: _Running = None,
    output: _Output = Output.TABLE,
    limit: _Limit = 200,
) -> None:
    """What a person should know, from the running daemon. Exit 2: errors are among it."""
    from resolver.cli import online  # noqa: PLC0415

    wanted = {"code": code, "severity": severity.value if severity else None}
    raise Exit(online.findings(_admin_url(admin, config), wanted, output == Output.JSON, limit))


@app.command()
def endpoints(
    admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE, limit: _Limit = 200
) -> None:
    """Private endpoints that the running daemon knows."""
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.endpoints(_admin_url(admin, config), output == Output.JSON, limit))


@app.command()
def zones(admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE, limit: _Limit = 200) -> None:
    """Zones that the running daemon answers."""
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.zones(_admin_url(admin, config), output == Output.JSON, limit))


@_sync.command()
def status(admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE) -> None:
    """How each source is: fresh or stale, the last and the next sync, what cannot be read or is held. Exit 2: held."""
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.sync_status(_admin_url(admin, config), output == Output.JSON))


@_sync.command()
def now(source: _Source, admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE) -> None:
    """Sync a source at once."""
    _do_sync(source, "now", admin, config, output)


@_sync.command()
def accept(source: _Source, admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE) -> None:
    """Take the held sync of a source as it is: what it lacks is gone."""
    _do_sync(source, "accept", admin, config, output)


@_sync.command()
def drop(source: _Source, admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE) -> None:
    """Forget the held sync of a source: the next one is judged by itself."""
    _do_sync(source, "drop", admin, config, output)


def _do_sync(source: str, action: str, admin: str | None, config: Path | None, output: Output) -> None:
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.sync(_admin_url(admin, config), source, action, output == Output.JSON))


@_cache.command("show")
def show_cache(admin: _Admin = None, config: _Running = None, output: _Output = Output.TABLE) -> None:
    """What the running daemon's workers have of upstream answers."""
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.cache(_admin_url(admin, config), output == Output.JSON))


@_cache.command()
def flush(
    name: _Name,
    rtype: Annotated[str | None, Option("--type", metavar="TYPE", help="Only what was asked for this type.")] = None,
    subtree: Annotated[bool, Option("--subtree", help="Names under it as well; `.` is everything.")] = False,
    admin: _Admin = None,
    config: _Running = None,
    output: _Output = Output.TABLE,
) -> None:
    """Forget what upstreams said of a name, in all workers: the next client's question goes out again."""
    from resolver.cli import online  # noqa: PLC0415

    raise Exit(online.flush(_admin_url(admin, config), name, rtype, subtree, output == Output.JSON))


@_config.command()
def schema() -> None:
    """JSON Schema of the configuration file."""
    from resolver.cli import settings  # noqa: PLC0415

    raise Exit(settings.schema())


@_config.command()
def show(config: _Config = DEFAULT_CONFIG, override: _Set = None, output: _Output = Output.TABLE) -> None:
    """Every setting that holds, and where it comes from."""
    from resolver.cli import settings  # noqa: PLC0415

    raise Exit(settings.show(config, _flags(override), output == Output.JSON))


@app.command()
def healthcheck(
    server: _Server = None,
    timeout: Annotated[float, Option(min=0.1, metavar="SECONDS", help="How long to wait.")] = 2.0,
    config: _Running = None,
) -> None:
    """Whether the running daemon answers: exit 0 or 1."""
    from resolver.cli import health, place  # noqa: PLC0415

    at = place.endpoint(server) if server else place.dns(config, DEFAULT_CONFIG, os.environ)
    raise Exit(health.check(at, timeout))


@app.command()
def version() -> None:
    """The version."""
    from resolver.cli import version  # noqa: PLC0415

    raise Exit(version.run())


def _flags(overrides: list[str] | None) -> dict[str, str]:
    """`--set` as `config.load` takes it."""
    flags = {}
    for text in overrides or []:
        path, mark, value = text.partition("=")
        if not mark or not path:
            raise Failed(f"--set {text}: PATH=VALUE is what it takes, as in `--set dns.workers=2`")
        flags[path] = value
    return flags


def _admin_url(admin: str | None, config: Path | None) -> str:
    from resolver.cli import place  # noqa: PLC0415

    return admin or place.admin(config, DEFAULT_CONFIG, os.environ)
