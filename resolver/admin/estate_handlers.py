"""Handlers for the estate: endpoints, networks, zones, names, claims and findings."""

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.admin.paging import SortKey, page
from resolver.admin.resources import claims, endpoints, findings, names, networks, zones
from resolver.admin.resources.claims import ClaimParameters
from resolver.admin.resources.findings import FindingParameters
from resolver.admin.resources.model import ListParameters
from resolver.admin.responses import encoded, item_response, list_response, requested_name
from resolver.admin.route import Context
from resolver.process import wall_clock
from zones.azure.endpoint import ResourceId
from zones.dns.name import Name, is_under, labels, to_text
from zones.findings.finding import Finding
from zones.networks.network import DEFAULT_NETWORK, NO_NETWORKS, Network


async def list_endpoints(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the endpoints, sorted by id."""

    def shown(key: ResourceId) -> bytes | None:
        return encoded(endpoints.endpoint(context.estate, key))

    found = context.estate.ledger.endpoints
    return list_response(await page(found, lambda key: (key,), shown, asked.limit, asked.cursor))


async def list_networks(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the networks, sorted by name."""
    found = [DEFAULT_NETWORK] if context.estate.networks.implicit else context.estate.networks.now

    def shown(network: Network) -> bytes | None:
        return encoded(networks.network(context.estate, network))

    return list_response(await page(found, lambda network: (network.name,), shown, asked.limit, asked.cursor))


async def list_zones(context: Context, _: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the zones, in canonical order."""
    counts = await context.zone_census.at(context.view.serial)
    origins = counts.keys() | context.estate.static.keys() | context.estate.policies.named

    def shown(origin: Name) -> bytes | None:
        return encoded(zones.zone(context.estate, origin, *counts.get(origin, (0, NO_NETWORKS))))

    return list_response(await page(origins, _canonical, shown, asked.limit, asked.cursor))


async def list_names(context: Context, request: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the names of one zone, in canonical order."""
    estate, zone = context.estate, requested_name(request.match_info["zone"])
    file = estate.static.get(zone)
    if not file and zone not in estate.policies.named:
        counts = await context.zone_census.at(context.view.serial)
        if zone not in counts:
            raise Refused(Code.UNKNOWN_ZONE, f"pldns has no zone {to_text(zone)}")

    def key(name: Name) -> SortKey | None:
        inside = name.endswith(zone) and is_under(name, zone) and zones.zone_of(estate, name) == zone
        return _canonical(name) if inside else None

    def shown(name: Name) -> bytes | None:
        return encoded(names.name_item(estate, name, wall_clock.now()))

    found = dict.fromkeys([*estate.ledger.rows, *(file.names if file else ())])
    return list_response(await page(found, key, shown, asked.limit, asked.cursor))


async def get_claims(context: Context, _: web.Request, asked: ClaimParameters) -> web.Response:
    """Answer with all claims on one name."""
    return item_response(claims.claims(context.estate, requested_name(asked.name), wall_clock.now()))


async def list_findings(context: Context, _: web.Request, asked: FindingParameters) -> web.Response:
    """Answer with the findings, the most severe first."""
    board, now = context.estate.board, wall_clock.now()

    def key(fact: Finding) -> SortKey | None:
        wanted = asked.code in {None, fact.code} and asked.severity in {None, fact.severity}
        return findings.most_severe_first(fact) if wanted else None

    def shown(fact: Finding) -> bytes | None:
        return encoded(findings.finding(board, fact, now))

    return list_response(await page(board, key, shown, asked.limit, asked.cursor))


def _canonical(name: Name) -> SortKey:
    """Return the sort key of a name in canonical order (RFC 4034 §6.1), in a form that a cursor can hold."""
    return tuple(label.decode("latin-1") for label in reversed(labels(name)))
