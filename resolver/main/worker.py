"""Entry point of a worker process: `python -m resolver.main.worker`, started by the supervisor."""

import asyncio
import sys

from resolver.process import bootstrap, heap
from resolver.worker.worker import Worker


async def _run(begun: bootstrap.WorkerStart) -> None:
    await Worker(begun, asyncio.get_running_loop()).run()


def main() -> None:
    """Run a worker until SIGTERM. `sys.argv` has the options that `resolver.process.bootstrap` reads."""
    begun = bootstrap.begin_worker(sys.argv[1:])
    heap.collect_seldom()
    asyncio.run(_run(begun))


if __name__ == "__main__":
    main()
