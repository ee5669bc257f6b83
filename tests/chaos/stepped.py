"""A pldns whose system clock a fault can set: `python -m tests.chaos.stepped OFFSET CONFIG`.

OFFSET is a file of 8 octets, a float: the seconds by which the clock was set. Setting the clock of the machine would
affect all other programs. Only what Python reads with `time.time` is set; the processes are the real ones otherwise.
"""

import importlib
import mmap
import struct
import sys
import time
from pathlib import Path
from typing import Final

_SECONDS: Final = struct.Struct("=d")
_CHILDREN: Final = ("resolver.main.worker", "resolver.main.control")


def set_offset(file: Path, seconds: float) -> None:
    """Set the clock of all processes that have this file."""
    if not file.exists():
        file.write_bytes(bytes(_SECONDS.size))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), _SECONDS.size) as memory:
        _SECONDS.pack_into(memory, 0, seconds)


def _follow(file: str) -> None:
    """Add the offset to this process's clock. The memory stays mapped in the sandbox, where no file can be opened."""
    with Path(file).open("rb") as opened:
        memory = mmap.mmap(opened.fileno(), _SECONDS.size, prot=mmap.PROT_READ)
    true = time.time
    time.time = lambda: true() + _SECONDS.unpack_from(memory)[0]


def main() -> int:
    """Run the supervisor, or the child that it starts in this way."""
    offset, kind = sys.argv[1:3]
    _follow(offset)
    if kind in _CHILDREN:
        del sys.argv[1:3]
        importlib.import_module(kind).main()  # now that the clock is set
        return 0
    from resolver.supervisor.serve import Commands, serve  # noqa: PLC0415 - as above

    worker, control = ((sys.executable, "-m", "tests.chaos.stepped", offset, child) for child in _CHILDREN)
    return serve(Path(kind), {}, commands=Commands(control=control, worker=worker))


if __name__ == "__main__":
    sys.exit(main())
