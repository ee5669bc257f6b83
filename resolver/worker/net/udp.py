"""A listener for UDP: reads and answers packets in batches; repeated packets are answered without being parsed.

A socket that is bound to all addresses replies from the address that the query was sent to (RFC 3542 §6, ip(7)
IP_PKTINFO). Without batches (`mmsg.AVAILABLE`), packets are read one by one, and all of them are parsed.
"""

import asyncio
import socket
import sys
from typing import Final

from resolver.channel.query_records import QueryRecord
from resolver.wire import proxy
from resolver.worker.access.clients import PROXY, Clients, unmapped
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateLimiter, RateVerdict
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.durations import REPEATED, SAMPLE
from resolver.worker.answer.responder import Responder
from resolver.worker.net import mmsg, packet_cache
from resolver.worker.net.mmsg import LONGEST, Batch, Outbox
from resolver.worker.net.packet_cache import AddressLayout
from zones.clocks import SteadyTime

BATCH: Final = mmsg.SIZE
"""Packets that are read before the event loop continues."""
_ANY: Final = frozenset(("0.0.0.0", "::"))  # noqa: S104 - compared with, not bound to
_PKTINFO: Final = {
    socket.AF_INET: (socket.IPPROTO_IP, mmsg.IP_PKTINFO),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO),
}
_CONTROL: Final = socket.CMSG_SPACE(20)
"""Octets of ancillary data for one in6_pktinfo, which is larger than in_pktinfo."""

_Control = list[tuple[int, int, bytes]]


class UdpListener:
    """The reader of one socket."""

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
        self._transport = ClientTransport("udp", responder.payload)
        self._host, self._port = sock.getsockname()[:2]
        self._has_any = self._host in _ANY
        own = int.from_bytes(self._port.to_bytes(2, "big"), sys.byteorder)
        self._layout = AddressLayout(8, 16, own) if sock.family == socket.AF_INET6 else AddressLayout(4, 4, own)
        self._first, self._end = self._layout.first, self._layout.first + self._layout.width
        self.turn = 0
        """Number of the batch that is being answered; 0 between two batches."""
        self._turns = 0
        self._untimed = self._batches = 0
        """Repeated packets, and batches, since the last batch that was timed."""
        counters = responder.counters
        self._requests = counters.cell("dns_requests_total", ("udp", "6" if sock.family == socket.AF_INET6 else "4"))
        self._unsent = counters.cell("dns_dropped_total", ("unsent",))
        self._unwanted = counters.cell("dns_dropped_total", ("unanswerable",))
        self._unproxied = counters.cell("dns_dropped_total", ("proxy",))
        if mmsg.AVAILABLE:
            self._batch = Batch(sock, control=self._has_any)
            self._outbox = Outbox(sock, control=self._has_any)
        loop.add_reader(sock.fileno(), self._read if mmsg.AVAILABLE else self._read_singly)

    def configure(self, responder: Responder, clients: Clients, limiter: RateLimiter | None) -> None:
        """Answer the packets that are read from now on with these. Call it between two batches."""
        self._responder, self._clients, self._limiter = responder, clients, limiter
        self._transport = ClientTransport("udp", responder.payload)

    def close(self) -> None:
        """Stop reading. Queries in flight are still answered, so the socket stays open."""
        self._loop.remove_reader(self._sock.fileno())

    def _read(self) -> None:
        """Answer a batch: repeated packets from the packet cache, the rest by the responder."""
        slots = self._batch
        left: list[tuple[int, RateVerdict]] = []
        now = self._responder.steady()
        watch = self._responder.watch
        noted: list[QueryRecord] | None = None if watch is None else []
        packets = packet_cache.answer(
            slots, self._layout, self._clients.known, self._responder.answers.exact, self._responder.first,
            now, self._limit if self._limiter else None, left, noted,
        )  # fmt: skip
        if watch is not None and noted:
            watch.repeated(now, noted)
        self._requests[0] += packets
        self._untimed += packets - len(left)
        self._batches += 1
        if self._batches >= SAMPLE:
            self._responder.durations.add(REPEATED, self._responder.steady() - now, self._untimed)
            self._untimed = self._batches = 0
        if left:
            self.turn = self._turns = self._turns + 1
            first, end = self._first, self._end
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
        """Do the same without batches."""
        now = self._responder.steady()
        try:
            for _ in range(BATCH):
                packet, control, _, sender = self._sock.recvmsg(LONGEST, _CONTROL if self._has_any else 0)
                self._requests[0] += 1
                name = _name(self._sock.family, *sender)
                address = name[self._layout.first : self._layout.first + self._layout.width]
                over = self._limit(address, now)
                self._take(packet, address, _Reply(self, -1, name, control[0][2] if control else b""), over)
        except OSError:
            pass  # no packet waits, or an earlier reply failed (ICMP), which the kernel reports once

    def _limit(self, address: bytes, now: SteadyTime) -> RateVerdict:
        """Return the verdict on a packet. Packets of a proxy pass: the limit applies to the client in their header."""
        if self._limiter is None or self._clients.find(address) == PROXY:
            return RateVerdict.PASS
        return self._limiter.check(address, now)

    # -- off the fast path

    def _take(self, packet: bytes, address: bytes, reply: "_Reply", over: RateVerdict) -> None:
        port = reply.name[2] << 8 | reply.name[3]
        if not port or (port == self._port and self._is_own(reply)):
            self._unwanted[0] += 1  # from port 0, or from this socket: a reply would come back as a query
            return
        client = self._clients.peer(address)
        if self._clients.find(address) == PROXY:
            try:
                source, packet = proxy.strip(packet)
            except proxy.MalformedHeader:
                self._unproxied[0] += 1
                return
            if source is not None:
                client, port = self._clients.client(unmapped(source.address)), source.port
            if self._limiter:
                over = self._limiter.check(client.address, self._responder.steady())
        send: SendReply = reply
        if self._responder.watch is not None:
            send = self._responder.watch.sending(packet, client, port, self._transport.name, reply)
        self._responder.take(packet, client, self._transport, send, over)

    def send(self, reply: "_Reply", octets: bytes) -> None:
        """Send a reply: with its batch while that is answered, later with other late replies."""
        if reply.slot < 0:
            self._send_singly(reply, octets)
        elif reply.turn == self.turn:
            self._batch.queue_whole(reply.slot, octets)
        elif self._outbox.put(reply.name, reply.control, octets) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send the replies to queries of earlier batches."""
        outbox = self._outbox
        if self._sock.fileno() < 0:  # closed: another file may have its descriptor by now
            outbox.clear()
        outbox.flush()
        self._unsent[0] += outbox.unsent
        outbox.unsent = 0

    def _send_singly(self, reply: "_Reply", octets: bytes) -> None:
        try:
            self._sock.sendmsg([octets], self._source(reply.control), 0, reply.address(self._sock.family))
        except OSError:
            self._unsent[0] += 1  # the send buffer is full, or there is no route: UDP may lose packets

    def _source(self, pktinfo: bytes) -> _Control:
        """Return the ancillary data to send from the address that the packet was sent to, on any interface."""
        if not pktinfo:
            return []
        level, kind = _PKTINFO[self._sock.family]
        return [(level, kind, mmsg.any_interface(self._sock.family, pktinfo))]

    def _is_own(self, reply: "_Reply") -> bool:
        """Return whether the reply goes to this socket itself. A wildcard socket has every local address."""
        host = str(reply.address(self._sock.family)[0])
        return host == self._host or (self._has_any and _is_local(self._sock.family, host))


class _Reply:
    """Sends the reply to one packet. `name` is the sender's sockaddr, `control` the pktinfo of the packet."""

    __slots__ = ("_udp", "control", "name", "slot", "turn")

    def __init__(self, udp: UdpListener, slot: int, name: bytes, control: bytes) -> None:
        self._udp = udp
        self.turn = udp.turn
        self.slot = slot
        self.name = name
        self.control = control

    def __call__(self, octets: bytes, _: Compiled | None) -> None:
        """Send the reply, now or later."""
        self._udp.send(self, octets)

    def address(self, family: int) -> tuple[str | int, ...]:
        """Return the sender as an address for `sendmsg`."""
        port, name = int.from_bytes(self.name[2:4], "big"), self.name
        if family == socket.AF_INET:
            return socket.inet_ntop(family, name[4:8]), port
        return socket.inet_ntop(family, name[8:24]), port, 0, int.from_bytes(name[24:28], sys.byteorder)


def _name(family: int, host: str, port: int, _: int = 0, scope: int = 0) -> bytes:
    """Return the kernel's sockaddr for an address of Python's socket module."""
    head = family.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big")
    octets = socket.inet_pton(family, host.partition("%")[0])
    return head + (octets if len(octets) == 4 else bytes(4) + octets + scope.to_bytes(4, sys.byteorder))


def _is_local(family: int, host: str) -> bool:
    """Return whether this machine has the address: only then can a socket be bound to it."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True
