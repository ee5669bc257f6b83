"""The memory limit of the control group of this process, and what is used of it (cgroups(7), versions 1 and 2).

Groups contain groups, and each may have a limit. The nearest limit is not always the one that ends first: a pod may be
full of other containers. Does not know what the memory is for. Linux only; elsewhere there is no group.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resolver.memory_budget import Limit

_UNLIMITED: Final = 1 << 60
"""Version 1 says `no limit` with a number of pages near 2^63."""
_MOUNTS: Final = Path("/proc/self/mountinfo")
_GROUPS: Final = Path("/proc/self/cgroup")
_SYSTEM: Final = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class _Version:
    """Names of a version's files and fields."""

    limits: tuple[str, ...]
    used: str
    cached: tuple[bytes, ...]


_V1: Final = _Version(
    ("memory.limit_in_bytes",), "memory.usage_in_bytes", (b"total_active_file", b"total_inactive_file")
)
_V2: Final = _Version(("memory.max", "memory.high"), "memory.current", (b"active_file", b"inactive_file"))
_Group = tuple[Path, _Version]


class ControlGroups:
    """The groups of this process, from its own to the topmost one that it can see."""

    def __init__(self, mounts: Path = _MOUNTS, groups: Path = _GROUPS, system: Path = _SYSTEM) -> None:
        self._system = system
        try:
            self._groups = _found(mounts.read_text(), groups.read_text())
        except (OSError, ValueError):
            self._groups = []

    def limit(self) -> Limit | None:
        """Return the least limit, and the least that is left of any; None: there is no limit.

        An operator may change a limit at any time. Cached files count as free, because the kernel can drop them.
        """
        found = [limit for group in self._groups if (limit := _limit(*group))]
        if not found:
            return None
        found += _of_system(self._system)
        return Limit(min(each.octets for each in found), min(each.free for each in found))


def _found(mounts: str, groups: str) -> list[_Group]:
    """Return the directories of the groups that control memory, the own group first."""
    for line in mounts.splitlines():
        where, _, kind = line.partition(" - ")
        _, _, _, root, mount, *_ = where.split()
        name, *_, options = kind.split()  # between them is what is mounted, which may be empty
        for entry in groups.splitlines():
            number, controllers, path = entry.split(":", 2)
            v1 = name == "cgroup" and "memory" in options.split(",") and "memory" in controllers.split(",")
            if v1 or (name == "cgroup2" and number == "0" and _has_memory(Path(mount))):
                return [(each, _V1 if v1 else _V2) for each in _directories(Path(mount), root, path)]
    return []


def _has_memory(mount: Path) -> bool:
    """Return whether version 2 controls memory. It cannot where version 1 does."""
    with contextlib.suppress(OSError):
        return "memory" in (mount / "cgroup.controllers").read_text().split()
    return False


def _directories(mount: Path, root: str, path: str) -> list[Path]:
    """Return the directory of the group and those above it. `root`: the group that is mounted at `mount`."""
    inside = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path()
    own = mount / inside
    if not own.is_dir():  # the path is that of another namespace
        own = mount
    return [own, *(each for each in own.parents if each.is_relative_to(mount))]


def _limit(group: Path, version: _Version) -> Limit | None:
    limits = [limit for name in version.limits if (limit := _number(group / name)) is not None]
    if not limits or min(limits) >= _UNLIMITED:
        return None
    used = _number(group / version.used)
    if used is None:
        return Limit(min(limits), min(limits))
    return Limit(min(limits), max(0, min(limits) - max(0, used - _cached(group, version))))


def _of_system(path: Path) -> list[Limit]:
    """Return the memory of the machine, which may have less than a group permits."""
    try:
        lines = (line.partition(":") for line in path.read_text().splitlines())
        kibibytes = {name: int(value.split()[0]) for name, _, value in lines}
        return [Limit(kibibytes["MemTotal"] << 10, kibibytes["MemAvailable"] << 10)]
    except (OSError, ValueError, LookupError):
        return []


def _number(path: Path) -> int | None:
    """Return the number in a file; None where there is none, as for `max`."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _cached(group: Path, version: _Version) -> int:
    """Return the octets of cached files."""
    try:
        lines = (group / "memory.stat").read_bytes().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[0] in version.cached)
