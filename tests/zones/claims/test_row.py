"""Rows: the state of a private name, packed into octets."""

from hypothesis import given
from hypothesis import strategies as st

from zones.claims.row import ALONE, BY_RULE, REFUSED, ClassNumber, Variant, classes, pack, restamped, unpack
from zones.dns.name import from_text

names = st.sampled_from([from_text(text) for text in ("a.example", "*.b.example", "x" * 63 + ".y", ".")])
variants = st.builds(
    Variant,
    networks=st.integers(0, 0xFFFFFFFF),
    flags=st.sets(st.sampled_from([REFUSED, BY_RULE, ALONE])).map(sum),
    a=st.lists(st.binary(min_size=4, max_size=4), max_size=3).map(tuple),
    aaaa=st.lists(st.binary(min_size=16, max_size=16), max_size=3).map(tuple),
    publics=st.lists(names, max_size=3).map(tuple),
)


@given(st.lists(variants, max_size=4), st.integers(0, 600))
def test_what_is_packed_is_unpacked_again(given_variants: list[Variant], generation: int) -> None:
    row = pack(given_variants, generation)
    assert list(unpack(row)) == given_variants
    assert row[0] == generation & 0xFF


@given(st.lists(variants, max_size=3), st.integers(0, 600))
def test_another_stamp_changes_nothing_else(given_variants: list[Variant], generation: int) -> None:
    row = pack(given_variants, 1)
    assert restamped(row, generation) == pack(given_variants, generation)


def test_a_row_of_one_address_is_small() -> None:
    """A worker may hold millions of rows: 1 octet of stamp, 15 of head, 4 of address."""
    assert len(pack([Variant(ClassNumber(7), BY_RULE, (b"\x0a\x00\x00\x04",), (), ())])) == 20


def test_the_classes_of_a_row_are_those_of_its_variants() -> None:
    row = pack(
        [Variant(ClassNumber(3), 0, (b"\x0a\x00\x00\x04",), (), ()), Variant(ClassNumber(9), REFUSED, (), (), ())]
    )
    assert classes(row) == {3, 9}


def test_no_row_and_a_row_of_nothing_but_its_stamp_have_no_variants() -> None:
    assert list(unpack(b"")) == list(unpack(pack([], 5))) == []
