"""The short form of `make chaos`: a few faults at a low rate, while every answer is checked."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.runner import run
from tests.chaos.sessions import SESSIONS, SHORT, Session

pytestmark = pytest.mark.live

RATE = 100.0
HOLD = 0.2
SETTLE = 0.3
PATIENCE = 60.0
"""Seconds: on a loaded machine, a process starts late."""


def test_a_few_faults_touch_no_answer(tmp_path: Path) -> None:
    faults = {fault.name: fault for session in SESSIONS for fault in session.faults}
    session = Session("short", tuple(replace(faults[name], hold=HOLD) for name in SHORT))
    rows = list(run(session, tmp_path, RATE, SETTLE, PATIENCE))
    assert [(row.fault, row.against) for row in rows] == [(name, ()) for name in SHORT]
    assert all(row.sent > 0 for row in rows)
