"""The cache of upstream replies: what it keeps, for how long, and what it evicts."""

import pytest

from resolver.forward.cache import FAILURE_TTL, MAX_NEGATIVE_TTL, MAX_TTL, Key, UpstreamCache, UpstreamFailure
from resolver.wire import codes
from resolver.wire.relay import Message
from tests.resolver.forward.exchanges import other_key
from zones.clocks import SteadyTime
from zones.dns import record
from zones.dns.name import Name, from_text
from zones.dns.record import RRset

WWW = from_text("www.example.com")
CDN = from_text("edge.cdn.example.net")
KEY = Key("public", WWW, record.A)


def a(owner: Name = WWW, ttl: int = 300, *, count: int = 1) -> RRset:
    return RRset(owner, record.A, ttl, tuple(bytes((192, 0, 2, i)) for i in range(count)))


def cname(ttl: int = 300) -> RRset:
    return RRset(WWW, record.CNAME, ttl, (CDN,))


def soa(owner: str = "example.com", ttl: int = 3600, minimum: int = 60) -> RRset:
    name = from_text(owner)
    return RRset(name, record.SOA, ttl, (name + name + bytes(16) + minimum.to_bytes(4),))


def message(*answer: RRset, authority: tuple[RRset, ...] = (), rcode: int = codes.NOERROR, tc: bool = False) -> Message:
    return Message(rcode, aa=False, ad=False, ra=True, tc=tc, answer=answer, authority=authority)


def lifetime(reply: Message, key: Key = KEY) -> float | None:
    entry = UpstreamCache().put(key, reply, SteadyTime(1000.0))
    return entry.expires - entry.stored if entry else None


def test_a_reply_is_kept_until_its_ttl_has_passed_and_then_removed() -> None:
    cache, reply = UpstreamCache(), message(a(ttl=30))
    entry = cache.put(KEY, reply, SteadyTime(1000.0))
    assert entry is not None
    assert entry.message is reply
    assert (entry.stored, entry.expires) == (1000.0, 1030.0)
    assert cache.get(KEY, SteadyTime(1029.9)) is entry
    assert cache.get(KEY, SteadyTime(1030.0)) is None
    assert (len(cache), cache.octets, cache.hits, cache.misses) == (0, 0, 1, 1)


def test_replies_are_kept_apart_by_group_name_type_do_and_cd() -> None:
    cache = UpstreamCache()
    keys = [
        KEY,
        other_key(KEY, group="onprem"),
        other_key(KEY, type=record.AAAA),
        other_key(KEY, do=True),
        other_key(KEY, cd=True),
    ]
    for key in keys:
        assert cache.get(key, SteadyTime(0.0)) is None
        cache.put(key, message(RRset(WWW, key.type, 60, (b"x",))), SteadyTime(0.0))
    assert len(cache) == len(keys)


def test_the_lifetime_is_the_least_ttl_on_the_way_to_the_answer() -> None:
    assert lifetime(message(cname(20), a(CDN, 300))) == 20
    assert lifetime(message(cname(300), a(CDN, 20))) == 20
    assert lifetime(message(a(ttl=300), a(CDN, 1))) == 300


def test_an_alias_without_records_at_its_target_is_kept() -> None:
    assert lifetime(message(cname(20))) == 20


def test_a_ttl_is_capped() -> None:
    assert lifetime(message(a(ttl=2**31 - 1))) == MAX_TTL


@pytest.mark.parametrize("rcode", [codes.NOERROR, codes.NXDOMAIN])
def test_a_negative_answer_lives_the_lesser_of_ttl_and_minimum_of_its_soa(rcode: int) -> None:
    assert lifetime(message(authority=(soa(ttl=30, minimum=60),), rcode=rcode)) == 30
    assert lifetime(message(authority=(soa(ttl=3600, minimum=60),), rcode=rcode)) == 60
    assert lifetime(message(authority=(soa(ttl=86400, minimum=86400),), rcode=rcode)) == MAX_NEGATIVE_TTL


def test_a_denial_at_the_end_of_a_dname_is_kept_with_the_dname() -> None:
    """RFC 6672 §3.1: a DNAME and the CNAME made from it lead to a name that does not exist."""
    dname = RRset(from_text("example.com"), record.DNAME, 40, (from_text("example.net"),))
    synthesised = RRset(WWW, record.CNAME, 40, (from_text("www.example.net"),))
    denial = soa("example.net", minimum=60)
    reply = message(dname, synthesised, authority=(denial,), rcode=codes.NXDOMAIN)
    entry = UpstreamCache().put(KEY, reply, SteadyTime(1000.0))
    assert entry is not None
    assert (entry.expires - entry.stored, entry.message.rcode) == (40, codes.NXDOMAIN)
    assert (entry.message.answer, entry.message.authority) == ((dname, synthesised), (denial,))
    of_another_zone = message(dname, synthesised, authority=(soa("example.com"),), rcode=codes.NXDOMAIN)
    assert lifetime(of_another_zone) is None


def test_a_negative_answer_at_the_end_of_a_chain_needs_the_soa_of_the_last_name() -> None:
    assert lifetime(message(cname(20), authority=(soa("example.net"),), rcode=codes.NXDOMAIN)) == 20
    assert lifetime(message(cname(), authority=(soa("example.net"),), rcode=codes.NXDOMAIN)) == 60
    assert lifetime(message(cname(), authority=(soa("example.com"),), rcode=codes.NXDOMAIN)) is None


@pytest.mark.parametrize(
    "reply",
    [
        message(a(ttl=0)),
        message(cname(0), a(CDN)),
        message(),
        message(a(CDN)),
        message(rcode=codes.NXDOMAIN),
        message(authority=(soa("sub.www.example.com"),)),
        message(authority=(soa(minimum=0),)),
        message(authority=(RRset(from_text("example.com"), record.NS, 300, (CDN,)),)),
        message(a(), rcode=codes.SERVFAIL),
        message(a(), rcode=codes.REFUSED),
        message(a(), tc=True),
        message(cname(), RRset(CDN, record.CNAME, 300, (WWW,))),
    ],
    ids=[
        "ttl 0",
        "ttl 0 in the chain",
        "nothing",
        "another name",
        "NXDOMAIN without SOA",
        "SOA below the name",
        "minimum 0",
        "referral",
        "SERVFAIL",
        "REFUSED",
        "truncated",
        "loop",
    ],
)
def test_replies_that_must_not_be_kept(reply: Message) -> None:
    cache = UpstreamCache()
    kept = cache.put(KEY, message(a(ttl=5)), SteadyTime(0.0))
    assert cache.put(KEY, reply, SteadyTime(1.0)) is None
    assert cache.get(KEY, SteadyTime(2.0)) is kept


def test_a_later_reply_replaces_an_earlier_one() -> None:
    cache = UpstreamCache()
    cache.put(KEY, message(a(count=9)), SteadyTime(0.0))
    entry = cache.put(KEY, message(a(count=1)), SteadyTime(1.0))
    assert entry is not None
    assert cache.get(KEY, SteadyTime(2.0)) is entry
    assert (len(cache), cache.octets) == (1, entry.octets)


def named(i: int) -> Key:
    return other_key(KEY, name=from_text(f"host-{i:04}.example.com"))


def test_the_least_recently_used_reply_is_evicted_when_the_cache_is_full() -> None:
    entry = UpstreamCache().put(named(0), message(a(named(0).name)), SteadyTime(0.0))
    assert entry is not None
    cache = UpstreamCache(size=3 * entry.octets)
    for i in (0, 1, 2):
        cache.put(named(i), message(a(named(i).name)), SteadyTime(0.0))
    assert cache.get(named(0), SteadyTime(1.0))
    cache.put(named(3), message(a(named(3).name)), SteadyTime(1.0))
    assert [cache.get(named(i), SteadyTime(2.0)) is not None for i in range(4)] == [True, False, True, True]
    assert cache.evictions == 1


def test_octets_never_exceed_the_size_and_return_to_zero() -> None:
    cache = UpstreamCache(size=20_000)
    for i in range(500):
        cache.put(named(i), message(a(named(i).name, count=i % 30 + 1)), SteadyTime(0.0))
        assert 0 < cache.octets <= 20_000
    assert cache.flush(from_text("com"), subtree=True) == 500 - cache.evictions
    assert (len(cache), cache.octets) == (0, 0)


def test_a_reply_larger_than_the_whole_cache_is_not_kept() -> None:
    cache = UpstreamCache(size=2_000)
    cache.put(named(1), message(a(named(1).name)), SteadyTime(0.0))
    assert cache.put(KEY, message(a(count=200)), SteadyTime(0.0)) is None
    assert len(cache) == 1


def test_flush_takes_a_name_of_all_types_and_with_subtree_what_is_below() -> None:
    cache = UpstreamCache()
    names = ["example.com", "www.example.com", "notexample.com", "example.net"]
    for key in (Key("public", from_text(name), rtype) for name in names for rtype in (record.A, record.AAAA)):
        cache.put(key, message(RRset(key.name, key.type, 60, (bytes(4),))), SteadyTime(0.0))
    assert cache.flush(from_text("example.com"), subtree=False) == 2
    assert cache.flush(from_text("example.com"), subtree=True) == 2
    assert cache.get(Key("public", from_text("notexample.com"), record.A), SteadyTime(1.0))
    assert len(cache) == 4


# -- stale replies, failures and flushes


def test_an_expired_reply_is_stale_for_a_limited_time() -> None:
    cache = UpstreamCache(stale=100)
    entry = cache.put(KEY, message(a(ttl=30)), SteadyTime(1000.0))
    assert cache.get(KEY, SteadyTime(1030.0)) is None
    assert cache.stale(KEY, SteadyTime(1129.9)) is entry
    assert cache.stale(KEY, SteadyTime(1130.0)) is None
    assert cache.get(KEY, SteadyTime(1130.0)) is None
    assert (len(cache), cache.octets) == (0, 0)


def test_an_expired_reply_is_never_returned_as_a_fresh_one() -> None:
    cache = UpstreamCache(stale=100)
    cache.put(KEY, message(a(ttl=30)), SteadyTime(1000.0))
    assert [cache.get(KEY, SteadyTime(now)) for now in (1030.0, 1031.0, 1100.0)] == [None] * 3
    assert cache.stale(KEY, SteadyTime(1100.0)) is not None
    assert (cache.hits, cache.misses) == (0, 3)
    renewed = cache.put(KEY, message(a(ttl=30)), SteadyTime(1100.0))
    assert cache.get(KEY, SteadyTime(1129.0)) is renewed


def test_without_a_stale_time_no_expired_reply_is_returned() -> None:
    cache = UpstreamCache()
    cache.put(KEY, message(a(ttl=30)), SteadyTime(1000.0))
    assert cache.stale(KEY, SteadyTime(1030.0)) is None


def test_a_lasting_failure_is_kept_for_five_seconds_or_until_a_reply() -> None:
    cache, failure = UpstreamCache(), UpstreamFailure(22, "no reply")
    cache.fail(KEY, failure, SteadyTime(1000.0))
    cache.fail(other_key(KEY, type=28), UpstreamFailure(22, "too many", lasting=False), SteadyTime(1000.0))
    assert cache.failure(KEY, SteadyTime(1000.0 + FAILURE_TTL - 0.1)) is failure
    assert cache.failure(other_key(KEY, type=28), SteadyTime(1000.0)) is None
    assert cache.failure(KEY, SteadyTime(1000.0 + FAILURE_TTL)) is None
    cache.fail(KEY, failure, SteadyTime(2000.0))
    cache.put(KEY, message(a(ttl=0)), SteadyTime(2001.0))
    assert cache.failure(KEY, SteadyTime(2001.0)) is None


def test_a_loop_of_aliases_is_kept_as_a_failure() -> None:
    cache = UpstreamCache()
    assert cache.put(KEY, message(cname(), RRset(CDN, record.CNAME, 300, (WWW,))), SteadyTime(0.0)) is None
    assert cache.failure(KEY, SteadyTime(4.9)) == UpstreamFailure(
        codes.NO_REACHABLE_AUTHORITY, "the upstream's answer: CNAME loop"
    )
    assert cache.failure(KEY, SteadyTime(5.0)) is None


def test_failures_are_bounded() -> None:
    cache = UpstreamCache()
    for i in range(20_000):
        cache.fail(other_key(KEY, name=from_text(f"{i}.example")), UpstreamFailure(22, "no reply"), SteadyTime(1000.0))
    kept = sum(
        cache.failure(other_key(KEY, name=from_text(f"{i}.example")), SteadyTime(1000.0)) is not None
        for i in range(20_000)
    )
    assert kept == 10_000


def test_one_type_can_be_flushed_and_failures_are_flushed_too() -> None:
    cache = UpstreamCache()
    other = other_key(KEY, type=record.AAAA)
    for key in (KEY, other):
        cache.put(key, message(RRset(WWW, key.type, 300, (bytes(4 if key is KEY else 16),))), SteadyTime(0.0))
    cache.fail(other_key(KEY, group="onprem"), UpstreamFailure(22, "no reply"), SteadyTime(0.0))
    assert cache.flush(WWW, subtree=False, rtype=record.AAAA) == 1
    assert cache.get(KEY, SteadyTime(0.0)) is not None
    assert cache.get(other, SteadyTime(0.0)) is None
    assert cache.failure(other_key(KEY, group="onprem"), SteadyTime(0.0)) is None


def test_holds_does_not_count_as_a_use_of_the_reply() -> None:
    cache = UpstreamCache()
    cache.put(KEY, message(a(ttl=30)), SteadyTime(1000.0))
    assert cache.holds(KEY, SteadyTime(1029.9))
    assert not cache.holds(KEY, SteadyTime(1030.0))
    assert not cache.holds(other_key(KEY, group="onprem"), SteadyTime(0.0))
    assert (cache.hits, cache.misses) == (0, 0)


def test_records_that_do_not_belong_to_the_answer_are_not_kept() -> None:
    stray, ns = a(from_text("bank.example")), RRset(from_text("com"), record.NS, 60, (CDN,))
    cache = UpstreamCache()
    entry = cache.put(KEY, message(cname(), stray, a(CDN), authority=(ns,)), SteadyTime(0.0))
    assert entry is not None
    assert (entry.message.answer, entry.message.authority) == ((cname(), a(CDN)), ())
    denied = message(rcode=codes.NXDOMAIN, authority=(ns, soa()))
    entry = cache.put(KEY, denied, SteadyTime(0.0))
    assert entry is not None
    assert (entry.message.authority, entry.message.rcode) == ((soa(),), codes.NXDOMAIN)
