"""The format of log lines: one line per event on stderr, as text or as JSON.

Text is `[time] level process message`. Does not know how lines are written.
"""

import json
import logging
import os
import re
import stat
import time
from collections.abc import Mapping
from typing import Final, get_args

from resolver.process.log_output import STDERR, LogOutput
from resolver.settings import LogLevelName, LogSettings

_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {0x0A: "\\n", 0x09: "\\t"}
_VALUE: Final = re.compile(r"%[-+ #0]*[\d.*]*[a-zA-Z%]")
_WORDS: Final = re.compile(r"[a-z0-9]+")
_LONGEST_CODE: Final = 10  # words
LEVELS: Final[Mapping[str, LogLevelName]] = {each: each for each in get_args(LogLevelName)}
"""The levels by their text."""
_DEFAULT: Final = LogSettings()


def setup(process: str, settings: LogSettings = _DEFAULT) -> None:
    """Write the root logger's events to stderr, with the name of this process."""
    output = LogOutput()
    timed = shows_time(settings, STDERR, os.environ)
    output.setFormatter(_Json(process, timed=timed) if settings.format == "json" else _OneLine(process, timed=timed))
    logging.basicConfig(level=settings.level.upper(), handlers=[output], force=True)


def set_level(level: LogLevelName) -> None:
    """Log events of this level and above from now on."""
    logging.getLogger().setLevel(level.upper())


def shows_time(settings: LogSettings, fd: int, environ: Mapping[str, str]) -> bool:
    """Return whether lines have a time. `auto`: not in a pipe or socket, whose reader adds one, as journald does."""
    if settings.time != "auto":
        return settings.time == "on"
    status = os.fstat(fd)
    journal = environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return not (journal or stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode))


def code(record: logging.LogRecord) -> str:
    """Return what all events of one kind share: the words of the message without its values."""
    given: str = getattr(record, "code", "")
    return given or "-".join(_WORDS.findall(_VALUE.sub(" ", str(record.msg)).lower())[:_LONGEST_CODE])


def _time(record: logging.LogRecord) -> str:
    """Return the time of an event as RFC 3339 in UTC, with milliseconds."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


class _OneLine(logging.Formatter):
    """Formats an event and its traceback as one line. Escapes control characters: a domain name can have them."""

    def __init__(self, process: str, *, timed: bool = False) -> None:
        super().__init__()
        self._process = process
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).translate(_CONTROLS)
        line = f"{record.levelname.lower()} {self._process} {text}"
        return f"{_time(record)} {line}" if self._timed else line


class _Json(logging.Formatter):
    """Formats an event and its traceback as one object."""

    def __init__(self, process: str, *, timed: bool) -> None:
        super().__init__()
        self._process = process
        self._timed = timed

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "time": _time(record), "level": record.levelname.lower(), "process": self._process, "code": code(record),
            "message": record.getMessage(),
        }  # fmt: skip
        if not self._timed:
            del found["time"]
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)
