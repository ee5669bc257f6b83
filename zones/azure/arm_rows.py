"""Turns rows of Azure's JSON and of the short form into resources, and collects those of one file or page.

A row that pldns does not need is counted by its type. An invalid id is a fault, and the resource is kept. Does not know
syntax, or how the rows are arranged in a file: `arm` does.
"""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from sys import intern
from typing import Final, TypeVar

from zones.azure.arm_json import (
    ENDPOINT,
    NIC,
    TYPES,
    VNET,
    AddressSpaceJson,
    BodyJson,
    InnerNicJson,
    IpConfigurationBodyJson,
    IpConfigurationJson,
    LinkPropertiesJson,
    ReferenceJson,
    RowJson,
    ShortJson,
    first_connection,
    is_bare,
    is_of_endpoint,
    type_by_fields,
)
from zones.azure.arm_zone_group import ZONE_GROUP, zone_group
from zones.azure.endpoint import NO_RESOURCE, Fault, ResourceId, VirtualNetwork, fold_region
from zones.azure.resource import (
    InvalidId,
    Nic,
    NicRow,
    PrivateEndpoint,
    Resources,
    ZoneGroup,
    resource_id,
    resource_type,
    subscription,
)

_K = TypeVar("_K", PrivateEndpoint, Nic, VirtualNetwork, ZoneGroup)

_MOST_TYPES: Final = 200
"""Types that are counted by name; a file may name any number of them."""
OTHER_TYPES: Final = "other types"
OTHER_NICS: Final = f"{NIC} without a private endpoint"


class RowReader:
    """Reads the rows of one file or page. `where` names it in faults."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._endpoints: dict[ResourceId, PrivateEndpoint] = {}
        self._nics: dict[ResourceId, Nic] = {}
        self._vnets: dict[ResourceId, VirtualNetwork] = {}
        self._zone_groups: dict[ResourceId, ZoneGroup] = {}
        self._faults: dict[Fault, None] = {}
        self.passed_over: Counter[str] = Counter()
        """Number of rows that pldns does not need, by type."""
        self.bare: Counter[str] = Counter()
        """Number of endpoints, NICs and virtual networks that have no properties, by type."""
        self.targets = 0
        """Number of rows of other types that list private endpoint connections."""

    @property
    def has_resources(self) -> bool:
        """True where a row was a resource that pldns uses."""
        return bool(self._endpoints or self._nics or self._vnets or self._zone_groups)

    def resources(self) -> Resources:
        """Return the resources and faults so far."""
        return Resources(
            tuple(self._endpoints.values()),
            tuple(self._nics.values()),
            tuple(self._vnets.values()),
            tuple(self._faults),
            tuple(self._zone_groups.values()),
        )

    def fault(self, subject: str, path: str, message: str) -> None:
        """Add a fault."""
        self._faults[Fault(subject, path, message, self._where)] = None

    def pass_over(self, kind: str) -> None:
        """Count a row of a type that pldns does not need."""
        self.passed_over[kind if kind in self.passed_over or len(self.passed_over) < _MOST_TYPES else OTHER_TYPES] += 1

    def _keep(self, kept: dict[ResourceId, _K], resource: _K) -> None:
        """Keep a resource. An equal repetition is no fault: Resource Graph repeats an endpoint for each of its NICs."""
        if kept.setdefault(resource.key, resource) != resource:
            self.fault(resource.id, "", "twice in one file, with different contents; the first counts")

    def row(self, row: RowJson, label: str) -> bool:
        """Read a row, or count one of another type. Return False where its type is unknown."""
        body = row.properties or row
        key, problem = normalised(row.id)
        kind = type_of(row.type, key) or type_by_fields(body)
        if kind in TYPES and kind != ZONE_GROUP and key and is_bare(body):
            self.bare[kind] += 1
        elif kind == NIC and not is_of_endpoint(body):
            self.pass_over(OTHER_NICS)
        elif kind in TYPES and not key:
            self.fault(row.id or row.name or label, "id", problem)
        elif kind == ENDPOINT:
            self._endpoint(row, body, key)
        elif kind == NIC:
            self._nic(key, row.id or key, body.private_endpoint, body.ip_configurations)
        elif kind == VNET:
            self._vnet(row, body, key)
        elif kind == ZONE_GROUP:
            self._zone_group(zone_group(key, row.id or key, body.private_dns_zone_configs or ()))
        elif kind:
            self.pass_over(kind)
            self.targets += bool(body.private_endpoint_connections)
        return bool(kind)

    def _zone_group(self, group: ZoneGroup) -> None:
        """Keep the zone group of an endpoint. An endpoint has one: a second one is a fault."""
        first = self._zone_groups.get(group.key, group)
        if first.id.casefold() == group.id.casefold():
            self._keep(self._zone_groups, group)
        else:
            other = first.id.rpartition("/")[2]
            self.fault(group.id, "", f"the endpoint also has the zone group {other!r} in this file, which counts")

    def _endpoint(self, row: RowJson, body: BodyJson, key: ResourceId) -> None:
        faults = _Faults(row.id or key, self._where)
        connection = first_connection(body)
        state = connection.private_link_service_connection_state
        endpoint = PrivateEndpoint(
            key=key,
            id=row.id or key,
            name=row.name or (row.id or key).strip("/").rpartition("/")[2],
            region=intern(fold_region(row.location)),
            subscription=subscription(key),
            vnet=faults.vnet(body.subnet.id if body.subnet else None, "subnet.id"),
            target=(connection.private_link_service_id or "").strip(),
            groups=_groups(connection.group_ids or ()),
            state_text=intern((state.status if state else None) or ""),
            provisioning=intern(body.provisioning_state or "Succeeded"),
            nics=faults.ids(body.network_interfaces or (), "networkInterfaces[{}].id"),
            dns=tuple(
                NicRow((config.fqdn,) if config.fqdn else (), config.ip_addresses or ())
                for config in body.custom_dns_configs or ()
            ),
            faults=faults.found,
            subnet=intern(_subnet_name((body.subnet.id if body.subnet else None) or "")),
        )
        self._keep(self._endpoints, endpoint)
        self._inner_nics(row, body)
        if row.properties and row.ip_configurations:
            self._joined_nic(row, endpoint)

    def _joined_nic(self, row: RowJson, endpoint: PrivateEndpoint) -> None:
        """Read the NIC of a Resource Graph row. A query may leave out the id of the NIC; an endpoint has only one."""
        text = row.nic_id or next(iter(endpoint.nics), "")
        key, problem = normalised(text)
        if key:
            self._nic(key, text, ReferenceJson(row.id), row.ip_configurations)
        else:
            self.fault(endpoint.id, "nicId", problem)

    def _inner_nics(self, row: RowJson, body: BodyJson) -> None:
        """Read the NICs that an endpoint holds whole, as `--expand` prints them."""
        for nic in body.network_interfaces or ():
            configurations = (nic.properties or nic).ip_configurations or ()
            if any((each.properties or each).private_link_connection_properties for each in configurations):
                key, _ = normalised(nic.id)
                if key:
                    self._nic(key, nic.id or key, ReferenceJson(row.id), configurations)

    def _nic(
        self,
        key: ResourceId,
        text: str,
        endpoint: ReferenceJson | None,
        configurations: tuple[IpConfigurationJson, ...] | None,
    ) -> None:
        faults = _Faults(text, self._where)
        owner = next(iter(faults.ids((endpoint,), "privateEndpoint.id")), NO_RESOURCE)
        rows = tuple(_nic_row(config.properties or config) for config in configurations or ())
        self._keep(self._nics, Nic(key, text, owner, rows, faults.found))

    def _vnet(self, row: RowJson, body: BodyJson, key: ResourceId) -> None:
        faults = _Faults(row.id or key, self._where)
        peerings = (peering.properties or peering for peering in body.virtual_network_peerings or ())
        connected = (
            peering.remote_virtual_network if (peering.peering_state or "").casefold() == "connected" else None
            for peering in peerings
        )
        peers = faults.ids(connected, "virtualNetworkPeerings[{}].remoteVirtualNetwork.id")
        space = body.address_space or AddressSpaceJson()
        region = fold_region(row.location)
        high_scale = (body.private_endpoint_v_net_policies or "").casefold() == "basic"
        prefixes = space.address_prefixes or ()
        vnet = VirtualNetwork(key, row.id or key, region, prefixes, peers, where=self._where, high_scale=high_scale)
        self._keep(self._vnets, vnet)
        self._faults.update(dict.fromkeys(faults.found))

    def short(self, row: ShortJson, label: str) -> bool:
        """Read an endpoint in the short form. Return True: its type is known."""
        if not row.name.strip():
            self.fault(label, "name", "empty")
            return True
        faults = _Faults(row.name, self._where)
        vnet = faults.vnet(row.vnet, "vnet")
        endpoint = PrivateEndpoint(
            key=ResourceId(row.name),
            id=row.name,
            name=row.name,
            subscription=subscription(vnet) if vnet and not faults.found else "",
            vnet=vnet,
            target=(row.target or "").strip(),
            groups=_groups((*_texts(row.group), *_texts(row.groups))),
            state_text=row.state or "Approved",
            records=tuple(
                NicRow(() if record.fqdn is None else (record.fqdn,), _texts(record.ips))
                for record in row.records or ()
            ),
            network=intern(row.network or ""),
            faults=faults.found,
        )
        self._keep(self._endpoints, endpoint)
        return True


class _Faults:
    """Reads ids inside a resource. An invalid id is a fault, and the resource is kept."""

    def __init__(self, subject: str, where: str) -> None:
        self._subject, self._where = subject, where
        self.found: tuple[Fault, ...] = ()

    def ids(self, references: Iterable[ReferenceJson | InnerNicJson | None], path: str) -> tuple[ResourceId, ...]:
        """Return the normalised ids. `path` has `{}` for the index."""
        keys = []
        for i, reference in enumerate(references):
            key, problem = normalised(reference.id) if reference else (NO_RESOURCE, "")
            if key:
                keys.append(key)
            elif problem:
                self._add(path.format(i), problem)
        return tuple(keys)

    def vnet(self, text: str | None, path: str) -> ResourceId:
        try:
            return _vnet_id(text) if text else NO_RESOURCE
        except InvalidId as error:
            self._add(path, str(error))
            return ResourceId((text or "").casefold())

    def _add(self, path: str, message: str) -> None:
        self.found += (Fault(self._subject, path, message, self._where),)


def normalised(text: object) -> tuple[ResourceId, str]:
    """Return the normalised id and no problem, or no id and the problem."""
    try:
        return resource_id(text if isinstance(text, str) else ""), ""
    except InvalidId as error:
        return NO_RESOURCE, str(error)


@lru_cache(4096)
def _vnet_id(text: str) -> ResourceId:
    """Return the VNet of a subnet or VNet id. Cached: an estate has few subnets with many endpoints in each."""
    return ResourceId(intern(resource_id(text).partition("/subnets/")[0]))


def _subnet_name(text: str) -> str:
    """Return the last part of the id of a subnet, as it is spelled; empty for an id of something else."""
    above, _, name = text.rstrip("/").rpartition("/")
    return name if above.casefold().endswith("/subnets") else ""


def type_of(text: object, key: ResourceId) -> str:
    """Return the resource type, folded, from the row, else from the id, else empty."""
    if text and isinstance(text, str):
        return text.casefold()
    return resource_type(key) if key else ""


def _nic_row(config: IpConfigurationBodyJson) -> NicRow:
    address = config.address if config.address is not None else config.old_az_address
    link = config.private_link_connection_properties or LinkPropertiesJson()
    addresses = (address,) if address is not None else ()
    return NicRow(link.fqdns or (), addresses, intern(link.group_id or ""), intern(link.required_member_name or ""))


@lru_cache(1024)
def _groups(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return one object for equal group ids, to save memory: there are a few ids and a million endpoints."""
    return tuple(map(intern, texts))


def _texts(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()
