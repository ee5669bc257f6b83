"""The fuzz targets: one function for each kind of input from outside.

A target takes any octets and raises nothing but the exceptions that its part of pldns promises, which it swallows; what
it asserts holds for all octets. It returns whether the octets were accepted, so that a run can tell that it got there.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from socket import inet_ntoa
from typing import Final

import dns.flags
import dns.message
import dns.rdatatype
from dnslib import DNSRecord

from resolver import settings
from resolver.channel import frames as channel
from resolver.control.estate.estate import Estate
from resolver.forward.cache import Key, UpstreamFailure
from resolver.sources.azure.protocol import events
from resolver.wire import aliases, codes, plain_reply, proxy, relay, render
from resolver.wire import query as wire
from resolver.wire.plain_reply import Reply
from resolver.worker.access.clients import packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.fetcher import Done
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from tests.replies import Replies
from zones.azure import arm, file_pages
from zones.azure.encoding import UnreadableDocument
from zones.azure.resource import resource_id
from zones.claims.row import BY_RULE, ClassNumber, Variant, pack
from zones.clocks import WallTime, steady_clock, wall_clock
from zones.dns import record, zonefile
from zones.dns.name import from_text, wildcard
from zones.dns.static import StaticZone
from zones.networks.network import Network, NetworkMask

ID: Final = 0x1234
WWW: Final = from_text("www.example")
QUESTION: Final = relay.question(WWW, record.A)


def query(octets: bytes) -> bool:
    """Parse a client's packet. Both decoders read the reply to it."""
    try:
        got = wire.parse(octets)
    except wire.MalformedQuery as fault:
        if fault.rcode is None:
            assert len(octets) < codes.HEADER_SIZE or octets[2] & 0x80
            return False
        question, reply = fault.question, render.whole(fault, render.error(fault))
        assert len(reply) <= len(octets) + 11
    else:
        question = got.question
        body = render.truncated(question, codes.RA, codes.NOERROR, render.Opt(got.do) if got.edns else None)
        reply = render.whole(got, body)
        assert dns.message.from_wire(octets, question_only=True).question[0].name.to_wire() == got.qname
    assert reply[:2] == octets[:2]
    known = reply[:2] + bytes((reply[2] & 0x87,)) + reply[3:]  # dnspython reads more into an UPDATE's question
    assert dns.message.from_wire(known).id == int.from_bytes(octets[:2], "big")
    if question.isascii():  # dnslib refuses labels that are not UTF-8
        assert DNSRecord.parse(reply).header.id == int.from_bytes(octets[:2], "big")
    return True


def reply(octets: bytes) -> bool:
    """Parse an upstream's packet, follow its chain and render its records: they stay the same."""
    try:
        message = relay.parse(octets, QUESTION)
        chain = aliases.chain(message, WWW, record.A)
    except (relay.Mismatch, relay.MalformedReply):
        return False
    assert len(chain.hops) <= aliases.MAX_HOPS
    assert {r.owner.lower() for r in chain.final} <= {chain.last}
    body = render.body(QUESTION, codes.RA, message.rcode & 0xF, message.answer, message.authority)
    again = relay.parse(ID.to_bytes(2, "big") + body.head + QUESTION + body.tail, QUESTION)
    assert _folded(again.answer) == _folded(message.answer)
    assert _folded(again.authority) == _folded(message.authority)
    return True


def _folded(rrsets: tuple[record.RRset, ...]) -> list[tuple[bytes, int, int, frozenset[bytes]]]:
    return [(r.owner.lower(), r.type, r.ttl, frozenset(rdata.lower() for rdata in r.rdatas)) for r in rrsets]


def frames(octets: bytes) -> bool:
    """Read frames in two parts, cut where the first octet says: the cut makes no difference."""
    cut = octets[0] if octets else 0
    accepted = False
    for limit, kind in ((1 << 16, channel.Down), (1 << 14, channel.Up)):
        results: list[list[object] | None] = []
        for pieces in ((octets[1:],), (octets[1 : 1 + cut], octets[1 + cut :])):
            reader = channel.FrameReader[object](limit, kind)
            try:
                results.append([frame for piece in pieces for frame in reader.feed(piece)])
            except channel.ChannelError:
                results.append(None)
        assert results[0] == results[1]
        accepted |= bool(results[0])
    return accepted


def zone(octets: bytes) -> bool:
    """Read a zone file, and look up its names and names beside them."""
    try:
        made = zonefile.parse(octets.decode("utf-8", "replace"), "fuzz.zone")
    except zonefile.InvalidZone:
        return False
    static = StaticZone(made.origin, is_open=False)
    for name, rrsets in made.names.items():
        static.put(name, rrsets)
    assert static.soa is not None
    for name in list(made.names):
        for each in (name, wildcard(name)):
            for kind in (record.A, record.NS, record.CNAME, record.DS, record.ANY):
                if len(each) <= 255:
                    static.match(each, kind)
    return True


_CONTROL: Final = settings.ControlSettings(
    networks=(Network("weu", ("10.0.0.0/8",)),), sources=(settings.SourceSettings("s", "files", "/x"),)
)


def inventory(octets: bytes) -> bool:
    """Read a source's file as JSON and as YAML, take it into an estate and remove it again: nothing is left."""
    accepted = False
    for form in ("json", "yaml"):
        try:
            contents = arm.contents(octets[:20_000], "fuzz", form=form)
        except UnreadableDocument:
            continue
        file_pages.lacking({"part": contents.pages})
        estate = Estate(_CONTROL)
        estate.take([("s", "part", contents.resources)], WallTime(1.0))
        accepted |= bool(estate.ledger.endpoints)
        list(estate.board)
        estate.take([("s", "part", None)], WallTime(2.0))
        assert not estate.ledger.endpoints
    return accepted


def header(octets: bytes) -> bool:
    """Parse a PROXY header and the payload after it."""
    for given in (octets, proxy.SIGNATURE + octets):
        try:
            source, payload = proxy.strip(given)
        except proxy.MalformedHeader:
            continue
        assert given.endswith(payload)
        assert source is None or len(source.address) in {4, 16}
        return True
    return False


_ZONE: Final = """
$ORIGIN z.
@ 9 SOA a b 1 2 3 4 5
* 9 TXT x
d 9 DNAME z.
$GENERATE 1-99 m 9 A 10.0.0.$
"""


class _Server:
    """The whole packet path, with two endpoints, a zone file and an upstream that fails at once."""

    result: Reply | UpstreamFailure = UpstreamFailure(codes.NO_REACHABLE_AUTHORITY, "no upstream here")

    def __init__(self) -> None:
        worker = settings.WorkerSettings((), ("10.0.0.0/8",), forwarders=("10.0.0.53/32",), identity="fuzz")
        clock = Clock(steady_clock(lambda: 1.0), wall_clock(lambda: 1.0), lambda *_: _Never())
        parts = replace(compose(worker, clock), answers=AnswerCache(1, 1 << 20))
        parts.table.masks[ClassNumber(1)] = NetworkMask(1)
        for text in ("acct.privatelink.blob.core.windows.net", "*.weu.privatelink.azurecontainerapps.io"):
            parts.table.apply(
                from_text(text), pack([Variant(ClassNumber(1), BY_RULE, (bytes(4), bytes(3) + b"1"), (), ())])
            )
        made = zonefile.parse(_ZONE, "z")
        for name, rrsets in made.names.items():
            parts.table.apply_static(made.origin, name, rrsets, is_open=False)
        self.clients = [parts.clients.peer(packed(address)) for address in ("10.0.0.1", "10.0.0.53", "192.0.2.1")]
        self.cache = parts.cache
        self.responder = Responder(parts, self._ask)

    def _ask(self, key: Key, done: Done, _: bytes) -> None:
        done(key, self.result)


def _relayed(server: _Server, query: bytes, result: Reply) -> dns.message.Message:
    """Return the reply to a query about `WWW`, for which the upstream has this result."""
    server.cache.flush(WWW, subtree=False)
    server.responder.answers.clear()
    server.result = result
    replies = Replies()
    assert server.responder.take(query, server.clients[0], _TRANSPORTS[1], replies.take)
    return dns.message.from_wire(replies[0])


def relayed(octets: bytes) -> bool:
    """Read an upstream's packet as a plain reply and as records: clients get the same answer from both."""
    plain = plain_reply.read(octets, QUESTION)
    if plain is None:
        return False
    try:
        message = relay.parse(octets, QUESTION)
    except relay.MalformedReply:
        return False
    if not _relaying:
        _relaying.append(_Server())
    asked = dns.message.make_query("www.example", "A", id=ID)
    for edns, flags in product((-1, 0), (dns.flags.RD, dns.flags.RD | dns.flags.AD, dns.flags.RD | dns.flags.CD)):
        asked.use_edns(edns)
        asked.flags = dns.flags.Flag(flags)
        # The first answer teaches the way of such names, the second one takes it.
        for _ in range(2):
            one, other = (_relayed(_relaying[0], asked.to_wire(), each) for each in (plain, message))
            assert (one.flags, one.rcode(), one.edns, one.payload) == (
                other.flags, other.rcode(), other.edns, other.payload,
            )  # fmt: skip
            assert (one.answer, one.authority, one.additional) == (other.answer, other.authority, other.additional)
            assert [rrset.ttl for rrset in one.answer] == [rrset.ttl for rrset in other.answer]
            assert {rdata.to_text() for rdata in one.answer[0]} == {inet_ntoa(each) for each in plain.addresses()}
    return True


class _Never:
    def cancel(self) -> None:
        """Do nothing: no call is ever due."""


_server: list[_Server] = []
_relaying: list[_Server] = []
_TRANSPORTS: Final = (
    ClientTransport("udp", 1232), ClientTransport("tcp", idle=10), ClientTransport("tls", encrypted=True, idle=10),
)  # fmt: skip


def packet(octets: bytes) -> bool:
    """Answer a packet over each transport twice: no reply, or the same reply both times, which parses."""
    if not _server:
        _server.append(_Server())
    server, answered = _server[0], False
    for client in server.clients:
        for transport in _TRANSPORTS:
            replies = Replies()
            for _ in range(2):
                taken = server.responder.take(octets, client, transport, replies.take)
                assert len(replies) % 2 == 0 or taken
            assert len(replies) in {0, 2}
            if not replies:
                continue
            answered = True
            assert replies[0] == replies[1]
            assert replies[0][:2] == octets[:2]
            assert replies[0][2] & 0x80
            assert len(replies[0]) <= (transport.limit or codes.MAX_MESSAGE)
            known = replies[0][:2] + bytes((replies[0][2] & 0x87,)) + replies[0][3:]
            dns.message.from_wire(known, ignore_trailing=False)
    return answered


def event(octets: bytes) -> bool:
    """Read the body of a request to the event listener."""
    try:
        found, malformed = events.read(octets)
    except events.MalformedEvents:
        return False
    assert malformed >= 0
    for each in found:
        assert not each.resource or resource_id(each.resource) == each.resource
    return bool(found)


TARGETS: Final[dict[str, Callable[[bytes], bool]]] = {
    "query": query, "reply": reply, "frames": frames, "zone": zone, "inventory": inventory, "header": header,
    "packet": packet, "event": event, "relayed": relayed,
}  # fmt: skip
