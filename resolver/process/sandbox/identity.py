"""The user that pldns runs as when it was started as root, and the change to that user.

Does not know what files the user needs.
"""

import grp
import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resolver.process.sandbox import capabilities, kernel
from resolver.process.sandbox.capabilities import Capability

NAME: Final = "pldns"
"""The account that is used by default, if it exists …"""
NUMBER: Final = 65532
"""… and the user and group otherwise. The kernel needs no account for a number."""
_KEPT: Final = (Capability.NET_BIND_SERVICE, Capability.DAC_READ_SEARCH)


class NoSuchUser(Exception):  # noqa: N818 - reads as a sentence
    """The system has no account of this name. The message is one line."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user with its groups. `name`: for people."""

    name: str
    user: int
    group: int
    groups: tuple[int, ...] = ()


def account(name: str) -> Account:
    """Return the account with this name or number; the default account for an empty text. Raises `NoSuchUser`."""
    if name.isdecimal():
        return _numeric(int(name))
    try:
        found = pwd.getpwnam(name or NAME)
    except KeyError:
        if name:
            raise NoSuchUser(f"there is no user `{name}`") from None
        return _numeric(NUMBER)
    return Account(found.pw_name, found.pw_uid, found.pw_gid, tuple(os.getgrouplist(found.pw_name, found.pw_gid)))


def _numeric(number: int) -> Account:
    try:
        found = pwd.getpwuid(number)
    except KeyError:
        return Account(str(number), number, number)
    return Account(found.pw_name, number, found.pw_gid, tuple(os.getgrouplist(found.pw_name, found.pw_gid)))


def group_number(group: str) -> int | None:
    """Return the number of a group, which may be its name or a number; None where there is no such group."""
    if group.isdecimal():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None


def exists(wanted: Account) -> bool:
    """Return whether this process can become the user at all: a user namespace may have no such user."""
    return _is_mapped(wanted.user, "uid_map") and _is_mapped(wanted.group, "gid_map")


def _is_mapped(number: int, table: str) -> bool:
    try:
        rows = [[int(word) for word in row.split()] for row in Path("/proc/self", table).read_text().splitlines()]
    except OSError:
        return True
    return any(first <= number < first + length for first, _, length in rows)


def become(wanted: Account) -> None:
    """Change the user of this process for good. Raises OSError.

    Two of root's capabilities stay, here and in children: to listen on ports below 1024, and to read files of other
    users, so that certificates and exports that only root can read stay readable. Workers give up both.
    """
    kernel.prctl(kernel.PR_SET_KEEPCAPS, 1)
    os.setgroups(wanted.groups)
    os.setresgid(wanted.group, wanted.group, wanted.group)
    os.setresuid(wanted.user, wanted.user, wanted.user)
    capabilities.keep_only(_KEPT)
