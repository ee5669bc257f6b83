"""The warm-start file: it has the frames of a snapshot, and is used only if complete and for the same configuration."""

import os
from pathlib import Path

import msgspec
import pytest

from resolver import settings
from resolver.channel import warm_start
from resolver.channel.frames import Commit
from resolver.channel.warm_start import FORMAT
from resolver.control.state import writer
from resolver.host_port import HostPort
from resolver.registry_settings import RegistrySettings
from tests.resolver.control.estate_feed import CONFIG, EstateFeed, ReplicaWorker, resources
from tests.resolver.control.feed.test_feed_to_replica import contents
from zones.claims.policy import ConflictPolicy

SAME = warm_start.digest(CONFIG)


def one(name: str, address: str = "10.0.0.4") -> tuple[str, str, str, str]:
    return name, f"{name}.blob.core.windows.net", address, ""


def taken(worker: ReplicaWorker, folder: Path) -> ReplicaWorker:
    """Return a worker that has applied the file."""
    descriptor = warm_start.opened(str(folder), SAME)
    assert descriptor is not None
    for frame in warm_start.frames(descriptor):
        for _ in worker.replica.apply(frame):
            pass
    worker.replica.disconnected()
    return worker


async def test_a_restarted_worker_has_the_table_of_the_previous_one(tmp_path: Path) -> None:
    control = EstateFeed({"a": resources(one("a"), ("b", "b.blob.core.windows.net", "10.0.0.5", "neu"))})
    assert await writer.write_warm_start(control.feed, str(tmp_path), SAME) == control.feed.serial
    worker = taken(ReplicaWorker(), tmp_path)
    assert contents(worker.table) == contents(control.estate.table())
    assert (worker.replica.epoch, worker.replica.serial) == (control.feed.epoch, control.feed.serial)


async def test_the_control_that_wrote_the_file_sends_only_later_changes(tmp_path: Path) -> None:
    control = EstateFeed({"a": resources(one("a")), "b": resources(one("b"))})
    await writer.write_warm_start(control.feed, str(tmp_path), SAME)
    control.take({"b": resources(one("b", "10.0.0.9"))})
    worker = taken(ReplicaWorker(), tmp_path)
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


async def test_the_next_control_removes_old_names_once_it_has_read_all_sources(tmp_path: Path) -> None:
    before = EstateFeed({"a": resources(one("a")), "b": resources(one("b"))})
    await writer.write_warm_start(before.feed, str(tmp_path), SAME)
    worker = taken(ReplicaWorker(), tmp_path)
    control = EstateFeed({"a": resources(one("a", "10.0.0.9"))}, synced=False)
    worker.connect(control)
    await worker.drain()
    assert contents(worker.table) == contents(before.estate.table())
    control.sync()
    await worker.drain()
    assert contents(worker.table) == contents(control.estate.table())


@pytest.mark.parametrize(
    "change",
    [
        {"conflicts": settings.ConflictSettings(ConflictPolicy.REFUSE)},
        {"networks": ()},
        {"sources": (settings.SourceSettings("other", "files", "/estate"),)},
    ],
)
async def test_a_file_of_another_configuration_is_not_opened(tmp_path: Path, change: dict[str, object]) -> None:
    await writer.write_warm_start(EstateFeed({}).feed, str(tmp_path), SAME)
    assert warm_start.opened(str(tmp_path), warm_start.digest(msgspec.structs.replace(CONFIG, **change))) is None


def test_the_order_of_a_set_is_not_another_configuration() -> None:
    """It differs from process to process, and so does that of the subscriptions of a registry's client."""
    # 0 and 8 have one place in a small table of hashes, so the first one that comes is the first one that is read.
    orders = [frozenset(order) for order in ([0, 8], [8, 0])]
    assert [*orders[0]] != [*orders[1]]
    one, other = (msgspec.structs.replace(CONFIG, auto=order) for order in orders)  # any field
    assert warm_start.digest(one) == warm_start.digest(other)


def test_who_may_use_the_registry_is_no_other_configuration_of_the_answers() -> None:
    registry = RegistrySettings(HostPort("127.0.0.1", 8443))
    assert warm_start.digest(msgspec.structs.replace(CONFIG, registry=registry)) == SAME


def test_without_a_file_none_is_opened(tmp_path: Path) -> None:
    assert warm_start.opened(str(tmp_path), SAME) is None
    (tmp_path / FORMAT.name).write_bytes(b"pldns")
    assert warm_start.opened(str(tmp_path), SAME) is None


@pytest.mark.parametrize("where", [-1, FORMAT.head, FORMAT.head - 1])
async def test_a_changed_octet_is_detected_before_the_first_frame(tmp_path: Path, where: int) -> None:
    await writer.write_warm_start(EstateFeed({"a": resources(one("a"))}).feed, str(tmp_path), SAME)
    content = bytearray((tmp_path / FORMAT.name).read_bytes())
    content[where] ^= 1
    (tmp_path / FORMAT.name).write_bytes(content)
    descriptor = warm_start.opened(str(tmp_path), SAME)
    assert descriptor is not None
    with pytest.raises(ValueError, match="its checksum is wrong"):
        next(warm_start.frames(descriptor))
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


async def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await writer.write_warm_start(EstateFeed({"a": resources(one("a"))}).feed, str(tmp_path), SAME)
    content = (tmp_path / FORMAT.name).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        await writer.write_warm_start(EstateFeed({}).feed, str(tmp_path), SAME)
    assert (tmp_path / FORMAT.name).read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [FORMAT.name]


async def test_the_last_frame_of_the_file_is_a_commit(tmp_path: Path) -> None:
    await writer.write_warm_start(EstateFeed({"a": resources(one("a"))}).feed, str(tmp_path), SAME)
    descriptor = warm_start.opened(str(tmp_path), SAME)
    assert descriptor is not None
    *_, last = warm_start.frames(descriptor)
    assert isinstance(last, Commit)
