"""Entry point of the query logger: `python -m resolver.main.query_log`, started by the supervisor."""

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import NoReturn

from resolver.process import bootstrap
from resolver.process.leave import leave
from resolver.process.sandbox import files, limits, profiles
from resolver.process.sandbox.confine import confine
from resolver.process.sandbox.level import SandboxLevel
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.collector import Collector
from resolver.query_log.line_output import LineOutput
from resolver.query_log.logger import QueryLogger
from resolver.query_log.output import Output
from resolver.query_log_settings import QueryLogSettings, log_directory


async def _run(begun: bootstrap.QueryLoggerStart) -> None:
    outputs = list(_outputs(begun.settings))
    await QueryLogger(begun, outputs, _confine(begun)).run()


def _outputs(settings: QueryLogSettings) -> list[Output]:
    clients = ClientAddresses(settings.mask)
    outputs: list[Output] = []
    if settings.lines:
        outputs.append(LineOutput(settings.lines, clients, asyncio.get_running_loop()))
    if settings.dnstap:
        outputs.append(Collector(settings.dnstap, clients))
    return outputs


def _confine(begun: bootstrap.QueryLoggerStart) -> SandboxLevel:
    """Enter the sandbox, before any record is read."""
    if directory := log_directory(begun.settings):
        with contextlib.suppress(OSError):  # the output reports that it cannot open its file
            Path(directory).mkdir(0o700, parents=True, exist_ok=True)
    if begun.sandbox != "off":
        limits.no_new_process()
    return confine(begun.sandbox, profiles.query_logger(), files.query_logger(begun.settings), kept=())


def main() -> NoReturn:
    """Run the query logger until SIGTERM. `sys.argv` has the options that `resolver.process.bootstrap` reads."""
    begun = bootstrap.begin_query_logger(sys.argv[1:])
    asyncio.run(_run(begun))
    leave()


if __name__ == "__main__":
    main()
