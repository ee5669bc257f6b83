"""A try: one query to one server, in one form. Makes its octets and reads its reply.

Does not know which try comes next (`turns`, `exchange`), nor what follows a reply. Pure: time and randomness are
arguments.
"""

from typing import Final

from resolver.forward.cache import Key
from resolver.forward.deadlines import Waiting
from resolver.forward.edns_lessons import Edns
from resolver.forward.health import Dice, UpstreamServer
from resolver.forward.outstanding_query import OutstandingQuery
from resolver.forward.query_packet import mixed_case, packet_of
from resolver.settings import Transport, UpstreamGroup
from resolver.wire import codes, plain_reply, relay
from resolver.wire.plain_reply import Reply
from zones.clocks import SteadyTime

_FULL: Final = Edns.FULL  # an attribute of an enumeration takes long to read


class Asker(Waiting):
    """The question of a try, which takes what happens to the try. Abstract: see `exchange.Exchange`."""

    __slots__ = ()

    def received(self, query: "Try", packet: bytes) -> None:
        """Take a packet with the id of `query`."""
        raise NotImplementedError

    def lost(self, query: "Try", error: OSError | EOFError) -> None:
        """Take an error of the socket or connection."""
        raise NotImplementedError

    def queue_left(self, query: "Try") -> None:
        """Take note that `query` has left a queue."""
        raise NotImplementedError


class Try(OutstandingQuery):
    """One query of a question to one server."""

    __slots__ = (
        "asker", "badcookie", "cookie", "counted", "do", "edns", "late", "question", "server", "spelling",
        "transport", "wait",
    )  # fmt: skip

    def __init__(
        self, asker: Asker, server: UpstreamServer, transport: Transport, edns: Edns, wait: float, now: SteadyTime
    ) -> None:
        self.begin(now)
        self.asker = asker
        self.server = server
        self.transport = transport
        self.edns = edns
        self.wait = wait
        """Seconds until the next try."""
        self.question = b""
        """Name, type and class, folded."""
        self.spelling = b""
        """The same as sent, if the case is mixed."""
        self.do = False
        """The DO bit of the query: its reply may have signatures and proofs."""
        self.cookie = b""
        """The cookie in the query; empty without one."""
        self.late = False
        """There was no reply in time."""
        self.counted = False
        """The query is one of the outstanding queries of its server."""
        self.badcookie = False
        """The server was asked again because of BADCOOKIE."""

    def ask(self, question: bytes, key: Key, group: UpstreamGroup, mark: bytes, dice: Dice) -> None:
        """Make the octets of the query. `mark`: the option that shows forwarding loops."""
        self.question = question
        self.do = key.do
        full = self.edns is _FULL
        if full and group.cookies and self.server.server.transport == "udp" and self.sent is not None:
            self.cookie = self.server.cookie.to_send(self.sent, dice)
        if group.mixed_case:
            mixed = mixed_case(key.name, dice)
            question = self.spelling = mixed + question[len(mixed) :]
        self.packet = packet_of(question, self.transport, self.edns, mark if full else b"", self.cookie, key.do, key.cd)

    def uncount(self) -> None:
        """Take this query out of the number of outstanding queries of its server."""
        self.server.outstanding -= self.counted
        self.counted = False

    def read(self, packet: bytes) -> Reply:
        """Return the reply to this query. Raises `relay.Mismatch` or `relay.MalformedReply`."""
        if self.spelling and packet[4:6] == b"\0\1" and not packet.startswith(self.spelling, codes.HEADER_SIZE):
            raise relay.Mismatch
        plain = plain_reply.read(packet, self.question)
        if plain is None or (self.do and plain.has_authority):  # proofs of a wildcard, for a client that validates
            return relay.parse(packet, self.question)
        return plain

    def arrived(self, packet: bytes) -> None:
        """Take a packet with the id of this query."""
        self.asker.received(self, packet)

    def failed(self, error: OSError | EOFError) -> None:
        """Take an error."""
        self.asker.lost(self, error)

    def left_queue(self) -> None:
        """Take note that the query has been sent only now."""
        self.asker.queue_left(self)
