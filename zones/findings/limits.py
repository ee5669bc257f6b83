"""The finding about a VNet, a subscription or a target that uses much of one of Azure's limits."""

from collections.abc import Iterator
from typing import Final

from msgspec import structs

from zones.findings.endpoint_evidence import LimitNear, UsedLimit
from zones.findings.finding import Finding, finding


def of_limits(subject: str, used: tuple[UsedLimit, ...]) -> Iterator[Finding]:
    """The finding about the limits of one subject of which 80 % or more are used."""
    if used:
        fact = finding(subject, LimitNear(limits=used))
        beyond = any(each.used > each.maximum for each in used)
        yield structs.replace(fact, action=_BEYOND) if beyond else fact


_BEYOND: Final = "all endpoints are served; beyond this limit Azure may lose connections without an error"
