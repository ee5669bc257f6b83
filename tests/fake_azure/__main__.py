"""`python -m tests.fake_azure --estate FILE-OR-FOLDER --port PORT`: the fake Azure in its own process.

The estate is a folder of ARM JSON (single resources, arrays, pages), or `bench.generate` makes it for `--endpoints N
--subscriptions M`. The first line of output is JSON: the management URL, the two environment variables for an identity,
and the URL that sets faults (`control`). PUT changes a resource and DELETE removes it, as in Azure.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.generate import GeneratedEstate
from tests.fake_azure import shapes
from tests.fake_azure.control import FaultControl
from tests.fake_azure.estate import FakeEstate
from tests.fake_azure.limits import UNLIMITED, Limits
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.shapes import Json


def generated(size: int, subscriptions: int) -> Iterator[Json]:
    """Return an estate of this number of endpoints, with their NICs and virtual networks."""
    made = GeneratedEstate(size, subscriptions=subscriptions)
    for vnet in made.vnets:
        where = vnet.id.partition("/providers/")[0]
        yield shapes.virtual_network(where, vnet.name, [str(vnet.prefix)], location=vnet.region)
    for pair in made.resources():
        yield from pair


def read(path: Path) -> Iterator[Json]:
    """Yield all resources of a file, or of the files in a folder."""
    for file in sorted(path.rglob("*.json")) if path.is_dir() else [path]:
        yield from _flat(msgspec.json.decode(file.read_bytes()))


def _flat(value: Any) -> Iterator[Json]:  # noqa: ANN401  # JSON
    if isinstance(value, dict) and isinstance(value.get("value"), list):
        value = value["value"]
    yield from value if isinstance(value, list) else [value]


async def serve(estate: FakeEstate, port: int, page: int, limits: Limits) -> None:
    """Run until the process is stopped."""
    azure = FakeAzure(estate, limits=limits, page=page, rows=page)
    await azure.start(port)
    control = await FaultControl(azure).start()
    line = {"management": azure.url, "control": control.url, **azure.environment}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--estate", type=Path)
    parser.add_argument("--endpoints", type=int, default=0)
    parser.add_argument("--subscriptions", type=int, default=100)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--page", type=int, default=1000, help="rows to a page, at most")
    parser.add_argument("--unlimited", action="store_true", help="no quota on queries and reads")
    given = parser.parse_args()
    estate = FakeEstate(read(given.estate) if given.estate else ())
    estate.add(*generated(given.endpoints, given.subscriptions) if given.endpoints else ())
    asyncio.run(serve(estate, given.port, given.page, UNLIMITED if given.unlimited else Limits()))


if __name__ == "__main__":
    main()
