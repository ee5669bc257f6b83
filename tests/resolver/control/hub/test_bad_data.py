"""A hub that sends well-formed messages with nonsense in them: what the spoke knows stays, and nothing breaks."""

import contextlib
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resolver.control.estate.saved_inventory import pieces_of
from resolver.hub.messages import (
    Change,
    Message,
    MessageReader,
    PartDelta,
    SourceState,
    SourceStates,
    Welcome,
    ZoneDelta,
    frame,
)
from tests.resolver.control.hub.test_replica import Spoke, part
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.private_dns_zone import PrivateZone, RecordSet, ZoneLink
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, Resources, ZoneConfig, ZoneGroup, ZoneRecord
from zones.clocks import WallTime
from zones.dns import record
from zones.dns.name import from_text, to_text
from zones.dns.record import RRset

T = WallTime(time.time())
TEXT = st.sampled_from(
    ("", "a", "/", "//", "Approved", "blob", "x.blob.core.windows.net", "10.0.0.4", "::1", "10.0.0.0/8", "é…",
     "a" * 300,
     "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "\0", ".", "*.x", ": ")
)  # fmt: skip
KEYS = TEXT.map(ResourceId)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
ROWS = st.lists(st.builds(NicRow, TEXTS, TEXTS, TEXT, TEXT), max_size=2).map(tuple)
FAULTS = st.lists(st.builds(Fault, TEXT, TEXT, TEXT, TEXT), max_size=1).map(tuple)
OCTETS = st.binary(max_size=20) | st.sampled_from(
    (b"", b"\0", b"\1a\0", b"\1a", b"\xff", b"\x01a\x00\x00", b"\5short\0", bytes(from_text("x.example")))
)
RESOURCES = st.builds(
    Resources,
    st.lists(
        st.builds(
            PrivateEndpoint, KEYS, TEXT, TEXT, TEXT, TEXT, KEYS, TEXT, TEXTS, TEXT, TEXT,
            TEXTS.map(lambda texts: tuple(map(ResourceId, texts))), ROWS, st.none() | ROWS, TEXT, FAULTS, TEXT,
        ),
        max_size=2,
    ).map(tuple),
    st.lists(st.builds(Nic, KEYS, TEXT, KEYS, ROWS, FAULTS), max_size=2).map(tuple),
    st.lists(
        st.builds(VirtualNetwork, KEYS, TEXT, TEXT, TEXTS, TEXTS.map(lambda texts: tuple(map(ResourceId, texts)))),
        max_size=2,
    ).map(tuple),
    FAULTS,
    st.lists(
        st.builds(
            ZoneGroup, KEYS, TEXT,
            st.lists(
                st.builds(ZoneConfig, TEXT, st.lists(st.builds(ZoneRecord, TEXT, TEXTS), max_size=1).map(tuple)),
                max_size=1,
            ).map(tuple),
        ),
        max_size=1,
    ).map(tuple),
)  # fmt: skip
RRSETS = st.builds(
    RRset, OCTETS, st.sampled_from((record.A, record.AAAA, record.CNAME, record.MX, record.TXT, 0, 65535)),
    st.integers(-1, 1 << 33), st.lists(OCTETS, max_size=2).map(tuple),
)  # fmt: skip
ZONES = st.builds(
    PrivateZone, KEYS, TEXT, OCTETS,
    st.lists(st.builds(RecordSet, TEXT, RRSETS, TEXT, st.booleans()), max_size=2).map(tuple),
    st.lists(st.builds(ZoneLink, TEXT, KEYS), max_size=1).map(tuple), FAULTS,
)  # fmt: skip
DELTAS = st.builds(PartDelta, TEXT, TEXT, st.booleans(), RESOURCES)
CHANGES = st.builds(
    Change, st.integers(0, 5), st.lists(DELTAS, max_size=2).map(tuple),
    st.builds(ZoneDelta, st.lists(ZONES, max_size=1).map(tuple), st.lists(KEYS, max_size=1).map(tuple)), st.booleans(),
)  # fmt: skip


@given(st.booleans(), st.lists(CHANGES, max_size=4))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_nonsense_in_messages_breaks_nothing(whole: bool, changes: list[Change]) -> None:
    spoke = Spoke(private_dns="serve")
    states = SourceStates((SourceState("prod", synced=True, age=1.0, freshness="fresh"),))
    good = Change(1, (PartDelta("prod", "f", changed=part("known")),))
    spoke.take([Welcome(1, "v", "e", whole=True), states, good])
    assert spoke.answers("known")
    spoke.replica.begin()
    messages: list[Message] = [Welcome(1, "v", "e", whole=whole), states, *changes]
    octets = b"".join(map(frame, messages))
    with contextlib.suppress(ValueError):
        spoke.take(MessageReader().feed(octets))
    spoke.estate.expire(T)
    if compare := spoke.estate.comparison(WallTime(T + 60)):
        spoke.estate.take_comparison(compare(), T)
    for name, _ in spoke.estate.table().each():
        to_text(name)
    list(pieces_of(spoke.estate, T))
    if not any(delta.part == "f" for change in changes for delta in change.parts):
        assert spoke.answers("known") or (whole and spoke.status.sync_state.held is None)


def test_a_change_that_leaves_out_another_one_is_refused() -> None:
    spoke = Spoke()
    states = SourceStates((SourceState("prod", synced=True),))
    spoke.take([Welcome(1, "v", "e", whole=True), states, Change(4, (PartDelta("prod", "f", changed=part("a")),))])
    with pytest.raises(ValueError, match="change 6 follows change 4"):
        spoke.take([Change(6, (PartDelta("prod", "f", changed=part("b")),))])
    assert spoke.status.position == ("e", 4)


def test_a_change_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resolver.control.hub.replica.MOST", 5)
    spoke = Spoke()
    spoke.take([Welcome(1, "v", "e", whole=True)])
    with pytest.raises(ValueError, match="more than 5 pieces"):
        spoke.take([Change(1, (PartDelta("prod", "f"),), more=True)] * 9)
