"""The tables of the registry, as numbered migrations.

A migration is never edited after a release: a change is a new one at the end. The statements are in the part of SQL
that SQLite and PostgreSQL share.
"""

from typing import Final

MIGRATIONS: Final = (
    """
    CREATE TABLE resources (
        key TEXT PRIMARY KEY,
        id TEXT NOT NULL,
        type TEXT NOT NULL,
        name TEXT NOT NULL,
        subscription TEXT NOT NULL,
        parent TEXT NOT NULL,
        network TEXT NOT NULL,
        serial BIGINT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX resources_by_type ON resources (type, subscription, key);
    CREATE INDEX resources_by_name ON resources (name, type, subscription);
    CREATE INDEX resources_by_parent ON resources (parent, type, key);
    CREATE TABLE counts (
        scope TEXT NOT NULL,
        type TEXT NOT NULL,
        number BIGINT NOT NULL,
        PRIMARY KEY (scope, type)
    );
    CREATE TABLE addresses (
        subnet TEXT NOT NULL,
        address TEXT NOT NULL,
        holder TEXT NOT NULL,
        released DOUBLE PRECISION,
        PRIMARY KEY (subnet, address)
    );
    CREATE INDEX addresses_by_holder ON addresses (holder);
    CREATE INDEX addresses_released ON addresses (released) WHERE released IS NOT NULL;
    CREATE TABLE connections (
        endpoint TEXT PRIMARY KEY,
        connection TEXT NOT NULL UNIQUE,
        target TEXT NOT NULL
    );
    CREATE INDEX connections_by_target ON connections (target);
    CREATE TABLE aliases (alias TEXT PRIMARY KEY, service TEXT NOT NULL UNIQUE);
    CREATE TABLE operations (id TEXT PRIMARY KEY, subscription TEXT NOT NULL, ended DOUBLE PRECISION NOT NULL);
    CREATE INDEX operations_by_end ON operations (ended);
    CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE readings (source TEXT NOT NULL, part TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (source, part));
    """,
)
"""The script of each version, the first one first. `facts` has single values: the version, the serial, the key of
tokens. `counts` has the number of resources of a type in a subscription, and of private endpoints in a virtual network:
to count rows takes longer the more there are. `addresses.address` is written so that the order of texts is the order of
addresses.
"""
