"""Shared by all tests: two decoders that must agree, a fake upstream, and the parts of pldns in one process."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dnslib
import hypothesis
import pytest
import yaml
from xdist.remote import Producer

from resolver import settings
from resolver.channel.frames import Down, Hello
from resolver.channel.trace import Trace
from resolver.config import file as config
from resolver.control.estate.assemble import assemble
from resolver.control.feed.feed import Feed
from resolver.control.feed.session import FeedSession
from resolver.forward.cache import Key, UpstreamFailure
from resolver.forward.exchange import Exchange, Listen
from resolver.forward.health import Health
from resolver.forward.tries import Try
from resolver.sources import zone_files
from resolver.sources.files import FileSource
from resolver.sources.reading import Scan
from resolver.wire import codes
from resolver.wire.plain_reply import PlainReply
from resolver.wire.relay import Message
from resolver.worker.access.clients import packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.fetcher import Done, Result
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from resolver.worker.explain.explainer import ExplainedQuery, explain
from resolver.worker.replica import Replica
from tests.replies import Replies
from tests.resolver.forward.exchanges import NoDriver
from tests.schedule import Schedule
from zones.clocks import SteadyTime, WallTime, steady_clock, wall_clock
from zones.dns.name import Name

# -- how the tests run

# A loaded machine is slow and proves nothing: neither the time of one example nor that of making it counts.
hypothesis.settings.register_profile(
    "pldns", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("pldns")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Schedule:
    """Distribute the tests to processes as `tests/schedule.py` says."""
    return Schedule(config, log)


# -- two decoders

FLAGS = dns.flags.QR | dns.flags.AA | dns.flags.TC | dns.flags.RD | dns.flags.RA | dns.flags.AD | dns.flags.CD


def _records_of_dnspython(section: Iterable[dns.rrset.RRset]) -> list[tuple[object, ...]]:
    return [
        (rrset.name.labels[:-1], rrset.rdclass, rrset.rdtype, rrset.ttl, rdata.to_wire())
        for rrset in section
        for rdata in rrset
    ]


def _records_of_dnslib(section: Iterable[dnslib.RR]) -> list[tuple[object, ...]]:
    out: list[tuple[object, ...]] = []
    for rr in section:
        if rr.rtype == codes.OPT:
            continue
        if rr.rtype in {dns.rdatatype.A, dns.rdatatype.AAAA}:
            rdata: bytes | None = bytes(rr.rdata.data)
        else:
            text = rr.toZone().split(None, 4)[4]
            rdata = dns.rdata.from_text(rr.rclass, rr.rtype, text).to_wire()
        out.append((tuple(rr.rname.label), rr.rclass, rr.rtype, rr.ttl, rdata))
    return out


def _check_edns(one: dns.message.Message, other: dnslib.DNSRecord) -> None:
    opts = [rr for rr in other.ar if rr.rtype == codes.OPT]
    assert (one.edns == 0) == bool(opts)
    if opts:
        assert opts[0].rclass == one.payload == codes.PAYLOAD
        assert opts[0].ttl & 0xFFFF == one.ednsflags & 0xFFFF
        assert [(o.code, o.data) for o in opts[0].rdata] == [(o.otype, o.to_wire()) for o in one.options]


def decoded(packet: bytes) -> dns.message.Message:
    """Return the message as dnspython reads it. dnslib must read the same."""
    one = dns.message.from_wire(packet, one_rr_per_rrset=True)
    other = dnslib.DNSRecord.parse(packet)
    assert one.id == other.header.id
    assert one.flags & FLAGS == other.header.bitmap & FLAGS
    assert one.rcode() & 0xF == other.header.rcode
    asked = [(q.qname.label, q.qtype, q.qclass) for q in other.questions]
    assert [(q.name.labels[:-1], q.rdtype, q.rdclass) for q in one.question] == asked
    for mine, theirs in ((one.answer, other.rr), (one.authority, other.auth), (one.additional, other.ar)):
        assert _records_of_dnspython(mine) == _records_of_dnslib(theirs)
    _check_edns(one, other)
    assert one.edns >= 0 or not any(o.otype == codes.OPTION_EDE for o in one.options)
    return one


@pytest.fixture(scope="session")
def decode() -> Callable[[bytes], dns.message.Message]:
    """The function that reads a packet with dnspython and dnslib and compares the results."""
    return decoded


# -- what a client sends


def query(name: str, rtype: str = "A", *options: str, ident: int = 0x5151) -> bytes:
    """Return a query with RD and EDNS.

    Options: `norec noedns do cd ad class=CH opcode=4 version=1 response questions=2`.
    """
    given = dict(option.partition("=")[::2] for option in options)
    number = dns.rdatatype.from_text(rtype)
    message = dns.message.make_query(
        dns.name.from_text(name), number, given.get("class", "IN"), use_edns=False, id=ident
    )
    message.flags = dns.flags.Flag(0 if "norec" in given else dns.flags.RD)
    for flag in ("cd", "ad"):
        if flag in given:
            message.flags |= dns.flags.from_text(flag.upper())
    if "noedns" not in given:
        message.use_edns(0, dns.flags.DO if "do" in given else 0, int(given.get("payload", codes.PAYLOAD)))
    packet = bytearray(message.to_wire())
    if "version" in given:
        packet[-5] = int(given["version"])  # the OPT record is the last one, and empty
    packet[2] |= int(given.get("opcode", 0)) << 3 | (0x80 if "response" in given else 0)
    if "questions" in given:
        packet[5] = int(given["questions"])
    return bytes(packet)


@pytest.fixture(scope="session")
def ask() -> Callable[..., bytes]:
    """The function that builds the query of a client."""
    return query


# -- an upstream


ANYTHING = dns.name.from_text("*.")


class FakeUpstream:
    """A resolver with the data of a text: lines `NAME TTL TYPE RDATA`, and `!WORD NAME` for a fault at a name.

    It follows aliases within its data and denies all other names. The owner `*.` matches every name.
    Words: `silent`, `refused`, `servfail`, `nosoa`, `bare` (the alias at the name, and nothing of its target), `badid`,
    `badquestion`. Without a name: `!ad` (all answers are validated), `!closed` (no server listens), `!plain` (EDNS gets
    FORMERR).
    `!with NAME RECORD` adds a record to the answer for a name.
    """

    def __init__(self, text: str) -> None:
        self.data: dict[tuple[dns.name.Name, int], dns.rrset.RRset] = {}
        self.words: dict[dns.name.Name, str] = {}
        self.smuggled: dict[dns.name.Name, list[dns.rrset.RRset]] = {}
        self.asked: list[str] = []
        for line in filter(None, map(str.strip, text.splitlines())):
            if line.startswith("!"):
                word, _, name = line[1:].partition(" ")
                if word == "with":
                    name, owner, ttl, rtype, rdata = name.split(None, 4)
                    extra = dns.rrset.from_text(owner, int(ttl), "IN", rtype, rdata)
                    self.smuggled.setdefault(dns.name.from_text(name), []).append(extra)
                else:
                    self.words[dns.name.from_text(name or ".")] = word
            elif not line.startswith("#"):
                owner, ttl, rtype, rdata = line.split(None, 3)
                root = dns.name.root
                self._add(
                    dns.rrset.from_text_list(owner, int(ttl), "IN", rtype, [rdata], origin=root, relativize=False)
                )

    @property
    def all(self) -> str:
        """The fault that applies to all names; empty for none."""
        return self.words.get(dns.name.root, "")

    def _add(self, rrset: dns.rrset.RRset) -> None:
        owner = rrset.name.derelativize(dns.name.root)
        held = self.data.setdefault((owner, rrset.rdtype), dns.rrset.RRset(owner, rrset.rdclass, rrset.rdtype))
        for rdata in rrset:
            held.add(rdata, rrset.ttl)

    def reply(self, packet: bytes, limit: int = 65535) -> bytes | None:
        """Return the reply; None for none."""
        asked = dns.message.from_wire(packet)
        question = asked.question[0]
        self.asked.append(f"{question.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(question.rdtype)}")
        out = dns.message.make_response(asked, recursion_available=True)
        word = self.words.get(question.name, "")
        if word == "silent":
            return None
        if self.all == "plain" and asked.edns >= 0:
            out.use_edns(None)
            out.set_rcode(dns.rcode.FORMERR)
        elif word in {"refused", "servfail"}:
            out.set_rcode(dns.rcode.from_text(word.upper()))
        else:
            self._fill(out, question.name, question.rdtype, word)
            if self.all == "ad":
                out.flags |= dns.flags.AD
        if word == "referral":
            out = dns.message.make_response(asked)
            out.authority.append(dns.rrset.from_text("example.", 300, "IN", "NS", "ns.example."))
        elif word == "badcookie":
            out.use_edns(0, options=[dns.edns.GenericOption(dns.edns.COOKIE, b"not ours")])
        out.answer += self.smuggled.get(question.name, [])
        if word == "badid":
            out.id ^= 1
        elif word == "badquestion":
            out.question[0].name = dns.name.from_text("elsewhere.example")
        wire = out.to_wire(max_size=65535, want_shuffle=False)
        if word == "broken" or (word == "malformed" and limit < 65535):
            wire = wire[:-1]
        if len(wire) > limit:
            cut = dns.message.make_response(asked, recursion_available=True)
            cut.flags |= dns.flags.TC
            wire = cut.to_wire()
        return wire

    def _fill(self, out: dns.message.Message, name: dns.name.Name, rtype: int, word: str) -> None:
        for _ in range(20):
            alias = self.data.get((name, dns.rdatatype.CNAME)) or self._substituted(out, name)
            if alias is None or rtype == dns.rdatatype.CNAME:
                break
            out.answer.append(alias)
            name = alias[0].target
            if word == "bare":
                return
        found = self.data.get((name, rtype))
        if found is None and (anything := self.data.get((ANYTHING, rtype))):
            found = dns.rrset.from_rdata_list(name, anything.ttl, list(anything))
        if found:
            out.answer.append(found)
            return
        if not any(owner == ANYTHING or owner.is_subdomain(name) for owner, _ in self.data):
            out.set_rcode(dns.rcode.NXDOMAIN)
        if word != "nosoa":
            out.authority.append(self._soa(name))

    def _substituted(self, out: dns.message.Message, name: dns.name.Name) -> dns.rrset.RRset | None:
        for (owner, rtype), rrset in self.data.items():
            if rtype == dns.rdatatype.DNAME and name != owner and name.is_subdomain(owner):
                out.answer.append(rrset)
                target = name.relativize(owner).concatenate(rrset[0].target)
                return dns.rrset.from_text(name, rrset.ttl, "IN", "CNAME", target.to_text())
        return None

    def _soa(self, name: dns.name.Name) -> dns.rrset.RRset:
        while (found := self.data.get((name, dns.rdatatype.SOA))) is None and name != dns.name.root:
            name = name.parent()
        return found or dns.rrset.from_text(".", 300, "IN", "SOA", "a. b. 1 2 3 4 300")


@pytest.fixture(scope="session")
def fake_upstream() -> type[FakeUpstream]:
    """The class of fake upstreams."""
    return FakeUpstream


# -- the daemon without processes, sockets and clocks


class _Timer:
    def cancel(self) -> None:
        """Do nothing: no timer runs."""


class Pipeline:
    """The sources, the estate, the feed and the answering parts of a worker in one process. A test sets the time."""

    def __init__(
        self, accepted: settings.Accepted, upstreams: Mapping[str, FakeUpstream], servers: Mapping[int, FakeUpstream]
    ) -> None:
        self._servers = servers
        worker, control = accepted.worker, accepted.control
        self.now = 1000.0
        self.upstreams = upstreams
        self.estate = assemble(control, zone_files.read(control.zones, {}), None, {}, WallTime(self.now))
        self.feed = Feed(self.estate, "epoch")
        self._session = FeedSession(self.feed, Hello(0, 0, "", "", 0, 0), lambda: None)
        files = (source for source in control.sources if not source.remote)
        self.files = {source.name: FileSource(source.path, set()) for source in files}
        self.clock = Clock(
            steady_clock(lambda: self.now), wall_clock(lambda: self.now), lambda _seconds, _call: _Timer()
        )
        self.parts = parts = compose(worker, self.clock)
        self.groups = parts.upstreams
        self.table = parts.table
        self.cache = parts.cache
        self.counters = parts.counters
        self.answers = parts.answers
        self.fallbacks = parts.fallbacks
        self.engine = parts.engine
        self.clients = parts.clients
        self.cookies = parts.cookies
        self.health = Health(lambda below: 0x1234 % below)
        self.responder = Responder(parts, self._ask)
        self.replica = Replica(self.table, self.answers, self.clients)
        self._queue: deque[tuple[Key, Done]] = deque()

    def start(self) -> None:
        """Read the sources and apply the first snapshot."""
        self.feed.changed(self.estate.take_scans(self._scans(), WallTime(self.now)))
        self._send(self._session.snapshot(partial=False))

    def scan(self) -> None:
        """Read the changes of the sources and apply them."""
        self.apply(self.estate.take_scans(self._scans(), WallTime(self.now)))

    def apply(self, changed: set[Name]) -> None:
        """Let the worker have the names that a change of the estate returned."""
        self._session.mark(changed)
        self.feed.changed(changed)
        self._send(self._session.changes())

    def _scans(self) -> dict[str, Scan]:
        return {name: files.scan() for name, files in self.files.items()}

    def _send(self, frames: Iterable[Down]) -> None:
        for frame in frames:
            for _ in self.replica.apply(frame):
                pass

    def reply(self, packet: bytes, client: str = "127.0.0.1", *, tcp: bool = False) -> bytes | None:
        """Return the reply to a packet of a client; None for none."""
        network = self.clients.find(packed(client))
        transport = ClientTransport("tcp", idle=10) if tcp else ClientTransport("udp", self.responder.payload)
        if not tcp and network >= -1:
            form = self.answers.exact[network].get(packet[2:])
            if form is not None and self.now < form[1]:
                form[2][0] += 1
                return packet[:2] + form[0]
        replies = Replies()
        answered = self.responder.take(packet, self.clients.client(packed(client)), transport, replies.take)
        while self._queue:
            key, done = self._queue.popleft()
            done(key, self.exchanged(key))
        assert len(replies) == answered, "each query has one reply"
        return replies[0] if replies else None

    def explain(self, packet: bytes, client: str = "127.0.0.1", *, tcp: bool = False) -> Trace:
        """Return how the worker would answer a packet now. Asks no upstream."""
        traces: list[Trace] = []
        query = ExplainedQuery(packet, packed(client), "tcp" if tcp else "udp")
        explain(self.parts, query, lambda _: (), traces.append)
        (trace,) = traces
        return trace

    def ask(
        self, name: str, rtype: str = "A", *options: str, client: str = "127.0.0.1", tcp: bool = False
    ) -> dns.message.Message:
        """Ask one query. Return the reply, read by both decoders."""
        packet = self.reply(query(name, rtype, *options), client, tcp=tcp)
        assert packet is not None
        return decoded(packet)

    def _ask(self, key: Key, done: Done, _: bytes) -> None:
        self._queue.append((key, done))

    def exchanged(self, key: Key) -> Result:
        """Return the result of the exchange with the fake upstreams. Time-outs take no time."""
        group = self.groups.group(key.group) or settings.UpstreamGroup(key.group, ())
        mark, now = self.parts.loops.mark(key), SteadyTime(self.now)
        exchange = Exchange(key, group, self.health.order(group), now, lambda below: 0x1234 % below, NoDriver(), mark)
        action = exchange.start(now)
        while isinstance(action, Try | Listen):
            if isinstance(action, Listen):
                action = exchange.timeout(exchange.end)
                continue
            upstream = self._servers[action.server.server.port]
            if upstream.all == "closed":
                action = exchange.error(action, "connection refused", now)
                continue
            wire = upstream.reply(b"\0\0" + action.packet, codes.PAYLOAD if action.transport == "udp" else 65535)
            taken = exchange.reply(action, wire, now) if wire else Listen.MISMATCH
            action = exchange.timeout(exchange.deadline) if isinstance(taken, Listen) else taken
        assert isinstance(action, Message | PlainReply | UpstreamFailure)
        return action


def world(
    folder: Path,
    settings_text: str,
    files: Mapping[str, str],
    upstreams: Mapping[str, tuple[str, ...]],
    admin: str = "off",
) -> Path:
    """Write a configuration with its files into a folder. Return the path of the configuration.

    `upstreams` has a server URI and the suffixes of each group; `GROUP#2` is another server of the group. All servers
    are on loopback. The configuration may have other keys of a group.
    """
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    given = yaml.safe_load(settings_text) or {}
    given.setdefault("dns", {}).setdefault("listen", ["127.0.0.1:0"])
    given["admin"] = {"listen": admin}
    groups = given.setdefault("upstreams", {})
    for header, (server, *suffixes) in {"public": ("udp://127.0.0.1:9",), **upstreams}.items():
        group = groups.setdefault(header.partition("#")[0], {})
        group.setdefault("servers", []).append(server)
        if suffixes:
            group["suffixes"] = suffixes
    written = folder / "pldns.yaml"
    written.write_text(yaml.safe_dump(given))
    return written


@pytest.fixture(scope="session")
def write_world() -> Callable[..., Path]:
    """The function that writes a configuration and its files."""
    return world


@pytest.fixture(scope="session")
def pipeline_of() -> type[Pipeline]:
    """The class of pipelines: pldns without processes, sockets and clocks."""
    return Pipeline


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Pipeline]:
    """The function that starts a pipeline with a configuration, files, and texts of upstreams by `GROUP [SUFFIX…]`."""
    return partial(_build, tmp_path)


def _build(
    folder: Path,
    settings_text: str = "",
    files: Mapping[str, str] | None = None,
    upstreams: Mapping[str, str] | None = None,
    *,
    start: bool = True,
) -> Pipeline:
    given = {"public": "", **(upstreams or {})}
    groups: dict[str, tuple[str, ...]] = {}
    fakes: dict[str, FakeUpstream] = {}
    servers: dict[int, FakeUpstream] = {}
    for header, text in given.items():
        group, *suffixes = header.split()
        fakes[group] = servers[9 + len(servers)] = FakeUpstream(text)
        groups[group] = (f"udp://127.0.0.1:{8 + len(servers)}", *suffixes)
    path = world(folder, settings_text, files or {}, groups)
    pipeline = Pipeline(config.load(path, {}), fakes, servers)
    if start:
        pipeline.start()
    return pipeline
