"""What the resources of the registry are for the estate: one part of the source for each endpoint and each network.

The parts are read as Azure's own JSON is. Does not know HTTP, and how the estate uses a part.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from resolver.registry.service.call import ENDPOINT, VNET
from resolver.registry.service.endpoint_dns import ZONE_GROUPS
from resolver.registry.service.virtual_networks import PEERINGS
from resolver.registry.store.row import Json, Row
from resolver.registry.store.transaction import Transaction
from zones.azure import arm
from zones.azure.resource import Resources

Changes = dict[str, Resources | None]
"""Resources by the name of the part, which is the folded id of an endpoint or a network; None: the part is gone."""

_ENDPOINT: Final = ENDPOINT.casefold()
_VNET: Final = VNET.casefold()
_OWNED: Final = (ZONE_GROUPS.casefold(), PEERINGS.casefold())


def changes(tx: Transaction, changed: Mapping[str, str]) -> Changes:
    """Return the parts that changed rows are in. `changed`: the types of the rows, by key."""
    keys = {key for key, kind in changed.items() if kind in {_ENDPOINT, _VNET}}
    keys |= {key.rpartition("/")[0].rpartition("/")[0] for key, kind in changed.items() if kind in _OWNED}
    return {key: _part(tx, row) if (row := tx.get(key)) else None for key in sorted(keys)}


def everything(tx: Transaction) -> dict[str, Resources]:
    """Return all parts."""
    rows = [*tx.all_of(_VNET), *tx.all_of(_ENDPOINT)]
    return {row.key: _part(tx, row) for row in rows}


def _part(tx: Transaction, row: Row) -> Resources:
    body = row.json
    found = [body]
    if row.type == _VNET:
        peerings = tx.children(row.key, PEERINGS.casefold())
        body["properties"]["virtualNetworkPeerings"] = [each.json for each in peerings]
    else:
        found += [nic.json for each in body["properties"]["networkInterfaces"] if (nic := _nic(tx, each))]
        found += [each.json for each in tx.children(row.key, ZONE_GROUPS.casefold())]
    return arm.read(msgspec.json.encode({"value": found}), row.id, form="json")


def _nic(tx: Transaction, reference: Json) -> Row | None:
    return tx.get(reference["id"].casefold())
