"""The states of a connection: who may change them, and what both sides show."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from resolver.registry.model.connection import Action, Approval, Connection, Side, action_of, approval
from resolver.registry.model.failure import ArmFailure
from tests.resolver.registry.model.refused import refused
from zones.azure.endpoint import ConnectionState

OWNER, CONSUMER = Side.OWNER, Side.CONSUMER
PENDING = Connection.requested(Approval.NONE, "Please approve my connection.")
APPROVED = Connection.requested(Approval.BY_CALLER)
REJECTED = Connection(ConnectionState.REJECTED, "no")
DISCONNECTED = Connection(ConnectionState.DISCONNECTED, "gone")
CONNECTED = [PENDING, APPROVED, REJECTED]


def acted(one: Connection, side: Side, action: Action, description: str | None = None) -> Connection:
    found = one.after(side, action, description=description)
    assert found is not None
    return found


@pytest.mark.parametrize("before", CONNECTED, ids=lambda one: one.state)
@pytest.mark.parametrize(
    ("action", "after"),
    [
        (Action.APPROVE, ConnectionState.APPROVED),
        (Action.REJECT, ConnectionState.REJECTED),
        (Action.REMOVE, ConnectionState.DISCONNECTED),
    ],
)
def test_the_owner_can_change_every_state_that_it_has(
    before: Connection, action: Action, after: ConnectionState
) -> None:
    found = acted(before, OWNER, action, "because")
    assert found.shown() == {"status": after.value, "description": "because", "actionsRequired": "None"}
    assert found.request_message == before.request_message


@pytest.mark.parametrize("action", [Action.APPROVE, Action.REJECT, Action.REMOVE])
def test_the_owner_does_not_have_a_connection_any_more_that_it_removed(action: Action) -> None:
    with refused("NotFound", "was removed", status=404):
        DISCONNECTED.after(OWNER, action)


def test_a_disconnected_endpoint_can_only_be_deleted() -> None:
    with refused("PrivateEndpointCannotBeUpdatedInDisconnectedState", "only be deleted"):
        DISCONNECTED.after(CONSUMER, Action.UPDATE)
    assert DISCONNECTED.after(CONSUMER, Action.DELETE) is None


@pytest.mark.parametrize("before", CONNECTED, ids=lambda one: one.state)
def test_an_update_by_the_consumer_does_not_change_the_state(before: Connection) -> None:
    assert before.after(CONSUMER, Action.UPDATE) == before


@pytest.mark.parametrize("before", [*CONNECTED, DISCONNECTED], ids=lambda one: one.state)
@pytest.mark.parametrize(
    ("side", "action"),
    [
        (CONSUMER, Action.APPROVE),
        (CONSUMER, Action.REJECT),
        (CONSUMER, Action.REMOVE),
        (OWNER, Action.UPDATE),
        (OWNER, Action.DELETE),
    ],
)
def test_what_belongs_to_the_other_side_is_forbidden_in_every_state(
    before: Connection, side: Side, action: Action
) -> None:
    with refused("AuthorizationFailed", "Only the owner", status=403):
        before.after(side, action)


@pytest.mark.parametrize(
    ("manual", "may_approve", "listed", "how"),
    [
        (False, True, False, Approval.BY_CALLER),
        (False, False, False, Approval.NONE),
        (True, True, False, Approval.NONE),
        (True, False, True, Approval.BY_SUBSCRIPTION),
        (False, False, True, Approval.BY_SUBSCRIPTION),
    ],
)
def test_who_approves_a_new_connection(*, manual: bool, may_approve: bool, listed: bool, how: Approval) -> None:
    assert approval(manual=manual, caller_may_approve=may_approve, subscription_is_listed=listed) is how


def test_a_new_connection_shows_what_azures_examples_show() -> None:
    assert APPROVED.shown() == {"status": "Approved", "description": "Auto-approved", "actionsRequired": "None"}
    assert PENDING.shown() == {"status": "Pending", "description": "Awaiting approval", "actionsRequired": "None"}


def test_the_request_message_has_140_characters_at_most() -> None:
    assert Connection.requested(Approval.NONE, "x" * 140).with_message("y" * 140).request_message == "y" * 140
    with refused("InvalidRequestContent", "141 characters", "140"):
        Connection.requested(Approval.NONE, "x" * 141)
    with refused("InvalidRequestContent", "141 characters"):
        PENDING.with_message("x" * 141)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("Approved", Action.APPROVE),
        ("approved", Action.APPROVE),
        ("Rejected", Action.REJECT),
        ("Removed", Action.REMOVE),
        ("Disconnected", Action.REMOVE),
    ],
)
def test_the_status_that_an_owner_writes_is_an_action(status: str, action: Action) -> None:
    assert action_of(status) is action


@pytest.mark.parametrize("status", ["", "Pending", "Connected", "yes", "x" * 500])
def test_another_status_is_refused(status: str) -> None:
    with refused("InvalidRequestContent", "Approved or Rejected"):
        action_of(status)


class Connections(RuleBasedStateMachine):
    """Owners and consumers act at random on several endpoints of one target, each with what it may see.

    The model is two plain dictionaries: what the owner lists, and what the consumers' endpoints show.
    """

    ends = Bundle("ends")

    def __init__(self) -> None:
        super().__init__()
        self.connections: dict[int, Connection] = {}
        self.of_owner: dict[int, str] = {}
        self.of_consumer: dict[int, str] = {}
        self.created = 0

    @initialize(target=ends)
    def one_at_least(self) -> int:
        return self._create(Approval.NONE)

    def _create(self, how: Approval) -> int:
        self.created += 1
        self.connections[self.created] = Connection.requested(how)
        status = "Pending" if how is Approval.NONE else "Approved"
        self.of_owner[self.created] = self.of_consumer[self.created] = status
        return self.created

    @rule(target=ends, how=st.sampled_from(Approval))
    def create(self, how: Approval) -> int:
        return self._create(how)

    @rule(end=ends, side=st.sampled_from(Side), action=st.sampled_from(Action))
    def act(self, end: int, side: Side, action: Action) -> None:
        """Do anything, allowed or not, to an endpoint that may be gone."""
        if (one := self.connections.get(end)) is None:
            return
        status, after = 200, None
        try:
            after = one.after(side, action)
        except ArmFailure as failure:
            status, after = failure.status, one
        assert status == self._expected(end, side, action)
        if after is None:
            del self.connections[end]
        else:
            self.connections[end] = after

    def _expected(self, end: int, side: Side, action: Action) -> int:
        """Return the status of the answer, and change the two dictionaries as the documentation says."""
        owns = action in (Action.APPROVE, Action.REJECT, Action.REMOVE)
        if owns != (side is OWNER):
            return 403
        if action is Action.DELETE:
            self.of_owner.pop(end, None)
            del self.of_consumer[end]
            return 200
        if owns and end not in self.of_owner:
            return 404
        if action is Action.UPDATE:
            return 400 if self.of_consumer[end] == "Disconnected" else 200
        if action is Action.REMOVE:
            del self.of_owner[end]
            self.of_consumer[end] = "Disconnected"
        else:
            self.of_owner[end] = self.of_consumer[end] = "Approved" if action is Action.APPROVE else "Rejected"
        return 200

    @invariant()
    def each_side_shows_what_the_documentation_says(self) -> None:
        assert {end: one.shown()["status"] for end, one in self.connections.items()} == self.of_consumer
        assert {
            end: one.shown()["status"] for end, one in self.connections.items() if one.owner_has_it
        } == self.of_owner

    @invariant()
    def only_approved_connections_carry_traffic(self) -> None:
        for end, one in self.connections.items():
            assert one.carries_traffic == (self.of_consumer[end] == "Approved")


TestConnections = Connections.TestCase
TestConnections.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_each_refusal_is_an_error_of_its_own() -> None:
    """An error that is raised twice would keep what both requests had in their frames."""
    gone = Connection(ConnectionState.DISCONNECTED, "")
    errors = []
    for side, action in ((Side.OWNER, Action.APPROVE), (Side.CONSUMER, Action.UPDATE)):
        for _ in range(2):
            with pytest.raises(ArmFailure) as raised:
                gone.after(side, action)
            errors.append(raised.value)
    assert len({id(each) for each in errors}) == 4
