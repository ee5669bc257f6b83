"""A worker's connection: requests and their replies."""

import asyncio

from resolver import settings
from resolver.channel.frames import DOWN_LIMIT, Ask, Down, Frames, Hello, Reply
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.worker_link import WorkerLink


class Sink:
    """A stream with unlimited room."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes | bytearray) -> None:
        self.taken += data

    async def drain(self) -> None:
        """There is always room."""


async def test_a_request_is_answered_by_its_reply_alone() -> None:
    sink = Sink()
    link = WorkerLink(Feed(Estate(settings.ControlSettings()), "epoch"), 0, Hello(0, 1, "worker", "", 0, 0), sink)
    asking = [asyncio.ensure_future(link.ask("stat", part=part)) for part in ("a", "b", "c")]
    await asyncio.sleep(0)
    first, second, third = Frames[Down](DOWN_LIMIT, Down).feed(sink.taken)
    assert isinstance(first, Ask)
    assert isinstance(second, Ask)
    assert (first.what, first.arguments) == ("stat", {"part": "a"})
    asking[2].cancel()
    await asyncio.sleep(0)
    assert isinstance(third, Ask)
    for frame, body in ((third, "nobody waits"), (second, "second"), (first, "first"), (first, "again")):
        link.replied(Reply(frame.id, body))
    assert await asyncio.gather(*asking[:2]) == ["first", "second"]
    link.replied(Reply(first.id, "long over"))
