"""The chain of aliases: what leads from a question to its answer is taken, and nothing else."""

from collections.abc import Sequence

import dns.rdata
import pytest

from resolver.wire import aliases, codes, relay
from zones.dns import name, record
from zones.dns.name import Name
from zones.dns.record import RRset

WWW = name.from_text("www.example")


def n(text: str) -> Name:
    return name.from_text(text)


def rr(owner: str, rtype: str, *rdatas: str, ttl: int = 60) -> RRset:
    """Return an RRset from dnspython's text of its rdata, with absolute names."""
    wire = tuple(dns.rdata.from_text("IN", rtype, text, relativize=False).to_wire() for text in rdatas)
    assert all(wire)
    return RRset(n(owner), codes.type_number(rtype), ttl, tuple(w for w in wire if w))


def message(answer: Sequence[RRset], authority: Sequence[RRset] = (), rcode: int = 0) -> relay.Message:
    return relay.Message(rcode, aa=False, ad=False, ra=True, tc=False, answer=tuple(answer), authority=tuple(authority))


A = rr("host.example", "A", "192.0.2.1")
CNAME = rr("www.example", "CNAME", "host.example.")
SOA = rr("example", "SOA", "ns1.example. hostmaster.example. 1 7200 3600 1209600 300")
SIG = "8 2 60 20300101000000 20200101000000 1 example. AAAA"


def test_a_direct_answer_is_final() -> None:
    got = aliases.chain(message([A]), n("host.example"), record.A)
    assert got == aliases.Chain((), n("host.example"), (A,), None, (), bare=False)


def test_the_chain_is_followed_in_order_whatever_the_order_of_records() -> None:
    first = rr("www.example", "CNAME", "Mid.Example.")
    second = rr("mid.example", "CNAME", "host.example.")
    got = aliases.chain(message([A, second, first]), WWW, record.A)
    assert got.hops == (aliases.Hop(n("mid.example"), (first,)), aliases.Hop(n("host.example"), (second,)))
    assert (got.last, got.final, got.bare) == (n("host.example"), (A,), False)


def test_owners_are_compared_without_case() -> None:
    shouted = RRset(A.owner.upper(), A.type, A.ttl, A.rdatas)
    assert aliases.chain(message([CNAME, shouted]), WWW, record.A).final == (shouted,)


def test_records_outside_the_chain_are_left_out() -> None:
    poison = rr("bank.example", "A", "203.0.113.1")
    other_type = rr("host.example", "TXT", '"x"')
    got = aliases.chain(message([poison, CNAME, A, other_type], [rr("example", "NS", "ns1.example.")]), WWW, record.A)
    assert got.final == (A,)
    assert got.proofs == ()


def test_a_cname_without_its_target_ends_bare() -> None:
    got = aliases.chain(message([CNAME]), WWW, record.A)
    assert (got.last, got.final, got.bare) == (n("host.example"), (), True)


def test_a_cname_to_a_name_that_does_not_exist_is_not_bare() -> None:
    assert not aliases.chain(message([CNAME], rcode=codes.NXDOMAIN), WWW, record.A).bare
    got = aliases.chain(message([CNAME], [SOA]), WWW, record.A)
    assert (got.soa, got.bare) == (SOA, False)


def test_a_question_for_cname_or_any_follows_no_alias() -> None:
    for qtype in (record.CNAME, record.ANY):
        got = aliases.chain(message([CNAME, A]), WWW, qtype)
        assert (got.hops, got.final, got.last) == ((), (CNAME,), WWW)


@pytest.mark.parametrize("owner", ["example", "host.example", ""])
def test_a_negative_answer_has_the_soa_of_a_zone_that_contains_the_name(owner: str) -> None:
    soa = RRset(n(owner) if owner else name.ROOT, SOA.type, SOA.ttl, SOA.rdatas)
    got = aliases.chain(message([], [soa], codes.NXDOMAIN), n("host.example"), record.A)
    assert got.soa == soa


@pytest.mark.parametrize("owner", ["other", "sub.host.example", "ost.example", "xample"])
def test_the_soa_of_another_zone_is_ignored(owner: str) -> None:
    soa = RRset(n(owner), SOA.type, SOA.ttl, SOA.rdatas)
    assert aliases.chain(message([CNAME], [soa]), WWW, record.A).soa is None


def test_signatures_follow_the_records_that_they_cover() -> None:
    sig = rr("host.example", "RRSIG", f"A {SIG}")
    cname_sig = rr("www.example", "RRSIG", f"CNAME {SIG}")
    stray = rr("host.example", "RRSIG", f"TXT {SIG}")
    got = aliases.chain(message([CNAME, cname_sig, A, stray, sig]), WWW, record.A)
    assert got.hops[0].rrsets == (CNAME, cname_sig)
    assert got.final == (A, sig)


def test_proofs_of_a_denial_are_kept_for_a_validating_client() -> None:
    nsec = rr("a.example", "NSEC", "z.example. A")
    signatures = [rr("a.example", "RRSIG", f"NSEC {SIG}"), rr("example", "RRSIG", f"SOA {SIG}")]
    strays = [
        rr("other", "RRSIG", f"SOA {SIG}"),
        rr("example", "RRSIG", f"NS {SIG}"),
        rr("example", "NS", "ns1.example."),
    ]
    got = aliases.chain(message([], [SOA, *strays, nsec, *signatures], codes.NXDOMAIN), n("host.example"), record.A)
    assert (got.soa, got.proofs) == (SOA, (nsec, *signatures))


def test_a_hop_that_a_wildcard_made_has_the_proofs_of_its_zone() -> None:
    """RFC 4035 §5.3.4: the signature has fewer labels than the owner, so that a validator wants the proof."""
    nsec = rr("a.example", "NSEC", "z.example. A")
    nsec_sig = rr("a.example", "RRSIG", "NSEC 8 2 60 20300101000000 20200101000000 1 example. AAAA")
    other = rr("a.other", "NSEC", "z.other. A")
    other_sig = rr("a.other", "RRSIG", "NSEC 8 2 60 20300101000000 20200101000000 1 other. AAAA")
    authority = [nsec, other, nsec_sig, other_sig]
    made = rr("www.example", "RRSIG", "CNAME 8 1 60 20300101000000 20200101000000 1 example. AAAA")
    plain = rr("www.example", "RRSIG", "CNAME 8 2 60 20300101000000 20200101000000 1 example. AAAA")
    (hop,) = aliases.chain(message([CNAME, made, A], authority), WWW, record.A).hops
    assert hop.proofs == (nsec, nsec_sig)
    (hop,) = aliases.chain(message([CNAME, plain, A], authority), WWW, record.A).hops
    assert hop.proofs == ()


def test_a_dname_comes_before_the_cname_that_it_implies() -> None:
    dname = rr("old.example", "DNAME", "new.example.")
    cname = rr("www.old.example", "CNAME", "www.new.example.", ttl=0)
    data = rr("www.new.example", "A", "192.0.2.9")
    got = aliases.chain(message([dname, cname, data]), n("www.old.example"), record.A)
    assert got.hops == (aliases.Hop(n("www.new.example"), (dname, cname)),)
    assert got.final == (data,)


def test_a_dname_without_its_cname_gets_one() -> None:
    dname = rr("old.example", "DNAME", "new.example.", ttl=30)
    got = aliases.chain(message([dname]), n("a.b.old.example"), record.A)
    assert got.hops[0].rrsets == (dname, rr("a.b.old.example", "CNAME", "a.b.new.example.", ttl=30))
    assert (got.last, got.bare) == (n("a.b.new.example"), True)


def test_a_dname_does_not_apply_to_its_own_name() -> None:
    dname = rr("old.example", "DNAME", "new.example.")
    assert aliases.chain(message([dname]), n("old.example"), record.A).hops == ()
    assert aliases.chain(message([dname]), n("old.example"), record.DNAME).final == (dname,)


def test_a_dname_that_does_not_imply_the_cname_is_left_out() -> None:
    dname = rr("old.example", "DNAME", "new.example.")
    cname = rr("www.old.example", "CNAME", "elsewhere.example.")
    got = aliases.chain(message([dname, cname]), n("www.old.example"), record.A)
    assert got.hops == (aliases.Hop(n("elsewhere.example"), (cname,)),)


def _cnames(count: int) -> list[RRset]:
    return [rr(f"n{i}.example", "CNAME", f"n{i + 1}.example.") for i in range(count)]


def test_as_many_hops_as_the_limit_are_followed_and_no_more() -> None:
    got = aliases.chain(message(_cnames(aliases.MAX_HOPS)), n("n0.example"), record.A)
    assert (len(got.hops), got.last) == (aliases.MAX_HOPS, n(f"n{aliases.MAX_HOPS}.example"))
    with pytest.raises(relay.MalformedReply, match="too many"):
        aliases.chain(message(_cnames(aliases.MAX_HOPS + 1)), n("n0.example"), record.A)


LOOPS = {
    "itself": [rr("www.example", "CNAME", "www.example.")],
    "two": [CNAME, rr("host.example", "CNAME", "www.example.")],
}


@pytest.mark.parametrize("answer", LOOPS.values(), ids=LOOPS)
def test_a_loop_is_malformed(answer: list[RRset]) -> None:
    with pytest.raises(relay.MalformedReply, match="loop"):
        aliases.chain(message(answer), WWW, record.A)


def test_two_targets_at_one_name_are_malformed() -> None:
    with pytest.raises(relay.MalformedReply, match="2 CNAME"):
        aliases.chain(message([rr("www.example", "CNAME", "a.example.", "b.example.")]), WWW, record.A)


def test_a_substitution_that_grows_too_long_is_malformed() -> None:
    dname = rr("d.example", "DNAME", ".".join(["x" * 60] * 4) + ".")
    with pytest.raises(relay.MalformedReply, match="too long"):
        aliases.chain(message([dname]), n("a-long-enough-label.d.example"), record.A)
