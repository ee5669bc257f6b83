"""The shares of descriptors, and counting them."""

import os
import socket

from hypothesis import given
from hypothesis import strategies as st

from resolver.process import open_files
from resolver.process.open_files import OpenFiles


def test_clients_cannot_take_the_share_of_upstream_sockets() -> None:
    assert open_files.shares(64, 18, 1000) == OpenFiles(24, 14)
    assert open_files.shares(1024, 16, 1000) == OpenFiles(625, 375)


def test_upstream_sockets_get_what_clients_do_not_need() -> None:
    assert open_files.shares(20_008, 0, 1000) == OpenFiles(1000, 19_000)


@given(st.integers(1, 1 << 20), st.integers(0, 1 << 10), st.integers(1, 100_000))
def test_each_share_has_a_descriptor_and_the_shares_fit(limit: int, held: int, clients: int) -> None:
    files = open_files.shares(limit, held, clients)
    assert min(files) >= 1
    assert sum(files) <= max(2, limit - held)
    assert files.clients <= clients


def test_open_descriptors_are_counted() -> None:
    before = open_files.held()
    pair = socket.socketpair()
    assert open_files.held() == before + 2
    for each in pair:
        os.close(each.detach())
    assert open_files.held() == before
