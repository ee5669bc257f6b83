"""The registry of findings: every evidence type, each with its code and severity."""

from typing import Final

from zones.findings.endpoint_evidence import (
    AddressChanged,
    CompanionMissing,
    EndpointDisconnected,
    EndpointMisplaced,
    EndpointPending,
    EndpointRejected,
    LimitNear,
    NameMissing,
    ProvisioningFailed,
)
from zones.findings.evidence import Evidence
from zones.findings.name_evidence import (
    AddressReused,
    ConflictingAddress,
    DuplicateEndpoint,
    ExceptIgnored,
    ForwardLoop,
    NameIgnored,
    NetworkOverlap,
    PinIgnored,
    SharedGlobalName,
    StaticShadowsEndpoint,
    WildcardShared,
    ZoneUnknown,
)
from zones.findings.source_evidence import (
    InvalidRecord,
    MorePrivateNamesDiffer,
    MoreRecordsDiffer,
    PrivateNamesDiffer,
    RecordsDiffer,
    RivalSources,
    SourceIncomplete,
    SourceUnreadable,
    SyncHeld,
    ZonesOverlap,
)
from zones.findings.state_evidence import StateSetAside, StateUnwritable

TYPES: Final[tuple[type[Evidence], ...]] = (
    ConflictingAddress, AddressReused, SyncHeld, SourceIncomplete, StateUnwritable, DuplicateEndpoint, SharedGlobalName,
    EndpointRejected, EndpointDisconnected, EndpointMisplaced, CompanionMissing, NameMissing, InvalidRecord,
    ProvisioningFailed, LimitNear, PinIgnored, NameIgnored, ExceptIgnored, StaticShadowsEndpoint, RivalSources,
    PrivateNamesDiffer, MorePrivateNamesDiffer, RecordsDiffer, MoreRecordsDiffer, ZonesOverlap, SourceUnreadable,
    StateSetAside, NetworkOverlap, ForwardLoop, EndpointPending, ZoneUnknown, WildcardShared, AddressChanged,
)  # fmt: skip
"""Every evidence type, the most severe first. Several types may have one code."""
