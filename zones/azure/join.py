"""Builds one endpoint from the versions of its private endpoint and NICs that the parts of sources have.

Validates names and addresses: an invalid one is a fault, and the others are kept. Does not know which resources belong
together: `inventory` does.
"""

from collections.abc import Sequence
from ipaddress import ip_address
from sys import intern
from typing import Final, NamedTuple, TypeAlias, TypeVar

from zones.azure.endpoint import ConnectionState, Endpoint, Fault, NamelessRow, NicRecord, ResourceId
from zones.azure.resource import Nic, NicRow, PrivateEndpoint
from zones.dns.name import InvalidName, Name, host_from_text


class SourcePart(NamedTuple):
    """A part of a source. In sorted order the first part has precedence: by order of sources, then by name of part."""

    order: int
    part: str
    source: str


_R = TypeVar("_R")
Versions: TypeAlias = Sequence[tuple[SourcePart, _R]]
"""The versions of one resource in different parts, the one with precedence first."""


def join(versions: Versions[PrivateEndpoint], nics: Sequence[Versions[Nic]]) -> Endpoint:
    """Return the endpoint. Its records come from the NICs, and from `customDnsConfigs` only where no NIC is known."""
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
        rivals=_rivals(versions, nics),
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

    def records(self) -> tuple[NicRecord, ...]:
        """Return a record for each FQDN, group and member, in an order that does not depend on the order of rows."""
        return tuple(
            NicRecord(fqdn, tuple(sorted(addresses)), intern(group), intern(member))
            for (fqdn, group, member), addresses in sorted(self._found.items())
        )

    def nameless(self) -> tuple[NamelessRow, ...]:
        """Return the addresses of rows without a valid FQDN, by group and member, in such an order too."""
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
                    addresses.add(_address(text))
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


def _address(text: str) -> bytes:
    """Return the packed address. Raises `ValueError` for an address that no endpoint can have."""
    if "/" in text:
        raise ValueError(f"{text[:80]!r} is a prefix, not an address")
    address = ip_address(text[:80])
    if (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or address.is_reserved  # 240.0.0.0/4 with the broadcast address; IPv4-mapped IPv6
    ):
        raise ValueError(f"{text!r} is not an address that an endpoint can have")
    return address.packed


def _rivals(versions: Versions[PrivateEndpoint], nics: Sequence[Versions[Nic]]) -> tuple[str, ...]:
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
