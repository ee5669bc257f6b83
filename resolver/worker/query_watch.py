"""The one observer of the packet path: passes queries and their replies to the query log, and to operators who watch.

While neither wants queries, responders have no observer, and the packet path compares one reference with None. Does not
know which queries are logged or shown.
"""

from collections.abc import Sequence
from socket import htons

from resolver.channel.query_records import AnsweredQueries, QueryRecord
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.settings import Transport
from resolver.worker.access.clients import Client
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.responder import Responder
from resolver.worker.query_log import QueryLog
from resolver.worker.tailed_queries import TailedQueries
from zones.clocks import SteadyTime, WallTime
from zones.networks.network import Networks
from zones.networks.prefixes import NONE, NetworkIndex


class QueryWatch:
    """Observes what `responder` answers, whose clients are in `networks`."""

    def __init__(self, clock: Clock, log: QueryLog, responder: Responder, networks: Networks) -> None:
        self._clock = clock
        self._log = log
        self._tailed = TailedQueries(clock.steady)
        self._responder = responder
        self._networks = networks
        self._attach()

    def switch(self, responder: Responder, networks: Networks) -> None:
        """Observe another responder from now on. Also called when the settings of the log have changed."""
        self._responder.watch = None
        self._responder, self._networks = responder, networks
        self._attach()

    def take(self, filters: Sequence[QueryFilter]) -> tuple[int, list[WatchedQuery]]:
        """Show the queries that `filters` match. Return how many were dropped, and those since the last call."""
        found = self._tailed.take(filters)
        self._attach()
        return found

    def repeated(self, began: SteadyTime, records: list[QueryRecord]) -> None:
        """Note packets over UDP, read at `began`, that were answered without being parsed."""
        labels = {index: self._label(NetworkIndex(index)) for index in {record[3] for record in records}}
        self._note(began, "udp", labels, records)

    def sending(self, packet: bytes, client: Client, port: int, proto: Transport, send: SendReply) -> SendReply:
        """Return a function that sends the reply, and notes the query. `port`: of the client."""
        began = self._clock.steady()
        # Not when the reply is sent: by then, another configuration may have numbered other networks.
        labels = {int(client.network): self._label(client.network)}

        def sent(reply: bytes, answer: Compiled | None) -> None:
            send(reply, answer)
            self._note(began, proto, labels, [(packet, client.address, htons(port), client.network, reply[2:])])

        return sent

    def _label(self, network: NetworkIndex) -> str:
        return self._networks.label(network) if network >= NONE else ""

    def _note(
        self, began: SteadyTime, proto: Transport, labels: dict[int, str], records: Sequence[QueryRecord]
    ) -> None:
        seconds = self._clock.steady() - began
        answered = AnsweredQueries(WallTime(self._clock.wall() - seconds), seconds, proto, labels, records)
        self._log.add(answered)
        self._tailed.add(answered)
        if not self._tailed.is_wanted and not self._log.is_on:
            self._attach()

    def _attach(self) -> None:
        self._responder.watch = self if self._tailed.is_wanted or self._log.is_on else None
