"""Endpoints and virtual networks as the rest of pldns uses them: validated and frozen.

Does not know JSON: `arm` parses it, and `inventory` joins the resources.
"""

from enum import StrEnum
from typing import Final, NewType

import msgspec

from zones.dns.name import Name

ResourceId = NewType("ResourceId", str)
"""Normalised id of a resource in Azure (`resource.resource_id`), or the name of an endpoint in the short form."""
NO_RESOURCE: Final = ResourceId("")


class ConnectionState(StrEnum):
    """Connection state of an endpoint (`privateLinkServiceConnectionState.status`). Only `APPROVED` is ever served."""

    APPROVED = "Approved"
    PENDING = "Pending"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"
    UNKNOWN = "Unknown"

    @classmethod
    def read(cls, text: str | None) -> "ConnectionState":
        """Return the state that a text of Azure names, in any case. `Removed` is Disconnected, others are `UNKNOWN`."""
        return _STATES.get((text or "").strip().casefold(), cls.UNKNOWN)


_STATES = {state.value.casefold(): state for state in ConnectionState} | {"removed": ConnectionState.DISCONNECTED}
_STATES.pop("unknown")


class NicRecord(msgspec.Struct, frozen=True, gc=False):
    """A public FQDN of an endpoint, and its packed addresses of 4 or 16 octets each, as one row of the NIC has them."""

    fqdn: Name
    addresses: tuple[bytes, ...]
    group: str = ""
    member: str = ""
    private: Name | None = None
    """The private name that Azure itself has for the FQDN (`private_names`); None where only the catalogue knows."""


class ConfiguredRecord(NicRecord, frozen=True, gc=False):
    """A record whose FQDN the configuration gives (`names`). The NIC has only the addresses."""


class NamelessRow(msgspec.Struct, frozen=True, gc=False):
    """The packed addresses of NIC rows without an FQDN, by group and member."""

    addresses: tuple[bytes, ...]
    group: str = ""
    member: str = ""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """A part of a resource that could not be read.

    `subject` is the id of the resource, `path` the place in it, `message` the reason, `where` the part of the source.
    """

    subject: str
    path: str
    message: str
    where: str = ""


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """A private endpoint. `key` identifies it: the normalised resource id, or the name in the short form."""

    key: ResourceId
    id: str
    name: str
    state: ConnectionState
    target: str = ""
    """Resource id or alias of the service that it connects to, as written. Compare with `target_key`."""
    groups: tuple[str, ...] = ()
    provisioning: str = "Succeeded"
    state_text: str = ""
    """The state as Azure wrote it, for the finding about an unknown state."""
    region: str = ""
    """Folded, without spaces: `westeurope`."""
    subscription: str = ""
    vnet: ResourceId = NO_RESOURCE
    """Normalised id of its virtual network, or empty."""
    network: str = ""
    """Short form only: the one network that the endpoint is visible to.

    An endpoint with neither `vnet` nor `network` is visible to all networks.
    """
    records: tuple[NicRecord, ...] = ()
    nameless: tuple[NamelessRow, ...] = ()
    """Addresses that no FQDN of the NIC leads to. Only `names` in the configuration can give them a name."""
    faults: tuple[Fault, ...] = ()
    rivals: tuple[str, ...] = ()
    """Other parts with a different version of the endpoint, each with what differs: `hub: b.json: state, records`."""
    source: str = ""
    where: str = ""
    """File, subscription or other part of the source that the endpoint came from."""

    @property
    def served(self) -> bool:
        """True where the endpoint is approved and is not being deleted."""
        return is_served(self.state, self.provisioning)

    def has_configured(self, fqdn: Name) -> bool:
        """Return True where the configuration gives the endpoint this FQDN."""
        return any(isinstance(record, ConfiguredRecord) and record.fqdn == fqdn for record in self.records)

    @property
    def target_key(self) -> str:
        """The target in the form to compare, since resource ids are case-insensitive."""
        return self.target.casefold().rstrip("/")

    @property
    def target_type(self) -> str:
        """The resource type of the target, folded (`microsoft.storage/storageaccounts`); empty for an alias."""
        parts = self.target.casefold().strip("/").split("/")
        return f"{parts[5]}/{parts[6]}" if len(parts) >= 8 and parts[0] == "subscriptions" else ""


class VirtualNetwork(msgspec.Struct, frozen=True, gc=False):
    """A virtual network: region, address space (CIDR texts) and the normalised ids of its Connected peers."""

    key: ResourceId
    id: str
    region: str = ""
    prefixes: tuple[str, ...] = ()
    peers: tuple[ResourceId, ...] = ()
    source: str = ""
    where: str = ""
    high_scale: bool = False
    """Whether high-scale private endpoints are enabled (`privateEndpointVNetPolicies`), which raises Azure's limits."""


def is_served(state: ConnectionState, provisioning: str) -> bool:
    """Return True where the names of an endpoint in these states are served."""
    return state is ConnectionState.APPROVED and provisioning.casefold() != "deleting"


def fold_region(text: str | None) -> str:
    """Return a region's name in the form to compare: `West Europe` and `westeurope` are one region."""
    return (text or "").replace(" ", "").casefold()
