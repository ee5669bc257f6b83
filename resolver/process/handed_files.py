"""Contents of files that the supervisor reads for its workers: certificates, keys and cookie secrets.

A worker can open no file. Does not know when the files are read, or what is in them.
"""

import os

import msgspec

Contents = dict[str, bytes]
"""What is in each file, by its path."""


def hand(contents: Contents) -> int:
    """Return a new descriptor from which `take` reads the contents, in this process or in another one."""
    descriptor = os.memfd_create("files")
    with open(descriptor, "wb", closefd=False) as file:
        file.write(msgspec.msgpack.encode(contents))
    return descriptor


def take(descriptor: int) -> Contents:
    """Return the contents, and close the descriptor."""
    with open(descriptor, "rb") as file:
        file.seek(0)
        return msgspec.msgpack.decode(file.read(), type=Contents)
