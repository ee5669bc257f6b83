"""The one observer of the packet path: passes queries and their replies to the query log, and to operators who watch.

While neither wants queries, responders have no observer, and the packet path compares one reference with None. Queries
are passed on in batches. Does not know which queries are logged or shown.
"""

from collections.abc import Sequence
from socket import htons
from typing import Final

from resolver.channel.query_records import AnsweredQueries, QueryBatch, QueryRecord
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.settings import Transport
from resolver.worker.access.clients import Client
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.clock import Clock, Timer
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.responder import Responder
from resolver.worker.query_log import QueryLog
from resolver.worker.tailed_queries import TailedQueries
from zones.clocks import SteadyTime, WallTime
from zones.networks.network import Networks
from zones.networks.prefixes import NONE, NetworkIndex

BATCH: Final = 256
"""Queries that are passed on together. A large batch has fewer system calls, and wakes the logger less often."""
DELAY: Final = 0.1
"""Seconds that a query waits for others."""
_LARGE: Final = 1024  # a reply counts as one query more for so many octets


class QueryWatch:
    """Observes what `responder` answers, whose clients are in `networks`."""

    def __init__(self, clock: Clock, log: QueryLog, responder: Responder, networks: Networks) -> None:
        self._clock = clock
        self._log = log
        self._tailed = TailedQueries(clock.steady)
        self._responder = responder
        self._networks = networks
        self._waiting: list[tuple[SteadyTime, float, Transport, Sequence[QueryRecord]]] = []
        self._count = 0
        """Queries in `_waiting`; large replies count more."""
        self._timer: Timer | None = None
        self._attach()

    def switch(self, responder: Responder, networks: Networks) -> None:
        """Observe another responder from now on. Also called when the settings of the log have changed."""
        self.flush()
        self._responder.watch = None
        self._responder, self._networks = responder, networks
        self._attach()

    def take(self, filters: Sequence[QueryFilter]) -> tuple[int, list[WatchedQuery]]:
        """Show the queries that `filters` match. Return how many were dropped, and those since the last call."""
        self.flush()
        found = self._tailed.take(filters)
        self._attach()
        return found

    def repeated(self, began: SteadyTime, records: list[QueryRecord]) -> None:
        """Note packets over UDP, read at `began`, that were answered without being parsed."""
        self._note(began, "udp", records, len(records))

    def sending(self, packet: bytes, client: Client, port: int, proto: Transport, send: SendReply) -> SendReply:
        """Return a function that sends the reply, and notes the query. `port`: of the client."""
        began = self._clock.steady()
        # Not when the reply is sent: by then, another configuration may have numbered other networks.
        label = self._label(client.network)

        def sent(reply: bytes, answer: Compiled | None) -> None:
            send(reply, answer)
            record = packet, client.address, htons(port), label, reply[2:]
            self._note(began, proto, [record], 1 + len(reply) // _LARGE)

        return sent

    def flush(self) -> None:
        """Pass on what waits."""
        self._timer = None
        if not self._waiting:
            return
        waiting, self._waiting, self._count = self._waiting, [], 0
        offset = self._clock.wall() - self._clock.steady()
        answered = [AnsweredQueries(WallTime(each[0] + offset), *each[1:]) for each in waiting]
        indexes = {record[3] for each in waiting for record in each[3]}
        networks = {index: self._label(NetworkIndex(index)) for index in indexes if isinstance(index, int)}
        batch = QueryBatch(networks, answered)
        self._log.add(batch)
        self._tailed.add(batch)
        if not self._tailed.is_wanted and not self._log.is_on:
            self._attach()

    def _label(self, network: NetworkIndex) -> str:
        return self._networks.label(network) if network >= NONE else ""

    def _note(self, began: SteadyTime, proto: Transport, records: Sequence[QueryRecord], count: int) -> None:
        self._waiting.append((began, self._clock.steady() - began, proto, records))
        self._count += count
        if self._count >= BATCH:
            timer = self._timer
            self.flush()
            self._timer = timer  # it finds what waits then
        elif self._timer is None:
            self._timer = self._clock.later(DELAY, self.flush)

    def _attach(self) -> None:
        self._responder.watch = self if self._tailed.is_wanted or self._log.is_on else None
