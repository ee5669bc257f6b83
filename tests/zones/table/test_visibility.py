"""Counts of networks by name, compared with counting from scratch."""

from hypothesis import given
from hypothesis import strategies as st

from zones.claims.row import ClassNumber
from zones.dns.name import Name, from_text, is_under, to_text
from zones.networks.network import NetworkMask
from zones.networks.prefixes import NetworkIndex
from zones.table.visibility import NameTree, Visibility

NAMES = [from_text(text) for text in ("a", "b.a", "c.b.a", "d.b.a", "e.a", "f")]
MASKS = {ClassNumber(mask): NetworkMask(mask) for mask in range(8)}
steps = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 7), st.booleans()), max_size=30)


@given(steps)
def test_a_name_is_below_its_ancestors_for_the_networks_that_see_it(given_steps: list[tuple[Name, int, bool]]) -> None:
    tree, held = NameTree(), []
    for name, mask, comes in given_steps:
        moved: set[Name] = set()
        before = {(above, network): tree.sees(above, NetworkIndex(network)) for above in NAMES for network in range(3)}
        if comes:
            held.append((name, mask))
            tree.enter(name, ClassNumber(mask), MASKS, moved)
        elif (name, mask) in held:
            held.remove((name, mask))
            tree.leave(name, ClassNumber(mask), MASKS, moved)
        for (above, network), was in before.items():
            expected = any(
                m >> network & 1 and other != above and is_under(other, above) for other, m in held
            )  # fmt: skip
            assert tree.sees(above, NetworkIndex(network)) == expected
            assert was == expected or above in moved
    for name, mask in held:
        tree.leave(name, ClassNumber(mask), MASKS, set())
    assert list(tree.names()) == []


def test_a_change_that_moves_no_network_is_not_reported() -> None:
    tree = NameTree()
    moved: set[Name] = set()
    tree.enter(from_text("x.b.a"), ClassNumber(0b01), MASKS, moved)
    assert {to_text(name) for name in moved} == {"b.a", "a"}
    moved.clear()
    tree.enter(from_text("y.b.a"), ClassNumber(0b01), MASKS, moved)
    tree.leave(from_text("x.b.a"), ClassNumber(0b01), MASKS, moved)
    assert moved == set()
    tree.enter(from_text("y.b.a"), ClassNumber(0b11), MASKS, moved)
    assert {to_text(name) for name in moved} == {"b.a", "a"}


def test_a_name_is_counted_as_long_as_one_mask_is() -> None:
    presence, name = Visibility(), from_text("privatelink.blob.core.windows.net")
    assert not presence.counts(name)
    assert presence.add(name, ClassNumber(0b01), MASKS, set())
    assert not presence.add(name, ClassNumber(0b01), MASKS, set())
    assert not presence.remove(name, ClassNumber(0b01), MASKS, set())
    assert presence.counts(name)
    assert presence.sees(name, NetworkIndex(0))
    assert not presence.sees(name, NetworkIndex(1))
    assert presence.remove(name, ClassNumber(0b01), MASKS, set())
    assert not presence.counts(name)
