"""The encoding of frames."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.channel.frames import (
    DOWN_LIMIT,
    UP_LIMIT,
    Applied,
    Begin,
    ChannelError,
    Commit,
    CounterReport,
    Down,
    Fallback,
    FallbackReason,
    FallbackReport,
    FrameReader,
    Hello,
    Masks,
    ReplyFrame,
    RequestFrame,
    Rows,
    Static,
    Up,
    encode,
)
from resolver.channel.requests import CacheFlushed, CacheStats, FlushCache, Ping, Pong, ReadCacheStats
from zones.claims.row import ClassNumber
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.dns.record import RRset

ORIGIN = b"\x04corp\x07example\x00"
DOWN: list[Down] = [
    Begin("e9", 2),
    Masks([(ClassNumber(0), b"\x01"), (ClassNumber(2**32 - 1), b"\x03\x80")]),
    Rows([(ORIGIN, b"packed"), (b"\x03old" + ORIGIN, b"")]),
    Static(
        ORIGIN, [(ORIGIN, (RRset(ORIGIN, 1, 10, (b"\x0a\x00\x00\x01",)),)), (b"\x03old" + ORIGIN, ())], is_open=True
    ),
    Commit(7, unsynced=True),
    RequestFrame(1, FlushCache(Name(ORIGIN), subtree=True, rtype=None)),
    RequestFrame(2, Ping()),
    RequestFrame(3, ReadCacheStats()),
]
UP: list[Up] = [
    Hello(0, 4711, "a1b2", "", 0, 0),
    Applied(7),
    CounterReport("a1b2", [("requests", ("udp", "weu"), 2**40)]),
    FallbackReport(
        [Fallback(ORIGIN, b"\x01a" + ORIGIN, "weu", FallbackReason.NO_NETWORK, 3, WallTime(1.5), WallTime(2.5))]
    ),
    ReplyFrame(1, CacheFlushed(3)),
    ReplyFrame(2, Pong()),
    ReplyFrame(3, CacheStats(1, 2, 3, 4)),
]


def length(size: int) -> bytes:
    return size.to_bytes(4, "big")


def test_every_frame_decodes_to_itself() -> None:
    assert FrameReader[Down](DOWN_LIMIT, Down).feed(b"".join(map(encode, DOWN))) == DOWN
    assert FrameReader[Up](UP_LIMIT, Up).feed(b"".join(map(encode, UP))) == UP


@given(st.lists(st.integers(1, 40), max_size=60))
def test_frames_are_complete_however_the_stream_is_cut(cuts: list[int]) -> None:
    stream, frames, out = b"".join(map(encode, UP)), FrameReader[Up](UP_LIMIT, Up), []
    for cut in cuts:
        out += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert out + frames.feed(stream) == UP


def test_a_frame_over_the_limit_is_refused_from_its_length() -> None:
    with pytest.raises(ChannelError, match="1048577 octets; at most 1048576"):
        FrameReader[Up](UP_LIMIT, Up).feed(length(UP_LIMIT + 1))


def test_a_frame_at_the_limit_is_accepted() -> None:
    overhead = len(encode(Begin("x" * 70_000, 0))) - 4 - 70_000
    frame = Begin("x" * (DOWN_LIMIT - overhead), 0)
    assert len(encode(frame)) == 4 + DOWN_LIMIT
    assert FrameReader[Down](DOWN_LIMIT, Down).feed(encode(frame)) == [frame]


def test_a_frame_that_the_receiver_would_refuse_is_not_encoded() -> None:
    with pytest.raises(ChannelError, match="at most 1048576"):
        encode(CounterReport("x" * UP_LIMIT, []))
    assert encode(Rows([(ORIGIN, b"x" * UP_LIMIT)]))
    with pytest.raises(ChannelError, match="at most 4194304"):
        encode(Rows([(ORIGIN, b"x" * DOWN_LIMIT)]))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode(["nonsense", 1]),
        msgspec.msgpack.encode(["hello", 1]),
        msgspec.msgpack.encode(["applied", "7"]),
        bytes(encode(Begin("e9", 1))[4:]),
        b"\x93\xaareplyframe\x01" + b"\x91" * 500_000,
        b"\x93\xaareplyframe\x01\xa1\xff",
        b"\x93\xaareplyframe\x01\xdd\xff\xff\xff\xff",
        b"\x93\xaareplyframe\x01\x81\x80\x01",
        bytes(encode(Applied(1))[4:]) + b"\x00",
    ],
    ids=["empty", "no type", "tag", "short", "type", "down", "deep", "utf-8", "huge", "key", "trailing"],
)
def test_octets_that_are_no_frame_raise_a_channel_error(body: bytes) -> None:
    with pytest.raises(ChannelError):
        FrameReader[Up](UP_LIMIT, Up).feed(length(len(body)) + body)


@given(st.binary(max_size=200))
def test_arbitrary_octets_raise_a_channel_error_or_are_a_frame(noise: bytes) -> None:
    with contextlib.suppress(ChannelError):
        assert len(FrameReader[Up](UP_LIMIT, Up).feed(length(len(noise)) + noise)) == 1


def test_the_tag_of_a_frame_is_its_name_in_lower_case() -> None:
    assert msgspec.msgpack.decode(encode(Applied(7))[4:]) == ["applied", 7, b""]


LONG = "x" * 5_000
HOSTILE = [
    ["counterreport", "i", [["m", [LONG], 1]]],
    ["counterreport", "i", [[LONG, ["a"], 1]]],
    ["counterreport", LONG, []],
    ["counterreport", "i", [["m", ["a"], -1]]],
    ["counterreport", "i", [["m", ["a"], 1 << 63]]],
    ["counterreport", "i", [["m", ["a"] * 6, 1]]],
    ["counterreport", "i", [["m", ["a"], 1]] * 1_001],
    ["fallbackreport", [[b"\0", b"\0", LONG, 1, 0.0, 0.0]]],
    ["fallbackreport", [[bytes(300), b"\0", "n", 1, 0.0, 0.0]]],
    ["fallbackreport", [[b"\0", b"\0", "n", 1, 0.0, 0.0, [bytes(4)] * 9]]],
    ["fallbackreport", [[b"\0", b"\0", "n", 1, 0.0, 0.0, [bytes(40)]]]],
    ["loopreport", [["g", bytes(300), bytes(4), 1, 0.0]]],
    ["replyframe", 1, ["upstreamstates", [["g", LONG, True, 0.0, 1, 1, "", 0]]]],
    ["hello", 0, 1, LONG, "", 0, 0],
]


@pytest.mark.parametrize("frame", HOSTILE, ids=lambda frame: str(frame)[:40])
def test_a_frame_of_a_worker_with_a_value_beyond_its_limit_is_refused(frame: list[object]) -> None:
    body = msgspec.msgpack.encode(frame)
    with pytest.raises(ChannelError, match="not a frame"):
        FrameReader[Up](UP_LIMIT, Up).feed(len(body).to_bytes(4, "big") + body)
