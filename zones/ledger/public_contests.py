"""Contests for public FQDNs whose claims lead to several private names.

Azure may have one private name for an FQDN of one endpoint, and the catalogue derives another one for the same FQDN of
another endpoint. A public FQDN is an alias of one private name in each network, so the rules of contests decide which.
Usually all claims on an FQDN are on one private name, and there is nothing to decide here.

Does not know endpoints and where contenders come from.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from zones.claims.contest import Contender, Verdict
from zones.dns.name import Name
from zones.networks.network import NetworkMask


class PublicContests:
    """The networks in which a private name has lost a public FQDN to another private name."""

    def __init__(self) -> None:
        self._lost: dict[Name, Mapping[Name, NetworkMask]] = {}
        """By public FQDN and private name."""

    def __bool__(self) -> bool:
        return bool(self._lost)

    def __contains__(self, public: Name) -> bool:
        """Return whether a public FQDN is contested."""
        return public in self._lost

    @property
    def publics(self) -> AbstractSet[Name]:
        """The contested public FQDNs."""
        return self._lost.keys()

    def replace(
        self, public: Name, privates: Collection[Name], contenders: Sequence[Contender], verdicts: Iterable[Verdict]
    ) -> None:
        """Take the verdicts about a public FQDN that leads to `privates`.

        `contenders` have one claim each. Without contenders, the FQDN is not contested.
        """
        self._lost.pop(public, None)
        at = {contender.endpoint: contender.claims[0].name for contender in contenders}
        lost: dict[Name, int] = {}
        for verdict in verdicts:
            won = {at[winner] for ruling in verdict.rulings for winner in ruling.winners}
            for private in set(privates) - won:
                lost[private] = lost.get(private, 0) | verdict.mask
        if contenders:
            self._lost[public] = {private: NetworkMask(mask) for private, mask in lost.items()}

    def left(self, private: Name, verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
        """Return the verdicts about a private name, without the public FQDNs that the name has lost."""
        for public in {public for verdict in verdicts for public in verdict.publics} & self._lost.keys():
            if mask := self._lost[public].get(private):
                verdicts = [part for verdict in verdicts for part in _without(verdict, public, mask)]
        return verdicts


def _without(verdict: Verdict, public: Name, mask: NetworkMask) -> Iterable[Verdict]:
    """Split a verdict: in the networks of `mask` the public FQDN does not lead to the name."""
    if outside := NetworkMask(verdict.mask & ~mask):
        yield verdict._replace(mask=outside)
    if inside := NetworkMask(verdict.mask & mask):
        yield verdict._replace(mask=inside, publics=tuple(each for each in verdict.publics if each != public))
