"""The clients, in a process of their own: `python -m tests.chaos.client PORTS CA RATE PATIENCE`.

Asks the mix at RATE queries a second until stdin closes. A query without an answer in PATIENCE seconds is lost. Writes
a JSON line for each query whose answer was not right or came late, and, ten times a second, how many queries were sent
and until when all of them are decided.
"""

import asyncio
import json
import ssl
import sys
from typing import Any, Final

from bench.questions import Outcome, Question
from bench.steady import LATE, Clients
from tests.chaos.mix import Asked, questions

SOURCE: Final = "127.0.0.77"
"""Not the address of attackers, who lose their connections first."""
SHARES: Final = {"udp": 0.6, "tcp": 0.16, "tls": 0.16, "https": 0.08}
_TICK: Final = 0.1
_CONNECTIONS: Final = 4
"""For each transport."""


class Report:
    """Writes what becomes of the queries."""

    def decided(self, transport: str, question: Question, at: float, outcome: Outcome) -> None:
        """Write a line, unless all is well."""
        late = asyncio.get_running_loop().time() - at > LATE
        if outcome is Outcome.RIGHT and not late:
            return
        assert isinstance(question, Asked)
        line = {"at": at, "kind": question.kind, "transport": transport, "outcome": outcome, "late": late}
        self.write({**line, "name": question.name})

    def write(self, line: dict[str, Any]) -> None:
        """Write a line at once."""
        print(json.dumps(line), flush=True)  # noqa: T201 - this process reports on stdout


async def run(ports: dict[str, int], tls: ssl.SSLContext, rate: float, patience: float) -> None:
    """Ask until stdin closes."""
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), closed.set)
    report = Report()
    clients = Clients(questions(), ports, tls, report.decided, SOURCE, patience)
    rates = {transport: rate * SHARES[transport] for transport in ports}
    asking = asyncio.create_task(clients.run(rates, closed.is_set, _CONNECTIONS))
    while not asking.done():
        sent = sum(tally.sent for tally in clients.tallies.values())
        now = asyncio.get_running_loop().time()
        report.write({"tick": now, "sent": sent, "decided": clients.oldest()})
        await asyncio.wait([asking], timeout=_TICK)
    await asking


def main() -> None:
    """Ask, and report."""
    ports, authority, rate, patience = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    asyncio.run(run(json.loads(ports), context, float(rate), float(patience)))


if __name__ == "__main__":
    main()
