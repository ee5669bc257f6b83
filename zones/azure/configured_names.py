"""Names that the configuration gives to the addresses of endpoints (`names`), for endpoints whose NIC lists no FQDN.

Adds these names to the records of endpoints, as if their NICs had listed them. So the names follow the addresses, and
the rest of pldns treats them like any other. Does not know the catalogue, claims and findings.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec import structs

from zones.azure.endpoint import ConfiguredRecord, Endpoint, NamelessRow, NicRecord, ResourceId
from zones.azure.references import EndpointReferences, Reference, reference
from zones.dns.name import Name, from_text


class NameEntry(msgspec.Struct, frozen=True):
    """An item of `names`: the addresses of an endpoint also have the name `name`.

    `endpoint` is a resource id or a name. `member` is a required member or a group of the NIC's rows; empty for all
    addresses. `place` says where in the configuration the item is.
    """

    name: str
    endpoint: str
    member: str = ""
    place: str = ""


class IgnoredEntry(NamedTuple):
    """An item of `names` that gives no name, and the reason."""

    entry: NameEntry
    why: str


class ConfiguredNames:
    """The items of `names`, and the endpoints that each of them means."""

    def __init__(self, entries: Sequence[NameEntry], endpoints: Mapping[ResourceId, Endpoint]) -> None:
        """`endpoints` has every endpoint by key, as its sources give it, and follows each change of them."""
        self._endpoints = endpoints
        self._by_reference: dict[Reference, list[NameEntry]] = {}
        self._by_name: dict[Name, list[NameEntry]] = {}
        for entry in entries:
            self._by_reference.setdefault(reference(entry.endpoint), []).append(entry)
            self._by_name.setdefault(from_text(entry.name), []).append(entry)
        self._references = EndpointReferences(self._by_reference)
        self._unchecked = set(self._by_name)
        """Every name is checked with the first change: its endpoint may never appear."""

    def apply(self, changes: Mapping[ResourceId, Endpoint | None]) -> Mapping[ResourceId, Endpoint | None]:
        """Return these changes of endpoints with the configured names.

        Includes endpoints that lose or gain a name because another endpoint with their name has appeared or is gone.
        """
        if not self._by_reference:
            return changes
        touched = self._references.update(changes)
        self._unchecked.update(from_text(entry.name) for each in touched for entry in self._by_reference[each])
        out = dict(changes)
        for key in {key for each in touched for key in self._references.found(each)}:
            out[key] = self._named(self._endpoints[key])
        return out

    def _named(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with its configured names. A name that the NIC lists stays as the NIC has it."""
        listed = {record.fqdn for record in endpoint.records}
        given: set[NicRecord] = set()
        for each in self._references.of(endpoint.key):
            for entry in self._by_reference[each] if len(self._references.found(each)) == 1 else ():
                addresses, name = _addresses(endpoint, entry.member), from_text(entry.name)
                if addresses and name not in listed:
                    given.add(ConfiguredRecord(name, addresses, member=entry.member))
        records = sorted((*endpoint.records, *given), key=lambda record: (record.fqdn, record.group, record.member))
        return structs.replace(endpoint, records=tuple(records)) if given else endpoint

    def checked(self) -> dict[Name, list[IgnoredEntry]]:
        """Return the ignored items of each name whose items may have changed since the last call."""
        names, self._unchecked = self._unchecked, set()
        return {
            name: [IgnoredEntry(entry, why) for entry in self._by_name[name] if (why := self._why_ignored(entry))]
            for name in names
        }

    def _why_ignored(self, entry: NameEntry) -> str:
        found = sorted(self._references.found(reference(entry.endpoint)))
        if not found:
            return "no source has an endpoint with this id or name"
        if len(found) > 1:
            return f"{len(found)} endpoints have this name; give the resource id of one: {', '.join(found[:3])}"
        endpoint = self._endpoints[found[0]]
        if not _addresses(endpoint, ""):
            return "no address of the endpoint is known: dump the network interfaces with `az network nic list`"
        if not _addresses(endpoint, entry.member):
            members = ", ".join(members_of((*endpoint.records, *endpoint.nameless))) or "none"
            return f"no address of the endpoint has the member or group `{entry.member}`; it has: {members}"
        return ""


def members_of(rows: Iterable[NicRecord | NamelessRow]) -> Collection[str]:
    """Return what to write as `member` for each of these rows: the required member, or the group where it has none."""
    return dict.fromkeys(text for row in rows if (text := row.member or row.group))


def _addresses(endpoint: Endpoint, member: str) -> tuple[bytes, ...]:
    """Return the addresses of a required member, else of a group; all addresses of the endpoint for no member."""
    rows: tuple[NicRecord | NamelessRow, ...] = (*endpoint.records, *endpoint.nameless)
    if member:
        folded = member.casefold()
        rows = tuple(row for row in rows if row.member.casefold() == folded) or tuple(
            row for row in rows if row.group.casefold() == folded
        )
    return tuple(sorted({address for row in rows for address in row.addresses}))
