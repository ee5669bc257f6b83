"""The winner of every claimed name: incumbents, and the packed rows that workers get.

Does not know where contenders come from, and reports nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from zones.claims.contest import Conditions, Contender, Rule, Verdict, decide
from zones.claims.policy import ConflictPolicy, Conflicts
from zones.claims.row import ALONE, BY_RULE, REFUSED, Classes, ClassNumber, Variant, pack
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.ledger.carry_over import Holders
from zones.networks.network import NO_NETWORKS, NetworkMask, Networks

_UNCONTESTED: Final = Conditions(ConflictPolicy.STICKY, (), (), NO_NETWORKS)


class Winners:
    """Rows and incumbents by private name."""

    def __init__(
        self,
        networks: Networks,
        conflicts: Conflicts,
        holders: dict[Name, Holders],
        classes: Mapping[ClassNumber, NetworkMask],
    ) -> None:
        """`classes`: those of earlier rows."""
        self.rows: dict[Name, bytes] = {}
        self.classes = Classes(networks.identities, classes)
        self.holders = holders
        """By name: the endpoint that has the name, or incumbents by network."""
        self._networks = networks
        self._conflicts = conflicts

    def verdicts(self, name: Name, contenders: Sequence[Contender], now: WallTime) -> list[Verdict]:
        """Return what the rules decide about a name at this moment; change nothing."""
        return decide(contenders, self._conditions(name, contenders, now)) if contenders else []

    def of_public(self, public: Name, contenders: Sequence[Contender], now: WallTime) -> list[Verdict]:
        """Return who wins a public FQDN whose claims lead to several private names. An alias has one target.

        So no conflict policy applies, and no endpoint is the incumbent: the private names have incumbents.
        """
        pins = tuple((self._networks.named(pin.network), pin.key) for pin in self._conflicts.pinned(now, public))
        conditions = Conditions(ConflictPolicy.STICKY, pins, (), self._networks.homeless)
        return decide(contenders, conditions)

    def _conditions(self, name: Name, contenders: Sequence[Contender], now: WallTime) -> Conditions:
        if len(contenders) == 1:
            return _UNCONTESTED
        names = dict.fromkeys((name, *(claim.public for c in contenders for claim in c.claims)))
        pins = tuple((self._networks.named(pin.network), pin.key) for pin in self._conflicts.pinned(now, *names))
        held = self.holders.get(name, ())
        incumbents = ((self._networks.all, held, Rule.NONE),) if isinstance(held, str) else held
        return Conditions(self._conflicts.of(*names), pins, incumbents, self._networks.homeless)

    def keep(self, name: Name, contenders: Sequence[Contender], verdicts: Sequence[Verdict], row: bytes) -> bool:
        """Keep the incumbents and the row of a name. Return whether the row changed."""
        self._keep_holders(name, contenders, verdicts)
        if row == self.rows.get(name, b""):
            return False
        if row:
            self.rows[name] = row
        else:
            del self.rows[name]
        return True

    def _keep_holders(self, name: Name, contenders: Sequence[Contender], verdicts: Sequence[Verdict]) -> None:
        """An endpoint becomes the incumbent where a rule chose it, and not where a conflict policy decided."""
        holders: Holders = tuple(
            (verdict.mask, key, ruling.rule)
            for verdict in verdicts
            for ruling in verdict.rulings
            if not ruling.rule.is_policy
            for key in ruling.winners
        )
        if holders and len(contenders) == 1:
            holders = contenders[0].endpoint
        if holders:
            self.holders[name] = holders
        else:
            self.holders.pop(name, None)

    def packed(self, name: Name, verdicts: Sequence[Verdict], derived: Name | None, *, alone: bool) -> bytes:
        """Return the row of a name; empty without a verdict.

        `derived` is the public FQDN that the catalogue derives for the name. `alone`: the name is in no private zone.
        """
        variants = []
        for verdict in verdicts:
            publics = tuple(public for public in verdict.publics if public != name)
            by_rule = publics == (derived,)
            flags = REFUSED * verdict.refused | BY_RULE * by_rule | ALONE * alone
            number = self.classes.number(verdict.mask)
            variants.append(Variant(number, flags, verdict.a, verdict.aaaa, () if by_rule else publics))
        return pack(variants) if variants else b""
