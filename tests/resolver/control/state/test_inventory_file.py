"""The file of the saved inventory."""

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resolver.control.estate.saved_inventory import SavedInventory
from resolver.control.estate.state_health import SetAside
from resolver.control.state import inventory_file
from resolver.control.state.inventory_file import FORMAT
from zones.azure.resource import Resources
from zones.clocks import WallTime

SAVED = SavedInventory(
    WallTime(1.5), {"hub": WallTime(1.0)}, [("hub", "/a.json", Resources())], ("weu",), findings={"f": WallTime(0.5)}
)


def file(folder: Path) -> Path:
    return folder / FORMAT.name


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_a_file_is_readable_by_its_owner_alone_and_is_read_back(tmp_path: Path) -> None:
    inventory_file.write(str(tmp_path), [SAVED])
    assert inventory_file.read(str(tmp_path)) == SAVED
    assert file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == {FORMAT.name}


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert inventory_file.read(str(tmp_path)) is None
    assert inventory_file.read(str(tmp_path / "missing")) is None
    assert names_in(tmp_path) == set()


def content(*pieces: SavedInventory) -> bytes:
    """Return the content of a complete file."""
    with tempfile.TemporaryDirectory() as folder:
        inventory_file.write(folder, pieces)
        return file(Path(folder)).read_bytes()


GOOD = content(SAVED)


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "another version wrote it"),
        (b"pldns inventory 2\n" + GOOD[18:], "another version wrote it"),
        (GOOD[:30], "checksum is wrong"),
        (GOOD[:-1], "checksum is wrong"),
        (GOOD + b"\0", "checksum is wrong"),
        (GOOD[:60] + bytes((GOOD[60] ^ 1,)) + GOOD[61:], "checksum is wrong"),
        (
            content(msgspec.structs.replace(SAVED, saved_at="x")),
            "Expected `float`",
        ),  # the wrong type, with a good checksum
        (content(), "there is nothing in it"),
    ],
    ids=["empty", "version", "head", "truncated", "longer", "bit", "form", "nothing"],
)
def test_a_file_that_does_not_check_is_set_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, octets: bytes, reason: str
) -> None:
    file(tmp_path).write_bytes(octets)
    aside = inventory_file.read(str(tmp_path))
    assert isinstance(aside, SetAside)
    assert (aside.path, aside.kept_as) == (str(file(tmp_path)), str(tmp_path / "inventory.broken"))
    assert reason in aside.why
    assert names_in(tmp_path) == {"inventory.broken"}
    assert (tmp_path / "inventory.broken").read_bytes() == octets
    assert reason in caplog.text
    assert inventory_file.read(str(tmp_path)) is None
    inventory_file.write(str(tmp_path), [SAVED])
    assert inventory_file.read(str(tmp_path)) == SAVED
    assert (tmp_path / "inventory.broken").read_bytes() == octets


@given(st.binary(max_size=200), st.integers(0, len(GOOD)))
def test_noise_is_never_accepted(noise: bytes, at: int) -> None:
    octets = GOOD[:at] + noise
    if octets == GOOD:
        return
    with tempfile.TemporaryDirectory() as folder:
        file(Path(folder)).write_bytes(octets)
        with pytest.raises(ValueError, match=r"version|checksum"):
            inventory_file.load(folder)


def test_a_file_of_the_version_before_is_read_until_there_is_one_of_this_version(tmp_path: Path) -> None:
    body = msgspec.msgpack.encode(SAVED)
    older = b"pldns inventory 2\n" + hashlib.sha256(body).digest() + body
    (tmp_path / "inventory.v2").write_bytes(older)
    assert inventory_file.read(str(tmp_path)) == SAVED
    newer = msgspec.structs.replace(SAVED, saved_at=9.0)
    inventory_file.write(str(tmp_path), [newer])
    assert inventory_file.read(str(tmp_path)) == newer
    assert (tmp_path / "inventory.v2").read_bytes() == older, "a downgrade needs it"
    file(tmp_path).unlink()
    (tmp_path / "inventory.v2").write_bytes(older[:-1])
    assert inventory_file.read(str(tmp_path)) is None


def test_a_file_of_a_later_version_is_moved_and_the_own_one_is_used(tmp_path: Path) -> None:
    inventory_file.write(str(tmp_path), [SAVED])
    assert inventory_file.set_later_versions_aside(str(tmp_path)) == []
    (tmp_path / "inventory.v4").write_bytes(b"pldns inventory 4\n")
    (aside,) = inventory_file.set_later_versions_aside(str(tmp_path))
    assert aside == SetAside(
        str(tmp_path / "inventory.v4"), "a later version of pldns saved it", str(tmp_path / "inventory.v4.later")
    )
    assert names_in(tmp_path) == {FORMAT.name, "inventory.v4.later"}
    assert inventory_file.set_later_versions_aside(str(tmp_path)) == []
    assert inventory_file.read(str(tmp_path)) == SAVED


def test_an_unreadable_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file(tmp_path).mkdir()
    assert inventory_file.read(str(tmp_path)) == SetAside(
        str(file(tmp_path)), "Is a directory", str(tmp_path / "inventory.broken")
    )
    assert names_in(tmp_path) == {"inventory.broken"}
    assert "Is a directory" in caplog.text


def test_a_write_replaces_the_file_and_never_writes_into_it(tmp_path: Path) -> None:
    inventory_file.write(str(tmp_path), [SAVED])
    with file(tmp_path).open("rb") as reader:
        other = msgspec.structs.replace(SAVED, saved_at=9.0)
        inventory_file.write(str(tmp_path), [other])
        assert reader.read() == GOOD
    assert inventory_file.read(str(tmp_path)) == other


def test_the_rest_of_an_interrupted_write_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "inventory.new").write_bytes(b"half" * 1000)
    inventory_file.write(str(tmp_path), [SAVED])
    assert inventory_file.read(str(tmp_path)) == SAVED
    assert names_in(tmp_path) == {FORMAT.name}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory_file.write(str(tmp_path), [SAVED])

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        inventory_file.write(str(tmp_path), [SavedInventory(WallTime(2.0))])
    assert names_in(tmp_path) == {FORMAT.name}
    assert file(tmp_path).read_bytes() == GOOD


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing", Path("/proc/self")):
        with pytest.raises(OSError, match=r"\[Errno"):
            inventory_file.write(str(path), [SAVED])


def test_a_link_in_the_place_of_the_new_file_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "inventory.new").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        inventory_file.write(str(tmp_path), [SAVED])
    assert victim.read_text() == "mine"


def _shape(schema: object) -> object:
    """Return a JSON Schema without descriptions."""
    if isinstance(schema, dict):
        return {key: _shape(value) for key, value in schema.items() if key != "description"}
    return [_shape(item) for item in schema] if isinstance(schema, list) else schema


def test_a_changed_schema_needs_another_version() -> None:
    """A change of the saved fields needs a new number in the first line of the file, and a new digest here.

    A new optional key keeps the number: an older file is read without the key.
    """
    shape = msgspec.json.encode(_shape(msgspec.json.schema(SavedInventory)), order="sorted")
    assert (FORMAT.magic, hashlib.sha256(shape).hexdigest()[:16]) == (
        b"pldns inventory 3\n",
        "79f98fb728ada9e7",
    )
