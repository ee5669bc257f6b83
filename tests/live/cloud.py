"""The fake Azure in a process of its own. A test changes its faults and resources while a daemon reads it."""

import json
import subprocess
import sys
from collections.abc import Iterable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec

from tests.fake_azure import shapes
from tests.fake_azure.faults import FakeFault
from tests.live.daemon import PATIENCE, Daemon, until
from tests.paths import ROOT

ONE, TWO = shapes.subscription_id(1), shapes.subscription_id(2)


class LiveCloud:
    """A running fake Azure. `given` has the addresses that it prints when it starts."""

    def __init__(self, folder: Path, *resources: Any, options: Iterable[str] = ()) -> None:  # noqa: ANN401 - JSON
        file = folder / "estate.json"
        file.write_text(json.dumps(resources))
        command = [sys.executable, "-m", "tests.fake_azure", "--estate", str(file), *options]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.given: dict[str, str] = json.loads(self._process.stdout.readline())

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in self.given.items() if name.startswith("IDENTITY_")}

    def fail(self, *faults: FakeFault) -> None:
        """Replace the faults."""
        self._control("PUT", "faults", faults)

    def put(self, *resources: Any) -> None:  # noqa: ANN401 - JSON
        """Add or replace resources in one step."""
        self._control("PUT", "estate", resources)

    def remove(self, *ids: str) -> None:
        """Remove resources in one step."""
        self._control("DELETE", "estate", ids)

    def _control(self, method: str, path: str, body: object) -> None:
        connection = HTTPConnection(self.given["control"].removeprefix("http://"), timeout=PATIENCE)
        connection.request(method, f"/{path}", msgspec.json.encode(body))
        assert connection.getresponse().status == 204
        connection.close()

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=PATIENCE)


def estate(addresses: dict[str, str]) -> list[Any]:
    """Return a hub network in the first subscription with one private endpoint for each storage account."""
    where = shapes.group(ONE)
    hub = shapes.virtual_network(where, "hub", ["127.0.0.0/8"])
    return [
        hub,
        *(
            resource
            for name, address in addresses.items()
            for resource in shapes.endpoint(
                where, f"pe-{name}", {f"{name}.blob.core.windows.net": address}, vnet=hub["id"]
            )
        ),
    ]


def source(daemon: Daemon, name: str = "hub") -> Any:  # noqa: ANN401 - JSON
    """Return the state of a source as the admin interface shows it."""
    return next(each for each in daemon.get("/v1/sources")[1]["items"] if each["name"] == name)


def sync(daemon: Daemon, name: str = "hub") -> str:
    """Make a source sync now. Return the result: `published`, `failed` or `held`."""
    before = source(daemon, name)["sync"]["results"]
    assert daemon.post(f"/v1/sources/{name}/sync", {"action": "now"}) < 300

    def became() -> str:
        after = source(daemon, name)["sync"]["results"]
        return next((each for each in after if after[each] != before.get(each, 0)), "")

    return str(until(became))
