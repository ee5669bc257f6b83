"""The listening sockets: probed, bound once for each worker, or taken from systemd. Who reads them is not known here.

Each worker has sockets of its own in one SO_REUSEPORT group per address, over which the kernel spreads the clients.
SO_REUSEPORT alone would let a second instance take half of the queries in silence; hence the probe without it.
"""

import errno
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from resolver import systemd

_BACKLOG: Final = 1024
_RECEIVE: Final = 4 << 20
"""Octets of packets that wait while a worker is busy or starts; the kernel grants up to net.core.rmem_max."""
_ATTEMPTS: Final = 16
"""Tries for a port that is free for both UDP and TCP when the kernel chooses."""
_KINDS: Final = {socket.SOCK_DGRAM: "udp", socket.SOCK_STREAM: "tcp"}


class CannotListen(Exception):  # noqa: N818 - it reads as the sentence that it is
    """One line that says which address, and why."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Open sockets, non-blocking, UDP and (already listening) TCP, in one tuple for each worker.

    `shared`: all workers hold the same descriptors. `addresses` are those bound, each once, with their real ports.
    """

    addresses: tuple[str, ...]
    workers: tuple[tuple[socket.socket, ...], ...]
    shared: bool = False

    def close(self) -> None:
        """Close this process's copies; the kernel closes a socket with its last copy."""
        for sockets in self.workers:
            for each in sockets:
                each.close()


def listen(addresses: Sequence[str], workers: int, environ: Mapping[str, str]) -> Listening:
    """Sockets for `workers` workers: those from systemd if it hands any over, otherwise bound to `addresses`.

    An address is `address:port`, IPv6 in brackets; port 0 lets the kernel choose one for UDP and TCP together.
    Raises `CannotListen`.
    """
    return _from_systemd(workers, environ) or _bind(addresses, workers)


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
    # Each worker has the same descriptors: a worker of another uid could not join a group that systemd's uid opened.
    return Listening(_names(sockets), (sockets,) * workers, shared=True)


def _bind(addresses: Sequence[str], workers: int) -> Listening:
    # All probes come first: 0.0.0.0 and 127.0.0.1 on one port are no conflict of ours once they share SO_REUSEPORT.
    targets = [_probe(*_split(address)) for address in addresses]
    bound: list[tuple[socket.socket, ...]] = []
    try:
        for _ in range(workers):
            bound.append(())
            for host, port in targets:
                for kind in _KINDS:
                    bound[-1] += (_open(kind, host, port, group=True),)
    except CannotListen:
        Listening((), tuple(bound)).close()
        raise
    return Listening(_names(bound[0]), tuple(bound))


def _probe(host: str, port: int) -> tuple[str, int]:
    """Bind without SO_REUSEPORT, UDP and TCP, and close again; returns the port, chosen by the kernel if it was 0."""
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
        sock.bind(socket.getaddrinfo(host, port, family, kind, flags=socket.AI_NUMERICHOST)[0][4])
        if kind is socket.SOCK_STREAM:
            # From here on, so that clients wait in the queue while a worker starts. The probe too: until then the
            # kernel lets SO_REUSEADDR sockets share a port.
            sock.listen(_BACKLOG)
    except OSError as error:
        if sock:
            sock.close()
        raise CannotListen(refusal(_KINDS[kind], _join(host, port), error)) from None
    return sock


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


def _names(sockets: Sequence[socket.socket]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_join(*each.getsockname()[:2]) for each in sockets))


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
