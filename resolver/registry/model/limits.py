"""Refuses a request that would go over one of Azure's limits. The figures are in `zones/azure/limits.py`.

A request beyond 100 % is refused. From 80 % on, some requests succeed with a warning: those that reach the next 5 %. So
a network that fills up causes a few lines in the log and not one for each endpoint.
"""

from typing import Final

from resolver.registry.model.failure import ArmFailure, bad_request
from zones.azure.limits import Limit


def check_limit(limit: Limit, used: int, where: str, added: int = 1) -> str | None:
    """Check that `added` more fit in a limit. Return a warning where they reach 80, 85, 90, 95 or 100 %, else None.

    `used` is the count before the request, `where` the id of the resource that has the limit. Raises `ArmFailure` 400
    `OperationNotAllowed`, Azure's code for a request that exceeds a quota.
    """
    if limit.is_over(used + added):
        raise _exceeded(limit, used, added, where)
    if limit.is_near(used + added) and _step(limit, used) < _step(limit, used + added):
        return f"{where} has {used + added:,} of the {limit.maximum:,} {limit.what} that a {limit.where} can have."
    return None


_STEPS: Final = 20
"""A warning for each 5 %."""


def _step(limit: Limit, used: int) -> int:
    return used * _STEPS // limit.maximum


def _exceeded(limit: Limit, used: int, added: int, where: str) -> ArmFailure:
    more = "no more can be added" if used >= limit.maximum else f"{added:,} more do not fit"
    return bad_request(
        "OperationNotAllowed",
        f"A {limit.where} can have {limit.maximum:,} {limit.what}. {where} has {used:,}, so that {more}. Delete some, "
        f"or use another {limit.where}.",
        where,
    )
