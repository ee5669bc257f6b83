"""Parses Azure's JSON and the short form: the bytes of one file or page in, `Resources` out.

Accepts Microsoft.Network REST bodies, pages and arrays of them, the output of `az … -o json` (`properties` flattened,
nulls) and rows of Resource Graph. A row that cannot be read is a `Fault`, and the other rows are kept. Does not
validate names and addresses, and does not know which resources belong together.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from sys import intern
from typing import TypeVar

from zones.azure.arm_json import (
    ENDPOINT,
    NIC,
    TYPES,
    VNET,
    AddressSpaceJson,
    ArmJson,
    BodyJson,
    HeadJson,
    IpConfigurationBodyJson,
    LinkPropertiesJson,
    ReferenceJson,
    RowJson,
    ShortJson,
    first_connection,
    is_of_endpoint,
    type_by_fields,
)
from zones.azure.arm_zone_group import ZONE_GROUP, zone_group
from zones.azure.encoding import Document, Form, Node, TypeMismatch, UnreadableDocument
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


def read(data: bytes, where: str, *, form: Form) -> Resources:
    """Return the resources of one file or page. `where` names the file or page in faults.

    Raises `UnreadableDocument`, with line and column, for invalid JSON or YAML and for a document of another shape.
    """
    document = Document(data, form)
    reading = _Reading(document, where)
    try:
        reading.value(document.root)
    except TypeMismatch as error:
        raise UnreadableDocument(f"{error} at {error.path}" if error.path else str(error)) from None
    return reading.resources()


_R = TypeVar("_R", bound=ArmJson)
_K = TypeVar("_K", PrivateEndpoint, Nic, VirtualNetwork, ZoneGroup)


class _Reading:
    """Reads one document and collects its resources."""

    def __init__(self, document: Document, where: str) -> None:
        self._document, self._where = document, where
        self._endpoints: dict[ResourceId, PrivateEndpoint] = {}
        self._nics: dict[ResourceId, Nic] = {}
        self._vnets: dict[ResourceId, VirtualNetwork] = {}
        self._zone_groups: dict[ResourceId, ZoneGroup] = {}
        self._faults: dict[Fault, None] = {}

    def resources(self) -> Resources:
        return Resources(
            tuple(self._endpoints.values()),
            tuple(self._nics.values()),
            tuple(self._vnets.values()),
            tuple(self._faults),
            tuple(self._zone_groups.values()),
        )

    def value(self, node: Node) -> None:
        """Read an array, a page, the short form, one resource, or any of these under `body`. Raises `TypeMismatch`."""
        top = self._document.split(node)
        if isinstance(top, list):
            self._rows(node, RowJson, self._row)
        elif "body" in top:
            self.value(top["body"])
        elif top.keys() & {"value", "data", "endpoints"}:
            self._rows(top.get("value"), RowJson, self._row)
            self._rows(top.get("data"), RowJson, self._row)
            self._rows(top.get("endpoints"), ShortJson, self._short)
        else:
            row = self._one(node, RowJson, self._where)
            if row and not self._row(row, self._where):
                raise TypeMismatch(
                    "neither a resource nor an array, a page (value, data) or the short form (endpoints)"
                )

    def _rows(self, node: Node, kind: type[_R], take: Callable[[_R, str], bool]) -> None:
        for i, row in enumerate(self._decoded(node, kind) if node is not None else ()):
            label = f"{self._where}: item {i}"
            if row and not take(row, label):
                self._fault(label, "", "nothing says what it is: no type, no id, no field of a network resource")

    def _decoded(self, node: Node, kind: type[_R]) -> Iterator[_R | None]:
        """Decode all rows at once; where that fails, decode each row by itself."""
        try:
            rows: list[_R] | None = self._document.decode(node, list[kind] | None)  # type: ignore[valid-type]
            yield from rows or ()
        except TypeMismatch:
            items = self._document.split(node)
            if isinstance(items, dict):
                raise TypeMismatch("an object where an array of resources should be") from None
            for i, item in enumerate(items):
                yield self._one(item, kind, f"{self._where}: item {i}")

    def _one(self, node: Node, kind: type[_R], label: str) -> _R | None:
        """Decode one row. Return None where that fails, with a fault if pldns reads resources of its type."""
        try:
            row: _R = self._document.decode(node, kind)
        except TypeMismatch as error:
            head = self._head(node)
            if kind is ShortJson or _type(head.type, _id(head.id)[0]) in ("", *TYPES):
                subject = next((text for text in (head.id, head.name) if text and isinstance(text, str)), label)
                self._fault(subject, error.path, str(error))
            return None
        return row

    def _head(self, node: Node) -> HeadJson:
        try:
            head: HeadJson = self._document.decode(node, HeadJson)
        except TypeMismatch:
            return HeadJson()
        return head

    def _fault(self, subject: str, path: str, message: str) -> None:
        self._faults[Fault(subject, path, message, self._where)] = None

    def _keep(self, kept: dict[ResourceId, _K], resource: _K) -> None:
        """Keep a resource. An equal repetition is no fault: Resource Graph repeats an endpoint for each of its NICs."""
        if kept.setdefault(resource.key, resource) != resource:
            self._fault(resource.id, "", "twice in one file, with different contents; the first counts")

    def _row(self, row: RowJson, label: str) -> bool:
        """Read a row, or ignore one of another type. Return False where its type is unknown."""
        body = row.properties or row
        key, problem = _id(row.id)
        kind = _type(row.type, key) or type_by_fields(body)
        if kind == NIC and not is_of_endpoint(body):
            return True
        if kind in TYPES and not key:
            self._fault(row.id or row.name or label, "id", problem)
        elif kind == ENDPOINT:
            self._endpoint(row, body, key)
        elif kind == NIC:
            self._nic(key, row.id or key, body.private_endpoint, body)
        elif kind == VNET:
            self._vnet(row, body, key)
        elif kind == ZONE_GROUP:
            self._keep(self._zone_groups, zone_group(key, row.id or key, body.private_dns_zone_configs or ()))
        return bool(kind)

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
        )
        self._keep(self._endpoints, endpoint)
        if row.properties and row.ip_configurations:
            self._joined_nic(row, endpoint)

    def _joined_nic(self, row: RowJson, endpoint: PrivateEndpoint) -> None:
        """Read the NIC of a Resource Graph row. A query may leave out the id of the NIC; an endpoint has only one."""
        text = row.nic_id or next(iter(endpoint.nics), "")
        key, problem = _id(text)
        if key:
            self._nic(key, text, ReferenceJson(row.id), row)
        else:
            self._fault(endpoint.id, "nicId", problem)

    def _nic(self, key: ResourceId, text: str, endpoint: ReferenceJson | None, body: BodyJson) -> None:
        faults = _Faults(text, self._where)
        owner = next(iter(faults.ids((endpoint,), "privateEndpoint.id")), NO_RESOURCE)
        rows = tuple(_nic_row(config.properties or config) for config in body.ip_configurations or ())
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
        vnet = VirtualNetwork(key, row.id or key, region, space.address_prefixes or (), peers, where=self._where)
        self._keep(self._vnets, vnet)
        self._faults.update(dict.fromkeys(faults.found))

    def _short(self, row: ShortJson, label: str) -> bool:
        if not row.name.strip():
            self._fault(label, "name", "empty")
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
            records=tuple(NicRow((record.fqdn,), _texts(record.ips)) for record in row.records or ()),
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

    def ids(self, references: Iterable[ReferenceJson | None], path: str) -> tuple[ResourceId, ...]:
        """Return the normalised ids. `path` has `{}` for the index."""
        keys = []
        for i, reference in enumerate(references):
            key, problem = _id(reference.id) if reference else (NO_RESOURCE, "")
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


def _id(text: object) -> tuple[ResourceId, str]:
    """Return the normalised id and no problem, or no id and the problem."""
    try:
        return resource_id(text if isinstance(text, str) else ""), ""
    except InvalidId as error:
        return NO_RESOURCE, str(error)


@lru_cache(4096)
def _vnet_id(text: str) -> ResourceId:
    """Return the VNet of a subnet or VNet id. Cached: an estate has few subnets with many endpoints in each."""
    return ResourceId(intern(resource_id(text).partition("/subnets/")[0]))


def _type(text: object, key: ResourceId) -> str:
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
