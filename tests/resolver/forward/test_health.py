"""The order of servers, given the results of earlier queries."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.edns_lessons import Edns
from resolver.forward.health import FAILURES, FIRST_RETRY, LAST_RETRY, Health, ServerReport
from resolver.settings import Server, ServerPolicy, UpstreamGroup
from zones.clocks import SteadyTime
from zones.dns.name import from_text

ONE, TWO, THREE = (Server("udp", f"192.0.2.{i}", 53) for i in (1, 2, 3))


def group(policy: ServerPolicy = "sequential", *servers: Server) -> UpstreamGroup:
    return UpstreamGroup("public", servers or (ONE, TWO, THREE), policy=policy)


def health(seed: int = 1) -> Health:
    return Health(Random(seed).randrange)  # noqa: S311 - a test's seed


def fail(it: Health, server: Server, now: float = 0.0, times: int = FAILURES) -> None:
    for _ in range(times):
        it.of(server).failed(SteadyTime(now), SteadyTime(now), "no reply")


def answer(it: Health, server: Server, rtt: float, now: float = 0.0) -> None:
    it.of(server).answered(SteadyTime(now - rtt), SteadyTime(now))


def order(it: Health, of: UpstreamGroup) -> list[Server]:
    return [state.server for state in it.order(of)]


def probe(it: Health, now: float) -> Server | None:
    state = it.probe(group(), SteadyTime(now))
    return state.server if state else None


def test_sequential_is_the_order_of_the_list() -> None:
    it = health()
    assert [order(it, group()) for _ in range(3)] == [[ONE, TWO, THREE]] * 3


def test_round_robin_begins_with_each_in_turn_for_each_group() -> None:
    it, other = health(), UpstreamGroup("other", (TWO, ONE), policy="round-robin")
    assert [order(it, group("round-robin"))[0] for _ in range(4)] == [ONE, TWO, THREE, ONE]
    assert order(it, other)[0] == TWO


def test_one_failure_changes_nothing_and_two_in_a_row_put_a_server_last() -> None:
    it = health()
    fail(it, ONE, times=1)
    answer(it, ONE, 0.01)
    fail(it, ONE, times=1)
    assert order(it, group()) == [ONE, TWO, THREE]
    fail(it, ONE, times=1)
    assert order(it, group()) == [TWO, THREE, ONE]
    assert it.of(ONE).down


def test_when_all_servers_are_down_all_are_asked_in_the_order_of_their_probes() -> None:
    it = health()
    fail(it, ONE, 0.0)
    fail(it, THREE, 10.0)
    fail(it, TWO, 20.0)
    assert order(it, group()) == [ONE, THREE, TWO]


def test_the_time_between_probes_doubles_from_1_to_30_seconds() -> None:
    it, now, waits = health(), 0.0, []
    fail(it, ONE)
    for _ in range(8):
        since = now
        while probe(it, now) is None:
            now += 0.01
        waits.append(now - since)
    wanted = [min(FIRST_RETRY * 2**i, LAST_RETRY) for i in range(8)]
    for wait, want in zip(waits, wanted, strict=True):
        assert 0.74 * want <= wait <= 1.26 * want


def test_a_probe_is_sent_once_and_an_answer_ends_it() -> None:
    it = health()
    fail(it, TWO)
    assert probe(it, 5.0) == TWO
    assert probe(it, 5.0) is None
    answer(it, TWO, 0.02)
    assert not it.of(TWO).down
    assert order(it, group()) == [ONE, TWO, THREE]
    assert probe(it, 1e6) is None
    fail(it, TWO, 2e6)
    assert probe(it, 2e6 + 1.3) == TWO, "the first wait is short again"


def test_the_fastest_is_asked_first_and_another_now_and_then() -> None:
    it = health()
    for _ in range(20):
        for server, rtt in ((ONE, 0.05), (TWO, 0.01), (THREE, 0.03)):
            answer(it, server, rtt)
    first = Counter(order(it, group("fastest"))[0] for _ in range(4000))
    assert first[TWO] > 3500
    assert first[ONE] > 50
    assert first[THREE] > 50


def test_the_fastest_server_loses_its_place_when_it_begins_to_fail() -> None:
    it = health()
    for _ in range(20):
        answer(it, ONE, 0.03)
        answer(it, TWO, 0.01)
    fail(it, TWO)
    assert order(it, UpstreamGroup("public", (TWO, ONE), policy="fastest"))[0] == ONE


def test_the_second_server_of_a_race_starts_after_three_round_trips_within_bounds() -> None:
    it = health()
    for _ in range(60):
        answer(it, ONE, 0.02)
        answer(it, TWO, 0.0001)
        answer(it, THREE, 2.0)
    assert [round(it.of(server).round_trip.hedge(), 3) for server in (ONE, TWO, THREE)] == [0.06, 0.03, 0.3]


def test_what_is_known_of_a_server_is_reported_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    it, now = health(), SteadyTime(10.0)
    answer(it, ONE, 0.02, now)
    it.of(ONE).learn_edns(from_text("a.example"), Edns.NONE, now)
    it.of(ONE).learn_edns(from_text("b.example"), Edns.BARE, now)
    for _ in range(2):
        it.of(TWO).cookie.to_send(now, lambda _: 1)
        it.of(TWO).pause_cookies(now)
    fail(it, THREE, now)
    answer(it, THREE, 0.02, now)
    assert [record.message for record in caplog.records] == [
        "upstream server udp://192.0.2.1:53 answers a.example only without EDNS; /v1/upstreams counts such names",
        "upstream server udp://192.0.2.2:53 sent a wrong cookie and gets none for 900 s",
        "upstream server udp://192.0.2.3:53 is down: 2 queries in a row failed",
        "upstream server udp://192.0.2.3:53 is up again",
    ]
    first, second, third = it.report([group()], now)
    up = True
    assert first == ServerReport("public", "udp://192.0.2.1:53", up, first.round_trip, 1, 0, "none", 2)
    assert first.round_trip == pytest.approx(0.02)
    assert second == ServerReport("public", "udp://192.0.2.2:53", up, 0.0, 0, 0, "paused", 0)
    assert (third.up, third.answers, third.failures, third.failure) == (True, 1, 2, "no reply")


def test_a_server_that_is_down_is_reported_with_since_when_and_why() -> None:
    it = health()
    for at, why in ((10.0, "no reply"), (12.0, "Connection refused"), (13.0, "no reply")):
        it.of(ONE).failed(SteadyTime(at), SteadyTime(at), why)
    found, other, _ = it.report([group()], SteadyTime(20.0))
    assert (found.up, found.failures, found.failure, found.failure_age) == (False, 3, "no reply", 7.0)
    assert (found.down_for, found.probe_in) == (8.0, 0.0)
    assert (other.failures, other.failure, other.down_for, other.probe_in) == (0, "", None, None)


def test_a_server_that_has_answered_another_query_since_is_well() -> None:
    """Names that nobody answers do not make their server fail."""
    it = health()
    for second in range(10):
        answer(it, ONE, 0.01, now=second)
        it.of(ONE).failed(SteadyTime(second - 0.5), SteadyTime(second + 0.1), "no reply")
    assert not it.of(ONE).down
    for _ in range(FAILURES):
        it.of(ONE).failed(SteadyTime(9.5), SteadyTime(10.0), "no reply")
    assert it.of(ONE).down


@given(
    events=st.lists(st.tuples(st.sampled_from("afp"), st.integers(0, 2), st.floats(0, 3)), max_size=60),
    policy=st.sampled_from(["sequential", "fastest", "race", "round-robin"]),
)
def test_every_server_is_in_the_order_once_after_any_events(
    events: list[tuple[str, int, float]], policy: ServerPolicy
) -> None:
    it, now, servers = health(), 0.0, (ONE, TWO, THREE)
    for what, index, seconds in events:
        now += seconds
        if what == "a":
            answer(it, servers[index], seconds, now)
        elif what == "f":
            fail(it, servers[index], now, times=1)
        else:
            it.probe(group(policy), SteadyTime(now))
    got = order(it, group(policy))
    assert sorted(got, key=servers.index) == list(servers)
    downs = [it.of(server).down for server in got]
    assert downs == sorted(downs), "those that are down come last"


def test_latencies_are_those_of_each_server_of_each_group() -> None:
    it, one, two = health(), group("sequential", ONE, TWO), UpstreamGroup("onprem", (ONE,))
    it.of(TWO).failed(SteadyTime(0.0), SteadyTime(0.0), "no reply")
    for state, seconds in ((it.of(ONE), 0.0002), (it.of(TWO), 0.1), (it.of(ONE, "onprem"), 9.0)):
        state.answered(SteadyTime(0.0), SteadyTime(seconds))
    first, slower, second = it.latencies((one, two, UpstreamGroup("empty", ())))
    assert (first.group, first.server, first.counts[0], sum(first.counts)) == ("public", str(it.of(ONE)), 1, 1)
    assert (slower.group, slower.server, slower.failures) == ("public", str(it.of(TWO)), 1)
    assert first.total == pytest.approx(0.0002)
    assert slower.total == pytest.approx(0.1)
    assert (second.group, second.counts[-1], sum(second.counts)) == ("onprem", 1, 1)


def test_what_is_learnt_of_a_server_in_one_group_does_not_hold_for_another() -> None:
    """Groups have their own source address, and cookies belong to an address."""
    it, other = health(), UpstreamGroup("onprem", (ONE, TWO))
    fail(it, ONE)
    assert order(it, group()) == [TWO, THREE, ONE]
    assert order(it, other) == [ONE, TWO]


def test_the_times_of_a_server_that_is_no_longer_configured_stay_counted() -> None:
    group = UpstreamGroup("public", (Server("udp", "192.0.2.1", 53),))
    health = Health(lambda _: 0)
    health.order(group)[0].answered(SteadyTime(0.0), SteadyTime(0.5))
    (before,) = health.latencies([group])
    other = UpstreamGroup("public", (Server("udp", "192.0.2.2", 53),))
    for _ in range(2):
        health.replace([other])
        assert [each.server for each in health.latencies([other])] == ["udp://192.0.2.2:53"]
        health.replace([group])
        assert list(health.latencies([group])) == [before]


@pytest.mark.parametrize("policy", ["sequential", "round-robin", "fastest", "race"])
def test_the_upcoming_order_is_the_next_order_and_takes_no_turn(policy: ServerPolicy) -> None:
    it, of = Health(lambda below: below - 1), group(policy)  # these dice never explore
    fail(it, ONE)
    answer(it, THREE, 0.01)
    answer(it, TWO, 0.2)
    for _ in range(4):
        upcoming = [state.server for state in it.upcoming(of)]
        assert upcoming == [state.server for state in it.upcoming(of)]
        assert order(it, of) == upcoming
