"""The inventory of a running pldns, in the form of the saved inventory. `pldns plan` compares with it.

It belongs to one version of pldns: other programs use the lists.
"""

import asyncio
from typing import Final

from aiohttp import web

from resolver.admin.resources.model import Parameters
from resolver.admin.route import Context
from resolver.control.estate import saved_inventory
from resolver.control.state import inventory_file
from resolver.http_protocol import StreamResponse
from resolver.process import wall_clock

MEDIA: Final = "application/octet-stream"


async def get_inventory(context: Context, request: web.Request, _: Parameters) -> web.StreamResponse:
    """Answer with the inventory as it is now, piece by piece: a large one is never in memory as a whole."""
    response = StreamResponse(headers={"Content-Type": MEDIA, "X-Content-Type-Options": "nosniff"})
    pieces = saved_inventory.pieces_of(context.estate, wall_clock.now(), wall_clock.step())
    encoded = inventory_file.encoded(pieces)
    await response.prepare(request)
    while (piece := await asyncio.to_thread(next, encoded, None)) is not None:
        await response.write(piece)
    return response
