"""Evidence of findings about a name, an address or a prefix: contests, pins, zone files, overlaps, forwarding loops."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from zones.azure.catalogue_table import SharedBy
from zones.findings.endpoint_evidence import Endpoints, Groups, Target
from zones.findings.evidence import Evidence, EvidenceTime, Listed, Severity


class Claimant(msgspec.Struct, frozen=True):
    """An endpoint that takes part in a contest."""

    endpoint: Annotated[str, Meta(description="Id of the endpoint.")]
    target: Target
    groups: Groups
    addresses: Annotated[tuple[str, ...], Meta(description="Addresses that the endpoint claims for the name.")]
    names: Annotated[tuple[str, ...], Meta(description="Public FQDNs that lead to the name.")]
    vnet: Annotated[str, Meta(description="Key of the endpoint's VNet; empty where it is not known.")]
    first_seen: Annotated[EvidenceTime, Meta(description="When the endpoint was first seen at the name.")]
    source: Annotated[str, Meta(description="Name of the source.")]
    where: Annotated[str, Meta(description="File or subscription within the source.")]


class Contest(Evidence, frozen=True, kw_only=True):
    """A name that several endpoints claim."""

    action: ClassVar = "the rule decides which address is served"
    winners: Annotated[Listed[Claimant], Meta(title="served", description="Endpoints that are served.")]
    losers: Annotated[Listed[Claimant], Meta(title="not served", description="Endpoints that are not served.")]


class ConflictingAddress(Contest, frozen=True, kw_only=True):
    """A contest between endpoints of different resources."""

    code: ClassVar = "conflicting-address"
    severity: ClassVar = Severity.ERROR
    meaning: ClassVar = "Endpoints of different resources claim one name."


class DuplicateEndpoint(Contest, frozen=True, kw_only=True):
    """A contest between endpoints of one resource and group."""

    code: ClassVar = "duplicate-endpoint"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "One resource has several endpoints for the same group."


class SharedGlobalName(Contest, frozen=True, kw_only=True):
    """A contest for a name that all resources of a service, tenant or region share."""

    code: ClassVar = "shared-global-name"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "Endpoints claim a name that all resources of their service, tenant or region share."
    shared: Annotated[tuple[str, ...], Meta(title="shared names", description="Public FQDNs that are shared.")]
    shared_by: Annotated[
        SharedBy, Meta(description="Whose resources share them: those of a `service`, a `tenant` or a `region`.")
    ]


class AddressReused(Evidence, frozen=True, kw_only=True):
    """An address that several endpoints have."""

    code: ClassVar = "address-reused"
    severity: ClassVar = Severity.ERROR
    meaning: ClassVar = "Two served endpoints have the same address, in one VNet or visible to one network."
    action: ClassVar = "all are served; a client reaches the endpoint that really has the address"
    endpoints: Endpoints
    names: Annotated[Listed[str], Meta(description="FQDNs with this address.")]


class VNetPrefix(msgspec.Struct, frozen=True):
    """A prefix of a VNet."""

    vnet: Annotated[str, Meta(description="Id of the VNet.")]
    prefix: Annotated[str, Meta(description="Prefix in its address space.")]


class NetworkOverlap(Evidence, frozen=True, kw_only=True):
    """A prefix of several VNets."""

    code: ClassVar = "network-overlap"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "Several VNets have the same address space, and no peering explains it."
    action: ClassVar = "depends on what the VNets share; see the finding"
    vnets: Annotated[Listed[VNetPrefix], Meta(description="VNets that hold the prefix.")]


class TargetKind(msgspec.Struct, frozen=True):
    """Resource type and group of a target."""

    type: Annotated[str, Meta(description="Resource type, in lower case; empty for an alias.")]
    group: Annotated[str, Meta(description="Group id, in lower case.")]


class ZoneUnknown(Evidence, frozen=True, kw_only=True):
    """A name in no private-link zone."""

    code: ClassVar = "zone-unknown"
    severity: ClassVar = Severity.INFO
    meaning: ClassVar = "No private DNS zone of Azure's catalogue fits the name."
    action: ClassVar = "the address is served at the name itself"
    endpoints: Endpoints
    expected_zones: Annotated[Listed[str], Meta(description="Zones that the catalogue has for these resources.")]
    resources: Annotated[Listed[TargetKind], Meta(description="What the endpoints connect to.")]


class UnownedWildcard(msgspec.Struct, frozen=True):
    """A wildcard of an endpoint that belongs to many resources."""

    wildcard: Annotated[str, Meta(description="The wildcard that the NIC lists. pldns does not serve it.")]
    private: Annotated[tuple[str, ...], Meta(description="The private wildcards that are served instead.")]
    why_none: Annotated[str, Meta(description="Why no private wildcard is served; empty where one is.")] = ""


class WildcardShared(Evidence, frozen=True, kw_only=True):
    """Wildcards of one endpoint whose names belong to many resources, also of other tenants."""

    code: ClassVar = "wildcard-shared"
    severity: ClassVar = Severity.INFO
    meaning: ClassVar = "The NIC lists a wildcard whose names belong to many resources, not to this one alone."
    action: ClassVar = "public names below it go to the upstream; an alias to a served private name is followed"
    wildcards: Annotated[Listed[UnownedWildcard], Meta(description="The wildcards.")]


class StaticShadowsEndpoint(Evidence, frozen=True, kw_only=True):
    """A name that a zone file and an endpoint have."""

    code: ClassVar = "static-shadows-endpoint"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A zone file has a name that a served endpoint claims."
    action: ClassVar = "the zone file's records are served"
    zone: Annotated[str, Meta(description="Origin of the zone file.")]
    endpoints: Endpoints


class IgnoredPin(msgspec.Struct, frozen=True):
    """A pin that decides nothing."""

    endpoint: Annotated[str, Meta(description="The endpoint, as the pin names it.")]
    network: Annotated[str | None, Meta(description="The network of the pin; null for a pin of all networks.")]
    why: Annotated[str, Meta(description="Why the pin decides nothing.")]
    reason: Annotated[str, Meta(description="The reason that the pin gives.")]
    by: Annotated[str, Meta(description="The operator who made the pin; absent for a pin of the configuration.")] = ""


class PinIgnored(Evidence, frozen=True, kw_only=True):
    """Pins of one name that decide nothing."""

    code: ClassVar = "pin-ignored"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A pin, of `conflicts.pins` or of an operator, decides nothing."
    action: ClassVar = "the other rules decide"
    pins: Annotated[Listed[IgnoredPin], Meta(description="The pins.")]


class IgnoredName(msgspec.Struct, frozen=True):
    """An item of `names` that gives no name."""

    endpoint: Annotated[str, Meta(description="The endpoint, as the configuration writes it.")]
    member: Annotated[str, Meta(description="The member; empty for an item without one.")]
    why: Annotated[str, Meta(description="Why the item gives no name.")]
    place: Annotated[str, Meta(description="Where the item is in the configuration.")]


class NameIgnored(Evidence, frozen=True, kw_only=True):
    """Items of `names` for one name that have no effect."""

    code: ClassVar = "name-ignored"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "An item of `names` gives no endpoint its name."
    action: ClassVar = "the item has no effect until its endpoint and member exist"
    items: Annotated[Listed[IgnoredName], Meta(title="ignored", description="The items.")]


class UnmatchedException(msgspec.Struct, frozen=True):
    """An item of `except` that matches nothing."""

    text: Annotated[str, Meta(description="The item, as the configuration writes it.")]
    place: Annotated[str, Meta(description="Where the item is in the configuration.")]


class ExceptIgnored(Evidence, frozen=True, kw_only=True):
    """Items of `except` of one network that match nothing."""

    code: ClassVar = "except-ignored"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "An item of `networks[].except` matches no endpoint and no name."
    action: ClassVar = "the item has no effect until an endpoint has this id or name, or claims this FQDN"
    items: Annotated[Listed[UnmatchedException], Meta(title="matches nothing", description="The items.")]


class ForwardLoop(Evidence, frozen=True, kw_only=True):
    """A group of upstreams that sends queries back."""

    code: ClassVar = "forward-loop"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A group of upstreams forwards queries back to pldns."
    action: ClassVar = "a query that comes back is answered with SERVFAIL"
    names: Annotated[tuple[str, ...], Meta(description="Names that came back last.")]
    brought_by: Annotated[
        tuple[str, ...], Meta(title="sent back by", description="Addresses of the clients that sent them back.")
    ]
