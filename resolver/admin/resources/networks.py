"""Networks as JSON, and the networks that a bit mask selects."""

from typing import Literal

from pydantic import Field

from resolver.admin.resources.model import ListParameters, Model
from resolver.control.estate.estate import Estate
from zones.findings.evidence import LISTED
from zones.networks.network import Network, NetworkMask

NetworkOrigin = Literal["auto", "configured", "default"]


class NetworkItem(Model):
    """A network as it is now. `none` lists prefixes that several VNets use: their clients belong to no network."""

    name: str
    origin: NetworkOrigin = Field(
        description="`auto`: derived from a virtual network. `default`: the only network when none is configured."
    )
    clients: list[str] = Field(description="Client prefixes. The longest matching prefix of all networks decides.")
    vnets: list[str] = Field(description="Home virtual networks.")
    reach: list[str] = Field(
        description="Other virtual networks whose endpoints are visible. Without `vnets` and `reach`, all are visible."
    )
    excepted: list[str] = Field(description="Endpoints and names that are hidden from the network (`except`).")
    listeners: list[str] = Field(description="Listen addresses that put every client into this network.")


class NetworkParameters(ListParameters):
    """Query parameters of `/v1/networks`."""

    name: tuple[str, ...] = Field(default=(), description="Only the network of this name.")


def network(estate: Estate, shown: Network) -> NetworkItem:
    """Return one network as JSON."""
    networks = estate.networks
    origin: NetworkOrigin = "configured" if shown in networks.configured else "auto"
    return NetworkItem(
        name=shown.name, origin="default" if networks.implicit else origin,
        clients=list(shown.clients), vnets=list(shown.vnets), reach=list(shown.reach),
        excepted=[each.text for each in shown.excepted],
        listeners=[str(each.listen) for each in estate.settings.listeners if each.network == shown.name],
    )  # fmt: skip


def network_names(estate: Estate, mask: NetworkMask) -> tuple[list[str], int]:
    """Return the names of the first 32 networks in a mask, and how many networks the mask holds."""
    names = estate.networks.listed(mask)
    return list(names[:LISTED]), len(names)
