"""UDP for clients: packets read in batches, repeated ones answered from the exact map without being parsed."""

import asyncio
import socket
from typing import Final

from resolver.responder import Clients, Responder
from resolver.wire import codes

BATCH: Final = 64
"""Packets for one wake-up; then the loop has its turn."""
_ROOM: Final = 4096  # octets; a query is far shorter, and what is longer arrives cut and is malformed
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to


class Udp:
    """One socket and its reader."""

    def __init__(
        self, sock: socket.socket, responder: Responder, clients: Clients, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._sock = sock
        self._responder = responder
        self._clients = clients
        self._loop = loop
        self._host, self._port = sock.getsockname()[:2]
        family = "6" if sock.family == socket.AF_INET6 else "4"
        self._requests = responder.counters.cell("dns_requests_total", ("udp", family))
        self._unsent = responder.counters.cell("dns_dropped_total", ("unsent",))
        self._unwanted = responder.counters.cell("dns_dropped_total", ("unanswerable",))
        loop.add_reader(sock.fileno(), self._read)

    def close(self) -> None:
        """Stop reading. What is in flight still answers; the socket stays open, it is the supervisor's too."""
        self._loop.remove_reader(self._sock.fileno())

    def _read(self) -> None:
        receive, send, own = self._sock.recvfrom, self._sock.sendto, self._port
        exact, known = self._responder.answers.exact, self._clients.known
        now = self._responder.clock()
        count = 0
        try:
            for _ in range(BATCH):
                packet, address = receive(_ROOM)
                count += 1
                network = known.get(address[0])
                if network is not None and network >= -1 and 0 != address[1] != own:
                    hit = exact[network].get(packet[2:])
                    if hit is not None and now < hit.until:
                        hit.cell[0] += 1
                        try:
                            send(hit.reply(packet), address)
                        except OSError:
                            self._unsent[0] += 1
                        continue
                self._take(packet, address)
        except OSError:
            pass  # read dry, or what became of an earlier reply (ICMP): told once, then reading goes on
        finally:
            self._requests[0] += count

    def _take(self, packet: bytes, address: tuple[str, int]) -> None:
        if not address[1] or self._is_own(address):
            self._unwanted[0] += 1  # no one to answer, or ourselves: it could only go round
            return
        network = self._clients.find(address[0])

        def reply(octets: bytes) -> None:
            try:
                self._sock.sendto(octets, address)
            except OSError:
                self._unsent[0] += 1  # UDP may lose: the send buffer is full, or there is no way back

        self._responder.take(packet, network, codes.PAYLOAD, reply)

    def _is_own(self, address: tuple[str, int]) -> bool:
        """Our own address; where the socket has all of this machine's, any of them with our port."""
        if address[1] != self._port:
            return False
        return address[0] == self._host or (self._host in _ANY and _is_local(self._sock.family, address[0]))


def _is_local(family: int, host: str) -> bool:
    """Only an address of this machine can be bound."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
