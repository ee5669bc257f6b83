"""A worker's connection: requests and their replies."""

import asyncio

import pytest

from resolver import settings
from resolver.channel.frames import DOWN_LIMIT, Down, FrameReader, Hello, ReplyFrame, RequestFrame
from resolver.channel.requests import CacheFlushed, FlushCache, Ping
from resolver.control.estate.estate import Estate
from resolver.control.feed.feed import Feed
from resolver.control.worker_link import WorkerLink
from tests.resolver.control.running import WORKER
from zones.dns.name import from_text


class Sink:
    """A stream with unlimited room."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: bytes | bytearray) -> None:
        self.taken += data

    async def drain(self) -> None:
        """Return at once."""


async def test_each_request_gets_the_reply_with_its_own_id() -> None:
    sink = Sink()
    link = WorkerLink(
        Feed(Estate(settings.ControlSettings()), "epoch"), 0, Hello(0, 1, "worker", "", 0, 0), sink, WORKER
    )
    names = [from_text(f"{letter}.example") for letter in "abc"]
    asking = [asyncio.ensure_future(link.ask(FlushCache(name, subtree=True, rtype=None))) for name in names]
    await asyncio.sleep(0)
    first, second, third = FrameReader[Down](DOWN_LIMIT, Down).feed(sink.taken)
    assert isinstance(first, RequestFrame)
    assert isinstance(second, RequestFrame)
    assert first.body == FlushCache(names[0], subtree=True, rtype=None)
    asking[2].cancel()
    await asyncio.sleep(0)
    assert isinstance(third, RequestFrame)
    for frame, count in ((third, 3), (second, 2), (first, 1), (first, 9)):
        link.replied(ReplyFrame(frame.id, CacheFlushed(count)))
    assert await asyncio.gather(*asking[:2]) == [CacheFlushed(1), CacheFlushed(2)]
    link.replied(ReplyFrame(first.id, CacheFlushed(4)))  # no request waits for it any more


async def test_a_reply_of_another_kind_is_an_error() -> None:
    link = WorkerLink(
        Feed(Estate(settings.ControlSettings()), "epoch"), 0, Hello(0, 1, "worker", "", 0, 0), Sink(), WORKER
    )
    asking = asyncio.ensure_future(link.ask(Ping()))
    await asyncio.sleep(0)
    link.replied(ReplyFrame(1, CacheFlushed(1)))
    with pytest.raises(TypeError, match="CacheFlushed is no reply to Ping"):
        await asking
