"""The ledger of claims: who says what of which name, who wins, what is served, what a person should know.

Incremental: changing one endpoint touches its own names, addresses and target, whatever the size of the estate.
Refuses to know where endpoints come from and how rows travel. Time is an argument.
"""

from collections import ChainMap
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Final

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.endpoint import Endpoint, NicRecord, VirtualNetwork
from zones.claims.census import Census
from zones.claims.contest import Claim, Contender, Rule, Term, Verdict, judge
from zones.claims.policy import ConflictPolicy, Conflicts
from zones.claims.row import ALONE, BY_RULE, REFUSED, Classes, Variant, pack
from zones.dns.name import Name
from zones.findings import checks, contested
from zones.findings.board import Board, Topic
from zones.findings.faults import Reporter
from zones.findings.finding import Finding
from zones.ledger.carry_over import Held, Memory, Recollection
from zones.ledger.endpoint_index import Neighbours, addresses, target_of
from zones.ledger.tombstones import Tombstone, Tombstones
from zones.networks import topology
from zones.networks.network import Network, Networks

_UNCONTESTED: Final = Term(ConflictPolicy.STICKY, (), (), 0)
"""For a name with one contender."""


@dataclass(slots=True)
class _Touched:
    """What a change touches and must be looked at again."""

    names: set[Name] = field(default_factory=set)
    """Private names."""
    publics: set[Name] = field(default_factory=set)
    addresses: set[bytes] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)

    def neighbours(self, endpoint: Endpoint) -> None:
        """All who share something with this endpoint."""
        self.addresses |= addresses(endpoint)
        self.targets.add(target_of(endpoint))


class Ledger:
    """Claims by name and their winners as packed rows. What the ledger finds out goes to the board.

    `hold_down`: the sources whose claims linger when they are gone, and for how many seconds.
    """

    def __init__(
        self,
        networks: Networks,
        catalogue: Catalogue,
        conflicts: Conflicts,
        board: Board,
        memory: Memory | None = None,
        hold_down: Mapping[str, float] | None = None,
    ) -> None:
        self.networks = networks
        self.catalogue = catalogue
        self.conflicts = conflicts
        self.board = board
        self.classes = Classes(networks.identities)
        self.endpoints: dict[str, Endpoint] = {}
        self.census = Census()
        self.rows: dict[Name, bytes] = {}
        self.vnets: dict[str, VirtualNetwork] = {}
        self._places = CatalogueIndex(catalogue)
        self._claims: dict[Name, tuple[Claim, ...]] = {}
        self._contested: set[Name] = set()
        """Names with more than one contender: all that nearness can matter to."""
        self._neighbours = Neighbours()
        self.tombstones = Tombstones(hold_down or {})
        """Claims that are gone and linger."""
        self._holders = ChainMap(self.endpoints, self.tombstones.endpoints)
        """Endpoints that are, and those of lingering claims."""
        self._static: dict[Name, Name] = {}
        self._pinned: dict[Name, tuple[Name, ...]] = _pinned(conflicts, catalogue)
        """Pinned names by the private names that they may lead to."""
        self._unchecked = set(conflicts.pins)
        """Pinned names to look at with the next change: perhaps nobody will ever claim them."""
        memory = memory or Memory()
        self._first_seen = memory.first_seen
        self._held: dict[Name, Held] = memory.held_in(networks)
        self._now = 0.0

    # -- changes

    def apply(self, changes: Mapping[str, Endpoint | None], now: float) -> set[Name]:
        """Add, change or remove endpoints by key. Returns the names whose rows changed; `rows` has their new state."""
        self._now = now
        touched = _Touched()
        before = {key: old for key in changes if (old := self.endpoints.get(key)) is not None}
        withdrawn = self._withdraw(before, touched)
        for key, new in changes.items():
            old = before.get(key)
            if self.networks.move(old, new):
                touched.names |= self._contested
            for each in (old, new):
                if each is not None:
                    touched.neighbours(each)
            self._neighbours.move(key, old, new)
            self.census.move(old, new)
            if new is None:
                self.endpoints.pop(key, None)
            else:
                self.endpoints[key] = new
            self._check_endpoint(key, old, new)
        lingering = [stone.claim for key in changes for stone in self.tombstones.of(key)]
        self._claim(changes, (*lingering, *withdrawn), touched)
        touched.names |= self.tombstones.replace(changes, before, withdrawn, self._names_of, now)
        return self._settle(touched)

    def _withdraw(self, before: Mapping[str, Endpoint], touched: _Touched) -> list[Claim]:
        """Take away the claims of these endpoints, and return them."""
        withdrawn: list[Claim] = []
        names = {private for old in before.values() for private, _, _ in self._stands(old)}
        for name in names:
            left = []
            for claim in self._claims.pop(name):
                if claim.endpoint in before:
                    withdrawn.append(claim)
                    touched.publics.add(claim.public)
                else:
                    left.append(claim)
            if left:
                self._claims[name] = tuple(left)
        touched.names |= names
        return withdrawn

    def _claim(self, changes: Mapping[str, Endpoint | None], before: Iterable[Claim], touched: _Touched) -> None:
        """Make the claims of these endpoints. A claim keeps the time it was first seen, over a restart too."""
        seen = {(claim.endpoint, claim.public): claim.first_seen for claim in before}
        fresh: dict[Name, list[Claim]] = {}
        for key, new in changes.items():
            for private, zone, record in self._stands(new) if new is not None else ():
                at = (key, record.fqdn)
                first = seen.get(at)
                if first is None:
                    first = seen[at] = self._first_seen.pop(at, self._now)
                fresh.setdefault(private, []).append(Claim(key, private, record.fqdn, zone, record.addresses, first))
                touched.publics.add(record.fqdn)
        for name, claims in fresh.items():
            all_of_it = [*self._claims.get(name, ()), *claims]
            if len(all_of_it) > 1:
                all_of_it.sort(key=lambda claim: (claim.endpoint, claim.public, claim.addresses))
            self._claims[name] = tuple(all_of_it)
        touched.names.update(fresh)

    def _names_of(self, endpoint: Endpoint) -> set[Name]:
        return {name for name, _, _ in self._stands(endpoint)}

    def restore(self, tombstones: Iterable[Tombstone], now: float) -> set[Name]:
        """Claims that lingered before a restart linger on. Returns the names whose rows changed."""
        self._now = now
        return self._settle(_Touched(names=self.tombstones.put(stone for stone in tombstones if stone.until > now)))

    def expire(self, now: float) -> set[Name]:
        """End what has lingered long enough (`tombstones.next_end`). Returns the names whose rows changed."""
        self._now = now
        over = [stone.claim for stone in self.tombstones.expire(now)]
        return self._settle(_Touched(names={claim.name for claim in over}, publics={claim.public for claim in over}))

    def _stands(self, endpoint: Endpoint) -> Iterator[tuple[Name, Name | None, NicRecord]]:
        """Where each record of an endpoint stands: (private name, zone, record)."""
        kind = checks.resource_type(endpoint.target)
        for record in endpoint.records:
            yield *self._places.claimed(record.fqdn, kind, endpoint.groups), record

    def _check_endpoint(self, key: str, old: Endpoint | None, new: Endpoint | None) -> None:
        """Report what one endpoint shows by itself."""
        vnet = self.vnets.get(new.vnet) if new else None
        self._report(Topic.ENDPOINT, key, checks.of_endpoint(new, vnet) if new else ())
        if new is None or not new.served:
            self._report(Topic.MOVED, key, ())
        elif old is not None and (moved := tuple(checks.of_moved(new, old))):
            self._report(Topic.MOVED, key, moved)
        self._report_faults(key, new)

    def _report_faults(self, key: str, endpoint: Endpoint | None) -> None:
        faults = checks.faults_of(endpoint, self.networks) if endpoint else ()
        self.board.replace_faults(Reporter("endpoint", key), faults, self._now)

    def set_vnets(self, changes: Mapping[str, VirtualNetwork | None], now: float) -> set[Name]:
        """Take what changed of the VNets. Returns the names whose rows changed."""
        self._now = now
        before = {key: _region(self.vnets.get(key)) for key in changes}
        for key, vnet in changes.items():
            if vnet is None:
                self.vnets.pop(key, None)
            else:
                self.vnets[key] = vnet
        regions = {key: region for key, vnet in changes.items() if (region := _region(vnet)) != before[key]}
        touched = _Touched()
        if self.networks.learn(regions):
            touched.names |= self._contested
        for key in [key for vnet in regions for key in self._neighbours.in_vnet(vnet)]:
            endpoint = self.endpoints[key]
            self._report(Topic.ENDPOINT, key, checks.of_endpoint(endpoint, self.vnets.get(endpoint.vnet)))
            touched.names.update(private for private, _, _ in self._stands(endpoint))
            touched.neighbours(endpoint)
        if self.networks.auto:
            self._redraw(topology.networks(self.vnets.values(), self.networks.configured), touched)
        touched.names |= self.tombstones.names_in(regions) if regions else set()
        self._report(Topic.OVERLAP, "", checks.overlaps(self.vnets.values(), self.networks))
        return self._settle(touched)

    def _redraw(self, networks: tuple[Network, ...], touched: _Touched) -> None:
        """Put these networks in place of those that there are, and touch what they see otherwise than those did."""
        if networks == self.networks.now:
            return
        for key in topology.redraw(self.networks, networks, self.endpoints):
            touched.names.update(private for private, _, _ in self._stands(self.endpoints[key]))
            touched.neighbours(self.endpoints[key])
        for key, endpoint in self.endpoints.items():
            if endpoint.network:
                self._report_faults(key, endpoint)
        touched.names.update(stone.claim.name for stone in self.tombstones)
        touched.names |= self._pinned.keys() & self._claims.keys()
        self._unchecked.update(self.conflicts.pins)

    def set_static(self, names: Mapping[Name, Name], now: float) -> None:
        """Take all names of the zone files (name to origin): an exact one beats an endpoint's claim, with a finding."""
        self._now = now
        old, self._static = self._static, dict(names)
        for name in old.keys() | self._static.keys():
            self._check_shadow(name)

    def reconsider(self, now: float) -> set[Name]:
        """Judge the pinned names anew: a pin has run out. Returns the names whose rows changed."""
        self._now = now
        self._unchecked.update(self.conflicts.pins)
        return self._settle(_Touched(names=self._pinned.keys() & self._claims.keys()))

    # -- judgement

    def _settle(self, touched: _Touched) -> set[Name]:
        """Look again at all that was touched. Returns the names whose rows changed."""
        for address in touched.addresses:
            keys = self._neighbours.at(address)
            holders = [self.endpoints[key] for key in keys] if len(keys) > 1 else None
            self._report(Topic.ADDRESS, address, checks.of_address(address, holders, self.networks) if holders else ())
            touched.names.update(self.tombstones.names_at(address))
        for target in touched.targets - {""}:
            members = [self.endpoints[key] for key in self._neighbours.of_target(target)]
            self._report(Topic.TARGET, target, checks.of_target(members, self.networks))
        for name in touched.names | touched.publics if self._static else ():
            self._check_shadow(name)
        if self._pinned:
            self._unchecked.update(pinned for name in touched.names for pinned in self._pinned.get(name, ()))
            for name in self._unchecked:
                self._check_pins(name)
            self._unchecked.clear()
        return {name for name in touched.names if self._evaluate(name)}

    def contenders(self, name: Name) -> list[Contender]:
        """The served claims on a private name, one contender for each endpoint, in the order of their keys.

        Claims that linger come after them, in the networks that are left to them.
        """
        claims: dict[str, list[Claim]] = {}
        for claim in self._claims.get(name, ()):
            if self.endpoints[claim.endpoint].served:
                claims.setdefault(claim.endpoint, []).append(claim)
        networks, out = self.networks, []
        for key, each in claims.items():
            endpoint = self.endpoints[key]
            home, near = (networks.home(endpoint), networks.near(endpoint)) if len(claims) > 1 else (0, 0)
            out.append(Contender(tuple(each), networks.sees(endpoint), home, near))
        if self.tombstones.at(name):
            taken = reduce(or_, (contender.sees for contender in out), 0)
            out += self.tombstones.contenders(name, taken, networks, self._neighbours, self.endpoints)
        return out

    def judged(self, name: Name, now: float) -> list[Verdict]:
        """What the rules say of a private name now; changes nothing."""
        contenders = self.contenders(name)
        return judge(contenders, self._term(name, contenders, now)) if contenders else []

    def _term(self, name: Name, contenders: list[Contender], now: float) -> Term:
        if len(contenders) == 1:
            return _UNCONTESTED
        names = dict.fromkeys((name, *(claim.public for c in contenders for claim in c.claims)))
        pins = tuple((self.networks.named(pin.network), pin.key) for pin in self.conflicts.pinned(now, *names))
        held = self._held.get(name, ())
        incumbents = ((self.networks.all, held, Rule.NONE),) if isinstance(held, str) else held
        return Term(self.conflicts.of(*names), pins, incumbents, self.networks.homeless)

    def _evaluate(self, name: Name) -> bool:
        """Judge one name, keep its row, incumbents and findings. True when its row changed."""
        contenders = self.contenders(name)
        verdicts = judge(contenders, self._term(name, contenders, self._now)) if contenders else []
        self._keep_incumbents(name, contenders, verdicts)
        strays = [c.endpoint for c in contenders if any(claim.zone is None for claim in c.claims)]
        self._find_out(name, contenders, verdicts, strays)
        row = self._packed(name, verdicts, alone=bool(strays) and len(strays) == len(contenders))
        if row == self.rows.get(name, b""):
            return False
        if row:
            self.rows[name] = row
        else:
            del self.rows[name]
        return True

    def _find_out(self, name: Name, contenders: list[Contender], verdicts: list[Verdict], strays: list[str]) -> None:
        """What there is to find on one name: a contest, a zone that nobody knows."""
        if len(contenders) > 1:
            self._contested.add(name)
            self._report(
                Topic.CONTEST, name, contested.of_name(name, verdicts, contenders, self._holders, self.networks)
            )
        elif name in self._contested:
            self._contested.remove(name)
            self._report(Topic.CONTEST, name, ())
        holders = [self._holders[key] for key in strays]
        self._report(Topic.ZONE, name, (checks.of_unknown_zone(name, holders, self.catalogue),) if strays else ())

    def _keep_incumbents(self, name: Name, contenders: list[Contender], verdicts: list[Verdict]) -> None:
        """Where a policy decided, nobody has come to hold the name."""
        held: Held = tuple(
            (verdict.mask, key, ruling.rule)
            for verdict in verdicts
            for ruling in verdict.rulings
            if not ruling.rule.is_policy
            for key in ruling.winners
        )
        if held and len(contenders) == 1:
            held = contenders[0].endpoint
        if held:
            self._held[name] = held
        else:
            self._held.pop(name, None)

    def _packed(self, name: Name, verdicts: list[Verdict], *, alone: bool) -> bytes:
        """`alone`: all that claim the name stand in no zone."""
        derived = None if alone else self._places.public(name)
        variants = []
        for verdict in verdicts:
            publics = tuple(public for public in verdict.publics if public != name)
            by_rule = publics == (derived,)
            flags = REFUSED * verdict.refused | BY_RULE * by_rule | ALONE * alone
            number = self.classes.number(verdict.mask)
            variants.append(Variant(number, flags, verdict.a, verdict.aaaa, () if by_rule else publics))
        return pack(variants) if variants else b""

    # -- findings

    def _check_pins(self, name: Name) -> None:
        claimants = {claim.endpoint: self._holders[claim.endpoint] for claim in self.find(name)}
        pins = self.conflicts.pinned(self._now, name)
        self._report(Topic.PIN, name, checks.of_pins(name, pins, claimants, self.networks))

    def _check_shadow(self, name: Name) -> None:
        claims = self.find(name) if name in self._static else ()
        owners = [endpoint for c in claims if (endpoint := self._holders[c.endpoint]).served]
        self._report(Topic.SHADOW, name, checks.of_shadow(name, self._static[name], owners) if owners else ())

    def _report(self, topic: Topic, about: Hashable, findings: Iterable[Finding]) -> None:
        self.board.replace(topic, about, findings, self._now)

    # -- reading

    def find(self, name: Name) -> list[Claim]:
        """Claims on a name, given as a public FQDN or as a private name, served or not, and those that linger."""
        out = self._at(name)
        for mapping in self.catalogue.candidates(name):
            out += [claim for claim in self._at(mapping.name) if claim.public == name]
        return out

    def _at(self, name: Name) -> list[Claim]:
        return [*self._claims.get(name, ()), *(stone.claim for stone in self.tombstones.at(name))]

    def holder(self, key: str) -> Endpoint:
        """The endpoint with this key; where only claims of it linger, as it was last."""
        return self._holders[key]

    def served(self) -> Iterator[Claim]:
        """Every claim of an endpoint that is served, those that lost and none that lingers, in no order."""
        return (claim for claims in self._claims.values() for claim in claims if self.endpoints[claim.endpoint].served)

    def names(self) -> Iterator[Name]:
        """Every private name that is claimed."""
        return iter(self._claims)

    def recollection(self) -> Recollection:
        """What to save: first-seen times of claims, and the incumbents of contested names."""
        networks = self.networks
        bits = tuple(each if networks.all >> i & 1 else "" for i, each in enumerate(networks.identities))
        return Recollection(bits, list(self._claims.values()), self._held.copy())


def _region(vnet: VirtualNetwork | None) -> str:
    return vnet.region if vnet else ""


def _pinned(conflicts: Conflicts, catalogue: Catalogue) -> dict[Name, tuple[Name, ...]]:
    out: dict[Name, tuple[Name, ...]] = {}
    for pinned in conflicts.pins:
        for name in (pinned, *(mapping.name for mapping in catalogue.candidates(pinned))):
            out[name] = (*out.get(name, ()), pinned)
    return out
