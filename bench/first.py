"""`python -m bench.first`: the cost of first answers, to names not asked for since their addresses changed.

Each round rewrites the source with other addresses and waits until the last of them is served. dnsperf then asks for
every name once, where no answer has been compiled, and after that repeatedly, where every answer has been.
"""

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

import dns.exception
import dns.message
import dns.query

from bench import load
from bench.measure import Result
from bench.processes import PLDNS, Background, Broken, cores, pin
from bench.report import report

NAMES: Final = 100_000
PORT: Final = 5391
PATIENCE: Final = 120.0
ZONES: Final = ("blob.core.windows.net", "file.core.windows.net", "database.windows.net", "servicebus.windows.net")
_AGAIN: Final = 5
"""Passes over all names that give the steady rate."""
_EXTRA: Final = 10.0  # microseconds
_SHARE: Final = 0.35


def name(number: int, *, private: bool = False) -> str:
    """Return the public FQDN of an endpoint, or its private name."""
    zone = ZONES[number % len(ZONES)]
    return f"contoso{number}.{'privatelink.' if private else ''}{zone}"


def write(file: Path, names: int, turn: int) -> str:
    """Write the whole source. Return the last name's address."""
    first = IPv4Address("10.64.0.0") + turn * names
    records = ([{"fqdn": name(i), "ips": [str(first + i)]}] for i in range(names))
    endpoints = [
        {"name": f"e{i}", "target": f"contoso{i}", "group": "any", "records": r} for i, r in enumerate(records)
    ]
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps({"endpoints": endpoints}))
    beside.replace(file)
    return str(first + names - 1)


def measure(folder: Path, names: int, rounds: int) -> Iterator[Result]:
    """Yield each result as soon as it is measured. Raises `Broken`."""
    source, file = folder / "estate.json", folder / "pldns.yaml"
    write(source, names, 0)
    file.write_text(
        f"dns: {{listen: ['127.0.0.1:{PORT}']}}\nsources: [{{name: estate, type: files, path: {source}}}]\n"
        "upstreams: {public: {servers: ['udp://127.0.0.1:5392']}}\n"
    )
    for kind, private in (("public", False), ("privatelink", True)):
        queries = "".join(f"{name(i, private=private)} A\n" for i in range(names))
        (folder / f"{kind}.txt").write_text(queries)
    with Background((PLDNS, "serve", "-c", file), folder / "serve.log") as daemon:
        yield from _rounds(daemon, folder, names, rounds)


def _rounds(daemon: Background, folder: Path, names: int, rounds: int) -> Iterator[Result]:
    found: dict[str, list[tuple[load.Round, load.Round]]] = {"public": [], "privatelink": []}
    turns = itertools.count()
    for _ in range(rounds + 1):
        for kind, each in found.items():  # both kinds at once would exceed the room for compiled answers
            _wait(daemon, names, write(folder / "estate.json", names, next(turns)))
            worker = daemon.children("resolver.main.worker")[0]
            pin(worker, cores()[0])
            queries = folder / f"{kind}.txt"
            each.append((_through(worker, queries, 1), _through(worker, queries, _AGAIN)))
    for kind, each in found.items():
        pairs = each[1:]  # the first round warms up the interpreter
        extra = [first.cpu - steady.cpu for first, steady in pairs]
        share = [first.rate / steady.rate for first, steady in pairs]
        note = f"{min(extra):.1f} to {max(extra):.1f}; steady {statistics.median(s.cpu for _, s in pairs):.1f}"
        yield Result(f"{kind}, first answer, CPU on top", statistics.median(extra), "us", _EXTRA, note=note)
        note = f"{min(share):.2f} to {max(share):.2f}; {statistics.median(f.rate for f, _ in pairs):,.0f} a second"
        yield Result(
            f"{kind}, first pass, of the steady rate", statistics.median(share), "", _SHARE, least=True, note=note
        )
        lost = sum(first.lost + steady.lost for first, steady in pairs)
        yield Result(f"{kind}, lost", lost, "queries", 0)


def _wait(daemon: Background, names: int, address: str) -> None:
    """Wait until the last name has its new address. Rows are applied in the order of the file's names."""
    until = time.monotonic() + PATIENCE
    asked = [name(i) for i in range(0, names, max(names // 50, 1))] + [name(names - 1)]
    last = int(IPv4Address(address))
    while any(_address(each) != str(IPv4Address(last - names + 1 + _number(each))) for each in asked):
        if time.monotonic() > until:
            raise Broken(f"{address} was not served within {PATIENCE:.0f} s")
        daemon.breathe(0.2)


def _number(fqdn: str) -> int:
    return int(fqdn.partition(".")[0].removeprefix("contoso"))


def _address(fqdn: str) -> str | None:
    """Return the address of a name. The query sets DO, so that it does not compile the answers to be measured."""
    query = dns.message.make_query(fqdn, "A", want_dnssec=True)
    try:
        answer = dns.query.udp(query, "127.0.0.1", timeout=1, port=PORT).answer
    except (dns.exception.Timeout, OSError):
        return None
    return answer[-1][0].to_text() if answer else None


def _through(worker: int, queries: Path, times: int) -> load.Round:
    return load.one(worker, PORT, queries, 60, ("-n", str(times)))


def main() -> int:
    """Measure, print the results and store them."""
    parser = argparse.ArgumentParser(prog="python -m bench.first", description=__doc__)
    parser.add_argument("--names", type=int, default=NAMES)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if not load.AVAILABLE:
        print("not measured: dnsperf or taskset is missing")
        return 0
    return report(lambda folder: measure(folder, given.names, given.rounds))


if __name__ == "__main__":
    sys.exit(main())
