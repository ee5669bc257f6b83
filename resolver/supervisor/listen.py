"""The listening sockets: bound once for each worker, or taken from systemd. Does not know who reads them.

The workers' sockets for one address form one SO_REUSEPORT group, and the kernel distributes the clients over the group.
With SO_REUSEPORT alone, a second instance of pldns could join the group and take half of the queries unnoticed. So each
address is first bound without it, as a probe.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from resolver.host_port import HostPort
from resolver.process import local_address, systemd
from resolver.process.socket_role import SocketRole
from resolver.settings import BindMode, WorkerSettings

SYSTEMD: Final = "systemd"
_BACKLOG: Final = 1024
_RECEIVE: Final = 4 << 20
"""Octets of packets that can wait while a worker is busy or starts. The kernel limits it to net.core.rmem_max."""
_ATTEMPTS: Final = 16
"""Attempts to find a port that is free for both UDP and TCP, where the kernel chooses the port."""
_KINDS: Final = {socket.SOCK_DGRAM: "udp", socket.SOCK_STREAM: "tcp"}
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to
_PKTINFO: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 8),  # IP_PKTINFO of linux/in.h; Python 3.11 has no name for it
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO),
}


class CannotListen(Exception):  # noqa: N818 - reads as a sentence
    """An address cannot be used; the message is one line with the address and the reason."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Open non-blocking sockets, one tuple for each worker: UDP sockets, and TCP sockets that already listen.

    `addresses` has each bound address once, with its role and its real port. `shared`: all workers have the same
    sockets. `origin`: `SYSTEMD` where it bound them.
    """

    addresses: tuple[tuple[SocketRole, HostPort], ...]
    workers: tuple[tuple[socket.socket, ...], ...]
    roles: tuple[SocketRole, ...]
    """The role of each socket in a worker's tuple."""
    shared: bool = False
    origin: str = ""

    def close(self) -> None:
        """Close the descriptors of this process. The kernel closes a socket with its last descriptor."""
        for sockets in self.workers:
            for each in sockets:
                each.close()


def listen(settings: WorkerSettings, workers: int, environ: Mapping[str, str]) -> Listening:
    """Return sockets for `workers` workers: those from systemd if it passes any, otherwise bound as configured.

    With port 0, the kernel chooses one port for both UDP and TCP. Raises `CannotListen`.
    """
    return _from_systemd(workers, environ) or _bind(_wanted(settings), workers, settings.bind)


def taken_over(settings: WorkerSettings, workers: int, handed: Listening) -> Listening:
    """Return sockets for `workers` workers: those of the predecessor, in which packets wait, and what it lacks.

    With another number of workers than before, all of them share all sockets: to close one would lose its packets. What
    systemd opened is kept as it is. Raises `CannotListen`.
    """
    wanted = _wanted(settings) if handed.origin != SYSTEMD else list(handed.addresses)
    bound = [(role, _address(each)) for role, each in zip(handed.roles, handed.workers[0], strict=True)]
    kept = [index for index, each in enumerate(bound) if any(_serves(each, another) for another in wanted)]
    missing = [another for another in wanted if not any(_serves(each, another) for each in bound)]
    shared = handed.shared or len(handed.workers) != workers
    groups = [tuple(sockets[i] for i in kept) for sockets in (handed.workers[:1] if handed.shared else handed.workers)]
    roles = tuple(handed.roles[i] for i in kept)
    if shared:
        groups, roles = [tuple(each for group in groups for each in group)] * workers, roles * len(groups)
    new = _bind(missing, 1 if shared else workers, settings.bind)
    all_sockets = tuple(old + new.workers[0 if shared else i] for i, old in enumerate(groups))
    roles += new.roles
    return Listening(names(roles, all_sockets[0]), all_sockets, roles, shared=shared, origin=handed.origin)


def _serves(bound: tuple[SocketRole, HostPort], wanted: tuple[SocketRole, HostPort]) -> bool:
    """Return whether a socket is what is wanted. Port 0 is any port."""
    (role, address), (wanted_role, at) = bound, wanted
    return role == wanted_role and address.host == at.host and at.port in (0, address.port)


def _address(sock: socket.socket) -> HostPort:
    return HostPort(*sock.getsockname()[:2])


def _wanted(settings: WorkerSettings) -> list[tuple[SocketRole, HostPort]]:
    wanted: list[tuple[SocketRole, HostPort]] = [(SocketRole.DNS, address) for address in settings.listen]
    wanted += [(SocketRole.TLS, address) for address in settings.tls.listen] if settings.tls else []
    wanted += [(SocketRole.HTTPS, address) for address in settings.https.listen] if settings.https else []
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
        _report_destinations(each)
    given = environ.get("LISTEN_FDNAMES", "").split(":")
    given += [""] * (len(sockets) - len(given))
    roles = tuple(_role(each, name) for each, name in zip(sockets, given, strict=False))
    # All workers share the sockets: the uid of pldns cannot join an SO_REUSEPORT group that another uid opened.
    return Listening(names(roles, sockets), (sockets,) * workers, roles, shared=True, origin=SYSTEMD)


def _role(sock: socket.socket, name: str) -> SocketRole:
    """Return the role that the unit names (FileDescriptorName=). Any other name means plain DNS."""
    role = next((role for role in SocketRole if role == name), SocketRole.DNS)
    if role != SocketRole.DNS and sock.type is socket.SOCK_DGRAM:
        raise CannotListen(f"cannot listen on what systemd passed: `{name}` needs a TCP socket, not UDP")
    return role


def _bind(wanted: Sequence[tuple[SocketRole, HostPort]], workers: int, mode: BindMode) -> Listening:
    # Probe all addresses before binding any: 0.0.0.0 and 127.0.0.1 on one port conflict only without SO_REUSEPORT.
    targets = [
        (role, kind, *target)
        for role, address in wanted
        for target in [_probe(role, address.host, address.port, mode)]
        for kind in (_KINDS if role == SocketRole.DNS else (socket.SOCK_STREAM,))
    ]
    bound: list[tuple[socket.socket, ...]] = []
    try:
        for _ in range(workers):
            bound.append(())
            for _, kind, host, port in targets:
                bound[-1] += (_open(kind, host, port, mode, group=True),)
    except CannotListen:
        Listening((), tuple(bound), ()).close()
        raise
    roles = tuple(role for role, *_ in targets)
    return Listening(names(roles, bound[0]), tuple(bound), roles)


def _probe(role: SocketRole, host: str, port: int, mode: BindMode) -> tuple[str, int]:
    """Bind UDP and TCP without SO_REUSEPORT, and close. Return host and port; for port 0, the one the kernel chose."""
    if role != SocketRole.DNS:
        with _open(socket.SOCK_STREAM, host, port, mode) as sock:
            return host, sock.getsockname()[1]
    for attempt in range(_ATTEMPTS):
        with _open(socket.SOCK_DGRAM, host, port, mode) as udp:
            chosen: int = udp.getsockname()[1]
            try:
                _open(socket.SOCK_STREAM, host, chosen, mode).close()
            except CannotListen:
                if port or attempt == _ATTEMPTS - 1:
                    raise
            else:
                return host, chosen
    raise AssertionError


def _open(kind: socket.SocketKind, host: str, port: int, mode: BindMode, *, group: bool = False) -> socket.socket:
    sock = None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, kind)
        sock.settimeout(0)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            # Connections in TIME_WAIT must not prevent a restart. On UDP, the option would admit other processes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if group:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind is socket.SOCK_DGRAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE)
        _report_destinations(sock, host)
        if mode == "wait":
            local_address.allow_absent(sock)
        sock.bind(socket.getaddrinfo(host, port, family, kind, flags=socket.AI_NUMERICHOST)[0][4])
        if kind is socket.SOCK_STREAM:
            # Listen at once, so that clients wait in the queue while a worker starts. The probe listens too: only then
            # does the kernel refuse to share the port between SO_REUSEADDR sockets.
            sock.listen(_BACKLOG)
    except OSError as error:
        if sock:
            sock.close()
        raise CannotListen(refusal(_KINDS[kind], str(HostPort(host, port)), error)) from None
    return sock


def _report_destinations(sock: socket.socket, host: str = "") -> None:
    """Have a UDP socket on all addresses report each packet's destination: the reply is sent from that address."""
    if sock.type is socket.SOCK_DGRAM and (host or sock.getsockname()[0]) in _ANY:
        sock.setsockopt(*_PKTINFO[sock.family], 1)


def refusal(kind: str, address: str, error: OSError) -> str:
    """Return the message for an address that could not be bound."""
    line = f"cannot listen on {kind} {address}: {_reason(error)}"
    if error.errno in (errno.EACCES, errno.EPERM):
        line += "; a port below 1024 needs CAP_NET_BIND_SERVICE (in a systemd unit: AmbientCapabilities=)"
    if error.errno == errno.EADDRNOTAVAIL:
        line += "; this machine does not have the address (`dns.bind: wait` starts pldns before it has)"
    return line


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "not an IP address"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def names(roles: Sequence[SocketRole], sockets: Sequence[socket.socket]) -> tuple[tuple[SocketRole, HostPort], ...]:
    """Return each address of these sockets once, with its role."""
    named = zip(roles, sockets, strict=True)
    return tuple(dict.fromkeys((role, _address(each)) for role, each in named))
