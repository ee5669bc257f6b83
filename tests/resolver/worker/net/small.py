"""A real responder with little data. The test is its upstream."""

import asyncio
import time
from collections.abc import Callable

from resolver import settings
from resolver.forward.cache import Key
from resolver.wire.relay import Message
from resolver.worker.answer.clock import Clock
from resolver.worker.answer.fetcher import Done
from resolver.worker.answer.parts import compose
from resolver.worker.answer.responder import Responder
from zones.claims.row import BY_RULE, ClassNumber, Variant, pack
from zones.clocks import steady_clock, wall_clock
from zones.dns.name import from_text, to_text
from zones.dns.record import A, RRset

OWNED = "acct.privatelink.blob.core.windows.net"
DEADLINE = 60.0
ADDRESS = bytes((10, 0, 0, 4))


WORKER = settings.WorkerSettings((), ("127.0.0.0/8", "::1/128"))


class Small:
    """A responder with one endpoint, `OWNED`. A query for any other name waits in `asked` for `reply`."""

    def __init__(self, worker: settings.WorkerSettings = WORKER) -> None:
        loop = asyncio.get_running_loop()
        parts = compose(worker, Clock(steady_clock(loop.time), wall_clock(time.time), loop.call_later))
        self.table = parts.table
        self.table.masks[ClassNumber(1)] = parts.networks.all
        self.table.apply(from_text(OWNED), pack([Variant(ClassNumber(1), BY_RULE, (ADDRESS,), (), ())]))
        self.counters = parts.counters
        self.answers = parts.answers
        self.clients = parts.clients
        self.asked: dict[str, tuple[Key, Done]] = {}
        self.responder = Responder(parts, self._ask)

    def _ask(self, key: Key, done: Done, _: bytes) -> None:
        self.asked[to_text(key.name)] = key, done

    def reply(self, name: str, records: int = 1) -> None:
        """Answer the upstream query for `name` with this many A records, of 16 octets each."""
        rdatas = tuple(number.to_bytes(4, "big") for number in range(1, records + 1))
        key, done = self.asked.pop(name)
        answer = (RRset(from_text(name), A, 60, rdatas),)
        done(key, Message(0, aa=False, ad=False, ra=True, tc=False, answer=answer))

    async def until(self, condition: Callable[[], object]) -> None:
        """Run the event loop until the condition holds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - a condition has no event
                await asyncio.sleep(0.001)

    def count(self, metric: str, *labels: str) -> int:
        """Return the value of a counter."""
        return self.counters.cell(metric, labels)[0]
