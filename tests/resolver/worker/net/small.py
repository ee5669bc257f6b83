"""A real responder with little data. The test is its upstream."""

import asyncio
import time
from collections.abc import Callable

from resolver import settings
from resolver.forward.cache import Key, UpstreamCache
from resolver.forward.loops import LoopDetector
from resolver.forward.routing import UpstreamGroups
from resolver.wire.relay import Message
from resolver.worker.access.clients import Clients
from resolver.worker.access.cookies import Cookies
from resolver.worker.access.edns import Options
from resolver.worker.answer.answer_cache import Answers
from resolver.worker.answer.counters import Counters
from resolver.worker.answer.engine import Engine
from resolver.worker.answer.fallbacks import Fallbacks
from resolver.worker.answer.responder import Clock, Responder, Result
from zones.azure.catalogue import catalogue
from zones.claims.policy import DEFAULTS, Policies
from zones.claims.row import BY_RULE, Variant, pack
from zones.dns.name import from_text, to_text
from zones.dns.record import A, RRset
from zones.networks.network import Networks
from zones.table.table import Table

OWNED = "acct.privatelink.blob.core.windows.net"
DEADLINE = 10.0
ADDRESS = bytes((10, 0, 0, 4))


WORKER = settings.WorkerSettings((), ("127.0.0.0/8", "::1/128"))


class Small:
    """A responder with one endpoint, `OWNED`. A query for any other name waits in `asked` for `reply`."""

    def __init__(self, worker: settings.WorkerSettings = WORKER) -> None:
        loop = asyncio.get_running_loop()
        networks, counters = Networks(()), Counters()
        self.table = Table(catalogue(), Policies(DEFAULTS, {}))
        self.table.masks[1] = networks.all
        self.table.apply(from_text(OWNED), pack([Variant(1, BY_RULE, (ADDRESS,), (), ())]))
        self.counters = counters
        self.answers = Answers(len(networks.names))
        self.asked: dict[str, Callable[[Result], None]] = {}
        self.clients = Clients(networks, worker)
        self.responder = Responder(
            Engine(self.table, networks, UpstreamGroups(()), UpstreamCache(), counters),
            self.answers,
            Options(self.clients, "small", Cookies(bytes(32))),
            counters,
            Fallbacks(networks.label, counters, time.time),
            LoopDetector((), b"", time.time),
            Clock(loop.time, time.time, loop.call_later),
            self._ask,
        )

    def _ask(self, key: Key, done: Callable[[Result], None]) -> None:
        self.asked[to_text(key.name)] = done

    def reply(self, name: str, records: int = 1) -> None:
        """Answer the upstream query for `name` with this many A records, of 16 octets each."""
        rdatas = tuple(number.to_bytes(4, "big") for number in range(1, records + 1))
        done = self.asked.pop(name)
        answer = (RRset(from_text(name), A, 60, rdatas),)
        done(Message(0, aa=False, ad=False, ra=True, tc=False, answer=answer))

    async def until(self, condition: Callable[[], object]) -> None:
        """Run the event loop until the condition holds."""
        async with asyncio.timeout(DEADLINE):
            while not condition():  # noqa: ASYNC110 - a condition has no event
                await asyncio.sleep(0.001)

    def count(self, metric: str, *labels: str) -> int:
        """Return the value of a counter."""
        return self.counters.cell(metric, labels)[0]
