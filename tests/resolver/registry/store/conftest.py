"""A PostgreSQL server for the tests of this folder. A test that kills it starts it again."""

from collections.abc import Iterator

import pytest

from tests.postgres_server import PostgresServer


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with PostgresServer.running() as running:
        yield running
