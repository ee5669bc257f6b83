"""Long-running operations: the registry has always ended one when it answers, and says so where the client looks.

Does not know what an operation does.
"""

from typing import Final, NamedTuple

from resolver.registry.arm.reply import Reply
from resolver.registry.arm.request import Asked
from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.resource_id import ArmId
from resolver.registry.service.call import Call

KEPT: Final = 86_400.0
"""Seconds for which the result of an operation can be read."""


class Ended(NamedTuple):
    """An operation that has ended."""

    guid: str
    subscription: str
    location: str

    def headers(self, origin: str, version: str) -> dict[str, str]:
        """Return the headers that say where the state of the operation is."""
        return {"Azure-AsyncOperation": self._url(origin, version, "operations"), "Retry-After": "1"}

    def result(self, origin: str, version: str) -> dict[str, str]:
        """Return the header that says where the result of a deletion is."""
        return {"Location": self._url(origin, version, "operationResults")}

    def _url(self, origin: str, version: str, kind: str) -> str:
        base = f"{origin}/subscriptions/{self.subscription}/providers/Microsoft.Network/locations/{self.location}"
        return f"{base}/{kind}/{self.guid}?api-version={version}"


def ended(call: Call, found: ArmId, location: str | None = None) -> Ended:
    """Note that an operation on a resource has ended."""
    guid = call.new_guid()
    call.tx.forget_operations(call.now - KEPT)
    call.tx.end_operation(guid, found.subscription.casefold(), call.now)
    return Ended(guid, found.subscription, location or call.settings.locations[0])


def status(asked: Asked, call: Call) -> Reply:
    """Return the state of an operation. Raises `ArmFailure` 404."""
    operation = _known(asked, call)
    return Reply(200, {"id": asked.url.path, "name": operation, "status": "Succeeded"})


def result(asked: Asked, call: Call) -> Reply:
    """Return the result of a deletion, which has no body. Raises `ArmFailure` 404."""
    _known(asked, call)
    return Reply(204)


def _known(asked: Asked, call: Call) -> str:
    operation = asked.path["operation"]
    if not call.tx.has_operation(operation, asked.subscription):
        raise ArmFailure(404, "OperationNotFound", f"There is no operation {operation[:60]!r}, or it ended long ago.")
    return operation
