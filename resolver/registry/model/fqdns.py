"""The FQDNs and members that a target gives a private endpoint, by its type, name, region and group id.

The suffixes come from the catalogue of private-link zones (`zones/azure/catalogue.py`), what is before them from
`name_rules`. A private link service has no FQDNs but those that its owner declares. Does not know addresses and zones:
the addresses are given to the members later, and pldns maps the FQDNs as those of any other endpoint.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final
from urllib.parse import urlsplit

from resolver.registry.model.failure import bad_request
from resolver.registry.model.name_rules import DEFAULT, RULES, MemberRule, Rule
from resolver.registry.model.placeholders import Placeholders
from zones.azure.catalogue import read_table
from zones.azure.catalogue_table import CatalogueEntry
from zones.azure.endpoint import fold_region
from zones.dns.name import InvalidName, from_text

PRIVATE_LINK_SERVICE: Final = "Microsoft.Network/privateLinkServices"
_HOST: Final = re.compile(r"[\w-]+(\.[\w-]+)+", re.ASCII)
_CHOSEN_BY_OWNER: Final = "{"
"""Start of a group id in the catalogue that the resource's owner chooses: `{frontendIpConfigName}`."""
_STORAGE: Final = "microsoft.storage/storageaccounts"
_OLD_ACCOUNTS: Final = frozenset(("storage", "blobstorage"))
"""Kinds of storage accounts before general purpose v2, folded."""
_NO_NAMES: Final = Rule((MemberRule("{group}", ()),), host="")


@dataclass(frozen=True, slots=True)
class Target:
    """A resource that private endpoints connect to.

    `type` is the full type, `region` Azure's name of the region, `guid` a GUID that stays the same for the life of the
    resource: services make up names from one. `regions` are further regions (replicas of a container registry), and
    `properties` those of the resource's body: a host name in it is used.
    """

    type: str
    name: str
    region: str
    guid: str
    kind: str = ""
    regions: tuple[str, ...] = ()
    properties: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Member:
    """One address that an endpoint needs, and the FQDNs that have it; `name` is the NIC's `requiredMemberName`."""

    group: str
    name: str
    fqdns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkResource:
    """What a target lists of a group id as `privateLinkResources`."""

    group: str
    required_members: tuple[str, ...]
    required_zones: tuple[str, ...]


def is_link_type(resource_type: str) -> bool:
    """Return whether endpoints can connect to resources of this type. Case does not matter."""
    return resource_type.casefold() in _entries_by_type()


def link_types() -> tuple[str, ...]:
    """Return the types of resources that endpoints can connect to, as the catalogue spells them."""
    return tuple(entries[0].resource_type for entries in _entries_by_type().values())


def group_ids(resource_type: str, region: str) -> tuple[str, ...]:
    """Return the group ids of a type in the cloud of a region, as the catalogue spells them; none for a service."""
    found = _entries(resource_type, region)
    groups = (group for entry in found for group in entry.group_ids if not group.startswith(_CHOSEN_BY_OWNER))
    return tuple({group.casefold(): group for group in groups}.values())


def check_groups(target: Target, groups: Sequence[str], path: str) -> str:
    """Return the one group id of a connection as the catalogue spells it; empty for a private link service.

    `path` is the place of `groupIds` in the body. Raises `ArmFailure` 400 for a type that endpoints cannot connect to,
    for no group id, for several, and for one that the type does not have.
    """
    if not is_link_type(target.type):
        raise bad_request(
            "PrivateLinkServiceNotSupported",
            f"Private endpoints cannot connect to {target.type}: the catalogue of private-link resources does not have "
            "this type.",
            path,
        )
    given = [group for group in groups if group.strip()]
    if target.type.casefold() == PRIVATE_LINK_SERVICE.casefold():
        if given:
            raise bad_request(
                "InvalidGroupId", f"A private link service has no group ids. Leave out {given[0]!r}.", path
            )
        return ""
    if target.type.casefold() == _STORAGE and target.kind.casefold() in _OLD_ACCOUNTS:
        raise bad_request(
            "FeatureNotSupportedForAccount",
            f"{target.name} is a storage account of the kind {target.kind}. Private endpoints connect only to general "
            "purpose v2 accounts: upgrade the account to StorageV2.",
            path,
        )
    known = group_ids(target.type, target.region)
    choices = f"{target.type} has {', '.join(known)}." if known else f"{target.type} has one for each configuration."
    if not given:
        raise bad_request(
            "MissingParameterOnPrivateLinkServiceConnection",
            f"The connection to {target.name} has no group id. Write the sub-resource that the endpoint is for. "
            f"{choices}",
            path,
        )
    if len(given) > 1:
        raise bad_request(
            "OnlyOneGroupIdPermitted",
            f"The connection to {target.name} has the group ids {', '.join(given)}. One endpoint reaches one "
            "sub-resource: create an endpoint for each.",
            path,
        )
    wanted = given[0]
    spelt = {group.casefold(): group for group in known}
    if found := spelt.get(wanted.casefold()):
        return found
    if _is_slot(target.type, wanted) or not known:
        return wanted
    raise bad_request("InvalidGroupId", f"{target.type} has no group id {wanted[:80]!r}. {choices}", path)


def members_of(target: Target, group: str) -> tuple[Member, ...]:
    """Return the members of an endpoint of a target and one of its group ids (`check_groups`), in the NIC's order.

    Raises `ArmFailure` 400 `InvalidResourceName` where the resource's name cannot be part of a DNS name.
    """
    rule = _rule(target, group)
    fields = _placeholders(target, group)
    fields.host = _known_host(target, rule) or fields.fill(rule.host)
    found: dict[str, Member] = {}
    for each in rule.members:
        for region in _regions(target) if each.each_region else (fold_region(target.region),):
            fields.region = region
            filled = [text for template in each.fqdns if (text := fields.fill(template))]
            if filled or not each.fqdns:
                name = fields.fill(each.name)
                found[name] = Member(group, name, tuple(_checked(text, target) for text in filled))
    return tuple(found.values())


def service_members(fqdns: Iterable[str]) -> tuple[Member, ...]:
    """Return the one member of an endpoint of a private link service, with the service's own `fqdns`.

    Raises `ArmFailure` 400 `InvalidRequestContent` for one that is no DNS name.
    """
    names = []
    for text in fqdns:
        try:
            from_text(text)
        except InvalidName as error:
            raise bad_request(
                "InvalidRequestContent", f"{text[:200]!r} is not a DNS name: {error}.", "properties.fqdns"
            ) from None
        names.append(text.casefold().removesuffix("."))
    return (Member("", "", tuple(dict.fromkeys(names))),)


def link_resources(target: Target) -> tuple[LinkResource, ...]:
    """Return what the target lists as its `privateLinkResources`, one for each group id."""
    zones = {
        group.casefold(): entry.zones for entry in _entries(target.type, target.region) for group in entry.group_ids
    }
    return tuple(
        LinkResource(
            group,
            tuple(member.name for member in members_of(target, group)),
            tuple(_placeholders(target, group).fill_placeholders(zone) for zone in zones[group.casefold()]),
        )
        for group in group_ids(target.type, target.region)
    )


def cloud_of(region: str) -> str:
    """Return the catalogue's name of the cloud that a region belongs to."""
    folded = fold_region(region)
    if folded.startswith("china"):
        return "china"
    return "government" if folded.startswith(("usgov", "usdod")) else "commercial"


@cache
def _entries_by_type() -> Mapping[str, tuple[CatalogueEntry, ...]]:
    found: dict[str, list[CatalogueEntry]] = {}
    for entry in read_table().entries:
        found.setdefault(entry.resource_type.casefold(), []).append(entry)
    return {kind: tuple(entries) for kind, entries in found.items()}


@cache
def _region_codes() -> Mapping[str, str]:
    return read_table().region_codes


def _entries(resource_type: str, region: str) -> tuple[CatalogueEntry, ...]:
    """Return the rows of a type in the cloud of a region; those of the commercial cloud where that cloud has none."""
    every = _entries_by_type().get(resource_type.casefold(), ())
    cloud = cloud_of(region)
    return tuple(entry for entry in every if entry.cloud == cloud) or tuple(
        entry for entry in every if entry.cloud == "commercial" or not entry.group_ids
    )


def _is_slot(resource_type: str, group: str) -> bool:
    """Return whether a group id is that of a deployment slot of an app: `sites-SLOT`."""
    return resource_type.casefold() == "microsoft.web/sites" and group.casefold().startswith("sites-")


def _rule(target: Target, group: str) -> Rule:
    kind, wanted = target.type.casefold(), group.casefold()
    if _is_slot(kind, wanted):
        return RULES[kind, "sites"]._replace(known="")  # the app's own host name is that of the production slot
    rule = RULES.get((kind, wanted), DEFAULT)
    if kind == "microsoft.cognitiveservices/accounts" and target.kind.casefold() not in ("", "aiservices"):
        suffix = "{f1}" if target.kind.casefold() == "openai" else "{f0}"
        return Rule(rule.members[:1], host=f"{{name}}.{suffix}")
    return rule if _suffixes(target, group) or rule is not DEFAULT else _NO_NAMES


def _suffixes(target: Target, group: str) -> tuple[str, ...]:
    """Return the public suffixes of a group id, without a label for the name of the resource itself.

    Two products have the type of Redis Enterprise: the later row is Azure Managed Redis, the one to create today.
    """
    wanted = "sites" if _is_slot(target.type, group) else group.casefold()
    for entry in reversed(_entries(target.type, target.region)):
        if wanted in (each.casefold() for each in entry.group_ids):
            return tuple(
                re.sub(r"^\{(?:cachename|workspaceName)\}[^.]*\.", "", each) for each in entry.public_forwarders
            )
    return ()


def _regions(target: Target) -> tuple[str, ...]:
    """Return the regions of a resource: its own, its replicas', and those in `locations`, as Cosmos DB has them."""
    places = target.properties.get("locations")
    located = [
        each["locationName"]
        for each in (places if isinstance(places, list) else ())
        if isinstance(each, dict) and isinstance(each.get("locationName"), str)
    ]
    return tuple(dict.fromkeys(map(fold_region, (target.region, *target.regions, *located))))


def _known_host(target: Target, rule: Rule) -> str:
    """Return the host name in the resource's own properties; empty where there is none or it is no FQDN."""
    found: object = target.properties
    for part in rule.known.split(".") if rule.known else ():
        found = found.get(part) if isinstance(found, Mapping) else None
    if not isinstance(found, str):
        return ""
    try:
        host = urlsplit(found).hostname if "//" in found else found.casefold().removesuffix(".")
        from_text(host or "")
    except ValueError:  # a URL that cannot be parsed, or `InvalidName`
        return ""
    return host if host and _HOST.fullmatch(host) else ""


def _placeholders(target: Target, group: str) -> Placeholders:
    region, zone = fold_region(target.region), target.properties.get("dnsZone")
    return Placeholders(
        name=target.name,
        group=group,
        guid=target.guid,
        region=region,
        code=_region_codes().get(region, region),
        slot=group.casefold().removeprefix("sites") if _is_slot(target.type, group) else "",
        suffixes=_suffixes(target, group),
        zone=zone if isinstance(zone, str) else "",
    )


def _checked(fqdn: str, target: Target) -> str:
    try:
        from_text(fqdn)
    except InvalidName as error:
        raise bad_request(
            "InvalidResourceName",
            f"{target.name!r} cannot be the name of a {target.type}: its endpoints would have the FQDN {fqdn!r}, which "
            f"is no DNS name: {error}.",
            "name",
        ) from None
    return fqdn
