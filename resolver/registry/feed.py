"""What the resources of the registry are for the estate: one part of the source for each endpoint and each network.

The parts are read as Azure's own JSON is. Does not know HTTP, and how the estate uses a part.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from resolver.registry.service.call import ENDPOINT, VNET
from resolver.registry.service.endpoint_dns import ZONE_GROUPS
from resolver.registry.service.virtual_networks import PEERINGS
from resolver.registry.store.row import Family
from resolver.registry.store.transaction import Transaction
from zones.azure import arm
from zones.azure.resource import Resources

Changes = dict[str, Resources | None]
"""Resources by the name of the part, which is the folded id of an endpoint or a network; None: the part is gone."""

_ENDPOINT: Final = ENDPOINT.casefold()
_VNET: Final = VNET.casefold()
_PEERINGS: Final = PEERINGS.casefold()
_OWNED: Final = (ZONE_GROUPS.casefold(), _PEERINGS)


def changes(tx: Transaction, changed: Mapping[str, str]) -> Changes:
    """Return the parts that changed rows are in. `changed`: the types of the rows, by key."""
    keys = {key for key, kind in changed.items() if kind in {_ENDPOINT, _VNET}}
    keys |= {key.rpartition("/")[0].rpartition("/")[0] for key, kind in changed.items() if kind in _OWNED}
    found: Changes = {}
    for key in sorted(keys):
        row = tx.get(key)
        found[key] = None if row is None else (_vnet if row.type == _VNET else _endpoint)(tx.family(row))
    return found


def differences(tx: Transaction, had: Mapping[str, Resources]) -> Changes:
    """Return the parts that differ from those that the estate had, by name. One part is made at a time."""
    found: Changes = dict.fromkeys(had)
    for kind, part_of in ((_VNET, _vnet), (_ENDPOINT, _endpoint)):
        for family in tx.families(kind):
            part = part_of(family)
            if had.get(family.key) == part:
                del found[family.key]
            else:
                found[family.key] = part
    return found


def _vnet(family: Family) -> Resources:
    body = msgspec.json.decode(family.body)
    peerings = [msgspec.json.decode(child) for kind, child in family.children if kind == _PEERINGS]
    body["properties"]["virtualNetworkPeerings"] = peerings
    return arm.rows([msgspec.json.encode(body)], family.id)


def _endpoint(family: Family) -> Resources:
    """Return an endpoint with its network interface and its zone group, which are its children."""
    return arm.rows([family.body, *(child for _, child in family.children)], family.id)
