"""The saved inventory on disk."""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver import state
from resolver.guard import Held, Standing
from resolver.sources.reading import Reading
from resolver.state import FILE, Saved
from zones.contest import Claim
from zones.endpoint import Endpoint, Fault, NicRecord, State, VirtualNetwork
from zones.memory import Memory
from zones.name import Name
from zones.privatezone import PrivateZone, RecordSet, ZoneLink
from zones.record import RRset
from zones.resource import Nic, NicRow, PrivateEndpoint, Resources
from zones.tombstones import Tombstone

NAME = Name(b"\x01a\x07example\x00")
SAVED = Saved(1.5, {"hub": 1.0}, [("hub", "/a.json", Resources())], ("weu",), findings={"f": 0.5})


def file(folder: Path) -> Path:
    return folder / FILE


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def saves() -> st.SearchStrategy[Saved]:
    times = st.floats(0, 2**33)
    names = st.lists(st.binary(min_size=1, max_size=63), max_size=3).map(
        lambda labels: Name(b"".join(bytes((len(label),)) + label for label in labels) + b"\0")
    )
    texts = st.text(max_size=20)
    masks = st.integers(1, 1 << 300)
    faults = st.tuples() | st.tuples(st.builds(Fault, texts, texts, texts))
    rows = st.lists(st.builds(NicRow, st.tuples(texts), st.tuples(texts, texts), texts), max_size=2).map(tuple)
    resources = st.builds(
        Resources,
        st.lists(
            st.builds(PrivateEndpoint, texts, texts, texts, dns=rows, records=st.none() | rows, faults=faults),
            max_size=2,
        ).map(tuple),
        st.lists(st.builds(Nic, texts, texts, texts, rows), max_size=2).map(tuple),
        st.lists(st.builds(VirtualNetwork, texts, texts, prefixes=st.tuples(texts)), max_size=2).map(tuple),
        faults,
    )
    memories = st.builds(
        Memory,
        st.lists(texts, max_size=3).map(tuple),
        st.dictionaries(st.tuples(texts, names), times, max_size=3),
        st.dictionaries(names, st.lists(st.tuples(masks, texts, texts), min_size=1, max_size=3).map(tuple), max_size=3),
        st.dictionaries(texts, times, max_size=3),
    )
    readings = st.builds(
        Reading, st.dictionaries(texts, resources, max_size=2), st.dictionaries(texts, texts, max_size=2)
    )
    standings = st.builds(
        Standing,
        st.dictionaries(texts, times, max_size=2),
        st.none() | st.builds(Held, times, times, readings, st.tuples(texts), st.just(3), st.just(1), st.tuples(texts)),
    )
    return st.builds(
        state.of,
        memories,
        st.dictionaries(texts, times, max_size=2),
        st.lists(st.tuples(texts, texts, resources), max_size=3),
        st.dictionaries(texts, texts, max_size=2),
        times,
        st.dictionaries(texts, standings, max_size=2),
        st.lists(tombstones(names, times), max_size=2),
        st.lists(st.tuples(texts, st.lists(private_zones(names, texts, faults), max_size=2)), max_size=2),
    )


def private_zones(
    names: st.SearchStrategy[Name], texts: st.SearchStrategy[str], faults: st.SearchStrategy[Any]
) -> st.SearchStrategy[PrivateZone]:
    sets = st.builds(RRset, names, st.integers(1, 99), st.integers(0, 99), st.tuples(st.binary(max_size=20)))
    records = st.lists(st.builds(RecordSet, texts, sets, texts, st.booleans()), max_size=2).map(tuple)
    links = st.lists(st.builds(ZoneLink, texts, texts), max_size=2).map(tuple)
    return st.builds(PrivateZone, texts, texts, names, records, links, faults)


def tombstones(names: st.SearchStrategy[Name], times: st.SearchStrategy[float]) -> st.SearchStrategy[Tombstone]:
    """Tombstones as the ledger makes them: the endpoint is as it is saved, for one of its claims."""

    def made(texts: list[str], public: Name, private: Name, zone: Name | None, first: float, until: float) -> Tombstone:
        key, name, target, group, region, subscription, vnet, source = texts
        address = b"\x0a\0\0\4"
        endpoint = Endpoint(
            key, f"/ID/{name}", name, State.APPROVED, target, (group,), region=region, subscription=subscription,
            vnet=vnet, records=(NicRecord(public, (address,)),), source=source, where=subscription,
        )  # fmt: skip
        return Tombstone(Claim(key, private, public, zone, (address,), first), endpoint, until)

    plain = st.text("abc", max_size=5)
    return st.builds(made, st.lists(plain, min_size=8, max_size=8), names, names, st.none() | names, times, times)


@given(saves())
def test_what_is_saved_reads_back(saved: Saved) -> None:
    assert state.decode(state.encode(saved)) == saved


@given(
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
    st.lists(st.tuples(st.integers(1, 1 << 300), st.text(max_size=9), st.text(max_size=9)), max_size=4).map(tuple),
)
def test_a_memory_reads_back(networks: tuple[str, ...], holders: tuple[tuple[int, str, str], ...]) -> None:
    memory = Memory(networks, {("e", NAME): 2.0}, {NAME: holders}, {"f": 1.0})
    saved = state.of(memory, {}, [], {}, 3.0)
    assert state.decode(state.encode(saved)).memory == memory


@given(st.lists(tombstones(st.just(NAME), st.floats(0, 2**33)), max_size=3))
def test_what_lingers_reads_back(stones: list[Tombstone]) -> None:
    saved = state.of(Memory(), {}, [], {}, 3.0, {}, stones)
    assert [each.tombstone for each in state.decode(state.encode(saved)).lingering] == stones


def test_a_file_from_before_private_dns_zones_is_read_without_them() -> None:
    body = msgspec.msgpack.encode({"saved_at": 1.0, "zone_texts": {"a": "b"}})
    decoded = state.decode(state._MAGIC + hashlib.sha256(body).digest() + body)
    assert (decoded.zone_texts, decoded.private) == ({"a": "b"}, [])


def test_a_file_is_written_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    state.write(str(tmp_path), state.encode(SAVED))
    assert state.read(str(tmp_path)) == SAVED
    assert file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == {FILE}


def test_where_there_is_none_there_is_nothing(tmp_path: Path) -> None:
    assert state.read(str(tmp_path)) is None
    assert state.read(str(tmp_path / "missing")) is None
    assert names_in(tmp_path) == set()


GOOD = state.encode(SAVED)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not of this version"),
        (b"pldns inventory 1\n" + GOOD[18:], "not of this version"),
        (GOOD[:30], "checksum is wrong"),
        (GOOD[:-1], "checksum is wrong"),
        (GOOD + b"\0", "checksum is wrong"),
        (GOOD[:60] + bytes((GOOD[60] ^ 1,)) + GOOD[61:], "checksum is wrong"),
        (state.encode(msgspec.structs.replace(SAVED, saved_at="x")), "Expected `float`"),  # another form, well kept
    ],
    ids=["empty", "version", "head", "truncated", "longer", "bit", "form"],
)
def test_a_file_that_does_not_check_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, reason: str
) -> None:
    file(tmp_path).write_bytes(content)
    assert state.read(str(tmp_path)) is None
    assert names_in(tmp_path) == {"inventory.broken"}
    assert (tmp_path / "inventory.broken").read_bytes() == content
    assert reason in caplog.text
    assert state.read(str(tmp_path)) is None
    state.write(str(tmp_path), GOOD)
    assert state.read(str(tmp_path)) == SAVED
    assert (tmp_path / "inventory.broken").read_bytes() == content


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_noise_is_never_believed(noise: bytes, at: int) -> None:
    content = GOOD[:at] + noise
    if content != GOOD:
        with pytest.raises(ValueError, match=r"version|checksum"):
            state.decode(content)


def test_what_cannot_be_read_is_set_aside_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file(tmp_path).mkdir()
    assert state.read(str(tmp_path)) is None
    assert names_in(tmp_path) == {"inventory.broken"}
    assert "Is a directory" in caplog.text


def test_a_write_replaces_the_file_and_never_writes_into_it(tmp_path: Path) -> None:
    state.write(str(tmp_path), GOOD)
    with file(tmp_path).open("rb") as reader:
        other = msgspec.structs.replace(SAVED, saved_at=9.0)
        state.write(str(tmp_path), state.encode(other))
        assert reader.read() == GOOD
    assert state.read(str(tmp_path)) == other


def test_what_an_interrupted_write_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "inventory.new").write_bytes(b"half" * 1000)
    state.write(str(tmp_path), GOOD)
    assert state.read(str(tmp_path)) == SAVED
    assert names_in(tmp_path) == {FILE}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.write(str(tmp_path), GOOD)

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        state.write(str(tmp_path), b"new")
    assert names_in(tmp_path) == {FILE}
    assert file(tmp_path).read_bytes() == GOOD


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", Path("/proc/self")):
        with pytest.raises(OSError, match=r"\[Errno"):
            state.write(str(path), GOOD)


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "inventory.new").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        state.write(str(tmp_path), GOOD)
    assert victim.read_text() == "mine"


def _shape(schema: object) -> object:
    """A JSON Schema without its prose."""
    if isinstance(schema, dict):
        return {key: _shape(value) for key, value in schema.items() if key != "description"}
    return [_shape(item) for item in schema] if isinstance(schema, list) else schema


def test_a_changed_shape_needs_another_version() -> None:
    """Whoever changes what is saved raises the number in the file's first line, and the digest here.

    Only a further key that may be missing leaves the number as it is: an older file is read without it.
    """
    shape = msgspec.json.encode(_shape(msgspec.json.schema(Saved)), order="sorted")
    assert (state._MAGIC, hashlib.sha256(shape).hexdigest()[:16]) == (b"pldns inventory 2\n", "7b8669811e9646fe")
