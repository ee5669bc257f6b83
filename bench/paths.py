"""`python -m bench.paths`: the cost of one query in the worker's code, without sockets, in microseconds per path.

Runs the real table, engine, answer cache and responder in this process, on many names, so that CPU caches are as cold
as for a first question. Prints CPU time: the minimum of several rounds, because the machine may be shared.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from resolver import settings
from resolver.forward.cache import Key, UpstreamCache
from resolver.forward.loops import LoopDetector
from resolver.forward.routing import UpstreamGroups
from resolver.settings import RateLimit, UpstreamGroup
from resolver.wire import codes
from resolver.wire.query import Query, parse
from resolver.wire.relay import Message
from resolver.worker.access.clients import Client, Clients, packed
from resolver.worker.access.cookies import Cookies
from resolver.worker.access.edns import Options, Way
from resolver.worker.access.rate_limit import RateLimiter
from resolver.worker.answer.answer_cache import Answers
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.responder import Clock, Responder
from zones.azure.catalogue import catalogue
from zones.claims.policy import DEFAULTS, Policies
from zones.claims.row import BY_RULE, Variant, pack
from zones.dns.name import Name, from_text
from zones.dns.record import RRset
from zones.networks.network import Networks
from zones.table.table import Table

NAMES: Final = 20_000
ROUNDS: Final = 7
_OPT: Final = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


class _Timer:
    def cancel(self) -> None:
        """Do nothing: no query waits."""


class Paths:
    """The answering parts of a worker, with `NAMES` endpoints in one network."""

    def __init__(self) -> None:
        self.table = Table(catalogue(), Policies(DEFAULTS, {}))
        self.table.masks = {1: 1}
        self.cache = UpstreamCache()
        networks = Networks(())
        self.counters = Counters()
        self.engine = Engine(
            self.table, networks, UpstreamGroups([UpstreamGroup("public", ())]), self.cache, self.counters
        )
        self.fallbacks = Fallbacks(networks.label, self.counters, time.time)
        self.fresh()
        for i in range(NAMES):
            name = from_text(f"acct{i:06d}.privatelink.blob.core.windows.net")
            self.table.apply(name, pack([Variant(1, BY_RULE, ((0x0A000000 + i).to_bytes(4, "big"),), (), ())]))

    def fresh(self) -> None:
        """Drop all compiled answers."""
        self.answers = Answers(1)
        clients = Clients(Networks(()), settings.WorkerSettings((), ("0.0.0.0/0",)))
        self.responder = Responder(
            self.engine, self.answers, Options(clients, "bench", Cookies(bytes(32))), self.counters, self.fallbacks,
            LoopDetector((), b"", time.time),
            Clock(time.monotonic, time.time, lambda *_: _Timer()), lambda *_: None,
        )  # fmt: skip

    def publish(self, name: Name) -> None:
        """Put a public answer into the cache."""
        message = Message(0, aa=False, ad=False, ra=True, tc=False, answer=(RRset(name, 1, 300, (b"\xc0\0\2\x50",)),))
        self.cache.put(Key("public", name, 1), message, time.monotonic())


def packet(name: Name, ident: int) -> bytes:
    """Return a query for A with RD and EDNS."""
    return ident.to_bytes(2, "big") + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01" + name + b"\x00\x01\x00\x01" + _OPT


def least(call: Callable[[bytes], object], packets: Iterable[bytes], before: Callable[[], None]) -> float:
    """Return microseconds per call: the minimum over the rounds."""
    packets, best = list(packets), float("inf")
    for _ in range(ROUNDS):
        before()
        start = time.process_time()
        for each in packets:
            call(each)
        best = min(best, time.process_time() - start)
    return best / len(packets) * 1e6


def main() -> None:
    """Measure and print."""
    paths = Paths()
    public = [from_text(f"acct{i:06d}.blob.core.windows.net") for i in range(NAMES)]
    private = [from_text(f"acct{i:06d}.privatelink.blob.core.windows.net") for i in range(NAMES)]
    outside = [from_text(f"host{i:06d}.example.org") for i in range(NAMES)]
    missing = [
        from_text(f"none{i:06d}.privatelink.blob.core.windows.net") for i in range(NAMES // 4)
    ]  # these answers share a small part of the room
    for name in (*outside, *missing):
        paths.publish(name)
    now = time.monotonic()

    queries: dict[bytes, Query] = {}

    def answer(each: bytes) -> object:
        return paths.engine.answer(queries[each], 0, now, {})

    client, way = Client(b"\x0a\0\0\1", 0), Way("udp", codes.PAYLOAD)

    def take(each: bytes) -> object:
        return paths.responder.take(each, client, way, _dropped)

    def exact(each: bytes) -> object:
        reply, until, _ = paths.answers.exact[0].get(each[2:], (b"", 0.0, []))
        return now < until and each[:2] + reply

    def nothing() -> None: ...

    kinds = {"public name": public, "privatelink name": private, "cached upstream": outside, "fallback": missing}
    packets = {kind: [packet(name, i & 0xFFFF) for i, name in enumerate(names)] for kind, names in kinds.items()}
    for kind, each in packets.items():
        queries.update((octets, parse(octets)) for octets in each)
        print(f"Engine.answer, never compiled, {kind:<18} {least(answer, each, nothing):6.1f} µs")
    print(f"wire.query.parse                                  {least(parse, packets['public name'], nothing):6.1f} µs")
    for kind, each in packets.items():
        print(f"Responder.take, first, {kind:<26} {least(take, each, paths.fresh):6.1f} µs")
        print(f"Responder.take, compiled, {kind:<23} {least(take, each, nothing):6.1f} µs")
    least(take, packets["public name"], paths.fresh)
    cookie = [each[:-2] + b"\x00\x0c\x00\x0a\x00\x08" + bytes(8) for each in packets["public name"]]
    print(f"Responder.take, compiled, with a cookie           {least(take, cookie, nothing):6.1f} µs")
    limiter = RateLimiter(RateLimit(per_second=1_000_000, burst=1_000_000))
    addresses = [f"10.{i >> 8 & 255}.{i & 255}.1" for i in range(10_000)]
    judged = least(lambda address: limiter.judge(address, now), map(packed, addresses), nothing)
    print(f"RateLimiter.judge, 10,000 prefixes                {judged:6.1f} µs")
    print(f"the exact map alone                               {least(exact, packets['public name'], nothing):6.1f} µs")


def _dropped(_: bytes) -> None: ...


if __name__ == "__main__":
    main()
