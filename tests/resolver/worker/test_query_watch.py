"""Queries that an operator watches: chosen by filters, bounded, and not noted any more when nobody asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from resolver.channel.watched_queries import QueryFilter, WatchedQuery
from resolver.worker import query_watch
from resolver.worker.query_watch import PATIENCE, QueryWatch
from zones.dns.name import from_text, to_text

if TYPE_CHECKING:
    from tests.conftest import Pipeline

Build = Callable[..., "Pipeline"]

EVERY = QueryFilter()


class Watched:
    """A pipeline whose responder is watched."""

    def __init__(self, pipeline: "Pipeline") -> None:
        self.pipeline = pipeline
        self.watch = QueryWatch(pipeline.clock)

    def take(self, *filters: QueryFilter) -> tuple[int, list[WatchedQuery]]:
        return self.watch.take(filters, self.pipeline.responder, self.pipeline.parts.networks)

    def is_idle(self) -> bool:
        """Return whether nothing is noted, and nothing would keep the responder after a reload."""
        responder = self.pipeline.responder
        return responder.watch is None and responder not in vars(self.watch).values()

    def names(self, *filters: QueryFilter) -> list[str]:
        return [to_text(each.name) for each in self.take(*filters)[1]]


@pytest.fixture
def watched(build: Build) -> Watched:
    return Watched(build("networks: [{name: weu, clients: [10.1.0.0/16]}]", {}, {"public": ""}))


def test_a_query_is_noted_with_its_client_and_its_reply(watched: Watched) -> None:
    watched.take(EVERY)
    watched.pipeline.ask("LocalHost", client="10.1.0.4", tcp=True)
    dropped, (found,) = watched.take(EVERY)
    assert (dropped, found.proto, found.client, found.network) == (0, "tcp", bytes((10, 1, 0, 4)), "weu")
    assert (to_text(found.name), found.qtype, found.rcode, found.seconds) == ("localhost", 1, 0, 0.0)
    assert found.octets > 12


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        (EVERY, ["localhost", "a.invalid", "localhost"]),
        (QueryFilter(under=from_text("invalid")), ["a.invalid"]),
        (QueryFilter(client=(bytes((10, 1, 0, 0)), 16)), ["localhost", "a.invalid"]),
        (QueryFilter(client=(bytes(16), 0)), []),
        (QueryFilter(rcode=3), ["a.invalid"]),
        (QueryFilter(network="none"), ["localhost"]),
        (QueryFilter(network="weu", rcode=0), ["localhost"]),
    ],
)
def test_filters_choose_queries(watched: Watched, chosen: QueryFilter, names: list[str]) -> None:
    watched.take(chosen)
    for name, client in (("localhost", "10.1.0.4"), ("a.invalid", "10.1.0.4"), ("localhost", "127.0.0.1")):
        watched.pipeline.ask(name, client=client, tcp=True)
    assert watched.names(chosen) == names


def test_queries_beyond_the_limit_are_counted(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_watch, "MOST", 2)
    watched.take(EVERY)
    for _ in range(5):
        watched.pipeline.ask("localhost", tcp=True)
    dropped, found = watched.take(EVERY)
    assert (dropped, len(found)) == (3, 2)
    assert watched.take(EVERY) == (0, [])


def test_nothing_is_noted_without_a_filter_or_when_control_no_longer_asks(watched: Watched) -> None:
    watched.take(EVERY)
    watched.take()
    assert watched.is_idle()
    watched.take(EVERY)
    watched.pipeline.now += PATIENCE
    watched.pipeline.ask("localhost", tcp=True)
    assert watched.is_idle()
    assert watched.names() == []


def test_a_repeated_packet_is_noted_without_a_duration(watched: Watched) -> None:
    watched.take(EVERY)
    packet = b"\0\1\1\0\0\1\0\0\0\0\0\0\3Www\7example\0\0\1\0\1"
    watched.watch.repeated(
        packet, bytes((10, 1, 0, 4)), watched.pipeline.clients.find(bytes((10, 1, 0, 4))), b"\x81\x83"
    )
    (found,) = watched.take(EVERY)[1]
    assert (to_text(found.name), found.rcode, found.octets, found.seconds) == ("www.example", 3, 4, None)
