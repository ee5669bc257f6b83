"""Queries that an operator watches: chosen by filters, bounded, and not noted any more when nobody asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from resolver.channel.query_records import QueryRecord
from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.query_log_settings import QuerySelection
from resolver.worker import tailed_queries
from resolver.worker.access.clients import packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.client_query import SendReply
from resolver.worker.answer.responder import Responder
from resolver.worker.query_log import QueryLog
from resolver.worker.query_watch import QueryWatch
from resolver.worker.tailed_queries import PATIENCE
from zones.clocks import SteadyTime, WallTime
from zones.dns.name import from_text, to_text

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]

EVERY = QueryFilter()


class Watched:
    """A pipeline whose responder is watched."""

    def __init__(self, pipeline: "Pipeline", query: Callable[..., bytes]) -> None:
        self.pipeline = pipeline
        self._query = query
        self.log = QueryLog(None, [0])
        self.watch = QueryWatch(pipeline.clock, self.log, pipeline.responder, pipeline.parts.networks)

    def take(self, *filters: QueryFilter) -> tuple[int, list[WatchedQuery]]:
        return self.watch.take(filters)

    def ask(self, name: str, client: str = "127.0.0.1") -> None:
        """Ask over TCP, as a connection does."""
        packet, asking = self._query(name), self.pipeline.clients.client(packed(client))
        sent: list[bytes] = []
        send: SendReply = lambda reply, _: sent.append(reply)  # noqa: E731
        watch = self.pipeline.responder.watch
        if watch is not None:
            send = watch.sending(packet, asking, 5300, "tcp", send)
        assert self.pipeline.responder.take(packet, asking, ClientTransport("tcp", idle=10), send)
        assert len(sent) == 1

    def is_idle(self) -> bool:
        """Return whether nothing is noted."""
        return self.pipeline.responder.watch is None

    def names(self, *filters: QueryFilter) -> list[str]:
        return [to_text(each.name) for each in self.take(*filters)[1]]


@pytest.fixture
def watched(build: Build, ask: Callable[..., bytes]) -> Watched:
    return Watched(build("networks: [{name: weu, clients: [10.1.0.0/16]}]", {}, {"public": ""}), ask)


def test_a_query_is_noted_with_its_client_and_its_reply(watched: Watched) -> None:
    watched.take(EVERY)
    watched.ask("LocalHost", "10.1.0.4")
    dropped, (found,) = watched.take(EVERY)
    assert (dropped, found.proto, found.client, found.network) == (0, "tcp", bytes((10, 1, 0, 4)), "weu")
    assert (to_text(found.name), found.qtype, found.rcode, found.seconds) == ("localhost", 1, 0, 0.0)
    assert found.octets == len(found.reply) + 2 > 12
    assert found.aa


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (EVERY, ["localhost", "a.invalid", "localhost"]),
        (QueryFilter(under=from_text("invalid")), ["a.invalid"]),
        (QueryFilter(client=(bytes((10, 1, 0, 0)), 16)), ["localhost", "a.invalid"]),
        (QueryFilter(client=(bytes(16), 0)), []),
        (QueryFilter(rcode=3), ["a.invalid"]),
        (QueryFilter(network="none"), ["localhost"]),
        (QueryFilter(seconds=0.1), []),
        (QueryFilter(network="weu", rcode=0), ["localhost"]),
    ],
)
def test_filters_choose_queries(watched: Watched, chosen: QueryFilter, names: list[str]) -> None:
    watched.take(chosen)
    for name, client in (("localhost", "10.1.0.4"), ("a.invalid", "10.1.0.4"), ("localhost", "127.0.0.1")):
        watched.ask(name, client)
    assert watched.names(chosen) == names


def test_queries_beyond_the_limit_are_counted(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tailed_queries, "MOST", 2)
    watched.take(EVERY)
    for _ in range(5):
        watched.ask("localhost")
    dropped, found = watched.take(EVERY)
    assert (dropped, len(found)) == (3, 2)
    assert watched.take(EVERY) == (0, [])


def test_nothing_is_noted_without_a_filter_or_when_control_no_longer_asks(watched: Watched) -> None:
    watched.take(EVERY)
    watched.take()
    assert watched.is_idle()
    watched.take(EVERY)
    watched.pipeline.now += PATIENCE
    watched.ask("localhost")
    watched.watch.flush()
    assert watched.is_idle()
    assert watched.names() == []


def test_repeated_packets_are_noted_with_the_time_of_their_batch(watched: Watched) -> None:
    watched.take(EVERY)
    packet = b"\0\1\1\0\0\1\0\0\0\0\0\0\3Www\7example\0\0\1\0\1"
    began, address = SteadyTime(watched.pipeline.now), packed("10.1.0.4")
    watched.pipeline.now += 0.5
    mapped = bytes(10) + b"\xff\xff" + address
    records: list[QueryRecord] = [
        (packet, each, 0x3500, watched.pipeline.clients.find(each), b"\x81\x83") for each in (address, mapped)
    ]
    watched.watch.repeated(began, records)
    for found in watched.take(EVERY)[1]:
        assert (to_text(found.name), found.rcode, found.octets, found.seconds) == ("www.example", 3, 4, 0.5)
        assert (found.at, found.client, found.network) == (WallTime(began), address, "weu")


def test_a_retired_responder_is_observed_no_longer(watched: Watched) -> None:
    watched.take(EVERY)
    earlier, following = watched.pipeline.responder, Responder(watched.pipeline.parts, lambda *_: None)
    watched.watch.switch(following, watched.pipeline.parts.networks)
    assert earlier.watch is None
    assert following.watch is watched.watch
    assert earlier not in vars(watched.watch).values()  # it would keep its table


def test_without_a_logger_the_query_log_does_not_observe(watched: Watched) -> None:
    watched.log.configure(QuerySelection())
    watched.watch.switch(watched.pipeline.responder, watched.pipeline.parts.networks)
    assert watched.is_idle()
