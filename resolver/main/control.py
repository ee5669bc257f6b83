"""Entry point of the control process: `python -m resolver.main.control`, started by the supervisor.

Composes control with the remote sources that it reads and the admin interface that shows its state.
"""

import asyncio
import sys

from resolver.admin import app
from resolver.control.control import Control
from resolver.control.sync import remotes
from resolver.process import bootstrap, heap


async def _run(begun: bootstrap.ControlStart) -> None:
    async with remotes.opened(begun.settings) as asked:
        control, admin = Control(begun, asked), begun.settings.admin_listen
        await control.run(*([app.serving(control.view, admin)] if admin else []))


def main() -> None:
    """Run control until SIGTERM. `sys.argv` has the options that `resolver.process.bootstrap` reads."""
    heap.collect_seldom()
    asyncio.run(_run(bootstrap.begin_control(sys.argv[1:])))


if __name__ == "__main__":
    main()
