"""Which question makes room for a new one."""

from collections.abc import Sequence

from resolver.forward.admission import Admission, Limits
from resolver.forward.exchange import Exchange
from resolver.forward.health import UpstreamServer
from resolver.settings import UpstreamGroup
from tests.resolver.forward.exchanges import KEY, ONE, START, TWO, NoDriver, Servers, other_key
from zones.dns.name import from_text

ALICE, BOB = b"\x0a\0\0\1", b"\x0a\0\0\2"


def question(name: str, client: bytes, group: str = "public", servers: Sequence[UpstreamServer] = ()) -> Exchange:
    key = other_key(KEY, name=from_text(name), group=group)
    made = Exchange(key, UpstreamGroup(group, ()), servers, START, lambda _: 0, NoDriver())
    made.client = client
    return made


def test_the_oldest_question_of_the_client_that_has_most_makes_room() -> None:
    it = Admission(Limits(10, of_one_group=10, of_one_client=2))
    patient = question("patient.example", BOB)
    first, second = question("1.example", ALICE), question("2.example", ALICE)
    for each in (patient, first, second):
        it.add(each)
    crowded = it.crowded("public", "", ALICE)
    assert crowded
    assert crowded[0] is first
    assert it.crowded("public", "", BOB) is None
    it.remove(first)
    assert it.crowded("public", "", ALICE) is None


def test_the_oldest_question_of_a_group_makes_room_in_that_group() -> None:
    it = Admission(Limits(10, of_one_group=2, of_one_client=10))
    first = question("1.example", ALICE)
    for each in (question("0.example", ALICE, "onprem"), first, question("2.example", BOB)):
        it.add(each)
    crowded = it.crowded("public", "", BOB)
    assert crowded
    assert crowded[0] is first
    assert crowded[1] == "too many questions are waiting for upstream public"
    assert it.crowded("onprem", "", BOB) is None


def test_the_oldest_question_of_a_server_makes_room_at_that_server_in_whatever_group() -> None:
    it, servers = Admission(Limits(10, of_one_group=10, of_one_server=2, of_one_client=10)), Servers()
    full, other = servers.of(ONE), servers.of(TWO)
    first = question("1.example", ALICE, "onprem", [full, other])
    for each in (question("0.example", ALICE, "onprem", [other]), first, question("2.example", BOB, servers=[full])):
        it.add(each)
    crowded = it.crowded("public", full.uri, BOB)
    assert crowded
    assert crowded[0] is first
    assert crowded[1] == "too many questions are waiting for udp://192.0.2.1:53"
    assert it.crowded("public", other.uri, BOB) is None
    it.remove(first)
    assert it.crowded("public", full.uri, BOB) is None


def test_the_oldest_question_of_all_makes_room_where_no_other_limit_is_reached() -> None:
    it = Admission(Limits(2, of_one_group=10, of_one_client=10))
    first = question("1.example", ALICE, "onprem")
    for each in (first, question("2.example", BOB)):
        it.add(each)
    crowded = it.crowded("public", "", BOB)
    assert crowded
    assert crowded[0] is first


def test_an_ipv6_client_has_one_limit_for_its_whole_network() -> None:
    it = Admission(Limits(10, of_one_group=10, of_one_client=2))
    prefix = b"\x20\x01\x0d\xb8" + bytes(4)
    for last in (1, 2):
        it.add(question(f"{last}.example", prefix + bytes(7) + bytes((last,))))
    assert it.crowded("public", "", prefix + b"\1" * 8)
    assert it.crowded("public", "", prefix[:7] + b"\1" + bytes(8)) is None
