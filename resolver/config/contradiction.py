"""A contradiction between keys of the configuration. Does not know which there are (`contradictions`)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from resolver.config.nodes import Part


class Contradiction(NamedTuple):
    """What is wrong at `location`. The hint is the one of `known` that is nearest to `said`."""

    location: tuple[Part, ...]
    message: str
    said: str = ""
    known: tuple[str, ...] = ()


def twice(what: str, values: Iterable[tuple[tuple[Part, ...], str]]) -> Iterator[Contradiction]:
    """Yield a contradiction for each value that is there already."""
    seen = set[str]()
    for location, value in values:
        if value in seen:
            yield Contradiction(location, f"the {what} `{value}` is listed twice")
        seen.add(value)
