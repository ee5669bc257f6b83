"""The routes of the admin interface: one table, from which the application and its OpenAPI document are made."""

import json
from typing import Final

from aiohttp import web

from resolver.admin import access_handlers as tokens
from resolver.admin import decision_handlers as decisions
from resolver.admin import document_page, explain_handler, inventory_handler, openapi, versions
from resolver.admin import estate_handlers as estate
from resolver.admin import history_handlers as history
from resolver.admin import map_handlers as maps
from resolver.admin import overview_handlers as overviews
from resolver.admin import query_handlers as queries
from resolver.admin import registry_handlers as registry
from resolver.admin import running_handlers as running
from resolver.admin import source_handlers as sources
from resolver.admin import status_handlers as status
from resolver.admin import worker_handlers as workers
from resolver.admin.access.identity import Role
from resolver.admin.resources.access import (
    AuditItem,
    AuditParameters,
    NewToken,
    RevokeRequest,
    TokenItem,
    TokenRequest,
    WhoAmI,
)
from resolver.admin.resources.claims import ClaimList, ClaimParameters
from resolver.admin.resources.configuration import ConfigurationItem, EffectiveConfiguration, ReloadRequest
from resolver.admin.resources.endpoints import EndpointItem, EndpointParameters
from resolver.admin.resources.estate_map import EstateMap, MapHits, MapParameters, MapSearchParameters
from resolver.admin.resources.explanation import ExplainParameters, Explanation
from resolver.admin.resources.findings import (
    AcknowledgementItem,
    AcknowledgeRequest,
    FindingItem,
    FindingParameters,
    WithdrawRequest,
)
from resolver.admin.resources.history import DifferenceParameters, EventParameters, HistoryEntry, HistoryParameters
from resolver.admin.resources.model import ListParameters, Parameters
from resolver.admin.resources.names import NameItem, NameParameters
from resolver.admin.resources.networks import NetworkItem, NetworkParameters
from resolver.admin.resources.overview import Overview, TrafficHistory
from resolver.admin.resources.pins import PinItem, PinParameters, PinRequest, UnpinRequest
from resolver.admin.resources.queries import QueryParameters
from resolver.admin.resources.registry import (
    DecisionRequest,
    DeletionRequest,
    EndpointCreation,
    NetworkCreation,
    PlanRequest,
    RegistryConnectionItem,
    RegistryEndpointItem,
    RegistryEndpointParameters,
    RegistryListParameters,
    RegistryNetworkItem,
    RegistryParameters,
    RegistryPreview,
    RegistrySubnetItem,
    RegistryTargetItem,
    TargetCreation,
)
from resolver.admin.resources.running import DrainItem, DrainRequest, LogLevelItem, LogLevelRequest
from resolver.admin.resources.sources import SourceItem, SourceParameters, SyncReply, SyncRequest
from resolver.admin.resources.status import Alive, DaemonStatus, Ready, ReadyParameters
from resolver.admin.resources.workers import (
    CacheItem,
    FallbackItem,
    FallbackParameters,
    FlushRequest,
    FlushResult,
    UpstreamItem,
    UpstreamParameters,
)
from resolver.admin.resources.zones import ZoneItem, ZoneParameters
from resolver.admin.route import Context, Route
from resolver.http_protocol import Response


async def get_openapi(_: Context, __: web.Request, ___: Parameters) -> web.Response:
    """Answer with the OpenAPI document of this interface."""
    return Response(text=json.dumps(openapi.document(ROUTES)), content_type="application/json")


async def get_docs(_: Context, __: web.Request, ___: Parameters) -> web.Response:
    """Answer with the OpenAPI document as a page."""
    text = document_page.page(openapi.document(ROUTES))
    return Response(text=text, content_type="text/html", headers={"Content-Security-Policy": document_page.POLICY})


_REGISTRY_READS: Final = (
    (404, "There is no registry."), (503, "The database of the registry cannot be used."),
)  # fmt: skip
_REGISTRY_ITEMS: Final = (
    (404, "There is no registry, or no such resource in it that the caller sees."),
    (409, "Several resources have the name."), (503, "The database of the registry cannot be used."),
)  # fmt: skip
_REGISTRY_CHANGES: Final = (
    (404, "There is no registry, or no such resource in it that the caller sees."),
    (409, "Several resources have the name, or the registry cannot make the change."),
    (503, "The database of the registry cannot be used."),
)  # fmt: skip

ROUTES: Final = (
    Route(
        "/livez", status.livez, "Control runs and a worker answers.", Alive,
        problems=((503, "No worker answers."),), aliases=("/health",), role=None, health=True,
    ),
    Route(
        "/readyz", status.readyz, "Every source has provided data, and every worker has applied it.", Ready,
        parameters=ReadyParameters, problems=((503, "The daemon is not ready."),), aliases=("/ready",),
        role=None, health=True,
    ),
    Route(
        "/metrics", status.get_metrics, "Metrics in the Prometheus or OpenMetrics text format.",
        media=("text/plain", "application/openmetrics-text"), health=True,
    ),
    Route("/v1/whoami", overviews.whoami, "Who the request is from, and the role.", WhoAmI, role=Role.REGISTRY),
    Route("/v1/overview", overviews.get_overview, "The health of the daemon, and the main numbers.", Overview),
    Route(
        "/v1/live", overviews.stream_overview, "The overview every two seconds, as server-sent events.",
        media=("text/event-stream",), problems=((503, "Too many streams are open."),),
    ),
    Route("/v1/traffic", overviews.get_traffic, "The traffic of the last hour.", TrafficHistory),
    Route("/v1/status", status.status, "The state of the daemon.", DaemonStatus),
    Route(
        "/v1/configuration", status.get_configuration, "Every setting in effect.", EffectiveConfiguration,
        version=versions.configuration,
    ),
    Route(
        "/v1/reload", status.reload, "Check the configuration again, and apply it if it has no mistake.",
        ConfigurationItem, body=ReloadRequest, role=Role.ADMIN, version=versions.configuration,
        problems=(
            (422, "The configuration is refused; the one before stays in effect."),
            (503, "The supervisor does not answer."),
        ),
    ),
    Route(
        "/v1/drain", running.drain, "Report that pldns is not ready, and go on answering; or end that.", DrainItem,
        body=DrainRequest, role=Role.OPERATE,
    ),
    Route(
        "/v1/log-level", running.get_log_level, "The log level of all processes.", LogLevelItem,
        version=versions.log_level,
    ),
    Route(
        "/v1/log-level", running.set_log_level, "Set the log level of all processes for some time.", LogLevelItem,
        body=LogLevelRequest, role=Role.ADMIN, version=versions.log_level, status=202,
        problems=((503, "The supervisor does not answer."),),
    ),
    Route(
        "/v1/inventory", inventory_handler.get_inventory,
        "The data of all sources, in the form that this version of pldns saves and `pldns plan` reads.",
        media=(inventory_handler.MEDIA,),
    ),
    Route(
        "/v1/endpoints", estate.list_endpoints, "Private endpoints by id, served or not.", EndpointItem,
        listed=True, parameters=EndpointParameters,
    ),
    Route(
        "/v1/map", maps.get_map, "Networks, VNets and endpoints as a graph of a few hundred nodes at most.", EstateMap,
        parameters=MapParameters,
    ),
    Route(
        "/v1/map/search", maps.search_map, "Nodes of the graph with a text in a name, an address or an id.", MapHits,
        parameters=MapSearchParameters,
    ),
    Route(
        "/v1/networks", estate.list_networks, "Networks by name: their clients, and which endpoints are visible there.",
        NetworkItem, listed=True, parameters=NetworkParameters,
    ),
    Route(
        "/v1/zones", estate.list_zones, "Zones that pldns answers, in canonical order.", ZoneItem,
        listed=True, parameters=ZoneParameters,
    ),
    Route(
        "/v1/zones/{zone}/records", estate.list_names, "Names of one zone in canonical order, with their answers.",
        NameItem, listed=True, parameters=NameParameters, problems=((404, "There is no such zone."),),
    ),
    Route(
        "/v1/claims", estate.list_claims, "Claims by private name, in canonical order.", ClaimList,
        parameters=ClaimParameters,
    ),
    Route(
        "/v1/explain", explain_handler.explain, "What a client gets for a name, and why.", Explanation,
        parameters=ExplainParameters, problems=((503, "No worker answers."),),
    ),
    Route(
        "/v1/findings", estate.list_findings, "Findings, the most severe first.", FindingItem,
        listed=True, parameters=FindingParameters,
    ),
    Route(
        "/v1/sources", sources.list_sources, "Sources of endpoints, and the state of their data.", SourceItem,
        listed=True, parameters=SourceParameters,
    ),
    Route(
        "/v1/sources/{name}", sources.get_source, "One source.", SourceItem, version=versions.source,
        problems=((404, "There is no such source."),),
    ),
    Route(
        "/v1/sources/{name}/sync", sources.sync, "Sync a source now; accept or drop its held sync.", SyncReply,
        body=SyncRequest, role=Role.OPERATE, version=versions.source, status=202,
        problems=((404, "There is no such source."), (409, "No sync is held.")),
    ),
    Route(
        "/v1/findings/{id}", estate.get_finding, "One finding.", FindingItem, version=versions.finding,
        problems=((404, "There is no such finding."),),
    ),
    Route(
        "/v1/findings/{id}/acknowledge", decisions.acknowledge,
        "Note that a finding is known: while it says the same, it is not counted as open.", FindingItem,
        body=AcknowledgeRequest, role=Role.OPERATE, version=versions.finding,
        problems=(
            (404, "There is no such finding."), (409, "As many findings are acknowledged as may be."),
            (503, "The state directory cannot be written."),
        ),
    ),
    Route(
        "/v1/findings/{id}/withdraw", decisions.withdraw, "Remove the acknowledgement of a finding.",
        AcknowledgementItem, body=WithdrawRequest, role=Role.OPERATE, version=versions.finding,
        problems=((404, "No such finding is acknowledged."), (503, "The state directory cannot be written.")),
    ),
    Route(
        "/v1/pins", decisions.list_pins, "Pins of the configuration and of operators.", PinItem,
        listed=True, parameters=PinParameters, version=versions.pins,
    ),
    Route(
        "/v1/pins", decisions.pin, "Give a name to an endpoint that claims it.", PinItem,
        body=PinRequest, role=Role.OPERATE, version=versions.pins,
        problems=(
            (404, "There is no such network."),
            (409, "The configuration pins the name, the endpoint does not claim the name, or there are too many pins."),
            (503, "The state directory cannot be written."),
        ),
    ),
    Route(
        "/v1/pins/{name}/remove", decisions.unpin, "Remove the pin that an operator has made.", PinItem,
        body=UnpinRequest, role=Role.OPERATE, version=versions.pins,
        problems=((404, "There is no such pin."), (503, "The state directory cannot be written.")),
    ),
    Route(
        "/v1/registry/endpoints", registry.list_endpoints, "Private endpoints of the registry, by id.",
        RegistryEndpointItem, listed=True, parameters=RegistryEndpointParameters, role=Role.REGISTRY,
        problems=_REGISTRY_READS,
    ),
    Route(
        "/v1/registry/endpoints/{name}", registry.get_endpoint,
        "One private endpoint of the registry, by its id, its name or the beginning of its name.",
        RegistryEndpointItem, role=Role.REGISTRY,
        problems=_REGISTRY_ITEMS,
    ),
    Route(
        "/v1/registry/endpoints", registry.create_endpoint, "Make a private endpoint.", RegistryEndpointItem,
        body=EndpointCreation, status=201, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/endpoints/{name}/delete", registry.delete_endpoint,
        "Delete a private endpoint in any state. Nobody gets its addresses for a while.", RegistryEndpointItem,
        body=DeletionRequest, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/subnets", registry.list_subnets, "Subnets of the registry, by id.", RegistrySubnetItem,
        listed=True, parameters=RegistryListParameters, role=Role.REGISTRY,
        problems=_REGISTRY_READS,
    ),
    Route(
        "/v1/registry/networks", registry.create_network, "Make a virtual network with subnets.",
        RegistryNetworkItem, body=NetworkCreation, status=201, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/targets", registry.list_targets,
        "What private endpoints can connect to: resources and private link services of the registry, by id.",
        RegistryTargetItem, listed=True, parameters=RegistryListParameters, role=Role.REGISTRY,
        problems=_REGISTRY_READS,
    ),
    Route(
        "/v1/registry/targets", registry.create_target, "Make a resource that private endpoints can connect to.",
        RegistryTargetItem, body=TargetCreation, status=201, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/connections", registry.list_connections,
        "Private endpoint connections to targets of the registry, by id.", RegistryConnectionItem,
        listed=True, parameters=RegistryParameters, role=Role.REGISTRY,
        problems=_REGISTRY_READS,
    ),
    Route(
        "/v1/registry/connections/{name}", registry.get_connection,
        "One connection, by its id, its name, the name of its endpoint, or the beginning of one.",
        RegistryConnectionItem, role=Role.REGISTRY,
        problems=_REGISTRY_ITEMS,
    ),
    Route(
        "/v1/registry/connections/{name}/approve", registry.approve,
        "Approve a connection. Its endpoint is answered from then on.", RegistryConnectionItem,
        body=DecisionRequest, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/connections/{name}/reject", registry.reject,
        "Reject a connection. Its endpoint is not answered from then on.", RegistryConnectionItem,
        body=DecisionRequest, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/connections/{name}/delete", registry.remove,
        "Remove a connection. Its endpoint is Disconnected from then on, and can only be deleted.",
        RegistryConnectionItem, body=DecisionRequest, role=Role.REGISTRY,
        problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/plan", registry.plan,
        "What a change of the registry would replace in its source, in the form that this version of pldns reads. "
        "Changes nothing.",
        body=PlanRequest, role=Role.REGISTRY, media=(registry.MEDIA,), problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/registry/preview", registry.preview,
        "What a change of the registry would do to names and findings. Changes nothing.", RegistryPreview,
        body=PlanRequest, problems=_REGISTRY_CHANGES,
    ),
    Route(
        "/v1/history", history.list_history, "What changed, the newest first: names, findings, sources.", HistoryEntry,
        listed=True, parameters=HistoryParameters, problems=((503, "The history cannot be read."),),
    ),
    Route(
        "/v1/diff", history.list_differences, "What differs between two times, one entry for each thing.", HistoryEntry,
        listed=True, parameters=DifferenceParameters, problems=((503, "The history cannot be read."),),
    ),
    Route(
        "/v1/events", history.stream_events, "New entries of the history, as server-sent events.",
        parameters=EventParameters, media=("text/event-stream",),
        headers=(("Last-Event-ID", "As `after`: browsers send it when they reconnect."),),
        problems=((503, "The history cannot be read, or too many streams are open."),),
    ),
    Route(
        "/v1/queries", queries.stream_queries, "Queries as they are answered, as server-sent events.",
        parameters=QueryParameters, media=("text/event-stream",),
        problems=((503, "Too many streams are open."),),
    ),
    Route(
        "/v1/fallbacks", workers.list_fallbacks, "Names expected to be private that no endpoint answered.",
        FallbackItem, listed=True, parameters=FallbackParameters,
    ),
    Route(
        "/v1/upstreams", workers.list_upstreams, "Upstream servers, and what each worker knows of them.", UpstreamItem,
        listed=True, parameters=UpstreamParameters,
    ),
    Route(
        "/v1/cache", workers.list_caches, "The caches of each worker.", CacheItem,
        listed=True, parameters=ListParameters,
    ),
    Route(
        "/v1/cache", workers.flush, "Remove upstream replies for a name from the caches.", FlushResult,
        body=FlushRequest, role=Role.OPERATE
    ),
    Route(
        "/v1/tokens", tokens.list_tokens, "Bearer tokens, without their text.", TokenItem,
        listed=True, parameters=ListParameters, version=versions.tokens, role=Role.ADMIN,
    ),
    Route(
        "/v1/tokens", tokens.new, "Make a bearer token. Only this response has its text.", NewToken,
        body=TokenRequest, role=Role.ADMIN, version=versions.tokens, status=201,
        problems=((409, "There is a token of this name."), (503, "The state directory cannot be written.")),
    ),
    Route(
        "/v1/tokens/{name}/revoke", tokens.revoke, "Remove a bearer token, which is refused from then on.", TokenItem,
        body=RevokeRequest, role=Role.ADMIN, version=versions.tokens,
        problems=(
            (404, "There is no such token."), (409, "The configuration has the token."),
            (503, "The state directory cannot be written."),
        ),
    ),
    Route(
        "/v1/audit", tokens.list_audit, "Changes that operators made, the newest first.", AuditItem,
        listed=True, parameters=AuditParameters, role=Role.ADMIN,
    ),
    Route("/v1/docs", get_docs, "The OpenAPI document as a page for people.", media=("text/html",), role=None),
    Route("/v1/openapi.json", get_openapi, "The OpenAPI 3.1 document of this interface."),
)  # fmt: skip
