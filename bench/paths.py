"""`python -m bench.paths`: the cost of one query in the worker's code, without sockets, in microseconds per path.

Runs the real table, engine, answer cache and responder in this process, on many names, so that CPU caches are as cold
as for a first question. Prints CPU time: the minimum of several rounds, because the machine may be shared.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from resolver.forward.cache import Key
from resolver.settings import RateLimit, UpstreamGroup, WorkerSettings
from resolver.wire import codes
from resolver.wire.query import Query, parse
from resolver.wire.relay import Message
from resolver.worker.access.clients import Client, packed
from resolver.worker.access.edns import ClientTransport
from resolver.worker.access.rate_limit import RateLimiter
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.compiled import Compiled
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from zones.claims.row import BY_RULE, ClassNumber, Variant, pack
from zones.clocks import SteadyTime, steady_clock, wall_clock
from zones.dns.name import Name, from_text
from zones.dns.record import RRset
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NetworkIndex

NAMES: Final = 20_000
ROUNDS: Final = 7
_OPT: Final = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


class _Timer:
    def cancel(self) -> None:
        """Do nothing: no query waits."""


class Paths:
    """The answering parts of a worker, with `NAMES` endpoints in one network."""

    def __init__(self) -> None:
        worker = WorkerSettings((), ("0.0.0.0/0",), upstreams=(UpstreamGroup("public", ()),), identity="bench")
        self.parts = compose(worker, Clock(steady_clock(time.monotonic), wall_clock(time.time), lambda *_: _Timer()))
        self.cache, self.engine = self.parts.cache, self.parts.engine
        self.parts.table.masks = {ClassNumber(1): NetworkMask(1)}
        self.fresh()
        for i in range(NAMES):
            name = from_text(f"acct{i:06d}.privatelink.blob.core.windows.net")
            row = pack([Variant(ClassNumber(1), BY_RULE, ((0x0A000000 + i).to_bytes(4, "big"),), (), ())])
            self.parts.table.apply(name, row)

    def fresh(self) -> None:
        """Start with no compiled answers."""
        self.answers = AnswerCache(1)
        self.responder = Responder(replace(self.parts, answers=self.answers), lambda *_: None)

    def publish(self, name: Name) -> None:
        """Put a public answer into the cache."""
        message = Message(0, aa=False, ad=False, ra=True, tc=False, answer=(RRset(name, 1, 300, (b"\xc0\0\2\x50",)),))
        self.cache.put(Key("public", name, 1), message, SteadyTime(time.monotonic()))


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
        return paths.engine.answer(queries[each], NetworkIndex(0), SteadyTime(now), {})

    client, transport = Client(b"\x0a\0\0\1", NetworkIndex(0)), ClientTransport("udp", codes.PAYLOAD)

    def take(each: bytes) -> object:
        return paths.responder.take(each, client, transport, _dropped)

    def exact(each: bytes) -> object:
        form = paths.answers.exact[0].get(each[2:])
        return form and now < form[1] and each[:2] + form[0]

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
    checked = least(lambda address: limiter.check(address, SteadyTime(now)), map(packed, addresses), nothing)
    print(f"RateLimiter.check, 10,000 prefixes                {checked:6.1f} µs")
    print(f"the exact map alone                               {least(exact, packets['public name'], nothing):6.1f} µs")


def _dropped(_: bytes, __: Compiled | None) -> None: ...


if __name__ == "__main__":
    main()
