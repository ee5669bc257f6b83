"""Probing and binding sockets, and taking them from systemd."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import msgspec
import pytest

from resolver.host_port import HostPort, parse
from resolver.process import local_address, systemd
from resolver.settings import Https, Tls, WorkerSettings
from resolver.supervisor import listen as sockets
from resolver.supervisor.listen import CannotListen, Listening
from tests.ports import pair

ATTEMPTS = 5


@pytest.fixture
def listen() -> Iterator[Callable[..., Listening]]:
    opened: list[Listening] = []

    def call(*addresses: str, workers: int = 1, **more: Tls | Https) -> Listening:
        wanted = msgspec.structs.replace(WorkerSettings(tuple(map(parse, addresses)), ()), **more)
        opened.append(sockets.listen(wanted, workers, {}))
        return opened[-1]

    yield call
    for each in opened:
        each.close()


def on_some_port(attempt: Callable[[], Listening]) -> Listening:
    """Return the result of the first attempt that succeeds: another process may have taken the port in between."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(CannotListen):
            return attempt()
    return attempt()


def kinds(own: tuple[socket.socket, ...]) -> list[int]:
    return [each.type for each in own]


def test_each_worker_has_udp_and_tcp_on_each_address(listen: Callable[..., Listening]) -> None:
    listening = listen("127.0.0.1:0", "127.0.0.2:0", workers=3)
    assert len(listening.addresses) == 2
    assert not listening.shared
    for own in listening.workers:
        assert kinds(own) == [socket.SOCK_DGRAM, socket.SOCK_STREAM] * 2
        names = [HostPort(*each.getsockname()) for each in own]
        assert names[0::2] == names[1::2] == [address for _, address in listening.addresses]
        assert not any(each.getblocking() or each.get_inheritable() for each in own)
    assert len({each.fileno() for own in listening.workers for each in own}) == 12


def test_udp_sockets_never_have_so_reuseaddr(listen: Callable[..., Listening]) -> None:
    udp, tcp = listen("127.0.0.1:0").workers[0]
    assert udp.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
    assert udp.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
    assert tcp.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


def test_ipv6_addresses_have_brackets_and_do_not_take_ipv4(listen: Callable[..., Listening]) -> None:
    address = listen("[::1]:0").addresses[0][1]
    assert address.host == "::1"
    on_some_port(lambda: listen(f"0.0.0.0:{listen('[::]:0').addresses[0][1].port}"))


def test_a_wildcard_and_an_address_can_share_a_port(listen: Callable[..., Listening]) -> None:
    port = listen("127.0.0.3:0").addresses[0][1].port
    with pytest.raises(CannotListen):
        listen(f"0.0.0.0:{port}")

    def both() -> Listening:
        tcp, udp = pair("0.0.0.0")
        with tcp, udp:
            port = tcp.getsockname()[1]
        return listen(f"0.0.0.0:{port}", f"127.0.0.3:{port}")

    assert len(on_some_port(both).addresses) == 2


def test_an_address_of_another_instance_is_refused_in_one_line(listen: Callable[..., Listening]) -> None:
    taken = str(listen("127.0.0.1:0", workers=2).addresses[0][1])
    with pytest.raises(CannotListen) as error:
        listen(taken)
    assert str(error.value) == f"cannot listen on udp {taken}: address already in use"


def test_a_port_that_is_taken_only_for_tcp_is_refused(listen: Callable[..., Listening]) -> None:
    tcp, udp = pair()
    udp.close()
    with tcp:
        tcp.listen()
        taken = f"127.0.0.1:{tcp.getsockname()[1]}"
        with pytest.raises(CannotListen) as error:
            listen(taken)
    assert str(error.value) == f"cannot listen on tcp {taken}: address already in use"


def test_connections_in_time_wait_do_not_prevent_a_restart(listen: Callable[..., Listening]) -> None:
    def again() -> Listening:
        first = listen("127.0.0.1:0")
        tcp, (host, port) = first.workers[0][1], first.workers[0][1].getsockname()
        with socket.create_connection((host, port)) as client:
            tcp.settimeout(5)
            tcp.accept()[0].close()  # the end that closes first stays in TIME_WAIT
            assert client.recv(1) == b""
        first.close()
        return listen(f"{host}:{port}")

    on_some_port(again)


def test_an_address_that_the_machine_does_not_have_is_refused(listen: Callable[..., Listening]) -> None:
    with pytest.raises(CannotListen, match=r"udp 192\.0\.2\.1:0: cannot assign requested address"):
        listen("192.0.2.1:0")


def test_a_missing_permission_names_the_capability() -> None:
    line = sockets.refusal("udp", "127.0.0.1:53", PermissionError(13, "Permission denied"))
    assert line.startswith("cannot listen on udp 127.0.0.1:53: permission denied; ")
    assert "CAP_NET_BIND_SERVICE" in line


def test_sockets_from_systemd_belong_to_the_process_that_systemd_names() -> None:
    assert systemd.inherited({"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1"}) == []
    assert systemd.inherited({}) == []


def test_encrypted_listeners_use_only_tcp_and_have_their_role(listen: Callable[..., Listening]) -> None:
    tls, https = Tls((parse("127.0.0.1:0"),), "", ""), Https((parse("127.0.0.1:0"), parse("[::1]:0")), "", "")
    listening = listen("127.0.0.1:0", workers=2, tls=tls, https=https)
    assert listening.roles == ("dns", "dns", "tls", "https", "https")
    assert [role for role, _ in listening.addresses] == ["dns", "tls", "https", "https"]
    for own in listening.workers:
        assert kinds(own) == [socket.SOCK_DGRAM, *[socket.SOCK_STREAM] * 4]


@pytest.mark.parametrize(("address", "value"), [("0.0.0.0:0", 1), ("127.0.0.1:0", 0)])
def test_a_wildcard_socket_reports_the_destination_of_packets(
    listen: Callable[..., Listening], address: str, value: int
) -> None:
    assert listen(address).workers[0][0].getsockopt(socket.IPPROTO_IP, 8) == value


def test_a_socket_from_systemd_has_the_role_that_its_unit_names() -> None:
    code = """
import os, socket
opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
for fd, sock in zip((3, 4, 5), [socket.socket(fileno=os.dup(each.fileno())) for each in opened]):
    os.dup2(sock.fileno(), fd)
from resolver import settings
from resolver.supervisor import listen
names = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "3", "LISTEN_FDNAMES": "pldns.socket:tls:https"}
print(*listen.listen(settings.WorkerSettings((), ()), 1, names).roles)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["dns", "tls", "https"]


ABSENT = "192.0.2.77:0", "[2001:db8::77]:0"
"""Documentation addresses, which no machine has."""


@pytest.mark.parametrize("address", ABSENT)
def test_an_address_that_this_machine_does_not_have_is_refused_with_the_way_out(address: str) -> None:
    with pytest.raises(CannotListen, match=r"; this machine does not have the address \(`dns\.bind: wait` starts"):
        sockets.listen(WorkerSettings((parse(address),), ()), 1, {})


@pytest.mark.parametrize("address", ABSENT)
def test_with_wait_the_sockets_are_there_before_the_address(address: str) -> None:
    listening = sockets.listen(WorkerSettings((parse(address),), (), bind="wait"), 2, {})
    try:
        assert local_address.is_absent(listening.addresses[0][1].host)
        for own in listening.workers:
            assert kinds(own) == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
        with pytest.raises(CannotListen, match="address already in use"):
            sockets.listen(WorkerSettings((listening.addresses[0][1],), (), bind="wait"), 1, {})
    finally:
        listening.close()


def test_an_address_of_this_machine_is_not_absent() -> None:
    assert not any(map(local_address.is_absent, ("127.0.0.1", "127.0.0.7", "::1")))
