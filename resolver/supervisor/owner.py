"""The change to a user of its own, for a pldns that was started as root: first the state directory, then the process.

Does not know which user is the default (`process.sandbox.identity`).
"""

import contextlib
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from resolver.process.sandbox import identity
from resolver.process.sandbox.confine import harden
from resolver.supervisor.preflight import CannotStart

_OWN: Final = frozenset(("lock", "takeover", "inventory", "served", "admin", "tokens", "audit"))
"""Names in a state directory, without the version. Earlier versions of pldns locked a file `lock`."""

_PROGRAMS: Final = (sys.executable, os.__file__, msgspec.__file__, __file__)
"""One file each of the interpreter, its library, the libraries of pldns, and pldns."""

_log = logging.getLogger(__name__)


def meant(user: str) -> int:
    """Return the number of the user that this setting means; -1 where there is no user of that name."""
    try:
        return identity.account(user).user
    except identity.NoSuchUser:
        return -1


def become(user: str, *directories: str, public: str = "", query_log: str = "", group: int | None = None) -> None:
    """Become the user with this name or number (empty: the default), if this process is root. Raises `CannotStart`.

    `directories`: those that the user must be able to write. An empty text is ignored. `public`: another one, which
    others may enter. `query_log`: another one; the query log reports it where the user cannot write there. `group`: the
    number of a group that this process becomes a member of, so that it can give files to the group.
    """
    if os.geteuid() != 0:
        return
    try:
        account = identity.account(user)
    except identity.NoSuchUser as error:
        raise CannotStart(f"user: {error}") from None
    if account.user == 0:
        return
    if not user and not identity.exists(account):
        _log.info("staying the root of a user namespace, which has no user %d", account.user)
        return
    if group is not None:
        account = replace(account, groups=(*account.groups, group))
    try:
        for each in filter(None, directories):
            _give(Path(each), account, 0o700)
        if public:
            _give(Path(public), account, 0o755)
        if query_log:
            with contextlib.suppress(OSError):
                _give(Path(query_log), account, 0o700)
        identity.become(account)
        harden()  # a process becomes dumpable again when it changes its user
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise CannotStart(
            f"cannot become the user {account.name}: {reason}; this needs CAP_SETUID, CAP_SETGID and CAP_CHOWN, or the "
            "setting `user: root`"
        ) from None
    _check_programs(account)


def _check_programs(account: identity.Account) -> None:
    """Check that this process can still read Python and pldns: its children are executed from there."""
    for path in _PROGRAMS:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
            raise CannotStart(
                f"the user {account.name} cannot read {path}: {reason}; install Python and pldns where that user can "
                "read them, or set `user: root`"
            ) from None


def _give(directory: Path, account: identity.Account, mode: int) -> None:
    """Create a directory if it is missing, and give it with its files to the user.

    A directory that holds other things is left alone: only one that is empty or has a file of pldns is given.
    """
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode, parents=True)
    entries = list(os.scandir(directory))
    if entries and not any(entry.name.partition(".")[0] in _OWN for entry in entries):
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False):
            os.chown(entry.path, account.user, account.group, follow_symlinks=False)
    os.chown(directory, account.user, account.group)
