"""The successor that SIGUSR2 starts: the same command once more, with `--takeover`.

Does not know what the two supervisors say to each other (`takeover`).
"""

import logging
import os
import subprocess
import sys
from typing import Final

from resolver.process import systemd
from resolver.supervisor.child import interrupts_blocked

FLAG: Final = "--takeover"

_log = logging.getLogger(__name__)


class Successor:
    """At most one process at a time that is to take over."""

    def __init__(self) -> None:
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Execute the command of this process again, as it is installed now."""
        if os.getpid() == 1:
            _log.error("SIGUSR2: PID 1 cannot be replaced, because a container ends with it; restart the container")
            return
        if self._popen:
            _log.warning("SIGUSR2: the pldns with pid %d is already taking over", self._popen.pid)
            return
        words = sys.orig_argv[1:]
        command = [sys.executable, *words, *([] if FLAG in words else [FLAG])]
        environment = {name: value for name, value in os.environ.items() if name not in systemd.OF_ONE_PROCESS}
        try:
            with interrupts_blocked():
                self._popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment)  # noqa: S603 - our own
        except OSError as error:
            _log.error("SIGUSR2: %s cannot be started: %s", command[0], error)
        else:
            _log.info("SIGUSR2: started the pldns with pid %d, which takes over", self._popen.pid)

    def ended(self, pid: int, code: int) -> None:
        """Note that a process was reaped, which may be the successor."""
        if self._popen and self._popen.pid == pid:
            self._popen.returncode = code
            self._popen = None
            _log.warning("the pldns with pid %d did not take over: it exited with status %d", pid, code)
