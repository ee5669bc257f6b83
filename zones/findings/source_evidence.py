"""Evidence of findings about sources: what could not be read, what differs between them, and a held sync."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from zones.findings.evidence import NOTHING, Evidence, EvidenceTime, Listed, Severity


class RecordFault(msgspec.Struct, frozen=True):
    """A part of a resource that could not be read."""

    path: Annotated[str, Meta(description="Path within the resource.")]
    message: Annotated[str, Meta(description="What is wrong.")]
    where: Annotated[str, Meta(description="File or subscription.")]


class InvalidRecord(Evidence, frozen=True, kw_only=True):
    """A resource that could not be read in full."""

    code: ClassVar = "invalid-record"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A part of a resource could not be read."
    action: ClassVar = "the faulty part is left out; the rest is served"
    faults: Annotated[Listed[RecordFault], Meta(description="What is wrong in the resource.")]


class SourceUnreadable(Evidence, frozen=True, kw_only=True):
    """A source, or a part of one, that could not be read."""

    code: ClassVar = "source-unreadable"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A source, or a part of it, could not be read."
    action: ClassVar = "its last good data is served"
    message: Annotated[str, Meta(description="Why.")]


class SourceIncomplete(Evidence, frozen=True, kw_only=True):
    """A file that says that it is not the whole list."""

    code: ClassVar = "source-incomplete"
    severity: ClassVar = Severity.ERROR
    meaning: ClassVar = "A file says that it is not the whole list, and the other pages are not in its folder."
    action: ClassVar = (
        "its resources are served, and earlier resources of the file are kept; export the whole list again, or put the "
        "other pages beside the file"
    )
    lacks: Annotated[Listed[str], Meta(title="the file has", description="What the file has, and what it lacks.")]


class SyncHeld(Evidence, frozen=True, kw_only=True):
    """A sync, or a change of files, that would remove so much that an operator has to decide."""

    code: ClassVar = "sync-held"
    severity: ClassVar = Severity.ERROR
    meaning: ClassVar = "A sync, or a change of files, would remove so much that access may have been lost."
    action: ClassVar = (
        "the last good data is served; accept the held change with `pldns sync accept SOURCE`, or drop "
        "it with `pldns sync drop SOURCE`"
    )
    reasons: Annotated[Listed[str], Meta(description="What is suspicious about the change.")]
    endpoints: Annotated[
        int, Meta(description="Number of private endpoints that it would remove, or leave without a name.")
    ]
    vnets: Annotated[int, Meta(description="Number of virtual networks that it would remove.")]
    zone_groups: Annotated[
        int, Meta(description="Number of DNS zone groups that it would remove while their endpoints stay.")
    ] = 0
    would_remove: Annotated[Listed[str], Meta(description="Ids of what it would remove.")]
    held_since: Annotated[EvidenceTime, Meta(description="When a change was first held.")]


class SourceDisagreement(Evidence, frozen=True, kw_only=True):
    """Two sources that differ. The subclasses say about what."""

    code: ClassVar = "source-disagreement"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "Two sources, private DNS zones and endpoints, or Azure and the catalogue differ."


class RivalSources(SourceDisagreement, frozen=True, kw_only=True):
    """Two parts of sources that describe one resource differently."""

    action: ClassVar = "the first source in the configuration's order is used"
    believed: Annotated[str, Meta(title="used", description="Source and part whose data is used.")]
    others: Annotated[Listed[str], Meta(description="The other sources and parts, with what differs.")]


class PrivateNamePair(msgspec.Struct, frozen=True):
    """The two private names of an FQDN, at one endpoint."""

    endpoint: Annotated[str, Meta(description="Id of the endpoint.")]
    azure: Annotated[str, Meta(description="The private name that Azure has: it is served.")]
    derived: Annotated[str, Meta(description="The private name that the catalogue derives.")]


class PrivateNamesDiffer(SourceDisagreement, frozen=True, kw_only=True):
    """An FQDN for which Azure has another private name than the catalogue derives."""

    action: ClassVar = "the private name that Azure has is served"
    private_names: Annotated[Listed[PrivateNamePair], Meta(description="Endpoints with this FQDN, and both names.")]


class MorePrivateNamesDiffer(SourceDisagreement, frozen=True, kw_only=True):
    """More FQDNs with another private name in Azure than there are findings for."""

    action: ClassVar = PrivateNamesDiffer.action
    names_listed: Annotated[int, Meta(title="names listed", description="Number of names with a finding.")]
    names_total: Annotated[int, Meta(title="names in all", description="Number of names that differ.")]


class DnsRecord(msgspec.Struct, frozen=True):
    """A record set of a private DNS zone."""

    record: Annotated[str, Meta(description="Id of the record set.")]
    creator: Annotated[str, Meta(description="Who created the record set, as its metadata says.")]
    addresses: Annotated[tuple[str, ...], Meta(description="Addresses concerned.")]


class MissingRecord(msgspec.Struct, frozen=True):
    """An endpoint whose addresses are in no record."""

    endpoint: Annotated[str, Meta(description="Id of the endpoint.")]
    addresses: Annotated[tuple[str, ...], Meta(description="Its addresses for the name.")]


class OverwrittenRecord(msgspec.Struct, frozen=True):
    """An endpoint whose record belongs to the zone group of another endpoint."""

    endpoint: Annotated[str, Meta(description="Id of the endpoint.")]
    addresses: Annotated[tuple[str, ...], Meta(description="Its addresses for the name.")]
    by: Annotated[DnsRecord, Meta(description="The record of the other endpoint.")]


class RecordsDiffer(SourceDisagreement, frozen=True, kw_only=True):
    """A name for which private DNS zones and endpoints have different addresses."""

    action: ClassVar = (
        "the endpoints' addresses are served; a record without an endpoint is served only with `private_dns: serve`"
    )
    no_endpoint: Annotated[
        Listed[DnsRecord], Meta(description="Records with an address that no served endpoint has.")
    ] = Listed()
    no_record: Annotated[Listed[MissingRecord], Meta(description="Endpoints whose address is in no record.")] = Listed()
    overwritten: Annotated[
        Listed[OverwrittenRecord], Meta(description="Endpoints whose record another endpoint's zone group wrote.")
    ] = Listed()


class MoreRecordsDiffer(SourceDisagreement, frozen=True, kw_only=True):
    """More names that differ than there are findings for."""

    action: ClassVar = RecordsDiffer.action
    names_listed: Annotated[int, Meta(title="names listed", description="Number of names with a finding.")]
    names_total: Annotated[int, Meta(title="names in all", description="Number of names that differ.")]


class LinkedZone(msgspec.Struct, frozen=True):
    """A private DNS zone and the VNets that it is linked to."""

    zone: Annotated[str, Meta(description="Id of the private DNS zone.")]
    vnets: Annotated[Listed[str], Meta(description="Keys of the linked VNets.")]


class ZonesOverlap(SourceDisagreement, frozen=True, kw_only=True):
    """Private DNS zones of one name that are linked to VNets of one network."""

    action: ClassVar = "in Azure, each virtual network uses only one of these zones"
    zones: Annotated[Listed[LinkedZone], Meta(description="The zones of this name.")]
    linked_twice: Annotated[Listed[str], Meta(description="VNets that are linked to more than one zone.")] = NOTHING
