"""UDP for clients: packets read in batches, repeated ones answered from the exact map without being parsed.

A socket that has all of this machine's addresses answers from the one that was asked (RFC 3542 §6, ip(7) IP_PKTINFO).
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Final

from resolver.clients import PROXY, Clients, unmapped
from resolver.options import Way
from resolver.ratelimit import RateLimiter, Verdict
from resolver.responder import Responder
from resolver.wire import proxy

BATCH: Final = 64
"""Packets for one wake-up; then the loop has its turn."""
_ROOM: Final = 4096  # octets; a query is far shorter, and what is longer arrives cut and is malformed
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to
_PKTINFO: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 8),  # IP_PKTINFO of linux/in.h; Python 3.11 has no name for it
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
}
_CONTROL: Final = socket.CMSG_SPACE(20)
"""Octets for one in6_pktinfo, the larger of the two."""

Address = tuple[str, int]
_Control = list[tuple[int, int, bytes]]


class Udp:
    """One socket and its reader. `limit` is of a reply, in octets."""

    def __init__(
        self,
        sock: socket.socket,
        responder: Responder,
        clients: Clients,
        loop: asyncio.AbstractEventLoop,
        limiter: RateLimiter | None = None,
    ) -> None:
        self._sock = sock
        self._responder = responder
        self._clients = clients
        self._limiter = limiter
        self._loop = loop
        self._way = Way("udp", responder.payload)
        self._host, self._port = sock.getsockname()[:2]
        counters = responder.counters
        self._requests = counters.cell("dns_requests_total", ("udp", "6" if sock.family == socket.AF_INET6 else "4"))
        self._unsent = counters.cell("dns_dropped_total", ("unsent",))
        self._unwanted = counters.cell("dns_dropped_total", ("unanswerable",))
        self._unproxied = counters.cell("dns_dropped_total", ("proxy",))
        loop.add_reader(sock.fileno(), self._read_any if self._host in _ANY else self._read)

    def close(self) -> None:
        """Stop reading. What is in flight still answers; the socket stays open, it is the supervisor's too."""
        self._loop.remove_reader(self._sock.fileno())

    def _read(self) -> None:
        receive, send, own = self._sock.recvfrom, self._sock.sendto, self._port
        exact, known, limiter = self._responder.answers.exact, self._clients.known, self._limiter
        now, allowed = self._responder.clock(), Verdict.PASS
        count = 0
        try:
            for _ in range(BATCH):
                packet, address = receive(_ROOM)
                count += 1
                network = known.get(address[0])
                over = allowed if limiter is None or network == PROXY else limiter.judge(address[0], now)
                if network is not None and network >= -1 and 0 != address[1] != own and over is allowed:
                    hit = exact[network].get(packet[2:])
                    if hit is not None and now < hit.until:
                        hit.cell[0] += 1
                        try:
                            send(hit.reply(packet), address)
                        except OSError:
                            self._unsent[0] += 1
                        continue
                self._take(packet, address, over, partial(self._send, address))
        except OSError:
            pass  # read dry, or what became of an earlier reply (ICMP): told once, then reading goes on
        finally:
            self._requests[0] += count

    def _read_any(self) -> None:
        """The same for a socket with all addresses, which has to say from which one a reply goes."""
        receive, limiter = self._sock.recvmsg, self._limiter
        now, count = self._responder.clock(), 0
        try:
            for _ in range(BATCH):
                packet, control, _, address = receive(_ROOM, _CONTROL)
                count += 1
                proxied = self._clients.find(address[0]) == PROXY
                over = Verdict.PASS if limiter is None or proxied else limiter.judge(address[0], now)
                self._take(packet, address, over, partial(self._send_from, self._source(control), address))
        except OSError:
            pass
        finally:
            self._requests[0] += count

    # -- off the fast path

    def _take(self, packet: bytes, address: Address, over: Verdict, send: Callable[[bytes], None]) -> None:
        if not address[1] or self._is_own(address):
            self._unwanted[0] += 1  # no one to answer, or ourselves: it could only go round
            return
        client = self._clients.peer(address[0])
        if self._clients.find(address[0]) == PROXY:
            try:
                source, packet = proxy.strip(packet)
            except proxy.Malformed:
                self._unproxied[0] += 1
                return
            if source is not None:
                client = self._clients.client(unmapped(source.address))
            if self._limiter:
                over = self._limiter.judge(str(ip_address(client.address)), self._responder.clock())
        self._responder.take(packet, client, self._way, send, over)

    def _send(self, address: Address, octets: bytes) -> None:
        try:
            self._sock.sendto(octets, address)
        except OSError:
            self._unsent[0] += 1  # UDP may lose: the send buffer is full, or there is no way back

    def _send_from(self, control: _Control, address: Address, octets: bytes) -> None:
        try:
            self._sock.sendmsg([octets], control, 0, address)
        except OSError:
            self._unsent[0] += 1

    def _source(self, control: _Control) -> _Control:
        """What makes the kernel send from the address that a packet came to, by whichever way is right."""
        level, kind = _PKTINFO[self._sock.family]
        for each, what, data in control:
            if (each, what) == (level, kind):
                if level == socket.IPPROTO_IP:  # in_pktinfo: interface, our address, the packet's destination
                    return [(level, kind, bytes(4) + data[4:8] + bytes(4))]
                link_local = data[0] == 0xFE and data[1] & 0xC0 == 0x80
                return [(level, kind, data if link_local else data[:16] + bytes(4))]
        return []

    def _is_own(self, address: Address) -> bool:
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
