"""The answer cache: answers are found, age, are evicted, and stay within their bound."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.channel.frames import FallbackReason
from resolver.wire import codes, render
from resolver.wire.query import parse
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.compiled import FOREVER, PAST, Compiled, Rotating
from zones.clocks import SteadyTime
from zones.dns.name import Name, from_text
from zones.dns.record import RRset
from zones.networks.prefixes import NONE, NetworkIndex

NAME = from_text("acct.blob.core.windows.net")


def compiled(
    *deps: Name, born: float = 0.0, expires: float = FOREVER, expendable: bool = False, size: int = 4, ttl: int = 60
) -> Compiled:
    body = render.body(NAME + b"\x00\x01\x00\x01", codes.RA, 0, [RRset(NAME, 65280, ttl, (bytes(size),))])
    return Compiled(
        body, len(NAME) + 4, deps, [0], SteadyTime(born), SteadyTime(expires), expendable=expendable, fallback=None
    )


def test_an_answer_is_found_under_its_key_until_it_expires() -> None:
    answers = AnswerCache(1)
    answer = compiled(NAME, born=100, expires=160)
    answers.keep(b"k", answer)
    assert answers.find(b"k", SteadyTime(100)) is answer
    assert answers.find(b"k", SteadyTime(159.9)) is answer
    assert answers.find(b"other", SteadyTime(100)) is None
    assert answers.find(b"k", SteadyTime(160)) is None
    assert len(answers) == 0


def test_ttls_count_down_by_whole_seconds_since_the_answer_was_made() -> None:
    answers = AnswerCache(1)
    answers.keep(b"k", compiled(NAME, born=100, expires=160))
    for now, left in ((100, 60), (100.9, 60), (101, 59), (130.5, 30), (159.9, 1)):
        answer = answers.find(b"k", SteadyTime(now))
        assert answer is not None
        assert int.from_bytes(answer.current[6:10], "big") == left
        assert now < answer.until <= now + 1


def test_an_answer_of_served_data_keeps_its_ttl() -> None:
    answers = AnswerCache(1)
    answers.keep(b"k", compiled(NAME, born=100))
    answer = answers.find(b"k", SteadyTime(1e9))
    assert answer is not None
    assert answer.current == answer.tail
    assert answer.until == FOREVER


def test_an_answer_for_one_query_only_is_never_in_the_exact_map() -> None:
    answers = AnswerCache(1)
    answers.keep_exact(NetworkIndex(0), b"packet", compiled(NAME, born=100, expires=100), b"reply")
    assert answers.exact[0] == {}


@pytest.mark.parametrize(("expendable", "size"), [(True, 4), (False, 201)])
def test_the_exact_map_takes_no_expendable_answers_and_no_long_packets(expendable: bool, size: int) -> None:
    answers = AnswerCache(1)
    answer = compiled(NAME, expendable=expendable)
    answers.keep(b"k", answer)
    answers.keep_exact(NetworkIndex(0), bytes(size), answer, b"reply")
    assert answers.exact[0] == {}


def exact(answers: AnswerCache, network: int, packet: bytes, now: float) -> bytes | None:
    """Return the reply as the UDP listener does."""
    form = answers.exact[network].get(packet)
    return form[0] if form and now < form[1] else None


def test_the_exact_map_serves_no_reply_whose_ttls_are_of_another_second() -> None:
    answers = AnswerCache(1)
    answer = compiled(NAME, born=100, expires=102)
    packet = bytes(12) + NAME + b"\x00\x01\x00\x01"
    answers.keep(b"k", answer)
    first = answer.reply(packet)[2:]
    answers.keep_exact(NetworkIndex(0), packet[2:], answer, first)
    assert exact(answers, 0, packet[2:], 100.5) == first
    assert exact(answers, 0, packet[2:], 101) is None
    assert answers.find(b"k", SteadyTime(101)) is answer
    assert exact(answers, 0, packet[2:], 101.9) is None, "until it has been sent once in this second"
    second = answer.reply(packet)[2:]
    answers.keep_exact(NetworkIndex(0), packet[2:], answer, second)
    assert exact(answers, 0, packet[2:], 101.9) == second != first
    assert len(answer.forms) == 1
    assert exact(answers, 0, packet[2:], 102) is None


def test_a_new_network_does_not_inherit_the_answers_of_clients_in_none() -> None:
    answers = AnswerCache(1)
    for network in (NetworkIndex(0), NONE):
        answer = compiled(NAME)
        answers.keep(b"%d" % network, answer)
        answers.keep_exact(network, b"p", answer, b"reply %d" % network)
    answers.widen(3)
    replies = [exact(answers, network, b"p", 0) for network in (0, 1, 2, NONE)]
    assert replies == [b"reply 0", None, None, b"reply -1"]


def test_a_fallback_is_never_in_the_exact_map() -> None:
    """Each fallback is counted, with its name and its client."""
    answers = AnswerCache(1)
    body = render.body(NAME + b"\x00\x01\x00\x01", codes.RA, 0, [RRset(NAME, 1, 60, (bytes(4),))])
    answer = Compiled(
        body,
        len(NAME) + 4,
        (NAME,),
        [0],
        SteadyTime(0.0),
        FOREVER,
        expendable=False,
        fallback=(NAME, NAME, FallbackReason.MISS_POLICY),
    )
    answers.keep(b"k", answer)
    answers.keep_exact(NetworkIndex(0), b"packet", answer, b"reply")
    assert answers.exact[0] == {}


def test_a_rotating_answer_is_never_in_the_exact_map() -> None:
    answers = AnswerCache(1)
    body = render.body(NAME + b"\x00\x01\x00\x01", codes.RA, 0, [RRset(NAME, 1, 60, (bytes(4), bytes(4)))])
    answer = Rotating(
        body, len(NAME) + 4, (NAME,), [0], SteadyTime(0.0), FOREVER, expendable=False, fallback=None
    ).turning(body.ttls)
    answers.keep(b"k", answer)
    answers.keep_exact(NetworkIndex(0), b"packet", answer, b"reply")
    assert answers.exact[0] == {}


def test_the_exact_map_serves_nothing_evicted() -> None:
    answers = AnswerCache(2)
    answer = compiled(NAME)
    answers.keep(b"k", answer)
    answers.keep_exact(NONE, b"p", answer, b"reply")
    assert exact(answers, NONE, b"p", 5) == b"reply"
    assert exact(answers, 0, b"p", 5) is None
    assert answers.evict([NAME]) == 1
    assert exact(answers, NONE, b"p", 5) is None
    assert answers.find(b"k", SteadyTime(5)) is None


def test_a_name_evicts_the_answers_that_depend_on_it_and_no_others() -> None:
    answers = AnswerCache(1)
    names = [from_text(f"n{i}.example") for i in range(4)]
    for i in range(3):
        answers.keep(b"%d" % i, compiled(names[i], names[i + 1]))
    assert answers.evict([from_text("example")]) == 0
    assert answers.evict([names[1]]) == 2
    assert [key for key in (b"0", b"1", b"2") if answers.find(key, SteadyTime(0))] == [b"2"]
    assert answers.evict([names[1], names[2], names[3]]) == 1
    assert answers.octets == 0


def test_a_subtree_evicts_the_answers_that_depend_on_names_at_and_under_it() -> None:
    answers = AnswerCache(1)
    for text in ("example", "a.example", "b.a.example", "notexample", "other"):
        answers.keep(text.encode(), compiled(from_text(text)))
    assert answers.evict((), [from_text("example")]) == 3
    assert answers.find(b"notexample", SteadyTime(0))
    assert answers.find(b"other", SteadyTime(0))


def test_an_answer_replaces_the_one_at_the_same_key_even_if_that_was_expendable() -> None:
    answers = AnswerCache(1)
    before = compiled(NAME, expendable=True)
    answers.keep(b"k", before)
    after = compiled(NAME)
    answers.keep(b"k", after)
    assert answers.find(b"k", SteadyTime(0)) is after
    assert len(answers) == 1
    assert before.until == PAST


def test_expendable_answers_never_evict_other_answers() -> None:
    answers = AnswerCache(1, limit=64_000)
    firm = [b"firm%d" % i for i in range(20)]
    for key in firm:
        answers.keep(key, compiled(from_text(key.decode())))
    for i in range(2000):
        answers.keep(b"expendable%d" % i, compiled(from_text(f"expendable{i}"), expendable=True))
    assert all(answers.find(key, SteadyTime(0)) for key in firm)
    assert not answers.find(b"expendable0", SteadyTime(0))
    assert answers.find(b"expendable1999", SteadyTime(0))


def test_the_oldest_answers_are_dropped_first() -> None:
    answers = AnswerCache(1, limit=8_000)
    for i in range(50):
        answers.keep(b"%d" % i, compiled(from_text(f"n{i}")))
    kept = [i for i in range(50) if answers.find(b"%d" % i, SteadyTime(0))]
    assert kept == list(range(kept[0], 50))
    assert kept[0] > 0


def test_a_lower_limit_drops_the_oldest_answers_of_each_kind() -> None:
    answers = AnswerCache(1)
    for i in range(50):
        answers.keep(b"%d" % i, compiled(from_text(f"n{i}")))
        answers.keep(b"e%d" % i, compiled(from_text(f"e{i}"), expendable=True))
    answers.limit(10_000)
    kept = [i for i in range(50) if answers.find(b"%d" % i, SteadyTime(0))]
    assert 0 < len(kept) < 50
    assert kept == list(range(kept[0], 50))
    assert answers.octets <= 10_000
    answers.limit(1_000_000)
    answers.keep(b"more", compiled(from_text("more")))
    assert len(answers) > len(kept)


def test_an_answer_larger_than_the_limit_is_not_cached_and_can_be_sent_once() -> None:
    answers = AnswerCache(1, limit=10_000)
    answer = compiled(NAME, size=20_000)
    answers.keep(b"k", answer)
    assert answers.find(b"k", SteadyTime(0)) is None
    answers.keep_exact(NetworkIndex(0), b"p", answer, b"reply")
    assert answers.exact[0] == {}
    assert len(answer.current) > 20_000
    assert answers.octets == 0


def test_the_forms_of_an_answer_are_bounded() -> None:
    answers = AnswerCache(3, limit=64_000)
    answer = compiled(NAME)
    answers.keep(b"k", answer)
    before = answers.octets
    for i in range(5000):
        answers.keep_exact(NetworkIndex(1), b"packet%d" % i, answer, b"reply")
        assert answers.octets - before <= 1_200
    assert exact(answers, 1, b"packet4999", 0) == b"reply"
    assert len(answers.exact[1]) == 4


def test_clear_drops_everything() -> None:
    answers = AnswerCache(1)
    for i in range(10):
        answer = compiled(NAME, expendable=bool(i % 2))
        answers.keep(b"%d" % i, answer)
        answers.keep_exact(NetworkIndex(0), b"%d" % i, answer, b"reply")
    answers.clear()
    assert (len(answers), answers.octets, list(answers), answers.evict([NAME])) == (0, 0, [], 0)
    assert exact(answers, 0, b"0", 0) is None


def test_the_key_folds_the_name_and_nothing_else(ask: Callable[..., bytes]) -> None:
    def key(*arguments: str, network: int = 0) -> bytes:
        return AnswerCache(1).key(parse(ask(*arguments)), NetworkIndex(network))

    assert key("WWW.Example", "A") == key("www.example", "A")
    variants = [
        key("www.example", "A"), key("www.example", "AAAA"), key("www.example", "A", "norec"),
        key("www.example", "A", "cd"), key("www.example", "A", "ad"), key("www.example", "A", "noedns"),
        key("www.example", "A", "do"), key("www.example", "A", network=1), key("www.example", "A", network=NONE),
        key("www.example", "HTTPS"), key("www.example", "TYPE97"), key("www.example", "A", "class=CH"),
    ]  # fmt: skip
    assert len(set(variants)) == len(variants)
    assert key("www.example", "A", "payload=4096") == key("www.example", "A"), "cut to the client's size when sent"


class Keep(NamedTuple):
    key: bytes
    deps: frozenset[Name]
    life: float
    expendable: bool


class Evict(NamedTuple):
    names: frozenset[Name]
    subtrees: frozenset[Name]


class Pass(NamedTuple):
    seconds: float


KEYS = [b"%d" % i for i in range(8)]
NAMES = [from_text(f"n{i}.example") for i in range(5)]
SOME = st.frozensets(st.sampled_from(NAMES), max_size=3)
STEP = st.one_of(
    st.builds(Keep, st.sampled_from(KEYS), SOME, st.sampled_from([1.0, 7.0, FOREVER]), st.booleans()),
    st.builds(Evict, SOME, st.frozensets(st.sampled_from([*NAMES, from_text("example")]), max_size=1)),
    st.builds(Pass, st.floats(0.1, 5)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_what_is_found_is_what_was_kept_and_neither_evicted_nor_expired(steps: list[Keep | Evict | Pass]) -> None:
    answers, now = AnswerCache(1), 100.0
    model: dict[bytes, Compiled] = {}
    for step in steps:
        if isinstance(step, Keep):
            answer = compiled(*step.deps, born=now, expires=now + step.life, expendable=step.expendable)
            answers.keep(step.key, answer)
            answers.keep_exact(NetworkIndex(0), step.key, answer, b"reply")
            model[step.key] = answer
        elif isinstance(step, Evict):
            answers.evict(step.names, step.subtrees)
            gone = step.names | {name for name in NAMES for root in step.subtrees if name.endswith(root)}
            model = {key: answer for key, answer in model.items() if gone.isdisjoint(answer.deps)}
        else:
            now += step.seconds
        for key in KEYS:
            kept = model.get(key)
            held = kept if kept and now < kept.expires else None
            assert exact(answers, 0, key, now) is None or held
            assert answers.find(key, SteadyTime(now)) is held
    answers.evict(NAMES)
    assert all(not answer.deps for answer in answers)
