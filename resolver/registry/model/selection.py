"""What a person wants of a list of the registry, in the person's words."""

from enum import Enum
from typing import NamedTuple


class Selection(NamedTuple):
    """The resources that a list should have. Each field selects any of its texts; empty: everything."""

    subscriptions: tuple[str, ...] = ()
    """Ids or names."""
    states: tuple[str, ...] = ()
    """As Azure spells them."""
    vnets: tuple[str, ...] = ()
    """Ids or names of virtual networks."""
    targets: tuple[str, ...] = ()
    """Ids, names or aliases."""
    names: tuple[str, ...] = ()
    """Names of endpoints, or of connections."""


class Match(Enum):
    """Which names a text can mean."""

    WHOLE = "whole"
    BEGINNING = "beginning"
    """Where no name is the text, the only name that begins with it."""
