"""Who may use the Unix socket."""

import os
import socket

import pytest

from resolver.admin.access import peers
from resolver.admin.access.identity import Role
from resolver.admin.access.peers import Peer

STRANGER = 65_534
GROUP = 4242


def test_the_kernel_says_who_connected() -> None:
    one, two = socket.socketpair(socket.AF_UNIX)
    with one, two:
        found = peers.peer(one)
    assert found.user == os.geteuid()
    assert found.groups == {os.getegid(), *os.getgroups()}


@pytest.mark.parametrize(
    ("peer", "group", "allowed"),
    [
        (Peer(0, frozenset({0})), None, True),
        (Peer(os.geteuid(), frozenset()), None, True),
        (Peer(STRANGER, frozenset({GROUP, 7})), GROUP, True),
        (Peer(STRANGER, frozenset({GROUP, 7})), None, False),
        (Peer(STRANGER, frozenset({7})), GROUP, False),
        (Peer(STRANGER, frozenset({0})), GROUP, False),
    ],
)
def test_root_the_own_user_and_the_group_are_admins(peer: Peer, group: int | None, allowed: bool) -> None:
    found = peers.identity(peer, group)
    assert (found is not None) == allowed
    assert found is None or found.role is Role.ADMIN


def test_users_are_named_for_people() -> None:
    found = peers.identity(Peer(0, frozenset()), None)
    assert found
    assert found.name == "user root (0)"
    unknown = peers.identity(Peer(4_000_000_000, frozenset({GROUP})), GROUP)
    assert unknown
    assert unknown.name == "user 4000000000"
