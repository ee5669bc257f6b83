"""Which subscriptions a private link service is visible to, and whose connections it approves by itself.

`visibility` is nobody (only callers with a role on the service), a list of subscriptions, or everybody who has the
alias (`*`). `autoApproval` is a part of `visibility`; a visible subscription that is not in it gets a Pending
connection. Source: learn.microsoft.com/azure/private-link/private-link-service-overview, "Control service access".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from resolver.registry.model.failure import bad_request
from zones.azure.limits import Limit

EVERYBODY: Final = "*"


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """The two lists of a private link service, as folded ids of subscriptions or `*`."""

    visibility: frozenset[str] = frozenset()
    auto_approval: frozenset[str] = frozenset()

    @classmethod
    def of(cls, visibility: Sequence[str], auto_approval: Sequence[str]) -> Self:
        """Return the access that the `subscriptions` of `visibility` and of `autoApproval` in a body describe.

        Raises `ArmFailure` 400 where a list is too long or where a subscription is approved but not visible.
        """
        found = cls(_folded(visibility), _folded(auto_approval))
        for path, each in (("visibility", found.visibility), ("autoApproval", found.auto_approval)):
            limit = Limit.SUBSCRIPTIONS_PER_SERVICE_LIST
            if len(each) > limit.maximum:
                raise bad_request(
                    "InvalidRequestContent",
                    f"The list has {len(each)} subscriptions. It can have {limit.maximum} at most.",
                    f"properties.{path}.subscriptions",
                )
        if EVERYBODY not in found.visibility and (hidden := sorted(found.auto_approval - found.visibility)):
            raise bad_request(
                "InvalidRequestContent",
                f"The service approves connections of {', '.join(map(repr, hidden[:3]))}, to whom it is not visible. "
                "Add each subscription of autoApproval to visibility too.",
                "properties.autoApproval.subscriptions",
            )
        return found

    def is_visible_to(self, subscription: str) -> bool:
        """Return whether users of a subscription can connect by the alias, without a role on the service."""
        return EVERYBODY in self.visibility or subscription.casefold() in self.visibility

    def approves(self, subscription: str) -> bool:
        """Return whether connections of endpoints in a subscription are approved without an action of the owner."""
        return EVERYBODY in self.auto_approval or subscription.casefold() in self.auto_approval


def _folded(subscriptions: Sequence[str]) -> frozenset[str]:
    return frozenset(each.strip().casefold() for each in subscriptions)
