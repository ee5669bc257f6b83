"""An upstream server with the faults that real ones have. It relays all other queries, and their replies, unchanged.

A name decides about its fault: a zone whose first label is the fault, and a first label of the name as in `FAULTS`.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.live.daemon import REPLY

LATE: Final = 1.5
"""Seconds by which a late reply is late: longer than the first try of a query."""
FAULTS: Final = ("formerr", "mute", "drop", "late", "tc", "cookie")
"""By first label of the zone. `formerr`: FORMERR to EDNS for the name `odd`. `mute`: no reply to EDNS for `odd`.

`drop`: no reply to the first query for `www`. `late`: a late reply for `www`. `tc`: all replies over UDP are truncated.
`cookie`: the cookie of `www` comes back changed over UDP.
"""


class FaultyUpstream:
    """Listens on a port of 127.0.0.1, and relays to the server at another port."""

    def __init__(self, port: int, server: int) -> None:
        self._server = server
        self._dropped: list[dns.rrset.RRset] = []
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", port))
        self._tcp = socket.create_server(("127.0.0.1", port), backlog=64)
        self._pool = ThreadPoolExecutor(64)
        self.seen: set[str] = set()
        """The faults that happened."""

    @contextmanager
    def serving(self) -> Iterator["FaultyUpstream"]:
        """Serve while the block runs."""
        threads = [threading.Thread(target=each) for each in (self._serve_udp, self._serve_tcp)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            for sock in (self._udp, self._tcp):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            with socket.socket(type=socket.SOCK_DGRAM) as wake:  # an unconnected UDP socket does not notice a shutdown
                wake.sendto(b"", self._udp.getsockname())
            for thread in threads:
                thread.join()
            self._pool.shutdown()
            self._udp.close()
            self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            octets, client = self._udp.recvfrom(4096)
            if not octets:
                return
            self._pool.submit(self._answer_udp, octets, client)

    def _answer_udp(self, octets: bytes, client: tuple[str, int]) -> None:
        reply = self._reply(octets, is_udp=True)
        if reply:
            self._udp.sendto(reply, client)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._pool.submit(self._answer_tcp, self._tcp.accept()[0])

    def _answer_tcp(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(REPLY)
            while query := _framed(connection):
                if reply := self._reply(query, is_udp=False):
                    connection.sendall(len(reply).to_bytes(2, "big") + reply)

    def _reply(self, octets: bytes, *, is_udp: bool) -> bytes:
        """Return the reply to a query; empty for none."""
        query = dns.message.from_wire(octets)
        first, *rest = query.question[0].name.labels
        fault = next((each for each in FAULTS if each.encode() in rest), "")
        if first == b"odd" and query.edns >= 0 and fault in {"formerr", "mute"}:
            self.seen.add(fault)
            return _error(query) if fault == "formerr" else b""
        if fault == "drop" and first == b"www" and is_udp and query.question[0] not in self._dropped:
            self._dropped.append(query.question[0])
            self.seen.add(fault)
            return b""
        if fault == "tc" and is_udp:
            self.seen.add(fault)
            return octets[:2] + bytes((0x83, 0x80)) + octets[4:6] + bytes(6) + octets[12 : _question_end(octets)]
        if fault == "late" and first == b"www":
            self.seen.add(fault)
            time.sleep(LATE)
        reply = self._relayed(octets, is_udp=is_udp)
        cookie = next((option for option in query.options if option.otype == dns.edns.OptionType.COOKIE), None)
        if cookie and fault == "cookie" and first == b"www" and is_udp:
            self.seen.add(fault)
            answer = dns.message.from_wire(reply)
            answer.use_edns(0, answer.ednsflags, 1232, options=[dns.edns.CookieOption(b"changed!", b"server!!")])
            reply = answer.to_wire()
        return reply

    def _relayed(self, octets: bytes, *, is_udp: bool) -> bytes:
        address = ("127.0.0.1", self._server)
        if is_udp:
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.settimeout(REPLY)
                sock.connect(address)
                sock.send(octets)
                return sock.recv(4096)
        with socket.create_connection(address, REPLY) as stream:
            stream.sendall(len(octets).to_bytes(2, "big") + octets)
            return _framed(stream)


def _framed(connection: socket.socket) -> bytes:
    """Return the next message of a stream; empty at its end."""
    length = int.from_bytes(connection.recv(2, socket.MSG_WAITALL), "big")
    return connection.recv(length, socket.MSG_WAITALL) if length else b""


def _question_end(octets: bytes) -> int:
    return octets.index(b"\0", 12) + 5


def _error(query: dns.message.Message) -> bytes:
    """Return FORMERR without EDNS, as a server says it that does not know EDNS."""
    reply = dns.message.make_response(query)
    reply.use_edns(False)  # noqa: FBT003 - dnspython's signature
    reply.set_rcode(dns.rcode.FORMERR)
    return reply.to_wire()
