"""What the ledger carries over a restart, so that no answer flips. `resolver.control.state.inventory` saves it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from zones.claims.contest import Claim, Incumbent
from zones.dns.name import Name
from zones.networks.network import NONE, Networks, translated

Held = str | tuple[Incumbent, ...]
"""Who holds a name: one endpoint wherever it is visible, or incumbents, who holds A before who holds AAAA."""


@dataclass(slots=True)
class Memory:
    """What must survive. `networks`: identities of the bits of saved masks, empty for one that was gone.

    A ledger that is given one takes it over.
    """

    networks: tuple[str, ...] = ()
    first_seen: dict[tuple[str, Name], float] = field(default_factory=dict)
    held: dict[Name, tuple[Incumbent, ...]] = field(default_factory=dict)
    findings: dict[str, float] = field(default_factory=dict)
    """First-seen times by finding id. The board takes these; the ledger takes the rest."""

    def held_in(self, networks: Networks) -> dict[Name, Held]:
        """Who held each name, with the bits that stand for the same in `networks`; some may come only later."""
        places = [networks.index(identity) if identity else NONE for identity in self.networks]
        if places == list(range(len(places))):
            return dict(self.held)
        return {
            name: tuple((translated(mask, places), endpoint, rule) for mask, endpoint, rule in holders)
            for name, holders in self.held.items()
        }


class Recollection(NamedTuple):
    """The same as a ledger has it, of one moment: taken in no time, and read at leisure while the ledger goes on."""

    networks: tuple[str, ...]
    claims: list[tuple[Claim, ...]]
    holders: dict[Name, Held]

    def first_seen(self) -> Iterator[tuple[str, Name, float]]:
        """(endpoint, public FQDN, time); once more for each further private name of a FQDN."""
        return ((claim.endpoint, claim.public, claim.first_seen) for claims in self.claims for claim in claims)

    def held(self) -> Iterator[tuple[Name, tuple[Incumbent, ...]]]:
        """Who holds the names that are contested."""
        return ((name, holders) for name, holders in self.holders.items() if not isinstance(holders, str))
