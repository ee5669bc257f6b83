"""The memory limit of control groups, from files as the kernel writes them."""

from pathlib import Path

import pytest

from resolver.memory_budget import Limit
from resolver.supervisor.cgroup import ControlGroups

MIB = 1 << 20
NONE_V1 = 9223372036854771712


class Groups:
    """A tree of control groups in a folder. `root`: the group that is mounted."""

    def __init__(self, folder: Path, version: int, path: str, root: str = "/") -> None:
        self.mount = folder / "cgroup"
        self.mount.mkdir()
        self.version = version
        self._mounts, self._own, self._system = folder / "mountinfo", folder / "own", folder / "meminfo"
        kind = "cgroup2 cgroup2 rw" if version == 2 else "cgroup cgroup rw,memory"
        self._mounts.write_text(
            "22 1 0:21 / /proc rw,nosuid - proc proc rw\n"
            "23 1 0:22 / /mnt rw - tmpfs  rw\n"  # mounted with an empty name
            f"35 31 0:32 {root} {self.mount} rw,relatime shared:9 - {kind}\n"
        )
        self._own.write_text(f"3:cpuset:/\n0::{path}\n" if version == 2 else f"0::/elsewhere\n4:cpu,memory:{path}\n")
        self._system.write_text("MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:    4194304 kB\n")
        if version == 2:
            (self.mount / "cgroup.controllers").write_text("cpu memory pids\n")

    def group(self, path: str, limit: int | None, used: int, cached: int = 0) -> None:
        folder = self.mount / path
        folder.mkdir(parents=True, exist_ok=True)
        names = ("memory.max", "memory.current", "") if self.version == 2 else (
            "memory.limit_in_bytes", "memory.usage_in_bytes", "total_",
        )  # fmt: skip
        unlimited = "max" if self.version == 2 else str(NONE_V1)
        (folder / names[0]).write_text(f"{unlimited if limit is None else limit}\n")
        (folder / names[1]).write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 5\n{names[2]}active_file {cached}\n{names[2]}inactive_file 0\n")

    def limit(self) -> Limit | None:
        return ControlGroups(self._mounts, self._own, self._system).limit()


@pytest.mark.parametrize("version", [1, 2])
def test_the_limit_of_the_own_group_counts_and_cached_files_are_free(tmp_path: Path, version: int) -> None:
    groups = Groups(tmp_path, version, "/pldns")
    groups.group("pldns", 256 * MIB, 200 * MIB, cached=50 * MIB)
    assert groups.limit() == Limit(256 * MIB, 106 * MIB)


@pytest.mark.parametrize("version", [1, 2])
def test_without_a_limit_there_is_none(tmp_path: Path, version: int) -> None:
    groups = Groups(tmp_path, version, "/pldns")
    groups.group("", None, 900 * MIB)
    groups.group("pldns", None, 200 * MIB)
    assert groups.limit() is None


@pytest.mark.parametrize("version", [1, 2])
def test_a_group_that_contains_the_own_one_may_be_fuller(tmp_path: Path, version: int) -> None:
    groups = Groups(tmp_path, version, "/pod/pldns")
    groups.group("pod/pldns", 256 * MIB, 100 * MIB)
    groups.group("pod", 512 * MIB, 500 * MIB)
    groups.group("", None, 0)
    assert groups.limit() == Limit(256 * MIB, 12 * MIB)


@pytest.mark.parametrize("version", [1, 2])
def test_in_a_container_the_mounted_group_is_the_own_one(tmp_path: Path, version: int) -> None:
    groups = Groups(tmp_path, version, "/docker/abc", root="/docker/abc")
    groups.group("", 256 * MIB, 6 * MIB)
    assert groups.limit() == Limit(256 * MIB, 250 * MIB)


def test_the_path_of_another_namespace_means_the_mounted_group(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 1, "/docker/abc")
    groups.group("", 256 * MIB, 6 * MIB)
    assert groups.limit() == Limit(256 * MIB, 250 * MIB)


def test_the_limit_from_which_the_kernel_slows_processes_down_counts(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 2, "/pldns")
    groups.group("pldns", 256 * MIB, 100 * MIB)
    (groups.mount / "pldns" / "memory.high").write_text(f"{128 * MIB}\n")
    assert groups.limit() == Limit(128 * MIB, 28 * MIB)


def test_a_machine_may_have_less_than_a_group_permits(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 2, "/pldns")
    groups.group("pldns", 64 << 30, 0)
    assert groups.limit() == Limit(8 << 30, 4 << 30)


def test_a_limit_that_changes_is_noticed(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 2, "/pldns")
    groups.group("pldns", None, 0)
    found = ControlGroups(groups._mounts, groups._own, groups._system)
    assert found.limit() is None
    groups.group("pldns", 256 * MIB, 0)
    assert found.limit() == Limit(256 * MIB, 256 * MIB)


def test_a_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 2, "/pldns")
    groups.group("pldns", 256 * MIB, 300 * MIB)
    assert groups.limit() == Limit(256 * MIB, 0)


def test_a_system_without_control_groups_has_no_limit(tmp_path: Path) -> None:
    assert ControlGroups(tmp_path / "none", tmp_path / "none").limit() is None


def test_version_2_beside_version_1_does_not_control_memory(tmp_path: Path) -> None:
    groups = Groups(tmp_path, 2, "/pldns")
    groups.group("pldns", 256 * MIB, 0)
    (groups.mount / "cgroup.controllers").write_text("cpu\n")
    assert groups.limit() is None
