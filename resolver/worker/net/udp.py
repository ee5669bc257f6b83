"""UDP for clients: packets read and answered in batches, repeated ones from the exact map without being parsed.

A socket that has all of this machine's addresses answers from the one that was asked (RFC 3542 §6, ip(7) IP_PKTINFO).
Where the kernel has no batches (`batch.AVAILABLE`), packets are read one by one, and all by the slow way.
"""

import asyncio
import socket
import sys
from typing import Final

from resolver.wire import proxy
from resolver.worker.access.clients import PROXY, Clients, unmapped
from resolver.worker.access.edns import Way
from resolver.worker.access.rate_limit import RateLimiter, Verdict
from resolver.worker.answer.responder import Responder
from resolver.worker.net import mmsg, packet_cache
from resolver.worker.net.mmsg import LONGEST, Batch
from resolver.worker.net.packet_cache import Place

BATCH: Final = mmsg.SIZE
"""Packets for one wake-up; then the loop has its turn."""
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to
_PKTINFO: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, 8),  # IP_PKTINFO of linux/in.h; Python 3.11 has no name for it
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
}
_CONTROL: Final = socket.CMSG_SPACE(20)
"""Octets for one in6_pktinfo, the larger of the two."""

_Control = list[tuple[int, int, bytes]]


class UdpListener:
    """One socket and its reader. `batched`: by recvmmsg and sendmmsg."""

    def __init__(
        self,
        sock: socket.socket,
        responder: Responder,
        clients: Clients,
        loop: asyncio.AbstractEventLoop,
        limiter: RateLimiter | None = None,
        *,
        batched: bool = mmsg.AVAILABLE,
    ) -> None:
        self._sock = sock
        self._responder = responder
        self._clients = clients
        self._limiter = limiter
        self._loop = loop
        self._way = Way("udp", responder.payload)
        self._host, self._port = sock.getsockname()[:2]
        self._has_any = self._host in _ANY
        own = int.from_bytes(self._port.to_bytes(2, "big"), sys.byteorder)
        self._place = Place(8, 16, own) if sock.family == socket.AF_INET6 else Place(4, 4, own)
        self.turn = 0
        """Which batch is in work; 0 between two."""
        self._turns = 0
        counters = responder.counters
        self._requests = counters.cell("dns_requests_total", ("udp", "6" if sock.family == socket.AF_INET6 else "4"))
        self._unsent = counters.cell("dns_dropped_total", ("unsent",))
        self._unwanted = counters.cell("dns_dropped_total", ("unanswerable",))
        self._unproxied = counters.cell("dns_dropped_total", ("proxy",))
        if batched:
            self._batch = Batch(sock, control=self._has_any)
        loop.add_reader(sock.fileno(), self._read if batched else self._read_singly)

    def close(self) -> None:
        """Stop reading. What is in flight still answers; the socket stays open, it is the supervisor's too."""
        self._loop.remove_reader(self._sock.fileno())

    def _read(self) -> None:
        """Answer what was answered before in just this form, and let the responder have the rest."""
        slots = self._batch
        left: list[tuple[int, Verdict]] = []
        self._requests[0] += packet_cache.answer(
            slots, self._place, self._clients.known, self._responder.answers.exact, self._responder.first,
            self._responder.clock(), self._judged if self._limiter else None, left,
        )  # fmt: skip
        if left:
            self.turn = self._turns = self._turns + 1
            first, end = self._place.first, self._place.first + self._place.width
            try:
                for slot, over in left:
                    name = slots.name(slot)
                    reply = _Reply(self, slot, name, slots.control(slot))
                    self._take(slots.packet(slot), name[first:end], reply, over)
            finally:
                self.turn = 0
                slots.flush()
        self._unsent[0] += slots.unsent
        slots.unsent = 0

    def _read_singly(self) -> None:
        """The same without batches."""
        now = self._responder.clock()
        try:
            for _ in range(BATCH):
                packet, control, _, sender = self._sock.recvmsg(LONGEST, _CONTROL if self._has_any else 0)
                self._requests[0] += 1
                name = _name(self._sock.family, *sender)
                address = name[self._place.first : self._place.first + self._place.width]
                over = self._judged(address, now)
                self._take(packet, address, _Reply(self, -1, name, control[0][2] if control else b""), over)
        except OSError:
            pass  # read dry, or what became of an earlier reply (ICMP): told once, then reading goes on

    def _judged(self, address: bytes, now: float) -> Verdict:
        """A proxy is judged by the client that it tells."""
        if self._limiter is None or self._clients.find(address) == PROXY:
            return Verdict.PASS
        return self._limiter.judge(address, now)

    # -- off the fast path

    def _take(self, packet: bytes, address: bytes, reply: "_Reply", over: Verdict) -> None:
        port = int.from_bytes(reply.name[2:4], "big")
        if not port or (port == self._port and self._is_own(reply)):
            self._unwanted[0] += 1  # no one to answer, or ourselves: it could only go round
            return
        client = self._clients.peer(address)
        if self._clients.find(address) == PROXY:
            try:
                source, packet = proxy.strip(packet)
            except proxy.Malformed:
                self._unproxied[0] += 1
                return
            if source is not None:
                client = self._clients.client(unmapped(source.address))
            if self._limiter:
                over = self._limiter.judge(client.address, self._responder.clock())
        self._responder.take(packet, client, self._way, reply, over)

    def send(self, reply: "_Reply", octets: bytes) -> None:
        """Send a reply: with its batch if that is still in work, else by itself."""
        if reply.slot >= 0 and reply.turn == self.turn:
            self._batch.queue_whole(reply.slot, octets)
            return
        try:
            self._sock.sendmsg([octets], self._source(reply.control), 0, reply.address(self._sock.family))
        except OSError:
            self._unsent[0] += 1  # UDP may lose: the send buffer is full, or there is no way back

    def _source(self, pktinfo: bytes) -> _Control:
        """What makes the kernel send from the address that a packet came to, by whichever way is right."""
        if not pktinfo:
            return []
        level, kind = _PKTINFO[self._sock.family]
        return [(level, kind, mmsg.anyway(self._sock.family, pktinfo))]

    def _is_own(self, reply: "_Reply") -> bool:
        """Our own address; where the socket has all of this machine's, any of them."""
        host = str(reply.address(self._sock.family)[0])
        return host == self._host or (self._has_any and _is_local(self._sock.family, host))


class _Reply:
    """How the reply to one packet goes back. `name` is the sender's sockaddr, `control` the pktinfo of the packet."""

    __slots__ = ("_udp", "control", "name", "slot", "turn")

    def __init__(self, udp: UdpListener, slot: int, name: bytes, control: bytes) -> None:
        self._udp = udp
        self.turn = udp.turn
        self.slot = slot
        self.name = name
        self.control = control

    def __call__(self, octets: bytes) -> None:
        """Send it, now or later."""
        self._udp.send(self, octets)

    def address(self, family: int) -> tuple[str | int, ...]:
        """What `sendmsg` takes."""
        port, name = int.from_bytes(self.name[2:4], "big"), self.name
        if family == socket.AF_INET:
            return socket.inet_ntop(family, name[4:8]), port
        return socket.inet_ntop(family, name[8:24]), port, 0, int.from_bytes(name[24:28], sys.byteorder)


def _name(family: int, host: str, port: int, _: int = 0, scope: int = 0) -> bytes:
    """A sockaddr as the kernel has it, from what Python makes of it."""
    head = family.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big")
    octets = socket.inet_pton(family, host.partition("%")[0])
    return head + (octets if len(octets) == 4 else bytes(4) + octets + scope.to_bytes(4, sys.byteorder))


def _is_local(family: int, host: str) -> bool:
    """Only an address of this machine can be bound."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
