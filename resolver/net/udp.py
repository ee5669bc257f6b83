"""UDP for clients: packets read in batches, repeated ones answered from the exact map without being parsed."""

import asyncio
import socket
from typing import Final

from resolver.responder import Clients, Responder
from resolver.wire import codes

BATCH: Final = 64
"""Packets for one wake-up; then the loop has its turn."""
_ROOM: Final = 4096  # octets; a query is far shorter, and what is longer arrives cut and is malformed


class Udp:
    """One socket and its reader."""

    def __init__(
        self, sock: socket.socket, responder: Responder, clients: Clients, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._sock = sock
        self._responder = responder
        self._clients = clients
        self._loop = loop
        self._own = sock.getsockname()[:2]
        family = "6" if sock.family == socket.AF_INET6 else "4"
        self._requests = responder.counters.cell("dns_requests_total", ("udp", family))
        self._unsent = responder.counters.cell("dns_dropped_total", ("unsent",))
        self._unwanted = responder.counters.cell("dns_dropped_total", ("unanswerable",))
        loop.add_reader(sock.fileno(), self._read)

    def close(self) -> None:
        """Stop reading. What is in flight still answers; the socket stays open, it is the supervisor's too."""
        self._loop.remove_reader(self._sock.fileno())

    def _read(self) -> None:
        receive, send = self._sock.recvfrom, self._sock.sendto
        exact, known = self._responder.answers.exact, self._clients.known
        now = self._responder.clock()
        count = 0
        try:
            for _ in range(BATCH):
                packet, address = receive(_ROOM)
                count += 1
                network = known.get(address[0])
                if network is not None and network >= -1:
                    hit = exact[network].get(packet[2:])
                    if hit is not None and now < hit[0].until == hit[1]:
                        hit[0].cell[0] += 1
                        send(packet[:2] + hit[2], address)
                        continue
                self._take(packet, address)
        except (BlockingIOError, InterruptedError):
            pass  # read dry, or the send buffer is full: UDP may lose
        except OSError:
            self._unsent[0] += 1
        self._requests[0] += count

    def _take(self, packet: bytes, address: tuple[str, int]) -> None:
        if not address[1] or address[:2] == self._own:
            self._unwanted[0] += 1  # no one to answer, or ourselves: it could only go round
            return
        network = self._clients.find(address[0])

        def reply(octets: bytes) -> None:
            try:
                self._sock.sendto(octets, address)
            except OSError:
                self._unsent[0] += 1

        self._responder.take(packet, network, codes.PAYLOAD, reply)
