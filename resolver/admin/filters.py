"""Filters of lists: what their values select in the estate, and the refusal of values that do not exist.

Several values of one filter select what any of them selects. Without a value, a filter selects everything. Closed sets
that do not depend on the estate are in the models of the parameters (`OneOf`).
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import PageRequest, scope_of, slices
from resolver.admin.resources.model import ListParameters, nearest, no_such
from resolver.admin.responses import requested_name
from resolver.admin.route import Context
from resolver.control.estate.estate import Estate
from zones.azure.endpoint import ResourceId
from zones.dns.name import InvalidName, Name, from_text, is_under, to_text
from zones.findings.finding import Finding
from zones.networks.network import NO_NETWORK, NetworkMask

_EVERYTHING: Final = NetworkMask(-1)


def page_request(request: web.Request, asked: ListParameters) -> PageRequest:
    """Return the page that a request wants. The path and all filters are the scope of its cursor."""
    filters = asked.model_dump_json(exclude={"limit", "cursor"})
    return PageRequest(asked.limit, asked.cursor, scope_of(request.path, filters))


def chosen(parameter: str, said: Sequence[str], known: Collection[str]) -> frozenset[str] | None:
    """Return the known values that a filter names, in any case; None without any. Raises `Refused` for another one."""
    folded = {each.casefold(): each for each in known}
    for each in said:
        if each.casefold() not in folded:
            raise unknown(parameter, each, known)
    return frozenset(folded[each.casefold()] for each in said) if said else None


def unknown(parameter: str, said: str, known: Collection[str]) -> Refused:
    """Return the refusal of a value that does not exist, with the known values that are nearest."""
    near = nearest(said, known)
    return Refused(Code.UNKNOWN_VALUE, f"{parameter}: {no_such(said, near)}", nearest=near)


def networks(estate: Estate, said: Sequence[str]) -> frozenset[str] | None:
    """Return the networks that a filter names; `none` is one of them. Raises `Refused`."""
    return chosen("network", said, [*estate.networks.listed(estate.networks.all), NO_NETWORK])


def network_mask(estate: Estate, said: Sequence[str]) -> NetworkMask:
    """Return the mask of the networks that a filter names; of every network without any. Raises `Refused`."""
    names = networks(estate, said)
    if names is None:
        return _EVERYTHING
    mask = 0
    for name in names:
        mask |= estate.networks.named(name)
    return NetworkMask(mask)


async def zones(context: Context, said: Sequence[str]) -> frozenset[Name] | None:
    """Return the zones that a filter names: those that pldns answers, and those of the catalogue. Raises `Refused`."""
    estate = context.estate
    found = frozenset(requested_name(each) for each in said)
    for zone in found:
        if zone in estate.static or zone in estate.policies.named or estate.ledger.catalogue.has_zone(zone):
            continue
        known = await context.zone_census.zones(context.view.serial)
        if zone not in known:
            raise unknown("zone", to_text(zone), [to_text(each) for each in known])
    return found or None


def names(said: Sequence[str]) -> frozenset[Name] | None:
    """Return the domain names that a filter names. Raises `Refused` for text that is no domain name."""
    return frozenset(requested_name(each) for each in said) or None


async def endpoints_of(
    estate: Estate, zones: Collection[Name] | None, said: Sequence[str]
) -> Callable[[ResourceId], bool]:
    """Return whether an endpoint has a name in one of the zones, and one of the names `said`, as a function.

    A name is a public FQDN, a private name, or the name of the endpoint itself.
    """
    wanted = [] if zones is None else [await _in_zones(estate, zones)]
    if said:
        wanted.append(_called(estate, said))
    return lambda key: all(key in each for each in wanted)


async def findings_of(
    context: Context, networks_said: Sequence[str], zones_said: Sequence[str], said: Sequence[str]
) -> Callable[[Finding], bool]:
    """Return whether a finding holds in one of the networks and is about one of the zones and names, as a function."""
    estate = context.estate
    in_networks, mask = networks(estate, networks_said), network_mask(estate, networks_said)
    zone_names = await zones(context, zones_said) or ()
    zone_texts = [to_text(zone) for zone in zone_names]
    in_zones = await _in_zones(estate, zone_names) if zone_names else ()
    subjects = {each.casefold() for each in said} | set(_called(estate, said) if said else ())
    for name in _parsed(said):
        subjects |= {to_text(name), *(to_text(claim.name) for claim in estate.ledger.find(name))}

    def concerns(fact: Finding) -> bool:
        subject = fact.subject.casefold()
        if said and subject not in subjects:
            return False
        if zone_texts and subject not in in_zones and not any(f".{subject}".endswith(f".{z}") for z in zone_texts):
            return False
        return in_networks is None or not in_networks.isdisjoint(fact.networks.items) or _holds(estate, fact, mask)

    return concerns


def _holds(estate: Estate, fact: Finding, mask: NetworkMask) -> bool:
    """Return whether a finding that does not list all of its networks holds in one of `mask`, by its subject."""
    if fact.networks.total <= len(fact.networks.items):
        return False
    endpoint = estate.ledger.endpoints.get(ResourceId(fact.subject.casefold()))
    if endpoint is not None:
        return bool(estate.networks.sees(endpoint) & mask)
    claims = (claim for name in _parsed([fact.subject]) for claim in estate.ledger.find(name))
    return any(estate.ledger.sees(claim) & mask for claim in claims)


def _called(estate: Estate, said: Iterable[str]) -> set[ResourceId]:
    """Return the endpoints with one of these names, and those that claim one of these names."""
    texts = {each.casefold() for each in said}
    claimed = {claim.endpoint for name in _parsed(texts) for claim in estate.ledger.find(name)}
    return claimed | {key for key in estate.ledger.endpoints if key.rpartition("/")[2] in texts}


async def _in_zones(estate: Estate, zones: Collection[Name]) -> set[ResourceId]:
    """Return the endpoints that claim a private name in one of these zones."""
    found: set[ResourceId] = set()
    for some in slices(list(estate.ledger.names())):
        for name in some:
            if under_any(name, zones):
                found.update(claim.endpoint for claim in estate.ledger.find(name))
        await asyncio.sleep(0)
    return found


def under_any(name: Name, zones: Collection[Name]) -> bool:
    """Return whether a name is at or below one of the zones."""
    return any(name.endswith(zone) and is_under(name, zone) for zone in zones)


def _parsed(texts: Iterable[str]) -> Iterable[Name]:
    """Yield the texts that are domain names, as names."""
    for text in texts:
        try:
            yield from_text(text)
        except InvalidName:
            continue
