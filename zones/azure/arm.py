"""Azure's JSON, and our short form of it: octets of one file or page in, `Resources` out.

The one place that knows these shapes: Microsoft.Network REST bodies (API 2025-05-01), pages and arrays of them, what
`az … -o json` makes of them (`properties` flattened, nulls), Resource Graph rows. Refuses to judge names and addresses,
or to know which resources belong together. A row that cannot be read is a `Fault`; the rest is kept.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from sys import intern
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from zones.azure.encoding import Document, Form, Node, TypeMismatch, UnreadableDocument
from zones.azure.endpoint import Fault, VirtualNetwork, fold_region
from zones.azure.resource import (
    InvalidId,
    Nic,
    NicRow,
    PrivateEndpoint,
    Resources,
    resource_id,
    resource_type,
    subscription,
)


def read(data: bytes, where: str, *, form: Form) -> Resources:
    """Read one file or page; `where` names it in faults.

    Raises `UnreadableDocument`, with line and column, when it is no JSON (YAML) or not what any source writes.
    """
    document = Document(data, form)
    reading = _Reading(document, where)
    try:
        reading.value(document.root)
    except TypeMismatch as error:
        raise UnreadableDocument(f"{error} at {error.path}" if error.path else str(error)) from None
    return reading.resources()


# What is read, named as Azure names it. A body stands under `properties` or, from `az`, beside `id` and `name`.


class _Wire(Struct, gc=False, rename="camel"):
    pass


class _Reference(_Wire):
    id: str | None = None


class _ConnectionState(_Wire):
    status: str | None = None


class _ConnectionBody(_Wire):
    private_link_service_id: str | None = None
    group_ids: tuple[str, ...] | None = None
    private_link_service_connection_state: _ConnectionState | None = None


class _Connection(_ConnectionBody):
    properties: _ConnectionBody | None = None


class _DnsConfig(_Wire):
    fqdn: str | None = None
    ip_addresses: tuple[str, ...] | None = None


class _LinkProperties(_Wire):
    group_id: str | None = None
    required_member_name: str | None = None
    fqdns: tuple[str, ...] | None = None


class _IpConfigurationBody(_Wire):
    address: str | None = field(name="privateIPAddress", default=None)
    old_az_address: str | None = field(name="privateIpAddress", default=None)
    private_link_connection_properties: _LinkProperties | None = None


class _IpConfiguration(_IpConfigurationBody):
    properties: _IpConfigurationBody | None = None


class _AddressSpace(_Wire):
    address_prefixes: tuple[str, ...] | None = None


class _PeeringBody(_Wire):
    peering_state: str | None = None
    remote_virtual_network: _Reference | None = None


class _Peering(_PeeringBody):
    properties: _PeeringBody | None = None


class _Body(_Wire):
    provisioning_state: str | None = None
    subnet: _Reference | None = None
    network_interfaces: tuple[_Reference, ...] | None = None
    private_link_service_connections: tuple[_Connection, ...] | None = None
    manual_private_link_service_connections: tuple[_Connection, ...] | None = None
    custom_dns_configs: tuple[_DnsConfig, ...] | None = None
    private_endpoint: _Reference | None = None
    ip_configurations: tuple[_IpConfiguration, ...] | None = None
    address_space: _AddressSpace | None = None
    virtual_network_peerings: tuple[_Peering, ...] | None = None


class _Row(_Body):
    id: str | None = None
    name: str | None = None
    type: str | None = None
    location: str | None = None
    properties: _Body | None = None
    nic_id: str | None = None
    """Resource Graph: the NIC whose `ipConfigurations` are joined to this endpoint's row."""


class _ShortRecord(_Wire, forbid_unknown_fields=True):
    fqdn: str
    ips: str | tuple[str, ...]


class _Short(_Wire, forbid_unknown_fields=True):
    """People write these by hand, so an unknown key is an error, not a silence."""

    name: str
    target: str | None = None
    group: str | tuple[str, ...] | None = None
    groups: str | tuple[str, ...] | None = None
    network: str | None = None
    vnet: str | None = None
    state: str | None = None
    records: tuple[_ShortRecord, ...] | None = None


class _Head(_Wire):
    """What names a row that cannot be read."""

    id: Any = None
    name: Any = None
    type: Any = None


_ENDPOINT: Final = "microsoft.network/privateendpoints"
_NIC: Final = "microsoft.network/networkinterfaces"
_VNET: Final = "microsoft.network/virtualnetworks"
_OURS: Final = (_ENDPOINT, _NIC, _VNET)
_R = TypeVar("_R", bound=_Wire)
_K = TypeVar("_K", PrivateEndpoint, Nic, VirtualNetwork)


class _Reading:
    """Walks one document and collects its resources."""

    def __init__(self, document: Document, where: str) -> None:
        self._document, self._where = document, where
        self._endpoints: dict[str, PrivateEndpoint] = {}
        self._nics: dict[str, Nic] = {}
        self._vnets: dict[str, VirtualNetwork] = {}
        self._faults: dict[Fault, None] = {}

    def resources(self) -> Resources:
        return Resources(
            tuple(self._endpoints.values()),
            tuple(self._nics.values()),
            tuple(self._vnets.values()),
            tuple(self._faults),
        )

    def value(self, node: Node) -> None:
        """An array, a page, the short form, a single resource, or any of these under `body`. Raises `TypeMismatch`."""
        top = self._document.split(node)
        if isinstance(top, list):
            self._rows(node, _Row, self._row)
        elif "body" in top:
            self.value(top["body"])
        elif top.keys() & {"value", "data", "endpoints"}:
            self._rows(top.get("value"), _Row, self._row)
            self._rows(top.get("data"), _Row, self._row)
            self._rows(top.get("endpoints"), _Short, self._short)
        else:
            row = self._one(node, _Row, self._where)
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
        """All rows in one go; where one fails, each on its own."""
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
        """None, with a fault, for a row that cannot be read; without one if it is of a type that we do not read."""
        try:
            row: _R = self._document.decode(node, kind)
        except TypeMismatch as error:
            head = self._head(node)
            if kind is _Short or _type(head.type, _id(head.id)[0]) in ("", *_OURS):
                subject = next((text for text in (head.id, head.name) if text and isinstance(text, str)), label)
                self._fault(subject, error.path, str(error))
            return None
        return row

    def _head(self, node: Node) -> _Head:
        try:
            head: _Head = self._document.decode(node, _Head)
        except TypeMismatch:
            return _Head()
        return head

    def _fault(self, subject: str, path: str, message: str) -> None:
        self._faults[Fault(subject, path, message, self._where)] = None

    def _keep(self, kept: dict[str, _K], resource: _K) -> None:
        """Resource Graph repeats an endpoint for each NIC joined to it: the same again is no news."""
        if kept.setdefault(resource.key, resource) != resource:
            self._fault(resource.id, "", "twice in one file, with different contents; the first counts")

    def _row(self, row: _Row, label: str) -> bool:
        """Take a row of ours, pass over one of another type; False: nothing says what it is."""
        body = row.properties or row
        key, problem = _id(row.id)
        kind = _type(row.type, key) or _type_by_fields(body)
        if kind == _NIC and not _of_endpoint(body):
            return True
        if kind in _OURS and not key:
            self._fault(row.id or row.name or label, "id", problem)
        elif kind == _ENDPOINT:
            self._endpoint(row, body, key)
        elif kind == _NIC:
            self._nic(key, row.id or key, body.private_endpoint, body)
        elif kind == _VNET:
            self._vnet(row, body, key)
        return bool(kind)

    def _endpoint(self, row: _Row, body: _Body, key: str) -> None:
        faults = _Faults(row.id or key, self._where)
        connection = _first_connection(body)
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

    def _joined_nic(self, row: _Row, endpoint: PrivateEndpoint) -> None:
        """The NIC of a Resource Graph row; a query may have left out its id, but an endpoint has one NIC only."""
        text = row.nic_id or next(iter(endpoint.nics), "")
        key, problem = _id(text)
        if key:
            self._nic(key, text, _Reference(row.id), row)
        else:
            self._fault(endpoint.id, "nicId", problem)

    def _nic(self, key: str, text: str, endpoint: _Reference | None, body: _Body) -> None:
        faults = _Faults(text, self._where)
        owner = next(iter(faults.ids((endpoint,), "privateEndpoint.id")), "")
        rows = tuple(_nic_row(config.properties or config) for config in body.ip_configurations or ())
        self._keep(self._nics, Nic(key, text, owner, rows, faults.found))

    def _vnet(self, row: _Row, body: _Body, key: str) -> None:
        faults = _Faults(row.id or key, self._where)
        peerings = (peering.properties or peering for peering in body.virtual_network_peerings or ())
        connected = (
            peering.remote_virtual_network if (peering.peering_state or "").casefold() == "connected" else None
            for peering in peerings
        )
        peers = faults.ids(connected, "virtualNetworkPeerings[{}].remoteVirtualNetwork.id")
        space = body.address_space or _AddressSpace()
        region = fold_region(row.location)
        vnet = VirtualNetwork(key, row.id or key, region, space.address_prefixes or (), peers, where=self._where)
        self._keep(self._vnets, vnet)
        self._faults.update(dict.fromkeys(faults.found))

    def _short(self, row: _Short, label: str) -> bool:
        if not row.name.strip():
            self._fault(label, "name", "empty")
            return True
        faults = _Faults(row.name, self._where)
        vnet = faults.vnet(row.vnet, "vnet")
        endpoint = PrivateEndpoint(
            key=row.name,
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
    """Reads ids inside a resource that is kept whatever they say."""

    def __init__(self, subject: str, where: str) -> None:
        self._subject, self._where = subject, where
        self.found: tuple[Fault, ...] = ()

    def ids(self, references: Iterable[_Reference | None], path: str) -> tuple[str, ...]:
        """Normalised ids; `path` has `{}` where the index goes."""
        keys = []
        for i, reference in enumerate(references):
            key, problem = _id(reference.id) if reference else ("", "")
            if key:
                keys.append(key)
            elif problem:
                self._add(path.format(i), problem)
        return tuple(keys)

    def vnet(self, text: str | None, path: str) -> str:
        try:
            return _vnet_id(text) if text else ""
        except InvalidId as error:
            self._add(path, str(error))
            return (text or "").casefold()

    def _add(self, path: str, message: str) -> None:
        self.found += (Fault(self._subject, path, message, self._where),)


def _id(text: object) -> tuple[str, str]:
    """The normalised id, or empty and the reason."""
    try:
        return resource_id(text if isinstance(text, str) else ""), ""
    except InvalidId as error:
        return "", str(error)


@lru_cache(4096)
def _vnet_id(text: str) -> str:
    """The VNet of a subnet, or of itself. Estates have few subnets with many endpoints in each, hence the cache."""
    return intern(resource_id(text).partition("/subnets/")[0])


def _type(text: object, key: str) -> str:
    """The resource type, folded: as the row says, else as its id says, else empty."""
    if text and isinstance(text, str):
        return text.casefold()
    return resource_type(key) if key else ""


def _type_by_fields(body: _Body) -> str:
    if body.private_link_service_connections is not None or body.manual_private_link_service_connections is not None:
        return _ENDPOINT
    if _of_endpoint(body):
        return _NIC
    return _VNET if body.address_space else ""


def _of_endpoint(body: _Body) -> bool:
    """A private endpoint's NIC, not a machine's."""
    return body.private_endpoint is not None or any(
        (config.properties or config).private_link_connection_properties for config in body.ip_configurations or ()
    )


def _first_connection(body: _Body) -> _ConnectionBody:
    """An endpoint has one connection, in one of two arrays; the other is empty or absent."""
    both = (*(body.private_link_service_connections or ()), *(body.manual_private_link_service_connections or ()))
    return (both[0].properties or both[0]) if both else _ConnectionBody()


def _nic_row(config: _IpConfigurationBody) -> NicRow:
    address = config.address if config.address is not None else config.old_az_address
    link = config.private_link_connection_properties or _LinkProperties()
    addresses = (address,) if address is not None else ()
    return NicRow(link.fqdns or (), addresses, intern(link.group_id or ""), intern(link.required_member_name or ""))


@lru_cache(1024)
def _groups(texts: tuple[str, ...]) -> tuple[str, ...]:
    """One object for equal group ids: they are a handful, and endpoints a million."""
    return tuple(map(intern, texts))


def _texts(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()
