"""Endpoints as the rest of pldns sees them: validated, frozen, in our words rather than Azure's.

Refuses to know JSON: `arm` reads that, `inventory` joins it.
"""

from enum import StrEnum

import msgspec

from zones.dns.name import Name


class ConnectionState(StrEnum):
    """Connection state of an endpoint (azure/private-endpoint-semantics.md). Only `APPROVED` is ever served."""

    APPROVED = "Approved"
    PENDING = "Pending"
    REJECTED = "Rejected"
    DISCONNECTED = "Disconnected"
    UNKNOWN = "Unknown"

    @classmethod
    def read(cls, text: str | None) -> "ConnectionState":
        """Compare without case; `Removed` is Disconnected; anything else is `UNKNOWN`."""
        return _STATES.get((text or "").strip().casefold(), cls.UNKNOWN)


_STATES = {state.value.casefold(): state for state in ConnectionState} | {"removed": ConnectionState.DISCONNECTED}
_STATES.pop("unknown")


class NicRecord(msgspec.Struct, frozen=True, gc=False):
    """One row of the endpoint's NIC: a public FQDN and the packed addresses (4 or 16 octets each) that it has."""

    fqdn: Name
    addresses: tuple[bytes, ...]
    group: str = ""
    member: str = ""


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Something in the inventory that could not be read. `path` is where inside the resource, `message` why."""

    subject: str
    path: str
    message: str
    where: str = ""


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """A private endpoint. `key` is its identity: the normalised resource id, or the name in the short form."""

    key: str
    id: str
    name: str
    state: ConnectionState
    target: str = ""
    """Resource id (or alias) of what it connects to, as written; compare with `target_key`."""
    groups: tuple[str, ...] = ()
    provisioning: str = "Succeeded"
    state_text: str = ""
    """The state as Azure wrote it, for the finding about an unknown one."""
    region: str = ""
    """Folded, without spaces: `westeurope`."""
    subscription: str = ""
    vnet: str = ""
    """Normalised id of its virtual network, or empty."""
    network: str = ""
    """Short form only: the network that alone sees it. With neither `vnet` nor `network`: visible to all."""
    records: tuple[NicRecord, ...] = ()
    faults: tuple[Fault, ...] = ()
    rivals: tuple[str, ...] = ()
    """Other parts that say something else of it, each with what differs: `hub: b.json: state, records`."""
    source: str = ""
    where: str = ""
    """File, subscription or other part of the source that it came from."""

    @property
    def served(self) -> bool:
        """Approved, and not being deleted."""
        return is_served(self.state, self.provisioning)

    @property
    def target_key(self) -> str:
        """The target for comparison: resource ids are case-insensitive."""
        return self.target.casefold().rstrip("/")


class VirtualNetwork(msgspec.Struct, frozen=True, gc=False):
    """A VNet: region, address space (CIDR texts) and the normalised ids of its Connected peers."""

    key: str
    id: str
    region: str = ""
    prefixes: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    source: str = ""
    where: str = ""


def is_served(state: ConnectionState, provisioning: str) -> bool:
    """The names of an endpoint in these states are answered."""
    return state is ConnectionState.APPROVED and provisioning.casefold() != "deleting"


def fold_region(text: str | None) -> str:
    """`West Europe` and `westeurope` are one region."""
    return (text or "").replace(" ", "").casefold()
