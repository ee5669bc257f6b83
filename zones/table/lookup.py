"""The lookup: what a name is to a network, over the rows, zones and static zones of a table.

Does not know packets, caches, the addresses of clients, or why a claim won. `zones.table.table` changes the data.

Names exist in one tree for each network: names that endpoints own (private and public), names in static zones, and the
apexes of zones. Wildcards, empty non-terminals and denials are decided on that tree (RFC 4592 §3.3.1, RFC 8020).
"""

from collections import Counter
from typing import Final, NamedTuple

from zones.azure.catalogue import Catalogue
from zones.claims.policy import ChainForm, MissPolicy, Policies, Terms
from zones.claims.row import ALONE, REFUSED
from zones.dns.name import (
    MAX_NAME,
    ROOT,
    Name,
    ancestry,
    canonical_key,
    is_wildcard,
    parent,
    reversed_address,
    wildcard,
)
from zones.dns.record import AAAA, ANY, CNAME, DS, PTR, SOA, A, RRset, soa
from zones.dns.static import Match, StaticZone, synthesised
from zones.networks.prefixes import NONE, NetworkIndex
from zones.table.endpoint_data import EndpointData, OwnedName
from zones.table.outcome import (
    Alias,
    DataOrigin,
    Deps,
    Failure,
    FailureReason,
    Found,
    NoData,
    NxDomain,
    Outcome,
    Outside,
    Referral,
    TooLong,
)

# Reading a member from its enum on each lookup would be slow.
_ENDPOINTS: Final = DataOrigin.PRIVATE
_STATIC: Final = DataOrigin.STATIC
_POINTER: Final = DataOrigin.PTR
_POLICY: Final = DataOrigin.POLICY


class _Spot(NamedTuple):
    """Where a name is, or would be, in the tree of a network."""

    name: Name
    network: NetworkIndex
    file: StaticZone | None
    limit: int
    """Octets of the longest name in the static zone: below are a cut or DNAME (RFC 1034 §4.2.1, RFC 6672 §2.4)."""
    zone: Name | None
    """The longest zone at or above the name that is visible to the network."""
    encloser: Name
    """The longest ancestor with a name below it. It is the closest encloser unless `closer` exists as a leaf."""
    closer: Name
    """The next closer name: one label longer than `encloser`, towards the name."""
    is_parent: bool
    """A name exists below the name itself."""

    def is_in_file(self, name: Name) -> bool:
        """Return whether the static zone has this name, and not below a delegation or a DNAME."""
        return self.file is not None and len(name) <= self.limit and name in self.file.names


class Lookup:
    """The data of a table, looked up by name, type and network."""

    def __init__(self, catalogue: Catalogue, policies: Policies) -> None:
        self._catalogue = catalogue
        self._policies = policies
        self.endpoints = EndpointData(catalogue)
        self.unsynced = False
        """A source has never had data: names of Azure's services that no endpoint owns are SERVFAIL."""
        self.stale = False
        """A source of endpoints could not be read for some time."""
        self.awaited: frozenset[Name] = frozenset()
        """Zones whose content has not arrived yet: names at and below them are SERVFAIL."""
        self.static: dict[Name, StaticZone] = {}
        self.named = policies.named
        """Zones that the configuration names."""
        self._above_named = frozenset(above for zone in self.named for above in ancestry(zone)[1:])
        self._above_static: Counter[Name] = Counter()
        """Ancestors of the apexes of static zones."""

    # -- lookup

    def lookup(self, name: Name, qtype: int, network: NetworkIndex) -> Outcome:
        """Return the outcome for a network, given by its index (`NONE` for a client in no network).

        The steps are in order of precedence: the first that applies decides.
        """
        if self.awaited and not self.awaited.isdisjoint(ancestry(name)):
            return Failure(FailureReason.UNSYNCED, name, (name,))
        file = self._file_over(name)
        if qtype == DS and file and name == file.origin:
            return self._of_parent(file)
        match = file.match(name, qtype) if file else None
        if file and match and match.exact:
            return self._of_file(file, match, name, qtype, (name,))
        owned = self.endpoints.owned_name(name, network)
        if owned:
            return self._of_claim(owned, name, qtype, network, (name, owned.private))
        spot = self._spot(name, network, file, match)
        covering, deps = self._starred(spot, qtype)
        if covering:
            return self._of_claim(covering, name, qtype, network, deps, made=True)
        if file and match and spot.zone == file.origin:
            return self._covered(file, match, spot, qtype, deps)
        if self.unsynced and self._catalogue.covers(name):
            return Failure(FailureReason.UNSYNCED, name, deps)
        if spot.zone is not None and not self.endpoints.catalogue_index.is_opt_in(spot.zone):
            return self._missed(spot.zone, spot, qtype, deps)
        return self._pointer(name, qtype, network, deps) or Outside(deps)

    # -- where a name is

    def is_parent(self, name: Name, network: NetworkIndex) -> bool:
        """Return whether a name exists below this one for a network, so that this one exists too (RFC 8020)."""
        return self._is_parent(name, network, self._file_over(name), MAX_NAME)

    def held_zone(self, name: Name) -> Name | None:
        """Return the zone in which an endpoint has a name, as if one network saw every endpoint.

        The name itself where an endpoint has it outside of all private zones. None where no endpoint has it, and for a
        name of a zone file. A change of the name, of an ancestor or of a wildcard below an ancestor may alter this.
        """
        private = self.endpoints.held_name(name)
        if private is None:
            return None
        file = self._file_over(name)
        if file and file.match(name, A).exact:
            return None
        zones = self.endpoints.zones
        return next((at for at in ancestry(private) if zones.counts(at) or at in self.named), name)

    def _file_over(self, name: Name) -> StaticZone | None:
        """Return the longest static zone at or above a name."""
        for at in ancestry(name) if self.static else ():
            file = self.static.get(at)
            if file and file.soa:
                return file
        return None

    def zones_over(self, name: Name, network: NetworkIndex) -> list[Name]:
        """Return every zone at or above a name that is visible to the network, the longest first."""
        found = []
        path = ancestry(name)
        while path and (zone := self._zone_over(path, network)) is not None:
            found.append(zone)
            path = path[path.index(zone) + 1 :]
        return found

    def _zone_over(self, path: list[Name], network: NetworkIndex) -> Name | None:
        """Return the longest zone on a path that is visible to the network."""
        inside = network != NONE
        for at in path:
            if inside and (at in self.named or self.endpoints.zones.sees(at, network)):
                return at
            file = self.static.get(at) if self.static else None
            if file and file.soa:
                return at
        return None

    def _spot(self, name: Name, network: NetworkIndex, file: StaticZone | None, match: Match | None) -> _Spot:
        path = ancestry(name)
        limit = len(match.at) if match and match.kind in {"cut", "dname"} else MAX_NAME
        at = len(path) - 2  # the root always exists
        while at >= 0 and self._is_parent(path[at], network, file, limit):
            at -= 1
        closer = max(at, 0)
        encloser = path[min(closer + 1, len(path) - 1)]
        return _Spot(name, network, file, limit, self._zone_over(path, network), encloser, path[closer], at < 0)

    def _is_parent(self, name: Name, network: NetworkIndex, file: StaticZone | None, limit: int) -> bool:
        """Return whether a name exists below this one for the network."""
        return (
            (network != NONE and (self.endpoints.tree.sees(name, network) or name in self._above_named))
            or name in self._above_static
            or (file is not None and len(name) < limit and file.has_below(name))
        )

    def _is_open(self, spot: _Spot) -> bool:
        """Return whether a wildcard at the encloser covers the name: same zone, and the next closer name is absent."""
        if spot.is_parent or (spot.zone is not None and len(spot.encloser) < len(spot.zone)):
            return False
        if spot.is_in_file(spot.closer):
            return False
        return self.endpoints.owned_name(spot.closer, spot.network) is None

    def _is_below_empty_star(self, spot: _Spot) -> bool:
        """Return whether a wildcard covers the name and exists without records for it (RFC 4592 §2.2.2).

        The wildcard exists by a name below itself, or by an endpoint that does not answer for the name. A wildcard with
        records in a zone file is another matter: it does not reach into a zone of endpoints.
        """
        star = wildcard(spot.encloser)
        if not self._is_open(spot) or spot.is_in_file(star):
            return False
        return bool(
            self.endpoints.owned_name(star, spot.network) or self._is_parent(star, spot.network, spot.file, spot.limit)
        )

    def _around(self, spot: _Spot) -> Deps:
        """Return the names whose change could alter the outcome for a name that nothing owns.

        A new name above it makes the next closer name exist, or is the wildcard. A name that goes may take the
        encloser with it. A zone that becomes visible, or stops being so, changes at its apex.
        """
        zones = self.endpoints.catalogue_index.zones(spot.name)
        return (spot.name, spot.closer, spot.encloser, wildcard(spot.encloser), *zones)

    # -- answers from endpoints

    def _starred(self, spot: _Spot, qtype: int) -> tuple[OwnedName | None, Deps]:
        """Return the wildcard claim that covers a name (for a public name: and its private name), and dependencies."""
        deps = self._around(spot)
        star = wildcard(spot.encloser)
        variant = self.endpoints.variant(star, spot.network)
        if not (variant or self.endpoints.is_public_star(star)) or not self._is_open(spot):
            return None, deps
        if variant:
            return OwnedName(spot.name, variant), deps
        for private in self.endpoints.privates_below(star, spot.name):
            file = self._file_over(private)
            inner = self._spot(private, spot.network, file, file.match(private, qtype) if file else None)
            deps += self._around(inner)
            at = wildcard(inner.encloser)
            variant = self.endpoints.variant(at, spot.network)
            if variant and star in self.endpoints.publics(variant, at) and self._is_open(inner):
                return OwnedName(private, variant), deps
        return None, deps

    def _of_claim(
        self, owned: OwnedName, name: Name, qtype: int, network: NetworkIndex, deps: Deps, *, made: bool = False
    ) -> Outcome:
        """Answer from a claim: a CNAME, addresses, NODATA for other types, or SERVFAIL for a refused contest.

        With `chain: flat` the addresses are at the public name itself, and with `chain: auto` where a resolver that
        forwards the public name to this one would not forward the private name. `made`: synthesised from a wildcard.
        """
        private, variant = owned
        zone = self._zone_over(ancestry(private), network)
        terms = self._policies.of(zone)
        alone = bool(variant.flags & ALONE)
        home = name if zone is None or alone else zone
        if name != private and self._is_alias(name, private, terms.chain):
            cname = RRset(name, CNAME, terms.ttl, (private,))
            if qtype in {CNAME, ANY}:
                return Found((cname,), home, _ENDPOINTS, deps, wildcard=made)
            return Alias((cname,), private, home, _ENDPOINTS, deps, wildcard=made)
        if variant.flags & REFUSED:
            return Failure(FailureReason.REFUSED, home, deps)
        rdatas = {A: variant.a, AAAA: variant.aaaa, ANY: variant.a or variant.aaaa}.get(qtype, ())
        if not rdatas:
            record = soa(name, terms.negative_ttl or 0) if alone or name != private else self._soa_of(home)
            return NoData(record, home, _ENDPOINTS, deps, wildcard=made)
        rtype = (A if variant.a else AAAA) if qtype == ANY else qtype
        return Found((RRset(name, rtype, terms.ttl, rdatas),), home, _ENDPOINTS, deps, wildcard=made)

    def _is_alias(self, name: Name, private: Name, form: ChainForm) -> bool:
        """Return whether a public name is answered with a CNAME."""
        if form == "auto":
            return self.endpoints.catalogue_index.has_one_forwarder(name, private)
        return form == "cname"

    def _soa_of(self, zone: Name) -> RRset:
        """Return the SOA of a negative answer: a static zone's own (RFC 2308 §5), or one for a zone of endpoints."""
        file = self.static.get(zone)
        if file is None or file.soa is None:
            return soa(zone, self._policies.of(zone).negative_ttl or 0)
        wanted = self._policies.of_file(zone, is_open=file.is_open).negative_ttl
        minimum = int.from_bytes(file.soa.rdatas[0][-4:], "big")
        return RRset(zone, SOA, min(file.soa.ttl, minimum) if wanted is None else wanted, file.soa.rdatas)

    # -- answers from static zones

    def _of_file(self, file: StaticZone, match: Match, name: Name, qtype: int, deps: Deps) -> Outcome:
        """Answer from records of a static zone: at the name itself, from a wildcard or through a DNAME."""
        made = not match.exact
        if match.kind == "nodata":
            return NoData(self._soa_of(file.origin), file.origin, _STATIC, deps, wildcard=made)
        if match.kind == "dname":
            cname = synthesised(name, match.rrsets[0])
            if cname is None:
                return TooLong(match.rrsets, file.origin, deps)
            if qtype in {CNAME, ANY}:  # the question is for the CNAME itself
                return Found((*match.rrsets, cname), file.origin, _STATIC, deps, wildcard=True)
            target = Name(cname.rdatas[0].lower())
            return Alias((*match.rrsets, cname), target, file.origin, _STATIC, deps)
        owned = tuple(RRset(name, r.type, r.ttl, r.rdatas) for r in match.rrsets)
        if match.kind == "cname":
            target = Name(owned[0].rdatas[0].lower())
            return Alias(owned, target, file.origin, _STATIC, deps, wildcard=made)
        return Found(owned, file.origin, _STATIC, deps, wildcard=made)

    def _covered(self, file: StaticZone, match: Match, spot: _Spot, qtype: int, deps: Deps) -> Outcome:
        """Answer a name without records in a static zone: delegation, DNAME, empty non-terminal, wildcard or miss."""
        origin = file.origin
        if match.kind == "cut":
            return _referred(file, match, deps)
        if match.kind == "dname":
            return self._of_file(file, match, spot.name, qtype, deps)
        record = self._soa_of(origin)
        if spot.is_parent:
            return NoData(record, origin, _STATIC, deps)
        if match.at == wildcard(spot.encloser) and self._is_open(spot):
            return self._of_file(file, match, spot.name, qtype, deps)
        if self._is_below_empty_star(spot):
            return NoData(record, origin, _STATIC, deps, wildcard=True)
        if file.is_open and self.unsynced and self._catalogue.covers(spot.name):
            return Failure(FailureReason.UNSYNCED, spot.name, deps)
        terms = self._policies.of_file(origin, is_open=file.is_open)
        return _by_policy(terms, origin, record, _POLICY if file.is_open else _STATIC, deps)

    def _of_parent(self, child: StaticZone) -> Outcome:
        """Answer DS at the apex of a static zone. The DS records are in the parent zone (RFC 4035 §3.1.4.1).

        The parent is a static zone, or else the upstream's. A parent that does not delegate the name has no DS for it.
        """
        name = child.origin
        if name == ROOT:
            return NoData(self._soa_of(name), name, _STATIC, (name,))
        above = self._file_over(parent(name))
        if above is None:
            return Outside((name,), apex=self._soa_of(name))
        match = above.match(name, DS)
        if match.exact:
            return self._of_file(above, match, name, DS, (name,))
        if match.kind == "cut":
            return _referred(above, match, (name,))
        return NoData(self._soa_of(above.origin), above.origin, _STATIC, (name,))

    # -- answers for names that nothing owns

    def _missed(self, zone: Name, spot: _Spot, qtype: int, deps: Deps) -> Outcome:
        """Answer for a name in a zone of endpoints that no endpoint owns."""
        terms = self._policies.of(zone)
        record = self._soa_of(zone)
        if spot.name == zone:
            if qtype in {SOA, ANY}:
                return Found((record,), zone, _ENDPOINTS, deps)
            if qtype == DS:
                return Outside(deps, apex=record)  # the parent zone has DS records, which a validator needs
            return NoData(record, zone, _ENDPOINTS, deps)
        if spot.is_parent or spot.is_in_file(spot.name):  # it exists: a delegation, which ends at the zone's apex
            return NoData(record, zone, _ENDPOINTS, deps)
        if self._is_below_empty_star(spot):
            return NoData(record, zone, _ENDPOINTS, deps, wildcard=True)
        return _by_policy(terms, zone, record, _POLICY, deps)

    def _pointer(self, name: Name, qtype: int, network: NetworkIndex, deps: Deps) -> Outcome | None:
        """Answer with the public FQDN of a served address; None for every other name of the reverse tree."""
        address = reversed_address(name)
        if address is None:
            return None
        hosts = [host for host in self.endpoints.pointing(address, network) if not is_wildcard(host)]
        if not hosts:
            return None
        terms = self._policies.of(None)
        if qtype not in {PTR, ANY}:
            return NoData(soa(name, terms.negative_ttl or 0), name, _POINTER, deps)
        return Found((RRset(name, PTR, terms.ttl, (min(hosts, key=canonical_key),)),), name, _POINTER, deps)


def _referred(file: StaticZone, match: Match, deps: Deps) -> Referral:
    """Refer to the servers of a child zone, with their addresses in the static zone."""
    (ns,) = match.rrsets
    hosts = tuple(Name(target.lower()) for target in ns.rdatas)
    return Referral(match.at, ns, file.glue(ns), file.origin, deps + hosts)


def _by_policy(terms: Terms, zone: Name, record: RRset, origin: DataOrigin, deps: Deps) -> Outcome:
    """Answer a miss as the zone's policy says."""
    match terms.on_miss:
        case MissPolicy.NXDOMAIN:
            return NxDomain(record, zone, origin, deps)
        case MissPolicy.NODATA:
            return NoData(record, zone, origin, deps, wildcard=True)
        case MissPolicy.SERVFAIL:
            return Failure(FailureReason.MISS, zone, deps)
        case MissPolicy.PUBLIC | MissPolicy.FORWARD:
            return Outside(deps, zone, terms.forward_to)
