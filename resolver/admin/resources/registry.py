"""The registry's private endpoints and connections as JSON, without the nesting of Azure's bodies."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from resolver.admin.resources.findings import FindingItem, finding
from resolver.admin.resources.model import ListParameters, Model, OneOf, Parameters
from resolver.admin.resources.names import NameItem, name_item
from resolver.control.estate.preview import Preview
from resolver.registry.model.resource_id import ArmId
from zones.azure.endpoint import ConnectionState
from zones.azure.resource import Resources
from zones.clocks import WallTime
from zones.dns.name import to_text

Json = dict[str, Any]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Etag = Annotated[str, StringConstraints(max_length=200)]


class RegistryEndpointItem(Model):
    """A private endpoint of the registry, as its consumer sees it."""

    id: str = Field(description="Azure resource id.")
    name: str
    group: str = Field(description="Name of its resource group.")
    subscription: str = Field(description="Id of its subscription.")
    location: str
    state: str = Field(description="State of the connection: `Approved`, `Pending`, `Rejected` or `Disconnected`.")
    description: str = Field(description="Why it has this state, in the words of the owner of the target or of Azure.")
    target: str = Field(description="Resource id or alias of what it connects to.")
    sub_resource: str = Field(description="Group id, for example `blob`; empty for a private link service.")
    manual: bool = Field(description="Whether the owner of the target was asked for approval.")
    message: str = Field(description="The message to the owner of the target.")
    subnet: str = Field(description="Resource id of its subnet.")
    nic: str = Field(description="Resource id of its network interface.")
    addresses: list[str]
    names: list[str] = Field(description="Its FQDNs, which it has once it is approved.")
    tags: dict[str, str]
    etag: str = Field(description="Changes with each change of the endpoint.")


class RegistryConnectionItem(Model):
    """A private endpoint connection, as the owner of its target sees it."""

    id: str = Field(description="Azure resource id.")
    name: str
    state: str = Field(description="`Approved`, `Pending` or `Rejected`.")
    description: str = Field(description="Why it has this state.")
    message: str = Field(description="The consumer's message to the owner of the target.")
    target: str = Field(description="Resource id of the target.")
    sub_resource: str = Field(description="Group id, for example `blob`; empty for a private link service.")
    endpoint: str = Field(description="Resource id of the private endpoint.")
    etag: str = Field(description="Changes with each change of the connection.")


class RegistrySubnetItem(Model):
    """A subnet of the registry, in which private endpoints can be."""

    id: str = Field(description="Azure resource id.")
    name: str
    vnet: str = Field(description="Resource id of its virtual network.")
    location: str
    prefixes: list[str]
    endpoints: int = Field(description="Private endpoints with an address in it.")


class RegistryNetworkItem(Model):
    """The subnets of a virtual network that was just made."""

    subnets: list[RegistrySubnetItem]


class RegistryTargetItem(Model):
    """What private endpoints can connect to: a resource, or a private link service."""

    id: str = Field(description="Azure resource id.")
    name: str
    type: str
    location: str
    alias: str = Field(description="Of a private link service; empty for others.")
    sub_resources: list[str] = Field(description="Its group ids; none for a private link service.")


class RegistryListParameters(ListParameters):
    """Query parameters of the subnets and targets."""

    subscription: tuple[str, ...] = Field(default=(), description="Only those of this subscription: its id or name.")
    name: tuple[str, ...] = Field(default=(), description="Only those of this name.")


class RegistryParameters(ListParameters):
    """Query parameters of the registry's lists."""

    state: tuple[Annotated[ConnectionState, OneOf(ConnectionState)], ...] = Field(
        default=(), description="Only those in this state."
    )
    subscription: tuple[str, ...] = Field(default=(), description="Only those of this subscription: its id or name.")
    target: tuple[str, ...] = Field(default=(), description="Only those to this target: its id, name or alias.")
    name: tuple[str, ...] = Field(default=(), description="Only those of this name, or of an endpoint of this name.")


class RegistryEndpointParameters(RegistryParameters):
    """Query parameters of `/v1/registry/endpoints`."""

    vnet: tuple[str, ...] = Field(default=(), description="Only those in this virtual network: its id or name.")


class DecisionRequest(Parameters):
    """What the owner of a target decides about a connection."""

    reason: Reason = Field(default="", description="Why. Both sides see it as the description of the connection.")
    etag: Etag = Field(default="", description="Only while the connection has this `etag`: 412 if it has changed.")


ResourceName = Annotated[str, StringConstraints(min_length=1, max_length=90)]
Text = Annotated[str, StringConstraints(max_length=2048)]
Items = Annotated[list[Text], Field(max_length=100)]


class EndpointCreation(Parameters):
    """The private endpoint to make. It is in the location of the virtual network of its subnet."""

    name: ResourceName
    subnet: Text = Field(description="Its id, `NETWORK/SUBNET`, or its name if no other subnet has that.")
    target: Text = Field(description="Id or alias; or the name of a target that the caller sees.")
    group: Text = Field(default="", description="Resource group. Default: that of the virtual network.")
    sub_resource: Text = Field(default="", description="Group id, such as `blob`. Default: the only one of the target.")
    manual: bool = Field(
        default=False, description="Ask the owner of the target for approval, although the caller may approve."
    )
    message: Text = Field(default="", description="To the owner of the target; at most 140 characters.")
    addresses: Items = Field(
        default=[], description="Static addresses, one for each member of the sub-resource. Default: dynamic ones."
    )


class SubnetCreation(Parameters):
    """A subnet of the virtual network to make."""

    name: ResourceName
    prefix: Text


class NetworkCreation(Parameters):
    """The virtual network to make."""

    name: ResourceName
    prefixes: Items = Field(description="Its address space.")
    subnets: list[SubnetCreation] = Field(default=[], max_length=100)
    group: ResourceName = Field(description="Resource group, which is made if it does not exist.")
    location: Text
    subscription: Text = Field(default="", description="Its id or name. Default: the only one that the caller sees.")


class TargetCreation(Parameters):
    """The target to make: a resource that private endpoints can connect to."""

    name: ResourceName
    type: Text = Field(description="Such as `Microsoft.Storage/storageAccounts`, or `storageAccounts`.")
    group: ResourceName = Field(description="Resource group, which is made if it does not exist.")
    location: Text
    kind: Text = ""
    subscription: Text = Field(default="", description="Its id or name. Default: the only one that the caller sees.")


class DeletionRequest(Parameters):
    """The private endpoint to delete."""

    etag: Etag = Field(default="", description="Only while the endpoint has this `etag`: 412 if it has changed.")


class PlanRequest(Parameters):
    """The change that might be made: of a connection or an endpoint that exists, or a new endpoint."""

    action: Literal["approve", "reject", "remove", "delete", "create"]
    name: Text = Field(default="", description="The connection to approve, reject or remove; the endpoint to delete.")
    endpoint: EndpointCreation | None = Field(default=None, description="The endpoint to create.")


class PreviewName(Model):
    """A private name whose answers a change would replace."""

    name: str
    before: NameItem | None = Field(description="null: no endpoint has the name.")
    after: NameItem | None


class PreviewEndpoint(Model):
    """An endpoint as it would be after a change."""

    id: str = Field(description="Azure resource id.")
    state: str = Field(description="`Deleted`, or the state of its connection.")
    addresses: list[str]


class RegistryPreview(Model):
    """What a change of the registry would do to endpoints, names and findings."""

    endpoints: list[PreviewEndpoint]
    names: list[PreviewName]
    opens: list[FindingItem] = Field(
        description="Findings about names and addresses that would open. Limits and companions are not checked."
    )
    closes: list[FindingItem]


def registry_preview(found: Preview, parts: Mapping[str, Resources | None], now: WallTime) -> RegistryPreview:
    """Return what a change would do as JSON. `parts`: the new data, which also has addresses of endpoints that wait."""
    before, after = found.before, found.after
    addresses: dict[str, list[str]] = {}
    for nic in (nic for data in parts.values() if data for nic in data.nics):
        addresses.setdefault(nic.endpoint, []).extend(each for row in nic.rows for each in row.addresses)
    return RegistryPreview(
        endpoints=[
            PreviewEndpoint(
                id=new.id if new else key, state=new.state_text if new else "Deleted",
                addresses=list(dict.fromkeys(addresses.get(key, ()))) if new else [],
            )
            for key, new in found.endpoints.items()
        ],
        names=[
            PreviewName(name=to_text(each), before=name_item(before, each, now), after=name_item(after, each, now))
            for each in found.names
        ],
        opens=[finding(after.board, each, now) for each in found.opens],
        closes=[finding(before.board, each, now) for each in found.closes],
    )  # fmt: skip


def endpoint(body: Json, nic: Json) -> RegistryEndpointItem:
    """Return an endpoint, given as Azure's API has it and its network interface, as JSON."""
    found, properties = ArmId.parse(body["id"]), body["properties"]
    manual = properties["manualPrivateLinkServiceConnections"]
    link = (manual or properties["privateLinkServiceConnections"])[0]["properties"]
    state = link["privateLinkServiceConnectionState"]
    configurations = [each["properties"] for each in nic["properties"]["ipConfigurations"]]
    names = (name for each in configurations for name in each["privateLinkConnectionProperties"]["fqdns"])
    return RegistryEndpointItem(
        id=body["id"], name=body["name"], group=found.group, subscription=found.subscription,
        location=body["location"], state=state["status"], description=state["description"],
        target=link["privateLinkServiceId"], sub_resource=next(iter(link["groupIds"]), ""), manual=bool(manual),
        message=link["requestMessage"], subnet=properties["subnet"]["id"], nic=nic["id"],
        addresses=[each["privateIPAddress"] for each in configurations], names=list(dict.fromkeys(names)),
        tags=body.get("tags") or {}, etag=body["etag"],
    )  # fmt: skip


def connection(body: Json, message: str) -> RegistryConnectionItem:
    """Return a connection, given as Azure's API has it, as JSON."""
    properties, state = body["properties"], body["properties"]["privateLinkServiceConnectionState"]
    return RegistryConnectionItem(
        id=body["id"], name=body["name"], state=state["status"], description=state["description"], message=message,
        target=str(ArmId.parse(body["id"]).parent), sub_resource=next(iter(properties.get("groupIds", ())), ""),
        endpoint=properties["privateEndpoint"]["id"], etag=body["etag"],
    )  # fmt: skip


def subnet(body: Json, location: str, endpoints: int) -> RegistrySubnetItem:
    """Return a subnet, given as Azure's API has it, as JSON."""
    properties = body["properties"]
    prefixes = properties.get("addressPrefixes") or [properties["addressPrefix"]]
    return RegistrySubnetItem(
        id=body["id"], name=body["name"], vnet=body["id"].partition("/subnets/")[0], location=location,
        prefixes=prefixes, endpoints=endpoints,
    )  # fmt: skip


def target(body: Json, sub_resources: list[str]) -> RegistryTargetItem:
    """Return a target, given as Azure's API has it, as JSON."""
    alias = body["properties"].get("alias")
    return RegistryTargetItem(
        id=body["id"], name=body["name"], type=body["type"], location=body["location"],
        alias=alias if isinstance(alias, str) else "", sub_resources=sub_resources,
    )  # fmt: skip
