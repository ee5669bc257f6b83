"""The configuration check as a process: reads a `CheckRequest` from stdin, writes the accepted settings to stdout.

With a process for the check, the supervisor does not load the configuration parser, and a crash of the parser does not
end the supervisor. The zones of the zone files go to a descriptor that control inherits, so that control does not parse
these files again.
"""

import os
import sys
from pathlib import Path

import msgspec

from resolver.config import file as config
from resolver.process.leave import leave
from zones.dns.parsed_zones import ParsedZones


class CheckRequest(msgspec.Struct, frozen=True):
    """What to check: the configuration file, and the flags that override it."""

    path: str
    flags: dict[str, str]
    zones: int
    """The descriptor that gets the parsed zones."""


def main() -> int:
    """Return the exit status: 0, or 1 after the errors were written to stderr."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=CheckRequest)
    parsed = ParsedZones()
    try:
        accepted = config.load(Path(request.path), os.environ, request.flags, parsed=parsed)
    except config.ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with open(request.zones, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
        file.write(parsed.encoded())
    sys.stdout.buffer.write(msgspec.json.encode(accepted))
    return 0


if __name__ == "__main__":
    leave(main())
