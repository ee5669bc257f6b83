"""One supervisor takes over from another: the sockets, the lock and the saved state go over, and no packet is lost."""

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from resolver.cli import unix_socket
from tests.ports import pair
from tests.resolver.supervisor.small_daemon import Daemon, configure, runs, until

Start = Callable[..., Daemon]


def successor(daemon: Daemon) -> int:
    """Return the process id of the last pldns that SIGUSR2 started."""
    return int(daemon.log.rpartition("started the pldns with pid ")[2].partition(",")[0])


def test_no_packet_is_lost_over_two_takeovers(start: Start) -> None:
    daemon = start().up()
    pid, workers = daemon.process.pid, set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(60)
        client.connect(daemon.address)
        for _ in range(2):
            os.kill(pid, signal.SIGUSR2)
            while runs(pid):
                workers.add(daemon.ask(client=client)["pid"])  # raises if the answer is lost
            daemon.process.poll()
            pid = successor(daemon)
        workers.add(daemon.ask(client=client)["pid"])
    assert len(workers) == 3
    os.kill(pid, signal.SIGTERM)
    until(lambda: not runs(pid))


def test_a_takeover_that_fails_changes_nothing(start: Start, folder: Path) -> None:
    daemon = start().up()
    worker = daemon.ask()["pid"]
    (folder / "refuse").touch()  # the configuration is refused
    daemon.process.send_signal(signal.SIGUSR2)
    until(lambda: "did not take over: it exited with status 1\n" in daemon.log)
    (folder / "refuse").unlink()
    assert daemon.ask("connect") == {"greeting": f"0 {worker}"}

    (folder / "refuse-0").touch()  # its worker does not start
    other = start("--takeover")
    until(lambda: "worker 0 (pid" in other.log and "restarting" in other.log)
    assert daemon.ask()["pid"] == worker
    other.kill()
    until(lambda: f"the takeover by the pldns with pid {other.process.pid} failed: it has ended\n" in daemon.log)
    assert daemon.ask("connect") == {"greeting": f"0 {worker}"}  # a new control answers
    unix_socket.connected(str(folder / "admin.sock")).close()
    assert daemon.ask()["pid"] == worker
    assert daemon.stop() == 0


def test_another_user_is_refused_with_the_reason_and_nothing_changes(start: Start, folder: Path) -> None:
    daemon = start().up()
    control, owner = daemon.pid("control"), (folder / "state").stat().st_uid
    configure(folder, user="12345")
    other = start("--takeover")
    assert other.process.wait(60) == 1
    assert "`user` has changed, and a takeover cannot change the user of pldns; restart pldns" in other.log
    daemon.process.send_signal(signal.SIGUSR2)
    until(lambda: "did not take over: it exited with status 1\n" in daemon.log)
    assert daemon.log.count("cannot take over from the pldns with pid") == 1
    assert daemon.log.count("cannot take over: its `user` is another one") == 2
    assert (runs(control), daemon.pid("control")) == (True, control)
    assert (folder / "state").stat().st_uid == owner


def test_cookies_and_the_mark_outlive_a_takeover(start: Start, folder: Path) -> None:
    configure(folder, secret=b"first")
    daemon = start().up()
    lasting = daemon.ask("lasting")["lasting"]
    configure(folder, secret=b"second")
    other = start("--takeover").up()
    assert daemon.process.wait(60) == 0
    assert other.ask("lasting")["lasting"] == lasting == [b"first".hex()] * 2
    assert other.stop() == 0


def test_a_stop_during_a_takeover_ends_both(start: Start, folder: Path) -> None:
    daemon = start().up()
    (folder / "refuse-0").touch()
    other = start("--takeover")
    until(lambda: "restarting" in other.log)
    assert daemon.stop() == 0
    assert other.process.wait(60) == 1
    assert "warning supervisor the pldns that was to be taken over stops: ending at once\n" in other.log


def test_a_successor_goes_on_alone_when_its_predecessor_dies(start: Start, folder: Path) -> None:
    daemon = start().up()
    (folder / "refuse-0").touch()
    other = start("--takeover")
    until(lambda: "restarting" in other.log)
    daemon.process.kill()
    (folder / "refuse-0").unlink()
    other.up()
    assert "warning supervisor the pldns that was to be taken over has died\n" in other.log
    assert other.ask()["worker"] == 0
    third = start()
    assert third.process.wait(60) == 1
    assert "is used by another pldns" in third.log


def test_without_a_predecessor_a_takeover_is_a_start(start: Start) -> None:
    assert start("--takeover").up().stop() == 0


def test_another_number_of_workers_shares_the_sockets_and_a_new_address_is_bound(start: Start, folder: Path) -> None:
    daemon = start().up()
    with daemon.client_of(0) as client:
        tcp, udp = pair()
        new = "{}:{}".format(*udp.getsockname())
        tcp.close()
        udp.close()
        configure(folder, "127.0.0.1:0", new, workers=2)
        other = start("--takeover").up()
        assert daemon.process.wait(60) == 0
        assert f"listening on {new}" in other.log
        other.ask(client=client)
    configure(folder, new, workers=2)
    third = start("--takeover").up()
    assert other.process.wait(60) == 0
    assert third.address == udp_address(new)
    assert third.ask()["worker"] in {0, 1}
    third.stop()


def udp_address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    return host, int(port)


def test_sockets_from_systemd_stay_in_use(start: Start) -> None:
    tcp, udp = pair()
    with tcp, udp:
        tcp.listen()
        daemon = start(udp.fileno(), tcp.fileno()).up()
        daemon.process.send_signal(signal.SIGUSR2)
        assert daemon.process.wait(60) == 0
        pid = successor(daemon)
        assert udp.getsockname() == daemon.address
        answer = daemon.ask()
        os.kill(pid, signal.SIGTERM)
        until(lambda: not runs(answer["pid"]))
