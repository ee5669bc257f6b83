"""Differences of parts, and the parts that they lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.hub import difference as differences
from resolver.hub.difference import applied, batches, difference
from resolver.hub.messages import PartDelta, Removed
from zones.azure.endpoint import Fault, ResourceId, VirtualNetwork
from zones.azure.resource import Nic, PrivateEndpoint, Resources, ZoneGroup

KEYS = st.integers(0, 8).map(lambda n: ResourceId(f"/r/{n}"))
TEXTS = st.sampled_from(("a", "b"))
RESOURCES = st.builds(
    Resources,
    st.dictionaries(KEYS, TEXTS).map(lambda found: tuple(PrivateEndpoint(k, k, t) for k, t in found.items())),
    st.dictionaries(KEYS, TEXTS).map(lambda found: tuple(Nic(k, k, ResourceId(t)) for k, t in found.items())),
    st.dictionaries(KEYS, TEXTS).map(lambda found: tuple(VirtualNetwork(k, k, t) for k, t in found.items())),
    st.lists(TEXTS.map(lambda text: Fault(text, "id", "bad")), max_size=2).map(tuple),
    st.dictionaries(KEYS, TEXTS).map(lambda found: tuple(ZoneGroup(k, t) for k, t in found.items())),
)


def unordered(data: Resources | None) -> object:
    kinds = (data.endpoints, data.nics, data.vnets, data.zone_groups) if data else ()
    return data and ([{each.key: each for each in kind} for kind in kinds], data.faults)


@given(st.none() | RESOURCES, st.none() | RESOURCES, st.integers(1, 5))
def test_the_difference_leads_from_one_state_to_the_other(
    old: Resources | None, new: Resources | None, piece: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "PIECE", piece)
        found = list(difference("s", "p", old, new))
    assert all(max(map(len, (d.changed.endpoints, d.changed.nics, d.changed.vnets))) <= piece for d in found)
    assert unordered(applied(old, found)) == unordered(new)


def test_a_difference_has_only_what_differs() -> None:
    keys = [ResourceId(f"/r/{n}") for n in range(3)]
    old = Resources(tuple(PrivateEndpoint(key, key, "a") for key in keys), faults=(Fault("f", "id", "bad"),))
    new = Resources((old.endpoints[0], PrivateEndpoint(keys[1], keys[1], "b")), faults=old.faults)
    assert list(difference("s", "p", old, new)) == [
        PartDelta("s", "p", changed=Resources(new.endpoints[1:]), removed=Removed((keys[2],)))
    ]
    assert list(difference("s", "p", old, None)) == [PartDelta("s", "p", gone=True)]
    assert list(difference("s", "p", None, Resources())) == [PartDelta("s", "p")]


def test_many_small_parts_travel_together_and_large_ones_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "PIECE", 4)
    deltas = [PartDelta("s", str(n)) for n in range(9)]
    assert [len(each) for each in batches(deltas)] == [4, 4, 1]
    large = Resources(tuple(PrivateEndpoint(ResourceId(str(n)), "", "") for n in range(8)))
    assert [len(each) for each in batches(difference("s", "p", None, large))] == [1, 1]
