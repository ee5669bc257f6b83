"""An answering worker: reads clients' packets, holds the served table, asks upstreams. One process each.

Has no credential, no admin surface and no file to write: its settings come through a descriptor, its data from
control over a Unix socket. While control is gone it answers from what it has.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import ssl
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from resolver import host_port
from resolver import settings as accepted
from resolver.channel import frames as channel
from resolver.channel import warm_start
from resolver.channel.requests import (
    CacheFlushed,
    CacheStats,
    FlushCache,
    Ping,
    Pong,
    ReadCacheStats,
    Reply,
    Request,
)
from resolver.forward.cache import UpstreamCache
from resolver.forward.client.forwarder import Forwarder
from resolver.forward.loops import LoopDetector
from resolver.forward.routing import UpstreamGroups
from resolver.process import bootstrap, certificate, orders
from resolver.process.certificate import DOH, DOT
from resolver.process.cookie_secrets import read_secrets
from resolver.process.heap import Pauses
from resolver.worker.access.clients import Clients
from resolver.worker.access.cookies import Cookies
from resolver.worker.access.edns import Options, Way
from resolver.worker.access.rate_limit import RateLimiter
from resolver.worker.answer.answer_cache import Answers
from resolver.worker.answer.behaviour import manner
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.responder import Clock, Responder
from resolver.worker.net import tcp
from resolver.worker.net.stream import Connections, Listener, Make
from resolver.worker.net.udp import Udp
from resolver.worker.net.watched import Watched
from resolver.worker.replica import Replica
from zones.azure.catalogue import catalogue
from zones.claims.policy import Policies
from zones.dns.name import from_text
from zones.networks.network import Networks
from zones.table.table import Table

REPORT: Final = 1.0
"""Seconds between counters sent to control."""
DRAIN: Final = 5.0
"""Seconds that queries in flight have at the stop."""
_RECONNECT: Final = 0.2  # seconds; control may be restarting
_FILES: Final = 5.0  # seconds between looks at the files that listeners need
_DOUBTFUL: Final = 5.0  # seconds after a frame that could not be applied, until all is asked for anew
_REPORTED: Final = 1_000  # items of one frame upwards: half of what its limit allows

_log = logging.getLogger(__name__)


class Worker:
    """The parts of a worker and their life."""

    def __init__(self, begun: bootstrap.WorkerStart, loop: asyncio.AbstractEventLoop) -> None:
        settings = begun.settings
        self._begun = begun
        self._loop = loop
        self._instance = uuid.uuid4().hex
        self._counters = Counters()
        networks = Networks(settings.networks, auto=settings.auto)
        upstreams = UpstreamGroups(settings.upstreams)
        policies = Policies(settings.zones.defaults, settings.zones.overrides)
        self._table = Table(catalogue(), policies)
        self._table.unsynced = settings.unsynced
        self._table.awaited = frozenset(map(from_text, settings.zones.origins)) | policies.named
        self._cache = UpstreamCache(settings.cache.size, settings.cache.stale)
        self._answers = Answers(len(networks.names))
        self._fallbacks = Fallbacks(networks.label, self._counters, time.time)
        self._loops = LoopDetector(settings.upstreams, settings.mark, time.time)
        self._upstream = Forwarder(upstreams, loop, self._loops.mark)
        self._clients = Clients(networks, settings)
        self._cookies = Cookies(settings.cookies.root)
        self._limiter = RateLimiter(settings.rate_limit) if settings.rate_limit else None
        self._responder = Responder(
            Engine(self._table, networks, upstreams, self._cache, self._counters, manner(settings)),
            self._answers,
            Options(self._clients, settings.identity, self._cookies if settings.cookies.answer else None),
            self._counters,
            self._fallbacks,
            self._loops,
            Clock(loop.time, time.time, loop.call_later),
            self._upstream.ask,
        )
        self._replica = Replica(self._table, self._answers, self._clients)
        self._connections = Connections(settings.streams, self._responder, loop)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._files = self._watched(settings)
        self._path = settings.https.path if settings.https else ""
        self._listeners: dict[int, list[Udp | Listener]] = {}
        self._adopted: dict[int, tuple[socket.socket, ...]] = {}
        self._orders: asyncio.Queue[orders.Adopt | orders.Release] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._pauses = Pauses()
        gc.callbacks.append(self._pauses)

    async def run(self) -> None:
        """Answer until SIGTERM."""
        self._loop.add_signal_handler(signal.SIGTERM, self._stopping.set)
        self._read_files()
        self._listen(self._begun.index, self._begun.sockets)
        self._loop.add_reader(self._begun.orders.fileno(), self._ordered)
        self._begun.orders.send_ready()
        tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._obey())]
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        await self._drain()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        self._upstream.close()
        for result in results:
            if isinstance(result, Exception):
                raise result  # a task ends only by an error: the supervisor starts the worker anew

    # -- listeners

    def _listen(self, index: int, sockets: Iterable[socket.socket]) -> None:
        """Read these sockets, which are worker `index`'s."""
        listeners = self._listeners.setdefault(index, [])
        for role, sock in zip(self._begun.roles, sockets, strict=True):
            clients = self._clients.at(host_port.join(*sock.getsockname()[:2]))
            if sock.type == socket.SOCK_DGRAM:
                listeners.append(Udp(sock, self._responder, clients, self._loop, self._limiter))
            else:
                listeners.append(self._stream(role, sock, clients))

    def _stream(self, role: str, sock: socket.socket, clients: Clients) -> Listener:
        idle = int(self._connections.idle)
        if role == "dns":
            return Listener(sock, self._connections, clients, tcp.session, Way("tcp", idle=idle))
        if role == "tls":
            make: Make = tcp.session
            way = Way("tls", encrypted=True, idle=idle)
        else:
            from resolver.worker.net import doh  # noqa: PLC0415 - HTTP costs 60 ms and 5 MB, for those who use it

            make = doh.sessions(self._path)
            way = Way("https", encrypted=True)
        return Listener(sock, self._connections, clients, make, way, self._contexts[role])

    # -- files

    def _watched(self, settings: accepted.WorkerSettings) -> list[Watched]:
        """Certificates and cookie secrets."""
        files = []
        for role, tls, alpn in (("tls", settings.tls, DOT), ("https", settings.https, DOH)):
            if tls:
                into = self._contexts[role] = certificate.context(alpn)
                files.append(Watched((tls.certificate, tls.key), partial(certificate.load, into, tls)))
        if settings.cookies.secrets:
            files.append(Watched((settings.cookies.secrets,), partial(self._read_secrets, settings.cookies.secrets)))
        return files

    def _read_secrets(self, path: str) -> None:
        self._cookies.secrets = read_secrets(Path(path).read_text("ascii"))

    def _read_files(self) -> None:
        for each in self._files:
            each.check()
        self._loop.call_later(_FILES, self._read_files)

    def _ordered(self) -> None:
        """The supervisor hands over a dead sibling's sockets, or takes them back."""
        for order in self._begun.orders.receive():
            self._orders.put_nowait(order)

    async def _obey(self) -> None:
        """Carry the orders out in turn."""
        while True:
            order = await self._orders.get()
            if isinstance(order, orders.Adopt):
                self._listen(order.index, order.sockets)
                self._adopted[order.index] = order.sockets
            else:
                self._close(order.index)
                for sock in self._adopted.pop(order.index, ()):
                    self._loop.call_later(DRAIN, sock.close)  # what is in flight goes out through it

    def _close(self, index: int) -> None:
        for listener in self._listeners.pop(index, ()):
            listener.close()

    async def _drain(self) -> None:
        """Listeners first, then what is in flight."""
        for index in list(self._listeners):
            self._close(index)
        deadline = self._loop.time() + DRAIN
        while self._loop.time() < deadline:
            if not self._responder.waiting and not self._connections:
                return
            await asyncio.sleep(0.02)

    # -- control

    async def _begin(self) -> None:
        """Answer from what was served last; control tells what is different when it is up."""
        if self._begun.warm_start is None:
            return
        try:
            for frame in warm_start.frames(self._begun.warm_start):
                await self._take(frame)
        except (OSError, ValueError, channel.ChannelError) as error:
            _log.warning("what was served last is not used: %s", error)
        self._replica.lost()

    async def _take(self, frame: channel.Down) -> None:
        for _ in self._replica.take(frame):
            await asyncio.sleep(0)  # queries go on between slices

    async def _follow(self) -> None:
        """Stay connected to control; without it, answer from what there is and try again."""
        await self._begin()
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._begun.channel, limit=1 << 20)
            except OSError as error:
                _log.warning("control cannot be reached: %s", error)
            else:
                reports = asyncio.create_task(self._report(writer))
                doubtful = False
                try:
                    await self._listen_to(reader, writer)
                except (OSError, channel.ChannelError) as error:
                    _log.warning("the line to control broke: %s", error)
                except Exception:  # noqa: BLE001 - whatever it is, the worker goes on answering
                    doubtful = True
                    _log.exception("what control sent could not be applied; answering from what there is")
                finally:
                    reports.cancel()
                    writer.close()
                    self._replica.lost(doubtful=doubtful)
                await asyncio.sleep(_DOUBTFUL if doubtful else 0)
            await asyncio.sleep(_RECONNECT)

    async def _listen_to(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = channel.Hello(
            self._begun.index,
            os.getpid(),
            self._instance,
            self._replica.epoch,
            self._replica.serial,
            self._replica.generation,
        )
        writer.write(channel.encode(hello))
        frames = channel.FrameReader[channel.Down](channel.DOWN_LIMIT, channel.Down)
        while data := await reader.read(1 << 18):
            for frame in frames.feed(data):
                if isinstance(frame, channel.RequestFrame):
                    writer.write(channel.encode(channel.ReplyFrame(frame.id, self._reply(frame.body))))
                    continue
                await self._take(frame)
                if isinstance(frame, channel.Commit):
                    writer.write(channel.encode(channel.Applied(frame.serial)))

    def _reply(self, request: Request) -> Reply:
        """Do what control requests, and return the reply."""
        match request:
            case Ping():
                return Pong()
            case ReadCacheStats():
                return CacheStats(len(self._cache), self._cache.octets, len(self._answers), self._answers.octets)
            case FlushCache(name=name, subtree=subtree, rtype=rtype):
                flushed = self._cache.flush(name, subtree=subtree, rtype=rtype)
                self._answers.evict([name], [name] if subtree else [])
                return CacheFlushed(flushed)

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        """Send counters and fallbacks once a second."""
        with contextlib.suppress(OSError):  # the reading side hears of it too
            while True:
                await asyncio.sleep(REPORT)
                self._collect()
                for values in _cut(list(self._counters.values())):
                    writer.write(channel.encode(channel.CounterReport(self._instance, values)))
                for items in _cut(self._fallbacks.report()):
                    writer.write(channel.encode(channel.FallbackReport(items)))
                if loops := self._loops.report():
                    writer.write(channel.encode(channel.LoopReport(loops)))
                await writer.drain()

    def _collect(self) -> None:
        """Counts that are kept where they arise."""
        cache, upstream = self._cache, self._upstream
        for metric, value in (
            ("cache_hits_total", cache.hits), ("cache_misses_total", cache.misses),
            ("cache_evictions_total", cache.evictions), ("upstream_queries_total", upstream.queries),
            ("upstream_replies_total", upstream.replies), ("upstream_timeouts_total", upstream.timeouts),
            ("upstream_errors_total", upstream.errors), ("upstream_mismatches_total", upstream.mismatches),
            ("upstream_tcp_total", upstream.tcp), ("upstream_shed_total", upstream.shed),
            ("gc_long_pauses_total", self._pauses.long), ("answers_evicted_total", self._replica.evicted),
        ):  # fmt: skip
            self._counters.set(metric, value)


_T = TypeVar("_T")


def _cut(items: Sequence[_T]) -> Iterator[list[_T]]:
    return (list(items[start : start + _REPORTED]) for start in range(0, len(items), _REPORTED))
