"""A PostgreSQL server for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def first_server() -> Iterator[PostgresServer]:
    with PostgresServer.running() as running:
        yield running


@pytest.fixture
def server(first_server: PostgresServer) -> PostgresServer:
    """The server, started again where the test before has left it dead."""
    if not first_server.is_running:
        first_server.start()
    return first_server
