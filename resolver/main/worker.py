"""Entry point of a worker process: `python -m resolver.main.worker`, started by the supervisor."""

import asyncio
import sys
from typing import NoReturn

from resolver.process import bootstrap, heap
from resolver.process.leave import leave
from resolver.process.sandbox import files, limits, profiles
from resolver.process.sandbox.confine import confine
from resolver.process.sandbox.level import SandboxLevel
from resolver.settings import WorkerSettings
from resolver.worker.worker import Worker


async def _run(begun: bootstrap.WorkerStart) -> None:
    worker = Worker(begun, asyncio.get_running_loop())
    await worker.run(_confine(begun.settings))


def _confine(settings: WorkerSettings) -> SandboxLevel:
    """Enter the sandbox: the process has its descriptors, and no packet of a client has been read."""
    _load_late_modules(settings)
    if settings.sandbox != "off":
        limits.no_new_process()
        limits.no_large_file()
    return confine(settings.sandbox, profiles.worker(), files.worker(), kept=())


def _load_late_modules(settings: WorkerSettings) -> None:
    """Import what is imported on first use otherwise: in the sandbox, no shared library can be loaded any more."""
    import encodings.idna  # noqa: F401, PLC0415 - for the names of upstream servers

    if settings.https:
        import resolver.worker.net.doh  # noqa: PLC0415 - only users of HTTPS pay for it
    if any(server.transport == "https" for group in settings.upstreams for server in group.servers):
        import resolver.forward.client.doh  # noqa: F401, PLC0415 - as above


def main() -> NoReturn:
    """Run a worker until SIGTERM. `sys.argv` has the options that `resolver.process.bootstrap` reads."""
    begun = bootstrap.begin_worker(sys.argv[1:])
    heap.collect_seldom()
    asyncio.run(_run(begun))
    leave()


if __name__ == "__main__":
    main()
