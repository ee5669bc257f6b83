"""Evidence of findings about one endpoint, or about the endpoints of one target."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from zones.azure.additions import CompanionIn
from zones.findings.evidence import Evidence, Listed, Severity

Target = Annotated[str, Meta(description="Resource id or alias of the endpoint's target.")]
Groups = Annotated[tuple[str, ...], Meta(description="Group ids (sub-resources) of the connection.")]
Endpoints = Annotated[Listed[str], Meta(description="Ids of the endpoints.")]
State = Annotated[str, Meta(description="Connection state, as Azure writes it.")]


class _NotConnected(Evidence, frozen=True, kw_only=True):
    action: ClassVar = "not served"
    state: State
    target: Target
    groups: Groups
    names: Annotated[Listed[str], Meta(description="FQDNs that the endpoint would have.")]


class EndpointPending(_NotConnected, frozen=True, kw_only=True):
    """An endpoint whose connection waits for approval."""

    code: ClassVar = "endpoint-pending"
    severity: ClassVar = Severity.INFO
    meaning: ClassVar = "The connection waits for the approval of the target's owner."


class EndpointRejected(_NotConnected, frozen=True, kw_only=True):
    """An endpoint whose connection was rejected."""

    code: ClassVar = "endpoint-rejected"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "The target's owner rejected the connection."


class EndpointDisconnected(_NotConnected, frozen=True, kw_only=True):
    """An endpoint whose connection was removed at the target."""

    code: ClassVar = "endpoint-disconnected"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "The connection was removed at the target, usually because the target was deleted."


class ProvisioningFailed(Evidence, frozen=True, kw_only=True):
    """An approved endpoint whose last change failed."""

    code: ClassVar = "provisioning-failed"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "The last change of an approved endpoint failed in Azure."
    action: ClassVar = "served anyway"
    provisioning: Annotated[str, Meta(description="Provisioning state, as Azure writes it.")]
    state: State
    target: Target
    groups: Groups


class NameMissing(Evidence, frozen=True, kw_only=True):
    """An approved endpoint without an FQDN."""

    code: ClassVar = "name-missing"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "An approved endpoint has no FQDN."
    action: ClassVar = "nothing to serve until `names` in the configuration has a name for the endpoint's address"
    target: Target
    groups: Groups
    add_to_names: Annotated[
        tuple[str, ...],
        Meta(
            title="add to `names`",
            description="Items for `names` in the configuration, as YAML: write the name in place of `…`. "
            "Empty while no address of the endpoint is known.",
        ),
    ] = ()


class Difference(msgspec.Struct, frozen=True):
    """A property that an endpoint and its VNet should share."""

    endpoint: Annotated[str, Meta(description="The endpoint's value.")]
    vnet: Annotated[str, Meta(description="The VNet's value.")]


class Differences(msgspec.Struct, frozen=True):
    """The properties that differ."""

    subscription: Annotated[Difference | None, Meta(description="Ids of the subscriptions.")] = None
    region: Annotated[Difference | None, Meta(description="Names of the regions.")] = None


class EndpointMisplaced(Evidence, frozen=True, kw_only=True):
    """An endpoint outside the subscription or region of its VNet."""

    code: ClassVar = "endpoint-misplaced"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "The endpoint is in another subscription or region than its VNet."
    action: ClassVar = "served; the VNet's region decides which networks are near"
    vnet: Annotated[str, Meta(description="Key of the VNet.")]
    differs: Annotated[Differences, Meta(description="What differs.")]


class MissingCompanion(msgspec.Struct, frozen=True):
    """A group whose clients need an endpoint of another group."""

    group: Annotated[str, Meta(description="The group that an endpoint exists for.")]
    needs: Annotated[str, Meta(description="The group that its clients need too.")]
    endpoints: Endpoints
    within: Annotated[
        CompanionIn, Meta(description="Where the other endpoint may be: at the same `resource`, or in the `region`.")
    ] = CompanionIn.RESOURCE


class CompanionMissing(Evidence, frozen=True, kw_only=True):
    """A target with an endpoint that needs a companion."""

    code: ClassVar = "companion-missing"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "Clients of an endpoint also need an endpoint of another group, and their network sees none."
    action: ClassVar = "served without it"
    missing: Annotated[tuple[MissingCompanion, ...], Meta(description="The groups that lack a companion.")]


class UsedLimit(msgspec.Struct, frozen=True):
    """One of Azure's limits, and how much of it is used."""

    limited: Annotated[str, Meta(description="What is limited: private endpoints.")]
    within: Annotated[str, Meta(description="Where they are counted: in a virtual network, a subscription…")]
    used: Annotated[int, Meta(description="How many there are.")]
    maximum: Annotated[int, Meta(description="How many Azure allows.")]


class LimitNear(Evidence, frozen=True, kw_only=True):
    """A VNet, subscription or target with nearly as many endpoints as Azure allows, or as many, or more."""

    code: ClassVar = "limit-near"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "80 % or more of one of Azure's limits are used."
    action: ClassVar = "all endpoints are served; Azure refuses new ones at the limit"
    limits: Annotated[tuple[UsedLimit, ...], Meta(description="The limits that are nearly or wholly used.")]


class AddressChange(msgspec.Struct, frozen=True):
    """A name whose addresses changed."""

    name: Annotated[str, Meta(description="The FQDN.")]
    before: Annotated[tuple[str, ...], Meta(description="Addresses before.")]
    after: Annotated[tuple[str, ...], Meta(description="Addresses now.")]


class AddressChanged(Evidence, frozen=True, kw_only=True):
    """An endpoint with other addresses than before."""

    code: ClassVar = "address-changed"
    severity: ClassVar = Severity.INFO
    meaning: ClassVar = "An endpoint has another address at a name than before."
    action: ClassVar = "the new address is served"
    changes: Annotated[Listed[AddressChange], Meta(description="What changed, by name.")]
