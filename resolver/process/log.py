"""The format of log lines: one line per event on stderr, as `level process message`.

Lines have no timestamp: journald and container engines add one. Does not know how lines are written.
"""

import logging
from typing import Final

from resolver.process.log_output import LogOutput

_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {0x0A: "\\n", 0x09: "\\t"}


def setup(process: str, level: int = logging.INFO) -> None:
    """Write the root logger's events to stderr, with the name of this process."""
    output = LogOutput()
    output.setFormatter(_OneLine(process))
    logging.basicConfig(level=level, handlers=[output], force=True)


class _OneLine(logging.Formatter):
    """Formats an event and its traceback as one line. Escapes control characters: a domain name can have them."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).translate(_CONTROLS)
        return f"{record.levelname.lower()} {self._process} {text}"
