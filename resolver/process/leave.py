"""The end of a child process of the supervisor.

Does not know what the process did. Everything must be written and closed before.
"""

import logging
import os
import sys
from typing import NoReturn


def leave(status: int = 0) -> NoReturn:
    """End this process at once; `status` is its exit status.

    The interpreter would free modules and objects one by one first. The kernel frees all memory together. That saves
    0.2 s in control, and more with a large estate, while an upgrade or a restart waits.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
