"""The ledger: takes endpoints, VNets and zone files, and keeps claims, winners and the findings about them up to date.

Incremental: a change of one endpoint costs work for its own names, addresses and target, whatever the size of the
estate. Does not know where endpoints come from or how rows reach the workers. Time is an argument, in seconds since
the epoch.
"""

from collections import ChainMap
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from zones.azure.catalogue import Catalogue
from zones.azure.catalogue_index import CatalogueIndex
from zones.azure.companions import Companions
from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.azure.explicit_names import ExplicitNames
from zones.claims.census import Census
from zones.claims.contest import Claim, Contender, Verdict
from zones.claims.policy import Conflicts, Pin
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.findings.board import Board
from zones.ledger.azure_names import AzureNames
from zones.ledger.carry_over import CarryOver, LedgerSnapshot
from zones.ledger.claims import Claims
from zones.ledger.endpoint_index import EndpointIndex, addresses
from zones.ledger.excepted import ExceptedIndex
from zones.ledger.limit_use import LimitUse
from zones.ledger.pins import PinIndex
from zones.ledger.public_contests import PublicContests
from zones.ledger.reports import LedgerReports
from zones.ledger.tombstones import Tombstone, Tombstones
from zones.ledger.winners import Winners
from zones.networks import topology
from zones.networks.network import NO_NETWORKS, NetworkMask, Networks


@dataclass(slots=True)
class _Touched:
    """What a change affects, to be evaluated again."""

    names: set[Name] = field(default_factory=set)
    """Private names."""
    publics: set[Name] = field(default_factory=set)
    addresses: set[bytes] = field(default_factory=set)
    companions: set[str] = field(default_factory=set)
    """By `Companions.key`."""

    def claims(self, claims: Iterable[Claim]) -> None:
        """Touch the private and public names of these claims."""
        for claim in claims:
            self.names.add(claim.name)
            self.publics.add(claim.public)

    def shared(self, endpoint: Endpoint, companions: Companions) -> None:
        """Touch what the endpoint may share with others: its addresses and its companions."""
        self.addresses |= addresses(endpoint)
        self.companions.add(companions.key(endpoint))


class Ledger:
    """The claims of all endpoints, and the winners as packed rows.

    `hold_down`: by source, the seconds for which its claims linger when they are gone. Other claims do not linger.
    """

    def __init__(
        self,
        networks: Networks,
        catalogue: Catalogue,
        conflicts: Conflicts,
        board: Board,
        carry_over: CarryOver | None = None,
        hold_down: Mapping[str, float] | None = None,
    ) -> None:
        carry_over = carry_over or CarryOver()
        self.networks = networks
        self.catalogue = catalogue
        self.conflicts = conflicts
        self.board = board
        self.endpoints: dict[ResourceId, Endpoint] = {}
        self.vnets: dict[ResourceId, VirtualNetwork] = {}
        self.census = Census()
        self.tombstones = Tombstones(hold_down or {})
        """Claims that are gone and linger."""
        self._claims = Claims(catalogue, carry_over.first_seen)
        self._explicit = ExplicitNames(CatalogueIndex(catalogue))
        self._public_contests = PublicContests()
        self._azure_names = AzureNames()
        self._winners = Winners(networks, conflicts, carry_over.held_in(networks), carry_over.classes)
        self.rows = self._winners.rows
        self.classes = self._winners.classes
        self._index = EndpointIndex(catalogue.companions)
        self._limits = LimitUse(self.vnets)
        self._pins = PinIndex(conflicts, catalogue)
        self._excepted = ExceptedIndex(networks.configured, catalogue)
        self._static: dict[Name, Name] = {}
        """The names in zone files, with the origin of their zone."""
        self._holders = ChainMap(self.endpoints, self.tombstones.endpoints)
        """Current endpoints, and those of lingering claims."""
        self._reports = LedgerReports(board, networks, catalogue, self._holders)

    # -- endpoints

    def apply(self, changes: Mapping[ResourceId, Endpoint | None], now: WallTime) -> set[Name]:
        """Add, change or remove (None) endpoints by key. Return the names whose rows changed; see `rows`."""
        self._reports.now = now
        touched = _Touched()
        self._excepted.update(changes)
        before = {key: old for key in changes if (old := self.endpoints.get(key)) is not None}
        withdrawn = self._claims.withdraw(before)
        touched.claims(withdrawn)
        for key, new in changes.items():
            self._replace_endpoint(key, before.get(key), new, touched)
        lingering = [stone.claim for key in changes for stone in self.tombstones.of(key)]
        touched.claims(self._claims.add(changes, (*lingering, *withdrawn), now))
        touched.names |= self.tombstones.replace(changes, before, withdrawn, self._claims.names_of, now)
        return self._settle(touched)

    def _replace_endpoint(self, key: ResourceId, old: Endpoint | None, new: Endpoint | None, touched: _Touched) -> None:
        if self.networks.move(old, new):
            touched.names |= self._reports.contested
            touched.publics |= self._public_contests.publics
        for each in (old, new):
            if each is not None:
                touched.shared(each, self.catalogue.companions)
        self._index.move(key, old, new)
        self.census.move(old, new)
        self._limits.move(old, new)
        if new is None:
            self.endpoints.pop(key, None)
        else:
            self.endpoints[key] = new
        self._reports.endpoint(key, new, self.vnets.get(new.vnet) if new else None)
        self._reports.moved(key, old, new)
        self._reports.faults(key, new)
        differing = self._claims.differing(new) if new is not None and new.served else {}
        if fqdns := self._azure_names.replace(key, differing):
            self._reports.azure_names(self._azure_names, fqdns)

    def restore(self, tombstones: Iterable[Tombstone], now: WallTime) -> set[Name]:
        """Let claims linger that lingered before a restart. Return the names whose rows changed."""
        self._reports.now = now
        return self._settle(_Touched(names=self.tombstones.put(stone for stone in tombstones if stone.until > now)))

    def expire(self, now: WallTime) -> set[Name]:
        """Remove the claims that have lingered for their hold-down. Return the names whose rows changed.

        The next time for this is `tombstones.next_end`.
        """
        self._reports.now = now
        touched = _Touched()
        touched.claims(stone.claim for stone in self.tombstones.expire(now))
        return self._settle(touched)

    # -- VNets and networks

    def set_vnets(self, changes: Mapping[ResourceId, VirtualNetwork | None], now: WallTime) -> set[Name]:
        """Add, change or remove (None) VNets by key. Return the names whose rows changed."""
        self._reports.now = now
        before = {key: _region(self.vnets.get(key)) for key in changes}
        for key, vnet in changes.items():
            if vnet is None:
                self.vnets.pop(key, None)
            else:
                self.vnets[key] = vnet
        regions = {key: region for key, vnet in changes.items() if (region := _region(vnet)) != before[key]}
        self._limits.touch(changes)
        touched = _Touched()
        if self.networks.learn(regions):
            touched.names |= self._reports.contested
            touched.publics |= self._public_contests.publics
        for key in [key for vnet in regions for key in self._index.in_vnet(vnet)]:
            endpoint = self.endpoints[key]
            self._reports.endpoint(key, endpoint, self.vnets.get(endpoint.vnet))
            self._touch(endpoint, touched)
        if self.networks.auto:
            self._redraw(touched)
        touched.names |= self.tombstones.names_in(regions) if regions else set()
        self._reports.overlaps(self.vnets.values())
        return self._settle(touched)

    def _redraw(self, touched: _Touched) -> None:
        """Replace the networks by those that the VNets make now, and touch what the networks see differently."""
        networks = topology.networks(self.vnets.values(), self.networks.configured)
        if networks == self.networks.now:
            return
        for key in topology.redraw(self.networks, networks, self.endpoints):
            self._touch(self.endpoints[key], touched)
        for key, endpoint in self.endpoints.items():
            if endpoint.network:
                self._reports.faults(key, endpoint)
        touched.names.update(stone.claim.name for stone in self.tombstones)
        touched.publics |= self._public_contests.publics
        touched.names |= self._pinned()
        self._pins.touch_all()

    def _touch(self, endpoint: Endpoint, touched: _Touched) -> None:
        touched.names |= self._claims.names_of(endpoint)
        touched.shared(endpoint, self.catalogue.companions)

    # -- zone files and pins

    def set_static(self, names: Mapping[Name, Name], now: WallTime) -> None:
        """Replace all names of zone files (name to origin). A zone file's name shadows an endpoint's claim on it."""
        self._reports.now = now
        old, self._static = self._static, dict(names)
        for name in old.keys() | names.keys() if self._holders else ():
            if old.get(name) != names.get(name):
                self._check_shadow(name)

    def repin(self, pins: Iterable[Pin], now: WallTime) -> set[Name]:
        """Replace all pins. Return the names whose rows changed."""
        self._reports.now = now
        touched, before = _Touched(names=self._pinned()), self.conflicts.pins
        self.conflicts.replace_pins(pins)
        self._pins = PinIndex(self.conflicts, self.catalogue)
        for name in before.keys() - self.conflicts.pins.keys():
            self._reports.pins(name, (), (), NO_NETWORKS)
        touched.names |= self._pinned()
        return self._settle(touched)

    def reconsider(self, now: WallTime) -> set[Name]:
        """Evaluate the pinned names again, because a pin has expired. Return the names whose rows changed."""
        self._reports.now = now
        self._pins.touch_all()
        return self._settle(_Touched(names=self._pinned()))

    # -- evaluation

    def _settle(self, touched: _Touched) -> set[Name]:
        """Evaluate everything that a change touched. Return the names whose rows changed."""
        for address in touched.addresses:
            self._reports.address(address, [self.endpoints[key] for key in self._index.at(address)])
            touched.names.update(self.tombstones.names_at(address))
        for name in touched.names:  # first, because `find` needs it
            publics = {claim.public for claim in self._at(name)} - {name, self._claims.derived_public(name)}
            if publics or name in self._explicit:
                self._explicit.replace(name, publics)
        if self._explicit.privates or self._public_contests:
            self._decide_publics(touched)
        for subject, used in self._limits.take():
            self._reports.limits(subject, used)
        for among in touched.companions - {""}:
            self._reports.companions(among, [self.endpoints[key] for key in self._index.companions(among)])
        for name in touched.names | touched.publics if self._static else ():
            self._check_shadow(name)
        if self._pins:
            self._pins.touch(touched.names | touched.publics)
            for name in self._pins.take():
                claims = self.find(name)
                hidden = NetworkMask(reduce(or_, (self._excepted_at(claim.name) for claim in claims), 0))
                self._reports.pins(name, self.conflicts.pinned(self._reports.now, name), claims, hidden)
        if self._excepted:
            self._excepted.touch(touched.names | touched.publics)
            for unmatched in self._excepted.checked(self.find):
                self._reports.excepted(unmatched)
        return {name for name in touched.names if self._evaluate(name)}

    def _decide_publics(self, touched: _Touched) -> None:
        """Decide the touched public FQDNs that lead to several private names, and touch these private names."""
        contests, now = self._public_contests, self._reports.now
        publics = {*touched.publics, *(claim.public for name in touched.names for claim in self._at(name))}
        for public in publics:
            explicit = self._explicit.privates.get(public, ())
            if not explicit and public not in contests:
                continue
            known = {*self._explicit.leads(public)} - {public}
            privates = {name for name in known if any(claim.public == public for claim in self._at(name))}
            contenders = self._public_contenders(public, privates) if explicit and len(privates) > 1 else []
            if contenders or public in contests:
                touched.names |= privates
                verdicts = self._winners.of_public(public, contenders, now) if contenders else []
                contests.replace(public, privates, contenders, verdicts)
                self._reports.public_contest(public, contenders, verdicts)

    def _public_contenders(self, public: Name, privates: Iterable[Name]) -> list[Contender]:
        """The served claims on a public FQDN, sorted by endpoint. A lingering claim takes no part: a live one wins."""
        claims = [claim for private in privates for claim in self._claims.at(private) if claim.public == public]
        out, networks = [], self.networks
        for claim in sorted(claims, key=lambda claim: claim.endpoint):
            endpoint = self.endpoints[claim.endpoint]
            if endpoint.served:
                out.append(Contender((claim,), self.sees(claim), networks.home(endpoint), networks.near(endpoint)))
        return out

    def _pinned(self) -> set[Name]:
        """Return the claimed private names that a pin can decide."""
        explicit = (private for name in self.conflicts.pins for private in self._explicit.privates.get(name, ()))
        return {*self._pins.affected(self._claims.names()), *explicit}

    def _check_shadow(self, name: Name) -> None:
        zone = self._static.get(name)
        self._reports.shadow(name, zone, self.find(name) if zone else ())

    def _evaluate(self, name: Name) -> bool:
        """Decide one name again; keep its row and incumbents and report on it. Return whether its row changed."""
        contenders = self._contenders(name)
        verdicts = self._winners.verdicts(name, contenders, self._reports.now)
        strays = [c.endpoint for c in contenders if any(claim.zone is None for claim in c.claims)]
        self._reports.contest(name, contenders, verdicts)
        self._reports.unknown_zone(name, strays)
        alone = bool(strays) and len(strays) == len(contenders)
        derived = None if alone else self._claims.derived_public(name)
        led = self._public_contests.left(name, verdicts) if self._public_contests else verdicts
        row = self._winners.packed(name, led, derived, alone=alone)
        return self._winners.keep(name, contenders, verdicts, row)

    def _contenders(self, name: Name) -> list[Contender]:
        """The served claims on a private name: one contender for each endpoint, sorted by key.

        Lingering claims follow, in the networks that are left to them.
        """
        claims: dict[ResourceId, list[Claim]] = {}
        for claim in self._claims.at(name):
            if self.endpoints[claim.endpoint].served:
                claims.setdefault(claim.endpoint, []).append(claim)
        networks, out = self.networks, []
        for key, each in claims.items():
            endpoint = self.endpoints[key]
            home = near = NO_NETWORKS
            if len(claims) > 1:
                home, near = networks.home(endpoint), networks.near(endpoint)
            out.append(Contender(tuple(each), networks.sees(endpoint), home, near))
        if self.tombstones.at(name):
            taken = NetworkMask(reduce(or_, (contender.sees for contender in out), 0))
            out += self.tombstones.contenders(name, taken, networks, self._index, self.endpoints)
        if hidden := self._excepted_at(name):
            out = [contender._replace(sees=NetworkMask(contender.sees & ~hidden)) for contender in out]
        return out

    def _excepted_at(self, name: Name) -> int:
        """Return the mask of the networks that except a private name, or a public FQDN that leads to the name.

        The whole private name is hidden there, whichever FQDN is excepted: public DNS leads from that FQDN to the
        private name, where a query must not find an endpoint after all.
        """
        if self.networks.excepted is None:
            return 0
        served = [claim.public for claim in self._claims.at(name) if self.endpoints[claim.endpoint].served]
        return self.networks.excepted.at({name, *served, *(stone.claim.public for stone in self.tombstones.at(name))})

    # -- reading

    def verdicts(self, name: Name, now: WallTime) -> list[Verdict]:
        """Return what the rules decide about a private name at this moment; change nothing."""
        return self._winners.verdicts(name, self._contenders(name), now)

    def public_verdicts(self, public: Name, now: WallTime) -> list[Verdict]:
        """Return what the rules decide about a public FQDN whose claims lead to several private names; else nothing."""
        if public not in self._public_contests:
            return []
        privates = {claim.name for claim in self.find(public) if claim.public == public}
        contenders = self._public_contenders(public, privates)
        return self._winners.of_public(public, contenders, now) if contenders else []

    def find(self, name: Name) -> list[Claim]:
        """Return the claims on a public FQDN or a private name: served or not, and lingering ones."""
        out = self._at(name)
        for private in self._explicit.leads(name):
            out += [claim for claim in self._at(private) if claim.public == name]
        return out

    def _at(self, name: Name) -> list[Claim]:
        return [*self._claims.at(name), *(stone.claim for stone in self.tombstones.at(name))]

    def with_address(self, address: bytes) -> Collection[ResourceId]:
        """Return the keys of the served endpoints with a packed address."""
        return self._index.at(address)

    def companions(self, among: str) -> Collection[ResourceId]:
        """Return the keys of the served endpoints with a `Companions.key`."""
        return self._index.companions(among)

    def holder(self, key: ResourceId) -> Endpoint:
        """Return the endpoint with this key. An endpoint whose claims linger is returned as it was last."""
        return self._holders[key]

    def sees(self, claim: Claim) -> NetworkMask:
        """Return the mask of the networks that a claim is visible to, whether or not it is served."""
        return NetworkMask(self.networks.sees(self.holder(claim.endpoint)) & ~self._excepted_at(claim.name))

    def excepts(self, claim: Claim) -> NetworkMask:
        """Return the mask of the networks that except the claim's endpoint or one of its names."""
        if self.networks.excepted is None:
            return NO_NETWORKS
        return NetworkMask(self.networks.excepted.of(self.holder(claim.endpoint)) | self._excepted_at(claim.name))

    def served(self) -> Iterator[Claim]:
        """Every claim of a served endpoint, winner or not, without lingering claims, in no order."""
        return (claim for claims in self._claims for claim in claims if self.endpoints[claim.endpoint].served)

    def names(self) -> AbstractSet[Name]:
        """Return every claimed private name."""
        return self._claims.names()

    def names_with_lingering(self) -> set[Name]:
        """Return every private name with a claim, lingering ones included."""
        return {*self._claims.names(), *(stone.claim.name for stone in self.tombstones)}

    def snapshot(self) -> LedgerSnapshot:
        """Return what to save: first-seen times of claims, and incumbents."""
        networks = self.networks
        bits = tuple(each if networks.all >> i & 1 else "" for i, each in enumerate(networks.identities))
        return LedgerSnapshot(bits, list(self._claims), self._winners.holders.copy())


def _region(vnet: VirtualNetwork | None) -> str:
    return vnet.region if vnet else ""
