"""The connection of a private endpoint to its target: its states, and who may change them.

The consumer owns the private endpoint. The owner owns the target (the private-link resource) and approves, rejects or
removes connections, at any time and in any state. Both sides show the same state. After the owner has removed a
connection the owner no longer has it, and the consumer's endpoint is Disconnected: it can only be deleted. Source:
learn.microsoft.com/azure/private-link/private-endpoint-overview and manage-private-endpoint.

Does not know resources, rights and names: the caller has found out which side it is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from resolver.registry.model.failure import ArmFailure, bad_request
from zones.azure.endpoint import ConnectionState

MAX_REQUEST_MESSAGE: Final = 140
"""Characters of a `requestMessage`."""
NO_ACTION: Final = "None"


class Side(StrEnum):
    """Who acts on a connection."""

    OWNER = "owner"
    """Who owns the target."""
    CONSUMER = "consumer"
    """Who owns the private endpoint."""


class Action(StrEnum):
    """What a side does."""

    APPROVE = "approve"
    """Owner: PUT of the connection with the status Approved."""
    REJECT = "reject"
    """Owner: PUT of the connection with the status Rejected."""
    REMOVE = "remove"
    """Owner: DELETE of the connection, or of the target itself."""
    UPDATE = "update"
    """Consumer: PUT of a private endpoint that exists, or PATCH of its tags."""
    DELETE = "delete"
    """Consumer: DELETE of the private endpoint."""


_SIDE_OF: Final = {
    Action.APPROVE: Side.OWNER,
    Action.REJECT: Side.OWNER,
    Action.REMOVE: Side.OWNER,
    Action.UPDATE: Side.CONSUMER,
    Action.DELETE: Side.CONSUMER,
}


class Approval(StrEnum):
    """Why a new connection is approved without an action of the owner, or that it is not."""

    BY_CALLER = "caller"
    """The caller asks for an automatic connection and holds `…/privateEndpointConnectionsApproval/action`."""
    BY_SUBSCRIPTION = "subscription"
    """The private link service approves all connections from the endpoint's subscription."""
    NONE = "none"


def approval_action(resource_type: str) -> str:
    """Return the permission on a target with which a caller's automatic connection is approved at once."""
    return f"{resource_type}/privateEndpointConnectionsApproval/action"


def approval(*, manual: bool, caller_may_approve: bool, subscription_is_listed: bool) -> Approval:
    """Return how a new connection is approved.

    `manual`: the connection is in `manualPrivateLinkServiceConnections`. Such a request waits for the owner although
    the caller may approve; the list of a private link service (`autoApproval`) approves both kinds.
    """
    if subscription_is_listed:
        return Approval.BY_SUBSCRIPTION
    return Approval.BY_CALLER if caller_may_approve and not manual else Approval.NONE


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection in one state. The side that changed the state last wrote `description` and `actions_required`."""

    state: ConnectionState
    description: str
    actions_required: str = NO_ACTION
    request_message: str = ""

    @classmethod
    def requested(cls, how: Approval, request_message: str = "") -> Self:
        """Return a new connection: Approved where `how` says so, else Pending until the owner acts.

        Raises `ArmFailure` 400 for a request message of more than 140 characters.
        """
        _check_message(request_message)
        if how is Approval.NONE:
            return cls(ConnectionState.PENDING, "Awaiting approval", NO_ACTION, request_message)
        return cls(ConnectionState.APPROVED, "Auto-approved", NO_ACTION, request_message)

    @property
    def carries_traffic(self) -> bool:
        """True for Approved, the only state in which the names of the endpoint are answered."""
        return self.state is ConnectionState.APPROVED

    @property
    def owner_has_it(self) -> bool:
        """True until the owner removes the connection: then only the consumer's endpoint still shows it."""
        return self.state is not ConnectionState.DISCONNECTED

    def shown(self) -> dict[str, str]:
        """Return the `privateLinkServiceConnectionState`, which both sides show."""
        return {
            "status": self.state.value,
            "description": self.description,
            "actionsRequired": self.actions_required,
        }

    def after(
        self, side: Side, action: Action, *, description: str | None = None, actions_required: str | None = None
    ) -> Self | None:
        """Return the connection after an action; None after the consumer has deleted the endpoint.

        The texts are the owner's; without a text, the connection gets one of Azure's. Raises `ArmFailure`: 403 for an
        action of the other side, 404 for an action of the owner on a connection that it removed, and 400 for an update
        of a Disconnected endpoint.
        """
        if side is not _SIDE_OF[action]:
            raise ArmFailure(403, "AuthorizationFailed", _NOT_YOURS[action])
        if action is Action.DELETE:
            return None
        if not self.owner_has_it:
            raise _gone_for_consumer() if action is Action.UPDATE else _gone_for_owner()
        if action is Action.UPDATE:
            return self
        state, text = _AFTER[action]
        return replace(
            self,
            state=state,
            description=text if description is None else description,
            actions_required=NO_ACTION if actions_required is None else actions_required,
        )

    def with_message(self, request_message: str) -> Self:
        """Return the connection with another request message of the consumer.

        Raises `ArmFailure` 400 for more than 140 characters.
        """
        _check_message(request_message)
        return replace(self, request_message=request_message)


_AFTER: Final = {
    Action.APPROVE: (ConnectionState.APPROVED, "Approved"),
    Action.REJECT: (ConnectionState.REJECTED, "Rejected"),
    Action.REMOVE: (ConnectionState.DISCONNECTED, "The owner of the private-link resource removed the connection"),
}
_NOT_YOURS: Final = {
    Action.APPROVE: "Only the owner of the private-link resource can approve a connection. Ask the owner.",
    Action.REJECT: "Only the owner of the private-link resource can reject a connection. To end the connection, "
    "delete the private endpoint.",
    Action.REMOVE: "Only the owner of the private-link resource can remove a connection. To end the connection, "
    "delete the private endpoint.",
    Action.UPDATE: "Only the owner of the private endpoint can change the endpoint.",
    Action.DELETE: "Only the owner of the private endpoint can delete the endpoint. To end the connection, remove the "
    "private endpoint connection.",
}


def action_of(status: str) -> Action:
    """Return the owner's action that a PUT of a connection asks for by its `status`. Case does not matter.

    `Removed` and `Disconnected` remove the connection. Raises `ArmFailure` 400 for another status.
    """
    found = _BY_STATE.get(ConnectionState.read(status))
    if found is None:
        raise bad_request(
            "InvalidRequestContent",
            f"{status[:40]!r} is not a status that the owner of a private-link resource can set. Write Approved or "
            "Rejected; to remove the connection, delete it.",
            "properties.privateLinkServiceConnectionState.status",
        )
    return found


_BY_STATE: Final = {
    ConnectionState.APPROVED: Action.APPROVE,
    ConnectionState.REJECTED: Action.REJECT,
    ConnectionState.DISCONNECTED: Action.REMOVE,
}


def _check_message(text: str) -> None:
    if len(text) > MAX_REQUEST_MESSAGE:
        raise bad_request(
            "InvalidRequestContent",
            f"The request message has {len(text)} characters. It can have {MAX_REQUEST_MESSAGE} at most.",
            "requestMessage",
        )


def _gone_for_consumer() -> ArmFailure:
    return bad_request(
        "PrivateEndpointCannotBeUpdatedInDisconnectedState",
        "The owner of the private-link resource removed the connection, so the private endpoint is Disconnected. It "
        "can only be deleted. To connect again, delete the endpoint and create a new one.",
    )


def _gone_for_owner() -> ArmFailure:
    return ArmFailure(
        404,
        "NotFound",
        "The private endpoint connection does not exist: it was removed. The consumer must delete the private endpoint "
        "and create a new one to connect again.",
    )
