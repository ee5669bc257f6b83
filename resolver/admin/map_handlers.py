"""Handlers for the estate map: a picture of it, and a search in it."""

import asyncio

from aiohttp import web

from resolver.admin import filters
from resolver.admin.access.problems import Code, Refused
from resolver.admin.estate_map import nodes, picture
from resolver.admin.estate_map.census import Census, Urgent
from resolver.admin.estate_map.contested import contested_in
from resolver.admin.estate_map.name_census import NameCensus
from resolver.admin.estate_map.node_ids import InvalidNodeId, Kind, NodeId, parsed
from resolver.admin.estate_map.search import Search
from resolver.admin.estate_map.sight import Elsewhere, sight_of
from resolver.admin.resources import claims, endpoints, findings
from resolver.admin.resources.estate_map import (
    EstateMap,
    MapAnswer,
    MapContested,
    MapDifference,
    MapEdge,
    MapEndpoint,
    MapFocus,
    MapHit,
    MapHits,
    MapNetwork,
    MapParameters,
    MapRest,
    MapSearchParameters,
    MapTotals,
    MapUrgent,
    MapVNet,
    counts,
    node,
)
from resolver.admin.resources.networks import network_names
from resolver.admin.responses import item_response
from resolver.admin.route import Context
from resolver.control.estate.estate import Estate
from resolver.process import wall_clock
from zones.azure.endpoint import ResourceId
from zones.dns.name import to_text
from zones.findings.evidence import LISTED, Severity

_FINDINGS = 16


async def get_map(context: Context, _: web.Request, asked: MapParameters) -> web.Response:
    """Answer with a picture of the estate."""
    census, estate = await context.map_census.estate.present(), context.estate
    focus = _focus(estate, census, asked.focus)
    names = await context.map_census.names.present() if focus and focus.kind is Kind.NETWORK else None
    wanted = picture.Wanted(focus, asked.detail, asked.open, asked.closed, frozenset(asked.severity), asked.skip)
    made = picture.Picture(estate, census, wanted)
    open_counts = estate.board.open_counts(wall_clock.now())
    totals = MapTotals(
        networks=estate.networks.all.bit_count(), vnets=len(census.vnets.keys() - {""}),
        endpoints=len(estate.ledger.endpoints),
        findings={
            each: total
            for each in Severity
            if (total := sum(count for (_, severity), count in open_counts.items() if severity is each))
        },
    )  # fmt: skip
    return item_response(
        EstateMap(
            serial=context.view.serial, nodes=[node(each) for each in made.nodes],
            edges=[MapEdge(**each._asdict()) for each in made.edges],
            rests=[MapRest(**each._asdict()) for each in made.rests],
            totals=totals, detail=made.detail,
            urgent=[_urgent(estate, each) for each in census.urgent], urgent_total=census.urgent_total,
            focus=_details(estate, census, names, focus) if focus else None,
        )
    )  # fmt: skip


async def search_map(context: Context, _: web.Request, asked: MapSearchParameters) -> web.Response:
    """Answer with the nodes that have a text."""
    search = Search(context.estate, await context.map_census.estate.present(), asked.text)
    for _step in search.steps():
        await asyncio.sleep(0)
    return item_response(MapHits(items=[MapHit(**each._asdict()) for each in search.hits], total=search.total))


def _focus(estate: Estate, census: Census, text: str | None) -> NodeId | None:
    if not text:
        return None
    try:
        found = parsed(text)
    except InvalidNodeId:
        raise Refused(
            Code.UNKNOWN_VALUE, "focus: an id is `network:NAME`, `vnet:ID`, `service:ID|GROUP` or `endpoint:ID`"
        ) from None
    if found.kind is Kind.NETWORK and not estate.networks.named(found.key):
        raise filters.unknown("network", found.key, estate.networks.listed(estate.networks.all))
    if not nodes.is_known(estate, census, found):
        raise Refused(Code.UNKNOWN_VALUE, f"the estate has no {found.kind} `{found.key[:200]}` (any more)")
    return found


def _urgent(estate: Estate, urgent: Urgent) -> MapUrgent:
    return MapUrgent(
        node=str(urgent.node), label=_label(estate, urgent.node), others=urgent.others,
        finding=findings.finding(estate.board, urgent.finding, wall_clock.now()),
    )  # fmt: skip


def _label(estate: Estate, node: NodeId) -> str:
    key = ResourceId(node.key)
    if node.kind is Kind.ENDPOINT and (endpoint := estate.ledger.endpoints.get(key)):
        return endpoint.name
    vnet = estate.ledger.vnets.get(key) if node.kind is Kind.VNET else None
    return node.service or (vnet.id if vnet else node.key).rpartition("/")[2] or "In no VNet"


def _details(estate: Estate, census: Census, names: NameCensus | None, focus: NodeId) -> MapFocus:
    now = wall_clock.now()
    facts = list(nodes.facts_of(census, focus))[:_FINDINGS]
    tally = nodes.tally_of(census, focus)
    return MapFocus(
        id=str(focus), kind=focus.kind, label=_label(estate, focus), counts=counts(tally) if tally else None,
        findings=[findings.finding(estate.board, each, now) for each in facts],
        network=_network(estate, census, names, focus.key) if names else None,
        vnet=_vnet(estate, census, focus.key) if focus.kind in {Kind.VNET, Kind.SERVICE} and focus.key else None,
        endpoint=_endpoint(estate, ResourceId(focus.key)) if focus.kind is Kind.ENDPOINT else None,
    )  # fmt: skip


def _network(estate: Estate, census: Census, names: NameCensus, name: str) -> MapNetwork:
    seen = sight_of(estate, census, names, name)
    contested, contested_total = contested_in(estate, estate.networks.named(name), wall_clock.now())
    clients = next((each.clients for each in estate.networks.now if each.name == name), ())
    return MapNetwork(
        clients=list(clients), vnets=seen.vnets, endpoints=seen.endpoints, names=seen.names, all_names=seen.all_names,
        differing=[
            MapDifference(
                name=to_text(each.name), here=_answer(estate, each.here) if each.here else None,
                elsewhere=[_answer(estate, other) for other in each.elsewhere],
            )
            for each in seen.differing
        ],
        differing_total=seen.differing_total,
        contested=[
            MapContested(
                name=to_text(each.name), severity=each.severity, losers=each.losers, rule=each.rule,
                winners=[holder.id for key in each.winners if (holder := estate.ledger.endpoints.get(key))],
                rcode="SERVFAIL" if each.is_refused else "NOERROR", addresses=endpoints.address_texts(each.addresses),
            )
            for each in contested
        ],
        contested_total=contested_total,
    )  # fmt: skip


def _answer(estate: Estate, answer: Elsewhere) -> MapAnswer:
    names, total = network_names(estate, answer.mask)
    return MapAnswer(
        networks=names, networks_total=total, rcode="SERVFAIL" if answer.is_refused else "NOERROR",
        addresses=endpoints.address_texts(answer.addresses),
    )  # fmt: skip


def _vnet(estate: Estate, census: Census, key: str) -> MapVNet:
    vnet = estate.ledger.vnets.get(ResourceId(key))
    names, total = network_names(estate, nodes.mask_of_vnet(estate, census, ResourceId(key)))
    return MapVNet(
        id=vnet.id if vnet else key, region=vnet.region if vnet else "", prefixes=list(vnet.prefixes) if vnet else [],
        peers=list(vnet.peers) if vnet else [], networks=names, networks_total=total,
    )  # fmt: skip


def _endpoint(estate: Estate, key: ResourceId) -> MapEndpoint | None:
    found, item = estate.ledger.endpoints.get(key), endpoints.endpoint(estate, key)
    if found is None or item is None:
        return None
    held = [
        claim
        for fqdn in dict.fromkeys(record.fqdn for record in found.records)
        for claim in estate.ledger.find(fqdn)
        if claim.endpoint == key
    ]
    return MapEndpoint(
        endpoint=item, nics=list(estate.inventory.nics_of(key)), subnet=estate.inventory.subnet_of(key),
        claims=[claims.claim_item(estate, each) for each in dict.fromkeys(held[:LISTED])], claims_total=len(held),
    )  # fmt: skip
