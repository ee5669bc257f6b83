"""Which services of a picture are open, and how many endpoints of each are drawn.

A small estate shows every endpoint. Of a large one, a person opens services. Does not know what an endpoint is. Pure.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

ENDPOINTS: Final = 400
"""Most endpoints of all open services together."""
FOCUSED: Final = 72
"""Endpoints of the service in focus that are drawn even where many services are open."""
AT_A_GLANCE: Final = 400
"""Where the services of a picture have no more endpoints than this, each is open unless somebody closes it."""


class Detail(StrEnum):
    """What a picture shows."""

    SERVICES = "services"
    """Services with their counts; only some are open."""
    ENDPOINTS = "endpoints"
    """Every service is open, except those that somebody has closed."""


def usual_detail(endpoints: int) -> Detail:
    """Return what a picture of so many endpoints shows, unless somebody has chosen."""
    return Detail.ENDPOINTS if endpoints <= AT_A_GLANCE else Detail.SERVICES


def opened(sizes: Mapping[str, int], detail: Detail, chosen: Collection[str], focus: str | None) -> dict[str, int]:
    """Return the ids of the open services, each with the most endpoints that are drawn of it.

    `sizes`: number of endpoints by the id of a service. `chosen`: services that somebody has opened, or closed where
    `detail` is `ENDPOINTS`. `focus`: the id of a service that is open in any case.
    """
    exceptions = set(chosen)
    ids = [each for each in sizes if each == focus or (each in exceptions) == (detail is Detail.SERVICES)]
    first = min(sizes[focus], FOCUSED, ENDPOINTS) if focus in ids else 0
    parts = dict(zip(ids, shared([sizes[each] for each in ids], ENDPOINTS - first), strict=True))
    if focus in parts:
        parts[focus] = max(parts[focus], first)
    return parts


def shared(sizes: Sequence[int], most: int) -> list[int]:
    """Share a number of places out: what is small gets all that it needs, and what is large gets equal parts."""
    parts = [0] * len(sizes)
    left = most
    order = sorted(range(len(sizes)), key=lambda each: sizes[each])
    for done, index in enumerate(order):
        parts[index] = min(sizes[index], left // (len(order) - done))
        left -= parts[index]
    return parts
