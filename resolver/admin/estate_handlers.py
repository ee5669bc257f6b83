"""Handlers for the estate: endpoints, networks, zones, names, claims and findings."""

import asyncio
from typing import Final

from aiohttp import web

from resolver.admin import filters
from resolver.admin.access.problems import Code, Refused
from resolver.admin.filters import page_request
from resolver.admin.paging import Page, SortKey, page, slices
from resolver.admin.resources import claims, endpoints, findings, names, networks, zones
from resolver.admin.resources.claims import ClaimParameters
from resolver.admin.resources.endpoints import EndpointParameters
from resolver.admin.resources.findings import FindingParameters
from resolver.admin.resources.model import Parameters
from resolver.admin.resources.names import NameParameters
from resolver.admin.resources.networks import NetworkParameters
from resolver.admin.resources.zones import ZoneParameters
from resolver.admin.responses import encoded, item_response, list_response, requested_name
from resolver.admin.route import Context
from resolver.admin.zone_census import NO_NAMES
from resolver.control.estate.estate import Estate
from resolver.process import wall_clock
from zones.azure.endpoint import ResourceId
from zones.claims.contest import Claim
from zones.dns.name import InvalidName, Name, from_text, is_under, labels, to_text
from zones.findings.finding import Finding
from zones.networks.network import DEFAULT_NETWORK, Network

_MOST_NAMES: Final = 9_999_999_999
"""More names than a zone can have: subtracting sorts the largest zones first."""


async def list_endpoints(context: Context, request: web.Request, asked: EndpointParameters) -> web.Response:
    """Answer with the endpoints, sorted by id."""
    estate = context.estate
    mask = filters.network_mask(estate, asked.network)
    has_name = await filters.endpoints_of(estate, await filters.zones(context, asked.zone), asked.name)
    found = estate.ledger.endpoints

    def sort_key(key: ResourceId) -> SortKey | None:
        endpoint = found.get(key)
        if endpoint is None or not has_name(key) or (asked.state and endpoint.state not in asked.state):
            return None
        return (key,) if not asked.network or estate.networks.sees(endpoint) & mask else None

    def shown(key: ResourceId) -> bytes | None:
        return encoded(endpoints.endpoint(estate, key))

    return list_response(await page(found, sort_key, shown, page_request(request, asked)))


async def list_networks(context: Context, request: web.Request, asked: NetworkParameters) -> web.Response:
    """Answer with the networks, sorted by name."""
    found = [DEFAULT_NETWORK] if context.estate.networks.implicit else context.estate.networks.now
    wanted = filters.chosen("name", asked.name, [each.name for each in found])

    def key(network: Network) -> SortKey | None:
        return (network.name,) if wanted is None or network.name in wanted else None

    def shown(network: Network) -> bytes | None:
        return encoded(networks.network(context.estate, network))

    return list_response(await page(found, key, shown, page_request(request, asked)))


async def list_zones(context: Context, request: web.Request, asked: ZoneParameters) -> web.Response:
    """Answer with the zones, in canonical order or in the one that is asked for."""
    estate, serial = context.estate, context.view.serial
    mask, chosen = filters.network_mask(estate, asked.network), await filters.zones(context, asked.zone)
    said = filters.names(asked.name)
    holding = None if said is None else {zones.zone_of(estate, name) for name in said}
    counts, origins = await context.zone_census.at(serial), await context.zone_census.zones(serial)
    search, at = asked.search.strip().casefold().removesuffix("."), _zone_at(estate, asked.search)

    def key(origin: Name) -> SortKey | None:
        wanted = (
            (chosen is None or origin in chosen)
            and (holding is None or origin in holding)
            and (not search or search in to_text(origin) or origin == at)
            and (not asked.source or zones.source_of(estate, origin, counts.get(origin, NO_NAMES)[0]) in asked.source)
            and (not asked.network or mask & zones.visible(estate, origin, counts.get(origin, NO_NAMES)[1]))
        )
        if not wanted:
            return None
        if asked.order == "text":
            return (to_text(origin),)
        if asked.order == "names":
            return (f"{_MOST_NAMES - zones.size(estate, origin, counts.get(origin, NO_NAMES)[0]):010}", to_text(origin))
        return _canonical(origin)

    def shown(origin: Name) -> bytes | None:
        return encoded(zones.zone(estate, origin, *counts.get(origin, NO_NAMES)))

    return list_response(await page(origins, key, shown, page_request(request, asked)))


async def list_names(context: Context, request: web.Request, asked: NameParameters) -> web.Response:
    """Answer with the names of one zone, in canonical order."""
    estate, zone = context.estate, requested_name(request.match_info["zone"])
    file = estate.static.get(zone)
    if not file and zone not in estate.policies.named:
        known = await context.zone_census.zones(context.view.serial)
        if zone not in known:
            raise Refused(Code.UNKNOWN_ZONE, f"pldns has no zone {to_text(zone)}")

    mask, said, now = filters.network_mask(estate, asked.network), filters.names(asked.name), wall_clock.now()
    wanted = None if said is None else said | {claim.name for name in said for claim in estate.ledger.find(name)}

    search = asked.search.strip().casefold().removesuffix(".")

    def key(name: Name) -> SortKey | None:
        if search and search not in to_text(name):
            return None
        inside = name.endswith(zone) and is_under(name, zone) and zones.zone_of(estate, name) == zone
        if not inside or (wanted is not None and name not in wanted):
            return None
        return _canonical(name) if not asked.network or names.networks_of(estate, name, now) & mask else None

    def shown(name: Name) -> bytes | None:
        return encoded(names.name_item(estate, name, wall_clock.now()))

    found = dict.fromkeys([*estate.ledger.rows, *(file.names if file else ())])
    return list_response(await page(found, key, shown, page_request(request, asked)))


def _zone_at(estate: Estate, text: str) -> Name | None:
    """Return the zone of the name that a text is; None for text that is no domain name."""
    try:
        return zones.zone_of(estate, from_text(text.strip())) if text.strip() else None
    except InvalidName:
        return None


async def list_claims(context: Context, request: web.Request, asked: ClaimParameters) -> web.Response:
    """Answer with claims by private name, in canonical order."""
    estate = context.estate
    mask, in_zones = filters.network_mask(estate, asked.network), await filters.zones(context, asked.zone)
    said = filters.names(asked.name)
    found: dict[Claim, None] = {}
    for some in slices(list(estate.ledger.names_with_lingering() if said is None else said)):
        for name in some:
            found |= dict.fromkeys(estate.ledger.find(name))
        await asyncio.sleep(0)

    def key(claim: Claim) -> SortKey | None:
        wanted = (
            (in_zones is None or filters.under_any(claim.name, in_zones))
            and (not asked.state or claims.claim_state(estate, claim) in asked.state)
            and (not asked.network or estate.ledger.sees(claim) & mask)
        )
        return (*_canonical(claim.name), "", claim.endpoint, to_text(claim.public)) if wanted else None

    on_page: list[Name] = []

    def shown(claim: Claim) -> bytes | None:
        on_page.append(claim.name)
        return encoded(claims.claim_item(estate, claim))

    items, cursor = await page(found, key, shown, page_request(request, asked))
    records = [] if said is None else claims.answers(estate, on_page, wall_clock.now())
    return list_response(Page(items, cursor), records=[each.model_dump_json().encode() for each in records])


async def list_findings(context: Context, request: web.Request, asked: FindingParameters) -> web.Response:
    """Answer with the findings, the most severe first."""
    board, now = context.estate.board, wall_clock.now()
    concerns = await filters.findings_of(context, asked.network, asked.zone, asked.name)

    def key(fact: Finding) -> SortKey | None:
        wanted = (
            (not asked.code or fact.code in asked.code)
            and (not asked.severity or fact.severity in asked.severity)
            and (not asked.state or findings.state_of(board, fact, now) in asked.state)
            and concerns(fact)
        )
        return findings.most_severe_first(fact) if wanted else None

    def shown(fact: Finding) -> bytes | None:
        return encoded(findings.finding(board, fact, now))

    return list_response(await page(board, key, shown, page_request(request, asked)))


async def get_finding(context: Context, request: web.Request, _: Parameters) -> web.Response:
    """Answer with one finding."""
    key, board = request.match_info["id"], context.estate.board
    fact = board.find(key)
    if fact is None:
        raise Refused(Code.UNKNOWN_FINDING, f"there is no finding `{key[:80]}`; `pldns findings` lists the ids")
    return item_response(findings.finding(board, fact, wall_clock.now()))


def _canonical(name: Name) -> SortKey:
    """Return the sort key of a name in canonical order (RFC 4034 §6.1), in a form that a cursor can hold."""
    return tuple(label.decode("latin-1") for label in reversed(labels(name)))
