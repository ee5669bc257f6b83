"""Builds one endpoint from the versions of its private endpoint and NICs that the parts of sources have.

Validates names and addresses: an invalid one is a fault, and the others are kept. Does not know which resources belong
together: `inventory` does.
"""

from collections.abc import Sequence
from sys import intern
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias, TypeVar

from zones.azure.address import endpoint_address, texts
from zones.azure.endpoint import ConnectionState, Endpoint, Fault, NamelessRow, NicRecord, ResourceId
from zones.azure.private_names import NamedAddresses, is_plausible, matched
from zones.azure.resource import Nic, NicRow, PrivateEndpoint, ZoneGroup
from zones.azure.zone_group import ZoneGroupRecords
from zones.dns.name import InvalidName, Name, host_from_text, to_text


class SourcePart(NamedTuple):
    """A part of a source. In sorted order the first part has precedence: by order of sources, then by name of part."""

    order: int
    part: str
    source: str


_R = TypeVar("_R")
Versions: TypeAlias = Sequence[tuple[SourcePart, _R]]
"""The versions of one resource in different parts, the one with precedence first."""


NONE_CREATED: Final[NamedAddresses] = MappingProxyType({})


def join(
    versions: Versions[PrivateEndpoint],
    nics: Sequence[Versions[Nic]],
    zone_groups: Versions[ZoneGroup] = (),
    created: NamedAddresses = NONE_CREATED,
) -> Endpoint:
    """Return the endpoint. Its records come from the NICs, and from `customDnsConfigs` only where no NIC is known.

    `zone_groups`: the versions of its DNS zone group, which has the private names of its FQDNs. `created`: the records
    in private DNS zones that an endpoint of its name created.
    """
    place, first = versions[0]
    collected = _Records()
    collected.faults.extend(first.faults)
    state = ConnectionState.read(first.state_text)
    if state is ConnectionState.UNKNOWN:
        path = "privateLinkServiceConnectionState.status" if first.records is None else "state"
        value = f"{first.state_text[:80]!r} is not a connection state" if first.state_text else "no connection state"
        collected.faults.append(Fault(first.id, path, value, place.part))
    for (where, nic), *_ in nics:
        collected.faults.extend(nic.faults)
        collected.rows(nic.rows, _OF_NIC, nic.id, where.part)
    if first.records is not None:
        collected.rows(first.records, _OF_SHORT_FORM, first.id, place.part)
    elif not nics:
        collected.rows(first.dns, _OF_DNS, first.id, place.part)
    for where, group in zone_groups[:1]:
        collected.zone_group(ZoneGroupRecords(group, where.part))
    if created:
        collected.created(created)
    return Endpoint(
        key=first.key,
        id=first.id,
        name=first.name,
        state=state,
        target=first.target,
        groups=first.groups,
        provisioning=intern(first.provisioning),
        state_text=intern(first.state_text),
        region=intern(first.region),
        subscription=intern(first.subscription),
        vnet=ResourceId(intern(first.vnet)),
        network=intern(first.network),
        records=collected.records(),
        nameless=collected.nameless(),
        faults=tuple(dict.fromkeys(collected.faults)),
        rivals=_rivals(versions, nics, zone_groups),
        source=place.source,
        where=place.part,
    )


class _Paths(NamedTuple):
    """Paths of texts in a resource, with `{}` for the index of the row and `{}` for that of the text in the row."""

    fqdn: str
    address: str


_OF_NIC: Final = _Paths(
    "ipConfigurations[{}].properties.privateLinkConnectionProperties.fqdns[{}]",
    "ipConfigurations[{}].properties.privateIPAddress",
)
_OF_DNS: Final = _Paths("customDnsConfigs[{}].fqdn", "customDnsConfigs[{}].ipAddresses[{}]")
_OF_SHORT_FORM: Final = _Paths("records[{}].fqdn", "records[{}].ips[{}]")


class _Records:
    """Collects the records and the faults of rows."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._found: dict[tuple[Name, str, str], set[bytes]] = {}
        self._nameless: dict[tuple[str, str], set[bytes]] = {}
        self._private: dict[Name, Name] = {}
        """The private names that Azure has, by FQDN."""

    def records(self) -> tuple[NicRecord, ...]:
        """Return a record for each FQDN, group and member, sorted."""
        return tuple(
            NicRecord(fqdn, tuple(sorted(addresses)), intern(group), intern(member), self._private.get(fqdn))
            for (fqdn, group, member), addresses in sorted(self._found.items())
        )

    def nameless(self) -> tuple[NamelessRow, ...]:
        """Return the addresses of rows without a valid FQDN, by group and member, sorted."""
        return tuple(
            NamelessRow(tuple(sorted(addresses)), intern(group), intern(member))
            for (group, member), addresses in sorted(self._nameless.items())
        )

    def rows(self, rows: Sequence[NicRow], paths: _Paths, subject: str, where: str) -> None:
        for i, row in enumerate(rows):
            addresses = set()
            is_named = False
            for j, text in enumerate(row.addresses):
                try:
                    addresses.add(endpoint_address(text))
                except ValueError as error:
                    self.faults.append(Fault(subject, paths.address.format(i, j), str(error), where))
            if row.fqdns and not row.addresses:
                self.faults.append(Fault(subject, paths.address.format(i, 0), "no address", where))
            for j, text in enumerate(row.fqdns):
                try:
                    fqdn = host_from_text(text)
                except InvalidName as error:
                    self.faults.append(Fault(subject, paths.fqdn.format(i, j), str(error), where))
                else:
                    is_named = True
                    if addresses:
                        self._found.setdefault((fqdn, row.group, row.member), set()).update(addresses)
            if addresses and not is_named:
                self._nameless.setdefault((row.group, row.member), set()).update(addresses)

    def zone_group(self, group: ZoneGroupRecords) -> None:
        """Take the private names of a zone group. A record set that belongs to no FQDN is a fault."""
        fqdns = self._by_fqdn()
        self._private = matched(fqdns, group.addresses)
        known = set().union(*self._found.values(), *self._nameless.values())
        used = set(self._private.values())
        for name, addresses in group.addresses.items() if fqdns else ():
            if strays := addresses - known:
                group.reject(name, f"{', '.join(texts(strays))}: no address of the endpoint's network interface")
            elif name not in used and name not in fqdns:
                group.reject(name, f"{to_text(name)!r} belongs to none of the endpoint's FQDNs; it is not served")
        self.faults.extend(group.faults)

    def created(self, records: NamedAddresses) -> None:
        """Take private names from records in private DNS zones, for FQDNs without one.

        The creator of a record is known by name only, and another subscription may have an endpoint of that name.
        """
        fqdns = {fqdn: addresses for fqdn, addresses in self._by_fqdn().items() if fqdn not in self._private}
        left = {name: addresses for name, addresses in records.items() if name not in self._private.values()}
        self._private |= {f: name for f, name in matched(fqdns, left).items() if is_plausible(f, name)}

    def _by_fqdn(self) -> dict[Name, set[bytes]]:
        fqdns: dict[Name, set[bytes]] = {}
        for (fqdn, _, _), addresses in self._found.items():
            fqdns.setdefault(fqdn, set()).update(addresses)
        return fqdns


def _rivals(
    versions: Versions[PrivateEndpoint], nics: Sequence[Versions[Nic]], zone_groups: Versions[ZoneGroup]
) -> tuple[str, ...]:
    """Return the parts whose version of these resources differs from the first one, each with what differs."""
    differs: dict[SourcePart, set[str]] = {}
    (_, first), *others = versions
    for place, other in others:
        if other != first:
            ours, theirs = _compared(first, bool(nics)), _compared(other, bool(nics))
            differs.setdefault(place, set()).update(what for what in ours if ours[what] != theirs[what])
    for (_, nic), *other_nics in nics:
        for place, other_nic in other_nics:
            if _records(nic.rows) != _records(other_nic.rows):
                differs.setdefault(place, set()).add("records")
    for place, other_group in zone_groups[1:]:
        if _private_names(zone_groups[0][1]) != _private_names(other_group):
            differs.setdefault(place, set()).add("private names")
    return tuple(
        f"{place.source}: {place.part}: {', '.join(sorted(what))}" for place, what in sorted(differs.items()) if what
    )


def _compared(endpoint: PrivateEndpoint, has_nic: bool) -> dict[str, object]:
    """Return the fields to compare, in a form in which the spelling of ids and the order of names do not matter."""
    rows = endpoint.records if endpoint.records is not None else () if has_nic else endpoint.dns
    return {
        "state": ConnectionState.read(endpoint.state_text),
        "provisioning": endpoint.provisioning.casefold(),
        "target": endpoint.target.casefold().rstrip("/"),
        "groups": sorted(group.casefold() for group in endpoint.groups),
        "region": endpoint.region,
        "vnet": endpoint.vnet,
        "network": endpoint.network,
        "records": _records(rows),
    }


def _records(rows: Sequence[NicRow]) -> tuple[tuple[NicRecord, ...], tuple[NamelessRow, ...]]:
    collected = _Records()
    collected.rows(rows, _OF_NIC, "", "")
    return collected.records(), collected.nameless()


def _private_names(group: ZoneGroup) -> dict[Name, set[bytes]]:
    return ZoneGroupRecords(group, "").addresses
