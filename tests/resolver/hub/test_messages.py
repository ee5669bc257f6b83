"""The frames of the stream."""

import zlib
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.hub import messages
from resolver.hub.messages import (
    FRAME,
    BadFrame,
    Change,
    Message,
    MessageReader,
    PartDelta,
    Removed,
    SourceState,
    SourceStates,
    Welcome,
    ZoneDelta,
    frame,
)
from zones.azure.endpoint import ResourceId
from zones.azure.private_dns_zone import PrivateZone
from zones.azure.resource import PrivateEndpoint, Resources

KEY = ResourceId("/subscriptions/s/resourcegroups/g/providers/microsoft.network/privateendpoints/e")
STREAM: list[Message] = [
    Welcome(1, "0.1", "e", whole=True),
    SourceStates((SourceState("prod", synced=True, age=1.5, freshness="fresh", unreadable={"p": "why"}),)),
    Change(1, (PartDelta("prod", "p", changed=Resources((PrivateEndpoint(KEY, KEY, "e"),))),), more=True),
    Change(1, (PartDelta("prod", "q", removed=Removed((KEY,))),), ZoneDelta((PrivateZone(KEY, KEY, b"\0"),), (KEY,))),
]
OCTETS = b"".join(map(frame, STREAM))


@given(st.lists(st.integers(0, len(OCTETS)), max_size=8))
def test_a_stream_is_read_however_it_is_cut(cuts: list[int]) -> None:
    reader, found = MessageReader(), list[Message]()
    places = [0, *sorted(cuts), len(OCTETS)]
    for start, end in pairwise(places):
        found += reader.feed(OCTETS[start:end])
    assert found == STREAM


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"HTTP/1.1 200 OK", f"a frame of 1213486160 octets; at most {FRAME}"),
        (b"\0\0\0\4\1\2\3\4", "a frame that cannot be decompressed"),
        (b"\0\0\0\0", "a message that is cut off"),
        (frame(STREAM[0])[:-1].replace(b"x", b"y", 1) + b"\0", "a frame that cannot be decompressed"),
    ],
)
def test_what_is_no_frame_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        MessageReader().feed(octets)


@pytest.mark.parametrize(
    "message",
    [
        b"\xc1",
        b"\x80",
        msgspec.msgpack.encode({"type": "farewell"}),
        msgspec.msgpack.encode({"type": "change"}),
        b"\x91" * 9999,
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    body = zlib.compress(message)
    with pytest.raises(BadFrame, match="not a message"):
        MessageReader().feed(len(body).to_bytes(4, "big") + body)


def test_a_message_that_grows_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MESSAGE", 1000)
    body = zlib.compress(b"\0" * 100_000)
    with pytest.raises(BadFrame, match="has more than 1000 octets"):
        MessageReader().feed(len(body).to_bytes(4, "big") + body)


def test_a_later_version_may_add_fields() -> None:
    body = zlib.compress(
        msgspec.msgpack.encode({"type": "welcome", "format": 1, "version": "9", "epoch": "e", "whole": True, "more": 1})
    )
    assert MessageReader().feed(len(body).to_bytes(4, "big") + body) == [Welcome(1, "9", "e", whole=True)]
