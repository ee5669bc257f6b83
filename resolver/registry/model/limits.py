"""Refuses a request that would go over one of Azure's limits. The figures are in `zones/azure/limits.py`.

From 80 % of a limit on the request succeeds with a warning; a request beyond 100 % is refused.
"""

from resolver.registry.model.failure import ArmFailure, bad_request
from zones.azure.limits import Limit


def check_limit(limit: Limit, used: int, where: str, added: int = 1) -> str | None:
    """Check that `added` more fit in a limit. Return a warning where 80 % or more are used with them, else None.

    `used` is the count before the request, `where` the id of the resource that has the limit. Raises `ArmFailure` 400
    `OperationNotAllowed`, Azure's code for a request that exceeds a quota.
    """
    if limit.is_over(used + added):
        raise _exceeded(limit, used, added, where)
    if limit.is_near(used + added):
        return f"{where} has {used + added:,} of the {limit.maximum:,} {limit.what} that a {limit.where} can have."
    return None


def _exceeded(limit: Limit, used: int, added: int, where: str) -> ArmFailure:
    more = "no more can be added" if used >= limit.maximum else f"{added:,} more do not fit"
    return bad_request(
        "OperationNotAllowed",
        f"A {limit.where} can have {limit.maximum:,} {limit.what}. {where} has {used:,}, so that {more}. Delete some, "
        f"or use another {limit.where}.",
        where,
    )
