"""Which listen addresses this machine lacks, as the log and the status show it."""

import pytest

from resolver.control.awaited_addresses import AwaitedAddresses
from resolver.host_port import HostPort

HERE, ABSENT = HostPort("127.0.0.1", 53), HostPort("192.0.2.77", 53)


def test_changes_are_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    it = AwaitedAddresses([HERE, ABSENT, ABSENT])
    assert it.absent == (ABSENT,)
    it.check()
    assert not caplog.text, "the supervisor has logged it"
    monkeypatch.setattr("resolver.process.local_address.is_absent", lambda host: host == HERE.host)
    it.check()
    it.check()
    assert it.absent == (HERE,)
    assert [record.message for record in caplog.records] == [
        "listening on 127.0.0.1:53, but this machine does not have the address any more",
        "listening on 192.0.2.77:53: this machine has the address now",
    ]
