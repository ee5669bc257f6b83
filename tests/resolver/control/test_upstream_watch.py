"""Upstream servers that go down or come back are logged once, however many workers report them."""

import logging

import pytest

from resolver.control.upstream_watch import MOST, UpstreamWatch


def test_each_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = UpstreamWatch()

    def looked(*states: float) -> list[str]:
        caplog.clear()
        watch.look([("upstream_up", ("public", "one", str(worker)), state) for worker, state in enumerate(states)])
        return caplog.messages

    down, up = (
        ("upstream server one of the group public is down",),
        ("upstream server one of the group public is up again",),
    )
    for states, lines in (
        ((1.0, 1.0), ()), ((1.0, 0.0), down), ((0.0, 0.0), ()), ((0.0, 1.0), ()), ((), ()), ((0.0,), ()),
        ((1.0, 1.0), up), ((1.0,), ()),
    ):  # fmt: skip
        assert looked(*states) == [*lines], states


def test_a_worker_cannot_report_servers_without_end(caplog: pytest.LogCaptureFixture) -> None:
    watch = UpstreamWatch()
    for server in range(MOST + 10):
        watch.look([("upstream_up", ("public", str(server), "0"), 0.0)])
    assert len(caplog.messages) == MOST
