"""Names that pldns answers itself. `scenarios/special-names.txt` shows what clients get."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import dns.message
import pytest

from resolver import version
from resolver.wire import codes
from resolver.wire.query import parse
from resolver.worker.answer.special_names import SpecialNames
from zones.dns.record import AAAA, SOA, A

if TYPE_CHECKING:
    from tests.conftest import Pipeline

LOCAL = SpecialNames("pldns")


@pytest.mark.parametrize(
    "name",
    ["www.example", "test", "a.test", "local", "x.local", "home.arpa", "example", "notlocalhost", "xinvalid", "arpa",
     "127.in-addr.arpa", "pldns", "x.health.pldns", "localhost.example", "."],
)  # fmt: skip
def test_other_names_are_not_local(name: str, ask: Callable[..., bytes]) -> None:
    assert LOCAL.answer(parse(ask(name))) is None


@pytest.mark.parametrize(("rtype", "number", "rdata"), [("A", A, b"\x7f\0\0\1"), ("AAAA", AAAA, bytes(15) + b"\1")])
def test_localhost_is_loopback(rtype: str, number: int, rdata: bytes, ask: Callable[..., bytes]) -> None:
    draft = LOCAL.answer(parse(ask("LOCALHOST", rtype)))
    assert draft is not None
    assert [(rrset.type, rrset.rdatas) for rrset in draft.answer] == [(number, (rdata,))]


@pytest.mark.parametrize("name", ["invalid", "x.invalid", "onion", "a.b.onion"])
def test_what_does_not_exist_is_denied_with_a_soa(name: str, ask: Callable[..., bytes]) -> None:
    draft = LOCAL.answer(parse(ask(name, "TYPE65280")))
    assert draft is not None
    assert draft.rcode == codes.NXDOMAIN
    assert [rrset.type for rrset in draft.authority] == [SOA]


@pytest.mark.parametrize("name", ["version.bind", "VERSION.server", "id.server", "hostname.bind"])
@pytest.mark.parametrize("rtype", ["TXT", "ANY"])
def test_chaos_names_are_answered_in_their_class(
    name: str,
    rtype: str,
    ask: Callable[..., bytes],
    decode: Callable[[bytes], dns.message.Message],
    build: Callable[..., "Pipeline"],
) -> None:
    packet = build("dns: {identity: pldns}").reply(ask(name, rtype, "class=CH"))
    assert packet is not None
    reply = decode(packet)
    (rrset,) = reply.answer
    assert (int(rrset.rdclass), int(rrset.rdtype)) == (codes.CH, codes.TXT)
    assert "pldns" in rrset[0].to_text()
    assert ("version" not in name.lower()) or version.VERSION in rrset[0].to_text()


@pytest.mark.parametrize(("name", "rtype"), [("version.bind", "A"), ("authors.bind", "TXT"), ("www.example", "A")])
def test_other_chaos_questions_are_refused(name: str, rtype: str, ask: Callable[..., bytes]) -> None:
    draft = LOCAL.answer(parse(ask(name, rtype, "class=CH")))
    assert draft is not None
    assert draft.rcode == codes.REFUSED


def test_local_answers_have_the_small_room(ask: Callable[..., bytes]) -> None:
    for name in ("made.up.localhost", "made.up.invalid", "health.pldns"):
        draft = LOCAL.answer(parse(ask(name)))
        assert draft is not None
        assert draft.expendable
