"""The ledger of claims: who says what of which name, who wins, what is served, what a person should know.

Incremental: changing one endpoint touches its own names, addresses and target, whatever the size of the estate.
Refuses to know where endpoints come from and how rows travel. Time is an argument.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from zones import checks
from zones.catalogue import Catalogue
from zones.contest import Claim, Contender, Ruling, Term, Verdict, judge
from zones.endpoint import Endpoint, Fault, VirtualNetwork
from zones.finding import Finding, Severity, finding
from zones.name import Name, to_text
from zones.network import Networks
from zones.policy import Conflicts
from zones.served import ALONE, BY_RULE, REFUSED, Classes, Variant, pack

Held = str | tuple[tuple[int, str], ...]
"""Who holds a name: one endpoint wherever it is visible, or (mask of networks, endpoint) pairs."""


@dataclass(slots=True)
class Memory:
    """What must survive a restart so that it flips no winner. `names` of networks give saved masks their meaning."""

    networks: tuple[str, ...] = ()
    first_seen: dict[tuple[str, Name], float] = field(default_factory=dict)
    held: dict[Name, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    findings: dict[str, float] = field(default_factory=dict)


class Ledger:
    """Claims by name, their winners as packed rows, and findings by subject."""

    def __init__(
        self, networks: Networks, catalogue: Catalogue, conflicts: Conflicts, memory: Memory | None = None
    ) -> None:
        self.networks = networks
        self.catalogue = catalogue
        self.conflicts = conflicts
        self.classes = Classes()
        self.endpoints: dict[str, Endpoint] = {}
        self.rows: dict[Name, bytes] = {}
        self.vnets: dict[str, VirtualNetwork] = {}
        self._claims: dict[Name, tuple[Claim, ...]] = {}
        self._held: dict[Name, Held] = {}
        self._holders: dict[bytes, tuple[str, ...]] = {}
        self._targets: dict[str, tuple[str, ...]] = {}
        self._static: dict[Name, Name] = {}
        self._findings: dict[tuple[str, Any], tuple[Finding, ...]] = {}
        self._memory = memory or Memory()
        self._since: dict[str, float] = {}
        self._now = 0.0
        if self._memory.networks == networks.names:
            self._held.update(self._memory.held)

    # -- changes

    def apply(self, changes: Mapping[str, Endpoint | None], now: float) -> set[Name]:
        """Add, change or remove endpoints by key. Returns the names whose rows changed; `rows` has their new state."""
        self._now = now
        names: set[Name] = set()
        addresses: set[bytes] = set()
        targets: set[str] = set()
        relearned = False
        for key, endpoint in changes.items():
            old = self.endpoints.get(key)
            relearned |= self._learn_region(endpoint)
            names |= self._move_claims(key, old, endpoint, now)
            for each in (old, endpoint):
                if each is not None:
                    addresses.update(a for record in each.records for a in record.addresses)
                    targets.add(each.target_key)
            self._index(key, old, endpoint)
            self._put("endpoint", key, () if endpoint is None else self._about(endpoint))
        if relearned:
            return self.reconsider(now)
        for address in addresses:
            holders = [self.endpoints[key] for key in self._holders.get(address, ())]
            self._put("address", address, checks.of_address(address, holders, self.networks))
        for target in targets - {""}:
            members = [self.endpoints[key] for key in self._targets.get(target, ())]
            self._put("target", target, checks.of_target(members, self.networks))
        return {name for name in names if self._evaluate(name, now)}

    def _learn_region(self, endpoint: Endpoint | None) -> bool:
        if endpoint is None or not endpoint.vnet or endpoint.vnet in self.vnets:
            return False
        return self.networks.learn({endpoint.vnet: endpoint.region})

    def _about(self, endpoint: Endpoint) -> Iterator[Finding]:
        vnet = self.vnets.get(endpoint.vnet)
        yield from checks.of_endpoint(endpoint, vnet, self.networks, self.catalogue)
        yield from checks.of_rivals(endpoint)

    def _index(self, key: str, old: Endpoint | None, new: Endpoint | None) -> None:
        if new is None:
            self.endpoints.pop(key, None)
        else:
            self.endpoints[key] = new
        before = {a for record in old.records for a in record.addresses} if old and old.served else set()
        after = {a for record in new.records for a in record.addresses} if new and new.served else set()
        for address in before ^ after:
            _set_member(self._holders, address, key, present=address in after)
        was, now = old.target_key if old else "", new.target_key if new else ""
        if was != now:
            for target in {was, now} - {""}:
                _set_member(self._targets, target, key, present=target == now)

    def _move_claims(self, key: str, old: Endpoint | None, new: Endpoint | None, now: float) -> set[Name]:
        """Replace the claims of one endpoint; a claim keeps the time it was first seen."""
        kept: dict[Name, float] = {}
        previous: dict[Name, set[bytes]] = {}
        names: set[Name] = set()
        if old is not None:
            for private, _, _ in self._stands(old):
                names.add(private)
                mine = [claim for claim in self._claims.get(private, ()) if claim.endpoint == key]
                others = tuple(claim for claim in self._claims.get(private, ()) if claim.endpoint != key)
                for claim in mine:
                    kept[claim.public] = claim.first_seen
                    previous.setdefault(claim.public, set()).update(claim.addresses)
                if others:
                    self._claims[private] = others
                else:
                    self._claims.pop(private, None)
        current: dict[Name, set[bytes]] = {}
        for private, zone, record in self._stands(new) if new else ():
            names.add(private)
            seen = kept.get(record.fqdn) or self._memory.first_seen.get((key, record.fqdn)) or now
            claim = Claim(key, private, record.fqdn, zone, record.addresses, seen)
            self._claims[private] = (*self._claims.get(private, ()), claim)
            current.setdefault(record.fqdn, set()).update(record.addresses)
        self._note_changed_addresses(key, new, previous, current)
        return names

    def _stands(self, endpoint: Endpoint) -> Iterator[tuple[Name, Name | None, Any]]:
        """Where each record of an endpoint stands: (private name, zone, record)."""
        kind = checks.resource_type(endpoint.target)
        for record in endpoint.records:
            mapping = self.catalogue.map(record.fqdn, kind, endpoint.groups)
            yield (mapping.name, mapping.zone, record) if mapping else (record.fqdn, None, record)

    def _note_changed_addresses(
        self, key: str, endpoint: Endpoint | None, old: Mapping[Name, set[bytes]], new: Mapping[Name, set[bytes]]
    ) -> None:
        if endpoint is None:
            self._put("changed", key, ())
        changed = [name for name in old if name in new and old[name] != new[name]]
        if changed and endpoint is not None:
            self._put("changed", key, (
                finding(
                    "address-changed", to_text(name), "the new address is served", endpoint=endpoint.id,
                    before=_texts(old[name]), after=_texts(new[name]),
                )
                for name in changed
            ))  # fmt: skip

    def set_vnets(self, changes: Mapping[str, VirtualNetwork | None], now: float) -> set[Name]:
        """Take what changed of the VNets. Returns the names whose rows changed."""
        self._now = now
        for key, vnet in changes.items():
            if vnet is None:
                self.vnets.pop(key, None)
            else:
                self.vnets[key] = vnet
        self._put("vnets", "", checks.overlaps(self.vnets.values(), self.networks))
        relearned = self.networks.learn({key: vnet.region for key, vnet in changes.items() if vnet})
        if relearned:
            return self.reconsider(now)
        for key in {e.key for e in self.endpoints.values() if e.vnet in changes}:
            self._put("endpoint", key, self._about(self.endpoints[key]))
        return set()

    def set_static(self, names: Mapping[Name, Name], now: float) -> None:
        """Take all names of the zone files (name to origin): an exact one beats an endpoint's claim, with a finding."""
        self._now = now
        affected = set(names) ^ set(self._static)
        self._static = dict(names)
        for name in affected | {name for name in names if self._owner_of(name)}:
            self._check_shadow(name)

    def set_faults(self, part: str, faults: Iterable[Fault], now: float) -> None:
        """Take all faults of one part of the inventory that belong to no endpoint."""
        self._now = now
        self._put("faults", part, map(checks.of_fault, faults))

    def set_source(self, part: str, findings: Iterable[Finding], now: float) -> None:
        """Take what a source says of one part of itself: `source-unreadable`."""
        self._now = now
        self._put("source", part, findings)

    def reconsider(self, now: float) -> set[Name]:
        """Judge every name anew: a network's home or sight has changed, or a pin has run out."""
        self._now = now
        for key, endpoint in self.endpoints.items():
            self._put("endpoint", key, self._about(endpoint))
        for address, keys in self._holders.items():
            holders = [self.endpoints[key] for key in keys]
            self._put("address", address, checks.of_address(address, holders, self.networks))
        for target, keys in self._targets.items():
            self._put("target", target, checks.of_target((self.endpoints[key] for key in keys), self.networks))
        return {name for name in {*self._claims, *self.rows} if self._evaluate(name, now)}

    # -- judgement

    def contenders(self, name: Name) -> list[Contender]:
        """The served claims on a private name, one contender for each endpoint, in the order of their keys."""
        by_endpoint: dict[str, list[Claim]] = {}
        for claim in self._claims.get(name, ()):
            if self.endpoints[claim.endpoint].served:
                by_endpoint.setdefault(claim.endpoint, []).append(claim)
        alone = len(by_endpoint) == 1
        out = []
        for key in sorted(by_endpoint):
            endpoint = self.endpoints[key]
            near = 0 if alone else self.networks.near(endpoint)
            home = 0 if alone else self.networks.home(endpoint)
            out.append(Contender(tuple(by_endpoint[key]), self.networks.sees(endpoint), home, near))
        return out

    def judged(self, name: Name, now: float) -> list[Verdict]:
        """What the rules say of a private name now; changes nothing."""
        contenders = self.contenders(name)
        return judge(contenders, self._term(name, contenders, now)) if contenders else []

    def _term(self, name: Name, contenders: list[Contender], now: float) -> Term:
        if len(contenders) == 1:
            return Term("sticky", (), (), 0)
        names = (name, *(claim.public for c in contenders for claim in c.claims))
        pins = tuple(
            (self.networks.named(pin.network) if pin.network else self.networks.all, _endpoint_key(pin.endpoint))
            for pin in self.conflicts.pinned(now, *names)
        )
        held = self._held.get(name, ())
        incumbents = ((self.networks.all, held),) if isinstance(held, str) else held
        return Term(self.conflicts.of(*names), pins, incumbents, self.networks.homeless)

    def _evaluate(self, name: Name, now: float) -> bool:
        """Judge one name, keep its row, incumbents and findings. True when its row changed."""
        contenders = self.contenders(name)
        verdicts = judge(contenders, self._term(name, contenders, now)) if contenders else []
        self._keep_incumbents(name, contenders, verdicts)
        self._put("name", name, self._contests(name, contenders, verdicts))
        self._put("pin", name, self._ignored_pins(name, contenders, now))
        for each in {name, *(claim.public for claim in self._claims.get(name, ()))}:
            self._check_shadow(each)
        row = self._packed(name, verdicts)
        if row == self.rows.get(name, b""):
            return False
        if row:
            self.rows[name] = row
        else:
            self.rows.pop(name, None)
        return True

    def _keep_incumbents(self, name: Name, contenders: list[Contender], verdicts: list[Verdict]) -> None:
        if not verdicts:
            self._held.pop(name, None)
        elif len(contenders) == 1:
            self._held[name] = contenders[0].endpoint
        else:
            self._held[name] = tuple(
                (v.mask, key)
                for v in verdicts
                for ruling in v.rulings
                if ruling.rule != "merge"
                for key in ruling.winners
            )

    def _packed(self, name: Name, verdicts: list[Verdict]) -> bytes:
        variants = []
        alone = self.catalogue.zone_of(name) is None
        derived = None if alone else self.catalogue.public(name)
        for verdict in verdicts:
            publics = tuple(public for public in verdict.publics if public != name)
            by_rule = publics == (derived,)
            flags = REFUSED * verdict.refused | BY_RULE * by_rule | ALONE * alone
            number = self.classes.number(verdict.mask)
            variants.append(Variant(number, flags, verdict.a, verdict.aaaa, () if by_rule else publics))
        return pack(variants) if variants else b""

    # -- findings

    def _contests(self, name: Name, contenders: list[Contender], verdicts: list[Verdict]) -> Iterator[Finding]:
        """One finding for each (winner, rule) of a contested name, with the networks in which it holds."""
        masks: dict[Ruling, int] = {}
        for verdict in verdicts if len(contenders) > 1 else ():
            for ruling in verdict.rulings:
                if ruling.rule:
                    masks[ruling] = masks.get(ruling, 0) | verdict.mask
        claims = {c.endpoint: c for c in contenders}
        for ruling, mask in masks.items():
            code = self._contest_code([self.endpoints[key] for key in (*ruling.winners, *ruling.losers)])
            base = finding(code, to_text(name), _ACTIONS[ruling.rule], **self._evidence(ruling, claims))
            severity = Severity.INFO if ruling.rule in {"pin", "nearest"} else base.severity
            winner = " ".join(self.endpoints[key].id for key in ruling.winners) if ruling.rule != "refuse" else ""
            fact = Finding(base.code, base.subject, base.evidence, base.action, severity, (), winner, ruling.rule)
            yield checks.in_networks(fact, self.networks, mask)

    def _contest_code(self, endpoints: list[Endpoint]) -> str:
        if any(_is_shared(endpoint) for endpoint in endpoints):
            return "shared-global-name"
        same = {(e.target_key, tuple(sorted(group.casefold() for group in e.groups))) for e in endpoints}
        return "duplicate-endpoint" if len(same) == 1 and endpoints[0].target else "conflicting-address"

    def _evidence(self, ruling: Ruling, claims: Mapping[str, Contender]) -> dict[str, Any]:
        def told(key: str) -> dict[str, Any]:
            endpoint, contender = self.endpoints[key], claims[key]
            return {
                "endpoint": endpoint.id, "target": endpoint.target, "groups": list(endpoint.groups),
                "addresses": _texts(a for claim in contender.claims for a in claim.addresses),
                "names": sorted({to_text(claim.public) for claim in contender.claims}),
                "vnet": endpoint.vnet, "first_seen": contender.first_seen,
                "source": endpoint.source, "where": endpoint.where,
            }  # fmt: skip

        return {
            "winners": [told(key) for key in ruling.winners[: checks.LISTED]],
            "losers": [told(key) for key in ruling.losers[: checks.LISTED]],
            "rule": ruling.rule,
        }

    def _ignored_pins(self, name: Name, contenders: list[Contender], now: float) -> Iterator[Finding]:
        claims = self._claims.get(name, ())
        names = (name, *dict.fromkeys(claim.public for claim in claims if claim.public != name))
        for pin in self.conflicts.pinned(now, *names):
            mask = self.networks.named(pin.network) if pin.network else self.networks.all
            holder = next((c for c in contenders if c.endpoint == _endpoint_key(pin.endpoint)), None)
            if holder is None or not holder.sees & mask:
                why = "no served endpoint of that id claims the name" if holder is None else "it is not visible there"
                yield finding(
                    "pin-ignored", to_text(name), "the other rules decide", endpoint=pin.endpoint,
                    network=pin.network, why=why, reason=pin.reason,
                )  # fmt: skip

    def unused_pins(self) -> Iterator[Finding]:
        """Pins on names that nobody claims at all."""
        for name, pins in self.conflicts.pins.items():
            if not self.find(name):
                for pin in pins:
                    yield finding(
                        "pin-ignored", to_text(name), "nothing to decide", endpoint=pin.endpoint, network=pin.network,
                        why="nobody claims the name", reason=pin.reason,
                    )  # fmt: skip

    def _check_shadow(self, name: Name) -> None:
        owners = self._owner_of(name) if name in self._static else []
        if not owners:
            self._put("static", name, ())
            return
        self._put("static", name, (
            finding(
                "static-shadows-endpoint", to_text(name), "the zone file's records are served",
                zone=to_text(self._static[name]), endpoints=sorted(self.endpoints[c.endpoint].id for c in owners),
            ),
        ))  # fmt: skip

    def _owner_of(self, name: Name) -> list[Claim]:
        return [claim for claim in self.find(name) if self.endpoints[claim.endpoint].served]

    def _put(self, kind: str, subject: Any, facts: Iterable[Finding]) -> None:  # noqa: ANN401 - a name, key or address
        found = tuple(facts)
        old = self._findings.get((kind, subject), ())
        if found == old:
            return
        ids = {fact.id for fact in found}
        for fact in old:
            if fact.id not in ids:
                self._since.pop(fact.id, None)
        for each in ids:
            self._since.setdefault(each, self._memory.findings.get(each, self._now))
        if found:
            self._findings[kind, subject] = found
        else:
            del self._findings[kind, subject]

    def findings(self) -> Iterator[Finding]:
        """All findings as they stand, in no order."""
        for found in self._findings.values():
            yield from found
        yield from self.unused_pins()

    def since(self, fact: Finding) -> float:
        """When the finding was first made, in seconds since the epoch, over restarts; the age of a dead endpoint."""
        return self._since.get(fact.id, self._now)

    # -- reading

    def find(self, name: Name) -> list[Claim]:
        """Claims on a name, given as a public FQDN or as a private name, served or not."""
        out = list(self._claims.get(name, ()))
        for mapping in self.catalogue.candidates(name):
            out += [claim for claim in self._claims.get(mapping.name, ()) if claim.public == name]
        return out

    def names(self) -> Iterator[Name]:
        """Every private name that is claimed."""
        return iter(self._claims)

    def memory(self) -> Memory:
        """What to save: first-seen times, and the incumbents of contested names."""
        seen = {(c.endpoint, c.public): c.first_seen for claims in self._claims.values() for c in claims}
        held = {name: value for name, value in self._held.items() if not isinstance(value, str)}
        return Memory(self.networks.names, seen, held, dict(self._since))


_ACTIONS = {
    "pin": "the pinned endpoint is served",
    "nearest": "each network is served the endpoint nearest to it",
    "incumbent": "who held the name before keeps it",
    "oldest": "the endpoint seen first is served",
    "resource-id": "the first by resource id is served, since all were first seen together",
    "merge": "all addresses are served",
    "refuse": "SERVFAIL until one claim is left",
}


def _is_shared(endpoint: Endpoint) -> bool:
    """Azure Monitor private link scopes and Azure Virtual Desktop's global group share names by design."""
    kind = checks.resource_type(endpoint.target)
    if kind == "microsoft.insights/privatelinkscopes":
        return True
    groups = {group.casefold() for group in endpoint.groups}
    return kind.startswith("microsoft.desktopvirtualization/") and "global" in groups


def _endpoint_key(text: str) -> str:
    return text.casefold().rstrip("/")


def _set_member(index: dict[Any, tuple[str, ...]], at: Any, key: str, *, present: bool) -> None:  # noqa: ANN401
    members = tuple(k for k in index.get(at, ()) if k != key) + ((key,) if present else ())
    if members:
        index[at] = members
    else:
        index.pop(at, None)


def _texts(addresses: Iterable[bytes]) -> list[str]:
    return [str(ip_address(address)) for address in sorted(set(addresses))]
