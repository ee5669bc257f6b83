"""A worker or control that an attacker has taken over: the real process, which tries the attacks once it is confined.

python -m tests.live.taken_over FOLDER (worker | control) OPTIONS
"""

import os
import sys
from typing import Any

from resolver.control.control import Control
from resolver.control.sync.remotes import Remotes
from resolver.process.bootstrap import ControlStart
from resolver.process.sandbox.level import SandboxLevel
from resolver.worker.worker import Worker
from tests.live import attacks


class TakenWorker(Worker):
    """Attacks before the first packet."""

    async def run(self, sandbox: SandboxLevel) -> None:
        attacks.attempt("worker", attacks.of_a_worker(os.getppid(), FOLDER, self._start.dialer))
        await super().run(sandbox)


class TakenControl(Control):
    """Attacks before it reads its sources."""

    def __init__(self, begun: ControlStart, remotes: Remotes) -> None:
        attacks.attempt("control", attacks.of_control(os.getppid(), FOLDER))
        super().__init__(begun, remotes)


def main(kind: str) -> None:
    """Run as the real entry point does, with the attack in it."""
    entry: Any
    if kind == "worker":
        from resolver.main import worker as entry  # noqa: PLC0415 - each kind loads its own modules only

        entry.Worker = TakenWorker
    else:
        from resolver.main import control as entry  # noqa: PLC0415 - as above

        entry.Control = TakenControl
    entry.main()


if __name__ == "__main__":
    FOLDER = sys.argv.pop(1)
    main(sys.argv.pop(1))
