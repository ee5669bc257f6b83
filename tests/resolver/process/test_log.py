"""The format of log lines."""

import json
import logging
import os
import sys
from pathlib import Path

from resolver.process.log import _Json, _OneLine, code, shows_time
from resolver.settings import LogSettings


def test_an_event_is_one_line_with_level_process_and_message() -> None:
    record = logging.LogRecord("any", logging.WARNING, __file__, 1, "%s is absent", ("worker 1",), None)
    assert _OneLine("supervisor").format(record) == "warning supervisor worker 1 is absent"


def test_a_name_with_a_line_break_cannot_start_a_new_line() -> None:
    record = logging.LogRecord("any", logging.INFO, __file__, 1, "asked for %s", ("a\nerror control b\x1b[2J",), None)
    assert _OneLine("control").format(record) == "info control asked for a\\nerror control b\\x1b[2J"


def test_a_traceback_stays_on_the_line() -> None:
    try:
        raise ValueError("it broke")  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        record = logging.LogRecord("any", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    line = _OneLine("control").format(record)
    assert line.startswith("error control failed\\nTraceback")
    assert line.endswith("ValueError: it broke")
    assert "\n" not in line


def test_a_line_has_a_time_where_it_should() -> None:
    record = logging.LogRecord("any", logging.WARNING, __file__, 1, "%s is absent", ("worker 1",), None)
    record.created, record.msecs = 1_700_000_000.042, 42.0
    assert _OneLine("supervisor", timed=True).format(record) == (
        "2023-11-14T22:13:20.042Z warning supervisor worker 1 is absent"
    )


def test_json_has_the_same_on_one_line() -> None:
    record = logging.LogRecord("any", logging.ERROR, __file__, 1, "%s ended\n", ("worker 1",), None)
    record.created, record.msecs = 1_700_000_000.042, 42.0
    line = _Json("control", timed=True).format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2023-11-14T22:13:20.042Z", "level": "error", "process": "control", "code": "ended",
        "message": "worker 1 ended\n",
    }  # fmt: skip
    assert "time" not in json.loads(_Json("control", timed=False).format(record))


def test_a_code_is_the_same_whatever_the_values_are() -> None:
    def of(message: str, *values: object) -> str:
        return code(logging.LogRecord("any", logging.INFO, __file__, 1, message, values, None))

    assert of("source %s: %d parts, %.1f s", "one", 2, 3.0) == of("source %s: %d parts, %.1f s", "two", 4, 5.0)
    assert of("worker %d ended", 1) == "worker-ended"
    assert code(logging.makeLogRecord({"msg": "anything", "code": "cannot-start"})) == "cannot-start"


def test_journald_and_pipes_get_no_time_by_default(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with (tmp_path / "log").open("wb") as file:
        status = os.fstat(file.fileno())
        journal = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        shown = {
            (time, where): shows_time(LogSettings(time=time), fd, journal if where == "journald" else {})
            for time in ("auto", "on", "off")
            for where, fd in (("file", file.fileno()), ("journald", file.fileno()), ("pipe", writer))
        }
    os.close(reader)
    os.close(writer)
    assert [key for key, value in shown.items() if value] == [
        ("auto", "file"), ("on", "file"), ("on", "journald"), ("on", "pipe"),
    ]  # fmt: skip
