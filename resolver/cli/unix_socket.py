"""Connects to a Unix socket, whatever the length of its path is. Does not know what is asked over it."""

import os
import socket


def connected(path: str) -> socket.socket:
    """Return a connection to the Unix socket at an absolute path. Raises OSError."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # noqa: PTH120 - only text
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")  # noqa: PTH119 - only text
    except OSError:
        made.close()
        raise
    finally:
        os.close(folder)
    return made
