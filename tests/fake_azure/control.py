"""Control of a fake that runs in its own process: sets faults and changes the estate while it runs.

It listens on its own port, since Azure has nothing like it. Does not know what the faults do.

    PUT /faults     a list of `Fault` that replaces the present faults
    PUT /estate     a list of resources, added or replaced together
    DELETE /estate  a list of ids, removed together
"""

from typing import Self

import msgspec
from aiohttp import web

from tests.fake_azure.faults import FakeFault
from tests.fake_azure.server import FakeAzure
from tests.fake_azure.shapes import Json


class FaultControl:
    """The control listener of one fake."""

    def __init__(self, azure: FakeAzure) -> None:
        self._azure = azure
        self.url = ""
        application = web.Application(client_max_size=16 << 20)
        application.add_routes(
            [
                web.put("/faults", self._fault),
                web.put("/estate", self._add),
                web.delete("/estate", self._remove),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self, host: str = "127.0.0.1") -> Self:
        """Listen on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, host, 0).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        """Close everything."""
        await self._runner.cleanup()

    async def _fault(self, request: web.Request) -> web.Response:
        wanted = msgspec.json.decode(await request.read(), type=list[FakeFault])
        self._azure.faults.clear()
        for fault in wanted:
            self._azure.faults.add(fault)
        return web.Response(status=204)

    async def _add(self, request: web.Request) -> web.Response:
        self._azure.estate.add(*msgspec.json.decode(await request.read(), type=list[Json]))
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        for own in msgspec.json.decode(await request.read(), type=list[str]):
            self._azure.estate.remove(own)
        return web.Response(status=204)
