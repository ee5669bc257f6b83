"""The configuration check as a process: reads `{"path", "flags"}` from stdin, writes the accepted settings to stdout.

With a process for the check, the supervisor does not load the configuration parser, and a crash of the parser does not
end the supervisor.
"""

import os
import sys
from pathlib import Path

import msgspec

from resolver.config import file as config


class CheckRequest(msgspec.Struct, frozen=True):
    """What to check: the configuration file, and the flags that override it."""

    path: str
    flags: dict[str, str]


def main() -> int:
    """Return the exit status: 0, or 1 after the errors were written to stderr."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=CheckRequest)
    try:
        accepted = config.load(Path(request.path), os.environ, request.flags)
    except config.ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(accepted))
    return 0


if __name__ == "__main__":
    sys.exit(main())
