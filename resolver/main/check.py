"""The configuration check as a process of its own: `{"path", "flags"}` on stdin, the accepted settings on stdout.

So the supervisor never loads what reading a configuration takes, and a crash in it is not the supervisor's.
"""

import os
import sys
from pathlib import Path

import msgspec

from resolver.config import file as config


class Request(msgspec.Struct, frozen=True):
    """What to load: the file, and the flags that come before it."""

    path: str
    flags: dict[str, str]


def main() -> int:
    """Exit status: 0, or 1 with the errors on stderr."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        accepted = config.load(Path(request.path), os.environ, request.flags)
    except config.ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(accepted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
