"""What the ledger needs from before a restart, so that no answer flips.

`resolver.control.estate.saved_inventory` saves and restores it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from zones.azure.endpoint import ResourceId
from zones.claims.contest import Claim, Incumbent
from zones.claims.row import ClassNumber
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.networks.network import NetworkMask, Networks, translated
from zones.networks.prefixes import NONE

Holders = ResourceId | tuple[Incumbent, ...]
"""Who has a name: the key of one endpoint, wherever it is visible, or incumbents (of A before of AAAA)."""


@dataclass(slots=True)
class CarryOver:
    """First-seen times and incumbents from before a restart. A ledger consumes the one that it is given.

    `networks` are the identities of the bits in saved masks; empty for the bit of a network that was gone.
    """

    networks: tuple[str, ...] = ()
    first_seen: dict[tuple[ResourceId, Name], WallTime] = field(default_factory=dict)
    """By endpoint key and public FQDN, in seconds since the epoch."""
    held: dict[Name, tuple[Incumbent, ...]] = field(default_factory=dict)
    findings: dict[str, WallTime] = field(default_factory=dict)
    """First-seen times by finding id. The board takes these; the ledger takes the rest."""
    identities: tuple[str, ...] = ()
    """Identities of networks by index, where the process goes on and workers know these indices."""
    classes: Mapping[ClassNumber, NetworkMask] = field(default_factory=dict)
    """The classes of the rows that workers have, with the bits of `identities`."""

    def held_in(self, networks: Networks) -> dict[Name, Holders]:
        """Return the incumbents with the bits of `networks`. Some of their endpoints may appear only later."""
        bits = [networks.index(identity) if identity else NONE for identity in self.networks]
        if bits == list(range(len(bits))):
            return dict(self.held)
        return {
            name: tuple((translated(mask, bits), endpoint, rule) for mask, endpoint, rule in holders)
            for name, holders in self.held.items()
        }


class LedgerSnapshot(NamedTuple):
    """The same data as a ledger has it at one moment. It is quick to take, and read while the ledger goes on."""

    networks: tuple[str, ...]
    claims: list[tuple[Claim, ...]]
    holders: dict[Name, Holders]

    def first_seen(self) -> Iterator[tuple[ResourceId, Name, WallTime]]:
        """(endpoint key, public FQDN, time). An FQDN with several private names appears once for each of them."""
        return ((claim.endpoint, claim.public, claim.first_seen) for claims in self.claims for claim in claims)

    def held(self) -> Iterator[tuple[Name, tuple[Incumbent, ...]]]:
        """(name, incumbents) of each contested name."""
        return ((name, holders) for name, holders in self.holders.items() if not isinstance(holders, str))
