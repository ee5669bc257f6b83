"""Runs each story of `scenarios/` in one process with fake time, and on a running daemon.

`scenarios/README.md` describes the format.
"""

import contextlib
import json
import os
import re
import select
import socket
import socketserver
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from resolver.channel.trace import Access
from resolver.wire.codes import type_text
from tests.ports import free_port, pair
from zones.dns.name import Name, to_text

if TYPE_CHECKING:
    from tests.conftest import FakeUpstream, Pipeline

Decode = Callable[[bytes], dns.message.Message]
STORIES = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))
SERVE = """
import sys
from pathlib import Path
from resolver.supervisor.serve import serve
sys.exit(serve(Path(sys.argv[1]), {}))
"""
SETTLED = 90.0
"""Seconds that a running daemon has for a change. Only a failure takes so long, even on a loaded machine."""


# -- the format


@dataclass(frozen=True)
class ScenarioStep:
    """A step: its line number, its words, and the indented lines below it."""

    line: int
    words: tuple[str, ...]
    body: tuple[str, ...]


@dataclass
class Story:
    """The sections of a story."""

    config: str = ""
    files: dict[str, str] = field(default_factory=dict)
    upstreams: dict[str, str] = field(default_factory=dict)
    steps: list[ScenarioStep] = field(default_factory=list)


def read(path: Path) -> Story:
    story = Story()
    heads = list(re.finditer(r"^== (\w+) ?(.*)\n", path.read_text(), re.MULTILINE))
    text = path.read_text()
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else None]
        if head[1] == "config":
            story.config = body
        elif head[1] == "file":
            story.files[head[2]] = body
        elif head[1] == "upstream":
            story.upstreams[head[2]] = body
        else:
            assert head[1] == "steps", f"{path.name}: no section is called {head[1]}"
            story.steps = list(_steps(body, text.count("\n", 0, head.end()) + 1))
    return story


def _steps(text: str, first: int) -> Iterator[ScenarioStep]:
    found: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate(text.splitlines(), first):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0].isspace():
            found[-1][2].append(line)
        else:
            found.append((number, line, []))
    for number, line, body in found:
        yield ScenarioStep(number, tuple(line.split()), tuple(textwrap.dedent("\n".join(body)).splitlines()))


# -- replies in the format of stories


def shown(message: dns.message.Message) -> list[str]:
    """Return a reply as lines of a story: rcode and flags, then the records."""
    flags = [name for name in ("aa", "tc", "ra", "ad", "cd") if message.flags & dns.flags.from_text(name.upper())]
    ede = [f"ede {int(o.code)}" for o in message.options if isinstance(o, dns.edns.EDEOption)]
    lines = [" ".join([dns.rcode.to_text(message.rcode()), *flags, *ede])]
    for section, name in ((message.answer, ""), (message.authority, "authority "), (message.additional, "additional ")):
        lines += [name + line for rrset in section for line in rrset.to_text().replace(" IN ", " ").splitlines()]
    return lines


def alike(got: list[str], wanted: list[str], *, aged: bool) -> list[str]:
    """Return the lines of a reply, with `*` where the story has it, and with `aged` its TTLs where they are higher."""
    out = []
    for line, wish in zip(got, wanted, strict=False):
        parts, wishes = line.split(), wish.split()
        at = 2 if parts[0] in {"authority", "additional"} else 1
        if len(parts) > at + 1 and len(wishes) > at + 1:
            if wishes[at] == "*" or (aged and parts[at].isdigit() and int(parts[at]) <= int(wishes[at])):
                parts[at] = wishes[at]
            if wishes[-1] == "*":
                parts = [*parts[: len(wishes) - 1], "*"]
        out.append(" ".join(parts))
    return out + got[len(out) :]


# -- the two ways to run a story


class Subject(Protocol):
    """One of the two ways."""

    live: bool
    settled: bool
    upstreams: dict[str, "FakeUpstream"]

    def reply(self, packet: bytes, client: str, *, tcp: bool) -> bytes | None: ...

    def changed(self, file: Path) -> None: ...

    def findings(self) -> list[tuple[str, str, str, str]]: ...

    def advance(self, seconds: float) -> None: ...


class Pure:
    """All parts of pldns in one process, with fake time."""

    live = False
    settled = True

    def __init__(self, pipeline: "Pipeline") -> None:
        self._pipeline = pipeline
        self.upstreams = dict(pipeline.upstreams)

    def reply(self, packet: bytes, client: str, *, tcp: bool) -> bytes | None:
        """Return the reply, after a comparison with what `pldns explain` would say about it."""
        before = self._state()
        trace = self._pipeline.explain(packet, client, tcp=tcp)
        assert self._state() == before, "explain changes something"
        reply = self._pipeline.reply(packet, client, tcp=tcp)
        asked = [f"{at.partition('#')[0]} {q}" for at, each in self.upstreams.items() for q in each.asked]
        if trace.message is not None or trace.access is Access.DROPPED or reply is None:
            assert trace.message == reply, f"explain says something else: {trace}"
            assert not asked or trace.kept, "only an answer that expires soon makes a worker ask meanwhile"
        else:
            use = trace.steps[-1].upstream
            assert use is not None
            question = f"{use.group} {to_text(Name(use.name))} {type_text(use.type)}"
            assert not asked or asked[0].lower() == question.lower()
        return reply

    def _state(self) -> tuple[object, ...]:
        """Return what only queries of clients may change."""
        it = self._pipeline
        return (
            list(it.counters.values()),
            (it.cache.hits, it.cache.misses, it.cache.octets, len(it.cache)),
            (it.answers.changes, it.answers.octets, len(it.answers)),
        )

    def changed(self, _: Path) -> None:
        self._pipeline.scan()

    def findings(self) -> list[tuple[str, str, str, str]]:
        return [(f.severity, f.code, f.subject, f.rule) for f in self._pipeline.estate.board]

    def advance(self, seconds: float) -> None:
        self._pipeline.now += seconds


class Live:
    """A running daemon. `settled` is true once the daemon is known to serve the last change."""

    live = True

    def __init__(
        self, config: Path, admin: str, story: Story, upstreams: dict[str, "FakeUpstream"], ask: Callable[..., bytes]
    ) -> None:
        self._admin = admin
        folder = config.parent
        self.upstreams = upstreams
        self._ask = ask
        self._clients = sorted({_client(step) for step in story.steps if step.words[0] == "query"})
        self._marks = 0
        self._log = folder / "log"
        sources = [folder / file for file in story.files if file.startswith("endpoints/")]
        mark = self._mark(sources[0]) if sources else None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(config)],
                stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
                start_new_session=True,
            )
        self.settled = False
        try:
            until(lambda: "all workers are up" in self._log.read_text(), self._log)
        except BaseException:
            self.stop()
            raise
        found = re.search(r"listening on ([\d.]+):(\d+)", self._log.read_text())
        assert found
        self._address = found[1], int(found[2])
        if mark:
            self._wait(mark)
            # Rows are served as they arrive. Only after the whole snapshot does a worker know which names do not exist.
            until(lambda: self._is_ready() or "it has not provided data yet" in self._log.read_text(), self._log)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._admin}/readyz", timeout=SETTLED) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        assert self._process.wait(SETTLED) == 0, self._log.read_text()

    def reply(self, packet: bytes, client: str, *, tcp: bool) -> bytes | None:
        """Return the reply to a packet; None where only a packet sent later was answered."""
        kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(SETTLED)
            sock.bind((client, 0))
            sock.connect(self._address)
            if not tcp:
                sock.send(packet)
                if packet[2] & 0x80:
                    sock.send(
                        b"\xff\xff\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06health\x05pldns\x00\x00\x01\x00\x01"
                    )
                got = sock.recv(65535)
                return None if got[:2] == b"\xff\xff" else got
            sock.sendall(len(packet).to_bytes(2, "big") + packet)
            with sock.makefile("rb") as stream:
                return stream.read(int.from_bytes(stream.read(2), "big"))

    def changed(self, file: Path) -> None:
        """Wait until the daemon serves a change, which it does once it serves an endpoint added later."""
        self._wait(self._mark(file))

    def _mark(self, file: Path) -> tuple[bytes, bytes]:
        """Add an endpoint in the folder of `file`. Return a query for it, and its address, which is new."""
        self._marks += 1
        mark, name = f"10.255.{self._marks // 250}.{self._marks % 250 + 1}", f"{file.parent.name}.mark.test"
        endpoint = f"{{name: {name}, records: [{{fqdn: {name}, ips: [{mark}]}}]}}"
        _put(file.parent / "zz-mark.yaml", f"endpoints: [{endpoint}]")
        return self._ask(name), socket.inet_aton(mark)

    def _wait(self, mark: tuple[bytes, bytes]) -> None:
        packet, address = mark
        until(lambda: any(address in (self.reply(packet, c, tcp=False) or b"") for c in self._clients), self._log)
        self.settled = True

    def findings(self) -> list[tuple[str, str, str, str]]:
        with urllib.request.urlopen(f"http://{self._admin}/v1/findings", timeout=SETTLED) as response:
            items = json.load(response)["items"]
        return [(item["severity"], item["code"], item["subject"], item["rule"]) for item in items]

    def advance(self, _: float) -> None:
        pytest.fail("the time of a running daemon cannot be changed")


def until(condition: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + SETTLED
    while not condition():
        assert time.monotonic() < deadline, log.read_text()
        select.select([], [], [], 0.02)


def _put(file: Path, text: str) -> None:
    """Write a file by renaming a temporary one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    hidden = file.with_name(f".{file.name}")
    hidden.write_text(text)
    hidden.rename(file)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        packet, sock = self.request
        reply = self.server.upstream.reply(packet, 1232)  # type: ignore[attr-defined]
        if reply:
            sock.sendto(reply, self.client_address)


class _Stream(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        packet = self.rfile.read(int.from_bytes(self.rfile.read(2), "big"))
        reply = self.server.upstream.reply(packet)  # type: ignore[attr-defined]
        if reply:
            self.wfile.write(len(reply).to_bytes(2, "big") + reply)


@contextlib.contextmanager
def served(upstream: "FakeUpstream") -> Iterator[int]:
    """Serve an upstream on loopback, over UDP and TCP; yields its port."""
    with contextlib.ExitStack() as stack:
        stream, datagram = pair()
        if upstream.all == "closed":
            datagram.close()
            with stream:
                yield stream.getsockname()[1]  # bound for TCP but not listening, so that nobody else gets the port
            return
        tcp = stack.enter_context(socketserver.TCPServer(stream.getsockname(), _Stream, bind_and_activate=False))
        udp = stack.enter_context(socketserver.UDPServer(stream.getsockname(), _Datagram, bind_and_activate=False))
        for server, sock in ((tcp, stream), (udp, datagram)):
            server.socket.close()
            server.socket = sock
        tcp.server_activate()
        for server in (tcp, udp):
            server.upstream = upstream  # type: ignore[attr-defined]
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield stream.getsockname()[1]


# -- the steps


def _client(step: ScenarioStep) -> str:
    return step.words[step.words.index("from") + 1] if "from" in step.words else "127.0.0.1"


class Runner:
    """Runs the steps of one story."""

    def __init__(self, subject: Subject, folder: Path, name: str, tools: tuple[Callable[..., bytes], Decode]) -> None:
        self._subject = subject
        self._folder = folder
        self._name = name
        self._ask, self._decode = tools

    def run(self, step: ScenarioStep) -> None:
        verb, *arguments = step.words
        if verb == "query":
            self._query(step)
        elif verb == "advance":
            self._subject.advance(float(arguments[0]))
        elif verb == "upstream":
            upstream = self._subject.upstreams[arguments[0]]
            upstream.__init__("\n".join(step.body))  # type: ignore[misc]  # the upstream gets new data
        elif verb == "write":
            file = self._folder / arguments[0]
            _put(file, "\n".join(step.body) + "\n")
            self._subject.changed(file)
        elif verb == "remove":
            file = self._folder / arguments[0]
            file.unlink()
            self._subject.changed(file)
        elif verb == "findings":
            found = [" ".join(filter(None, finding)) for finding in self._subject.findings()]
            here = [line.replace(f"{self._folder}/", "") for line in found if ".mark.test" not in line]
            assert "\n".join(sorted(here)) == "\n".join(sorted(step.body)), f"{self._name}:{step.line}"
        else:
            pytest.fail(f"{self._name}:{step.line}: no step is called {verb}")

    def _query(self, step: ScenarioStep) -> None:
        wanted = [" ".join(line.split()) for line in step.body if not line.startswith("asked")]
        asked = [" ".join(line.split()[1:]) for line in step.body if line.startswith("asked")]
        got, was = self._try(step, wanted)
        deadline = time.monotonic() + SETTLED
        again = False
        while got != wanted and not self._subject.settled and time.monotonic() < deadline:
            got, was = self._try(step, wanted)
            again = True
        self._subject.settled = True
        where = f"{self._name}:{step.line}: {' '.join(step.words)}"
        assert "\n".join(got) == "\n".join(wanted), where
        assert not asked or again or was == [a for a in asked if a != "nothing"], where

    def _try(self, step: ScenarioStep, wanted: list[str]) -> tuple[list[str], list[str]]:
        """Send the query. Return the lines of the reply, and the queries that upstreams got because of it."""
        name, rtype, *rest = step.words[1:]
        options = [word[1:] for word in rest if word.startswith("+")]
        packet = self._ask(name, rtype, *options)
        for upstream in self._subject.upstreams.values():
            upstream.asked.clear()
        reply = self._subject.reply(packet, _client(step), tcp="tcp" in options)
        was = [f"{group} {asked}" for group, each in self._subject.upstreams.items() for asked in each.asked]
        if reply is None:
            return ["dropped"], was
        message = self._decode(reply)
        assert reply[:2] == packet[:2]
        assert not message.question or reply[12 : 12 + len(name) + 1] == packet[12 : 12 + len(name) + 1], "0x20 is kept"
        assert bool(message.flags & dns.flags.RD) == ("norec" not in options)
        return alike(shown(message), wanted, aged=self._subject.live), was


# -- the tests


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_without_processes(
    path: Path,
    tmp_path: Path,
    build: Callable[..., "Pipeline"],
    ask: Callable[..., bytes],
    decode: Decode,
) -> None:
    story = read(path)
    runner = Runner(Pure(build(story.config, story.files, story.upstreams)), tmp_path, path.name, (ask, decode))
    for step in story.steps:
        runner.run(step)


@pytest.mark.live
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_on_a_live_daemon(
    path: Path,
    tmp_path: Path,
    write_world: Callable[..., Path],
    fake_upstream: type["FakeUpstream"],
    ask: Callable[..., bytes],
    decode: Decode,
) -> None:
    story = read(path)
    with contextlib.ExitStack() as stack:
        groups: dict[str, tuple[str, ...]] = {}
        fakes: dict[str, FakeUpstream] = {}
        for header, text in ({"public": ""} | story.upstreams).items():
            group, *suffixes = header.split()
            fakes[group] = fake_upstream(text)
            groups[group] = f"udp://127.0.0.1:{stack.enter_context(served(fakes[group]))}", *suffixes
        admin = f"127.0.0.1:{free_port()}"
        config = write_world(tmp_path, story.config, story.files, groups, admin)
        daemon = Live(config, admin, story, fakes, ask)
        stack.callback(daemon.stop)
        runner = Runner(daemon, tmp_path, path.name, (ask, decode))
        for step in story.steps:
            if step.words[0] == "advance":
                break
            runner.run(step)
