"""What a person asks the registry to make, in few words: names where these are clear, and defaults for the rest."""

from typing import NamedTuple


class EndpointRequest(NamedTuple):
    """A private endpoint to make. It is in the location of its subnet's virtual network."""

    name: str
    subnet: str
    """Id, `NETWORK/SUBNET`, or the name of the only subnet of that name."""
    target: str
    """Id or alias, or the name of a target that the caller sees."""
    group: str = ""
    """The resource group; empty: that of the virtual network."""
    sub_resource: str = ""
    """Group id; empty: the only one of the target."""
    manual: bool = False
    """Whether the owner of the target is asked for approval, also where the caller may approve."""
    message: str = ""
    """To the owner of the target."""
    addresses: tuple[str, ...] = ()
    """Static addresses, one for each member of the sub-resource; empty: dynamic ones."""


class NetworkRequest(NamedTuple):
    """A virtual network to make. `subnets`: name and prefix of each."""

    name: str
    prefixes: tuple[str, ...]
    subnets: tuple[tuple[str, str], ...]
    group: str
    location: str
    subscription: str = ""
    """Id or name; empty: the only one in which the caller has a role."""


class TargetRequest(NamedTuple):
    """A target to make: what private endpoints connect to."""

    name: str
    type: str
    """Full, such as `Microsoft.Storage/storageAccounts`, or its last part where no other type has that."""
    group: str
    location: str
    kind: str = ""
    subscription: str = ""
    """As in `NetworkRequest`."""
