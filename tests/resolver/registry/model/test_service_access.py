"""Who can connect to a private link service, and whose connections it approves."""

import pytest

from resolver.registry.model.service_access import ServiceAccess
from tests.resolver.registry.model.refused import refused


@pytest.mark.parametrize(
    ("visibility", "auto_approval", "visible", "approved"),
    [
        ([], [], False, False),
        (["*"], [], True, False),
        (["sub"], [], True, False),
        (["SUB"], ["Sub"], True, True),
        (["*"], ["sub"], True, True),
        (["*"], ["*"], True, True),
        (["other"], ["other"], False, False),
    ],
)
def test_who_sees_the_service_and_whose_connections_it_approves(
    *, visibility: list[str], auto_approval: list[str], visible: bool, approved: bool
) -> None:
    access = ServiceAccess.of(visibility, auto_approval)
    assert access.is_visible_to("sub") is visible
    assert access.approves("Sub") is approved


def test_a_subscription_that_is_approved_must_be_visible() -> None:
    with refused("InvalidRequestContent", "'two'", "visibility"):
        ServiceAccess.of(["one"], ["one", "two"])
    with refused("InvalidRequestContent", "'*'"):
        ServiceAccess.of(["one"], ["*"])


@pytest.mark.parametrize("lists", [("visibility", 101, 0), ("autoApproval", 100, 101)])
def test_a_list_has_100_subscriptions_at_most(lists: tuple[str, int, int]) -> None:
    _, visible, approved = lists
    ServiceAccess.of([f"s{n}" for n in range(100)], [f"s{n}" for n in range(100)])
    with refused("InvalidRequestContent", "101 subscriptions", "100"):
        ServiceAccess.of(
            [f"s{n}" for n in range(visible)] if not approved else ["*"], [f"s{n}" for n in range(approved)]
        )
