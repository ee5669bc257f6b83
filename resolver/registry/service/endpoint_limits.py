"""Azure's limits that a new private endpoint counts towards: those of its virtual network, subscription and target.

Azure does not refuse endpoints beyond the limit of peered virtual networks, so the registry does not either. The
finding `limit-near` reports these too: `zones/ledger/limit_use.py` counts for it.
"""

from resolver.registry.model.resource_id import ArmId
from resolver.registry.service import connections
from resolver.registry.service.call import ENDPOINT, Call
from resolver.registry.service.virtual_networks import limit_of_endpoints
from resolver.registry.store.row import Row
from zones.azure.limits import LIMITS_OF_TARGETS, Limit, slot_of


def check(call: Call, found: ArmId, vnet: Row, target: Row, groups: tuple[str, ...]) -> None:
    """Check that one more endpoint fits. Raises `ArmFailure` 400 `OperationNotAllowed`."""
    kind = ENDPOINT.casefold()
    of_subscription = call.tx.count(kind, found.subscription.casefold())
    call.check_limit(Limit.ENDPOINTS_PER_SUBSCRIPTION, of_subscription, f"/subscriptions/{found.subscription}")
    call.check_limit(limit_of_endpoints(vnet), call.tx.count(kind, vnet.key), vnet.id)
    if limit := LIMITS_OF_TARGETS.get(target.type):
        call.check_limit(limit, _connected(call, limit, target, groups), target.id)


def _connected(call: Call, limit: Limit, target: Row, groups: tuple[str, ...]) -> int:
    """Return the number of connections that a target has; of an app, those to the same slot."""
    if limit is not Limit.ENDPOINTS_PER_APP_SLOT:
        return call.tx.connections_to(target.key)
    slots = (slot_of(each.json["properties"]["groupIds"]) for each in connections.of_target(call, target))
    return sum(each == slot_of(groups) for each in slots)
