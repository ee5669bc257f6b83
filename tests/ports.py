"""Ports of this machine that are free for UDP and TCP alike.

The kernel gives a number that is free for one of them; for the other somebody may have it.
"""

import socket


def pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket bound to one port."""
    while True:
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        tcp.bind((host, 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


def free_port() -> int:
    """One that nobody has at the moment."""
    tcp, udp = pair()
    with tcp, udp:
        return int(tcp.getsockname()[1])
