"""The listening sockets: probed, bound once for each worker, or taken from systemd. Who reads them is not known here.

Each worker has sockets of its own in one SO_REUSEPORT group per address, over which the kernel spreads the clients.
SO_REUSEPORT alone would let a second instance take half of the queries in silence; hence the probe without it.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from resolver.host_port import HostPort
from resolver.process import systemd
from resolver.settings import WorkerSettings

_BACKLOG: Final = 1024
_RECEIVE: Final = 4 << 20
"""Octets of packets that wait while a worker is busy or starts; the kernel grants up to net.core.rmem_max."""
_ATTEMPTS: Final = 16
"""Tries for a port that is free for both UDP and TCP when the kernel chooses."""
_KINDS: Final = {socket.SOCK_DGRAM: "udp", socket.SOCK_STREAM: "tcp"}
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to
_PKTINFO: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 8),  # IP_PKTINFO of linux/in.h; Python 3.11 has no name for it
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}

Role = Literal["dns", "tls", "https"]
"""What is spoken on a socket: DNS over UDP or TCP, whichever the socket is, DNS over TLS or over HTTPS."""
_ROLES: Final[tuple[Role, ...]] = get_args(Role)


class CannotListen(Exception):  # noqa: N818 - it reads as the sentence that it is
    """One line that says which address, and why."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Open sockets, non-blocking, UDP and (already listening) TCP, in one tuple for each worker.

    `addresses` are those bound, each once, with their roles and real ports. `shared`: all workers hold the same
    descriptors.
    """

    addresses: tuple[tuple[Role, HostPort], ...]
    workers: tuple[tuple[socket.socket, ...], ...]
    roles: tuple[Role, ...]
    """Of each socket of a worker, the same for all workers."""
    shared: bool = False

    def close(self) -> None:
        """Close this process's copies; the kernel closes a socket with its last copy."""
        for sockets in self.workers:
            for each in sockets:
                each.close()


def listen(settings: WorkerSettings, workers: int, environ: Mapping[str, str]) -> Listening:
    """Sockets for `workers` workers: those from systemd if it hands any over, otherwise bound as configured.

    Port 0 lets the kernel choose one, for UDP and TCP together. Raises `CannotListen`.
    """
    return _from_systemd(workers, environ) or _bind(_wanted(settings), workers)


def _wanted(settings: WorkerSettings) -> list[tuple[Role, HostPort]]:
    wanted: list[tuple[Role, HostPort]] = [("dns", address) for address in settings.listen]
    wanted += [("tls", address) for address in settings.tls.listen] if settings.tls else []
    wanted += [("https", address) for address in settings.https.listen] if settings.https else []
    return wanted


def _from_systemd(workers: int, environ: Mapping[str, str]) -> Listening | None:
    try:
        sockets = tuple(systemd.inherited(environ))
    except OSError as error:
        raise CannotListen(f"cannot listen on what systemd passed: {_reason(error)}") from None
    if not sockets:
        return None
    for each in sockets:
        if each.family not in (socket.AF_INET, socket.AF_INET6) or each.type not in _KINDS:
            raise CannotListen(f"cannot listen on what systemd passed: {each.family.name} {each.type.name}")
        each.settimeout(0)
        _tell_destinations(each)
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    given = dict(zip(sockets, names, strict=False))
    roles = tuple(_role(each, given.get(each, "")) for each in sockets)
    # Each worker has the same descriptors: a worker of another uid could not join a group that systemd's uid opened.
    return Listening(_names(roles, sockets), (sockets,) * workers, roles, shared=True)


def _role(sock: socket.socket, name: str) -> Role:
    """By the name that the unit gives (FileDescriptorName=); any other name is plain DNS."""
    role: Role = next((role for role in _ROLES if role == name), "dns")
    if role != "dns" and sock.type is socket.SOCK_DGRAM:
        raise CannotListen(f"cannot listen on what systemd passed: `{name}` is spoken over TCP, not over UDP")
    return role


def _bind(wanted: Sequence[tuple[Role, HostPort]], workers: int) -> Listening:
    # All probes come first: 0.0.0.0 and 127.0.0.1 on one port are no conflict of ours once they share SO_REUSEPORT.
    targets = [
        (role, kind, *target)
        for role, address in wanted
        for target in [_probe(role, address.host, address.port)]
        for kind in (_KINDS if role == "dns" else (socket.SOCK_STREAM,))
    ]
    bound: list[tuple[socket.socket, ...]] = []
    try:
        for _ in range(workers):
            bound.append(())
            for _, kind, host, port in targets:
                bound[-1] += (_open(kind, host, port, group=True),)
    except CannotListen:
        Listening((), tuple(bound), ()).close()
        raise
    roles = tuple(role for role, *_ in targets)
    return Listening(_names(roles, bound[0]), tuple(bound), roles)


def _probe(role: Role, host: str, port: int) -> tuple[str, int]:
    """Bind without SO_REUSEPORT, UDP and TCP, and close again; returns the port, chosen by the kernel if it was 0."""
    if role != "dns":
        with _open(socket.SOCK_STREAM, host, port) as sock:
            return host, sock.getsockname()[1]
    for attempt in range(_ATTEMPTS):
        with _open(socket.SOCK_DGRAM, host, port) as udp:
            chosen: int = udp.getsockname()[1]
            try:
                _open(socket.SOCK_STREAM, host, chosen).close()
            except CannotListen:
                if port or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return host, chosen
    raise AssertionError


def _open(kind: socket.SocketKind, host: str, port: int, *, group: bool = False) -> socket.socket:
    sock = None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, kind)
        sock.settimeout(0)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            # Only so that connections in TIME_WAIT do not keep a restart out; on UDP it would let others in.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if group:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind is socket.SOCK_DGRAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
        _tell_destinations(sock, host)
        sock.bind(socket.getaddrinfo(host, port, family, kind, flags=socket.AI_NUMERICHOST)[0][4])
        if kind is socket.SOCK_STREAM:
            # From here on, so that clients wait in the queue while a worker starts. The probe too: until then the
            # kernel lets SO_REUSEADDR sockets share a port.
            sock.listen(_BACKLOG)
    except OSError as error:
        if sock:
            sock.close()
        raise CannotListen(refusal(_KINDS[kind], str(HostPort(host, port)), error)) from None
    return sock


def _tell_destinations(sock: socket.socket, host: str = "") -> None:
    """A UDP socket with all addresses tells to which one each packet came: that is where the reply comes from."""
    if sock.type is socket.SOCK_DGRAM and (host or sock.getsockname()[0]) in _ANY:
        sock.setsockopt(*_PKTINFO[sock.family], 1)


def refusal(kind: str, address: str, error: OSError) -> str:
    """The line about an address that could not be bound."""
    line = f"cannot listen on {kind} {address}: {_reason(error)}"
    if error.errno in (errno.EACCES, errno.EPERM):
        line += "; a port below 1024 needs CAP_NET_BIND_SERVICE (in a systemd unit: AmbientCapabilities=)"
    return line


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "not an IP address"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _names(roles: Sequence[Role], sockets: Sequence[socket.socket]) -> tuple[tuple[Role, HostPort], ...]:
    named = zip(roles, sockets, strict=True)
    return tuple(dict.fromkeys((role, HostPort(*each.getsockname()[:2])) for role, each in named))
