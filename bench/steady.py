"""Clients that send queries at a steady rate over UDP, TCP, TLS and HTTPS/2, and check every answer.

A query that has no answer in `PATIENCE` seconds is lost. Does not know what happens to the server meanwhile, nor how a
transport carries queries (`sessions`).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

from bench.questions import Outcome, Question, text_of
from bench.sessions import Datagrams, Pending, Stream

PATIENCE: Final = 5.0
"""Seconds that a query may take."""
LATE: Final = 1.0
"""Seconds after which an answer is late."""
_TICK: Final = 0.01
"""Seconds between two batches of queries."""
_RCVBUFFORCE: Final = 33  # SO_RCVBUFFORCE of asm-generic/socket.h: above net.core.rmem_max
_BUFFER: Final = 8 << 20
"""Octets of answers that may wait in a socket."""


@dataclass(slots=True)
class Tally:
    """What became of the queries over one transport."""

    sent: int = 0
    right: int = 0
    wrong: int = 0
    """Answers that differ from the expected one, except SERVFAIL."""
    servfail: int = 0
    lost: int = 0
    late: int = 0
    """Answers of any kind that came after more than `LATE` seconds."""
    slowest: float = 0.0
    """Seconds."""
    resent: int = 0
    """Queries that were sent again because their connection ended."""
    broken: int = 0
    """Connections that ended by an error or could not be made."""
    examples: list[str] = field(default_factory=list)
    """Some wrong answers and errors, as text."""

    def keep(self, example: str) -> None:
        """Keep an example, if there are only a few."""
        if len(self.examples) < 3:
            self.examples.append(example)


Decided = Callable[[str, Question, float, Outcome], None]
"""Takes the transport, the question, the time at which it was sent, and the outcome."""


class Clients:
    """Clients of one server on loopback, which ask a mix of questions."""

    def __init__(
        self,
        questions: Question | Iterator[Question],
        ports: dict[str, int],
        tls: ssl.SSLContext | None = None,
        decided: Decided | None = None,
        source: str = "127.0.0.1",
        patience: float = PATIENCE,
    ) -> None:
        """`ports`: by transport, `udp`, `tcp`, `tls` or `https`. `source`: the address of the clients, on loopback.

        `decided` is called for each query. `patience`: the seconds after which a query is lost.
        """
        self.tallies = {transport: Tally() for transport in ports}
        self._questions = questions if isinstance(questions, Iterator) else repeat(questions)
        self._ports = ports
        self._tls = tls
        self._decided = decided
        self._source = source
        self._patience = patience
        self._clients: list[Datagrams | Stream] = []

    async def run(self, rates: dict[str, float], until: Callable[[], bool], connections: int = 4) -> None:
        """Send `rates` queries a second over each transport until `until` returns true, and wait for the answers."""
        async with asyncio.TaskGroup() as group:
            for transport, rate in rates.items():
                for _ in range(connections):
                    group.create_task(self._pace(transport, rate / connections, until))

    def oldest(self) -> float:
        """Return when the oldest query that is not decided was sent; the time of the event loop where all are."""
        now = asyncio.get_running_loop().time()
        return min((at for client in self._clients for _, at in client.oldest()), default=now)

    async def _pace(self, transport: str, rate: float, until: Callable[[], bool]) -> None:
        loop = asyncio.get_running_loop()
        client: Datagrams | Stream = Datagrams(self, transport) if transport == "udp" else Stream(self, transport)
        self._clients.append(client)
        began, count = loop.time(), 0
        while not until():
            due = int((loop.time() - began) * rate) - count
            if due > 0:
                count += due
                self.tallies[transport].sent += due
                at = loop.time()
                client.ask([(next(self._questions), at) for _ in range(due)])
            self._settle(transport, client)
            await asyncio.sleep(_TICK)
        while client.pending:
            self._settle(transport, client)
            await asyncio.sleep(_TICK)
        await client.close()

    def _settle(self, transport: str, client: Datagrams | Stream) -> None:
        """Send again what a connection left unanswered, and give up what is too old."""
        client.ask([])
        too_old = asyncio.get_running_loop().time() - self._patience
        for question, at in client.expired(too_old):
            self.tallies[transport].lost += 1
            if self._decided:
                self._decided(transport, question, at, Outcome.LOST)

    def answered(self, transport: str, pending: Pending, reply: bytes) -> None:
        """Count the answer to a query."""
        question, at = pending
        tally = self.tallies[transport]
        outcome = question.outcome(reply)
        if outcome is Outcome.RIGHT:
            tally.right += 1
        else:
            if outcome is Outcome.SERVFAIL:
                tally.servfail += 1
            else:
                tally.wrong += 1
            tally.keep(text_of(reply))
        seconds = asyncio.get_running_loop().time() - at
        tally.slowest = max(tally.slowest, seconds)
        tally.late += seconds > LATE
        if self._decided:
            self._decided(transport, question, at, outcome)

    def ended(self, transport: str, unanswered: int, error: Exception | None) -> None:
        """Count a connection that ended, or that could not be made."""
        tally = self.tallies[transport]
        tally.resent += unanswered
        if error:
            tally.broken += 1
            tally.keep(repr(error))

    async def connect(self, transport: str, protocol: asyncio.Protocol) -> None:
        """Open a connection. Raises OSError."""
        context = self._tls if transport in ("tls", "https") else None
        await asyncio.get_running_loop().create_connection(
            lambda: protocol,
            "127.0.0.1",
            self._ports[transport],
            ssl=context,
            server_hostname="localhost" if context else None,
            local_addr=(self._source, 0),
        )

    async def datagrams(self, protocol: asyncio.DatagramProtocol) -> None:
        """Open a socket."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A client that waits for the processor must not lose answers itself.
        try:
            sock.setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _BUFFER)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.settimeout(0)
        sock.bind((self._source, 0))
        sock.connect(("127.0.0.1", self._ports["udp"]))
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, sock=sock)
