"""The format of log lines."""

import logging
import sys

from resolver.process.log import _OneLine


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
