"""The one route of the hub's listener: spokes follow the changes of this pldns. Does not know what a change is."""

import contextlib
from typing import Final

from aiohttp import web
from pydantic import Field

from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources.model import Parameters
from resolver.admin.route import Context, Route
from resolver.control.hub.publisher import Lagging
from resolver.http_protocol import Response, StreamResponse
from resolver.hub.messages import FORMAT, MEDIA, PATH

_SLICE: Final = 64 << 10
"""Octets that are given to the connection at once. It takes more when the spoke has read most of them."""
_AGAIN: Final = {"Retry-After": "30"}


class HubParameters(Parameters):
    """What a spoke has."""

    format: int = Field(default=FORMAT, description="The version of the format that the spoke reads.")
    epoch: str = Field(default="", max_length=64, description="The history of the hub that `serial` belongs to.")
    serial: int = Field(default=0, ge=0, description="The last change that the spoke has.")


async def follow(context: Context, request: web.Request, asked: HubParameters) -> web.StreamResponse:
    """Answer with a whole copy or the changes that the spoke lacks, and then with each change, endlessly."""
    hub, settings = context.view.hub, context.estate.settings.hub
    if asked.format != FORMAT:
        raise Refused(Code.UNKNOWN_VALUE, f"format: this pldns sends the format {FORMAT} only")
    if hub is None or (settings and hub.followers >= settings.followers):
        raise Refused(Code.TOO_MANY_STREAMS, "as many spokes follow as may (`hub.followers`)", _AGAIN)
    if request.method == "HEAD":
        return Response(content_type=MEDIA)
    response = StreamResponse(headers={"Content-Type": MEDIA, "X-Content-Type-Options": "nosniff"})
    await response.prepare(request)
    with contextlib.suppress(Lagging):
        async with contextlib.aclosing(hub.follow(asked.epoch, asked.serial)) as frames:
            async for octets in frames:
                for start in range(0, len(octets), _SLICE):
                    await response.write(octets[start : start + _SLICE])
    return response


ROUTE: Final = Route(
    PATH, follow, "Changes of all sources, for other pldns: frames of MessagePack.", parameters=HubParameters,
    media=(MEDIA,), problems=((503, "As many spokes follow as may."),),
)  # fmt: skip
