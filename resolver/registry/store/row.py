"""A resource as the registry stores it: its identity, and its body as clients read it."""

from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]
"""An object of JSON."""


class Row(NamedTuple):
    """One resource. Everything but `id` and `body` is folded, so that it can be compared.

    `parent` is the key of the resource that this one is a child of; empty for a resource of a group. `network` is the
    key of the virtual network that a private endpoint is in; empty for other types. `serial` is the number of the
    transaction that wrote the row last.
    """

    key: str
    id: str
    type: str
    name: str
    subscription: str
    parent: str
    network: str
    serial: int
    body: str

    @property
    def json(self) -> Json:
        """The body, decoded. Each call returns another object, which the caller may change."""
        decoded: Json = msgspec.json.decode(self.body)
        return decoded

    @property
    def etag(self) -> str:
        """The ETag of this version."""
        return etag_of(self.serial)


class Family(NamedTuple):
    """A resource with its children: their types, folded, and their bodies."""

    key: str
    id: str
    body: str
    children: list[tuple[str, str]]


def etag_of(serial: int) -> str:
    """Return the ETag of a resource that was written last by this transaction, in Azure's form."""
    return f'W/"00000000-0000-4000-8000-{serial:012x}"'
