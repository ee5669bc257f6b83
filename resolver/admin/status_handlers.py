"""Handlers for health, metrics and the status of the daemon."""

import asyncio
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from resolver.admin import metrics
from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources import configuration, memory, pins, sandbox, sharing, sources
from resolver.admin.resources.configuration import ConfigurationRefused, EffectiveConfiguration, ReloadRequest
from resolver.admin.resources.model import Parameters, clock_text
from resolver.admin.resources.query_log import QueryLogItem, query_log
from resolver.admin.resources.sources import SourceItem
from resolver.admin.resources.status import Alive, DaemonStatus, NotReady, Ready, ReadyParameters, counts, traffic
from resolver.admin.resources.workers import WorkerItem
from resolver.admin.responses import item_response, problem_response
from resolver.admin.route import Context
from resolver.channel.frames import MemoryReport
from resolver.http_protocol import Response
from resolver.process import wall_clock
from resolver.process.reload_state import ReloadOutcome
from resolver.version import VERSION
from zones.dns.name import to_text

RELOAD_PATIENCE: Final = 90.0
"""Seconds that a reload may take: its check may take 60 s."""


async def livez(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer whether control runs and a worker answers."""
    if await context.view.ping():
        return item_response(Alive())
    raise Refused(Code.NO_WORKER, "no worker answers")


async def readyz(context: Context, _: web.Request, asked: ReadyParameters) -> web.Response:
    """Answer whether every source has provided data and every worker has applied it."""
    missing = context.view.missing()
    degraded, total = sources.degradations(context.estate)
    source_items = worker_items = None
    if asked.verbose is not None:
        source_items, worker_items = _sources(context), _workers(context)
    if not missing:
        ready = Ready(degraded=degraded, degraded_total=total, sources=source_items, workers=worker_items)
        return item_response(ready, exclude_none=True)
    return problem_response(
        NotReady(
            type=Code.NOT_READY.type, title="Not ready", status=503, detail="; ".join(missing), missing=missing,
            degraded=degraded, degraded_total=total, sources=source_items, workers=worker_items,
        )
    )  # fmt: skip


async def get_metrics(context: Context, request: web.Request, _: Parameters) -> web.Response:
    """Answer with all metrics, in the format that the scraper accepts."""
    body, content_type = metrics.expose(context.view, request.headers.get("Accept", ""))
    return Response(body=body, headers={"Content-Type": content_type})


async def status(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer with the state of the daemon."""
    view, now = context.view, wall_clock.now()
    missing = view.missing()
    degraded, total = sources.degradations(context.estate)
    return item_response(
        DaemonStatus(
            version=VERSION, configuration=configuration.configuration(view.reloads),
            started=clock_text(view.started), uptime=round(now - view.started, 3), serial=view.serial,
            ready=not missing, missing=missing, degraded=degraded, degraded_total=total,
            absent_addresses=[str(at) for at in view.absent_addresses], workers=_workers(context),
            sources=_sources(context), memory=memory.memory(view.memory, _memory_reports(context)),
            sandbox=sandbox.items(view.sandboxes()), counts=counts(context.estate, now),
            pins=pins.of_operators(context.estate, now),
            traffic=traffic(view.traffic), query_log=_query_log(context), sharing=sharing.sharing(view.registry),
        )
    )  # fmt: skip


async def get_configuration(context: Context, _: web.Request, __: Parameters) -> web.Response:
    """Answer with every setting in effect."""
    return item_response(effective_configuration(context))


def effective_configuration(context: Context) -> EffectiveConfiguration:
    """Return every setting in effect as JSON."""
    reloads, files = context.view.reloads, context.estate.zone_files
    zones = {to_text(files.origins[path]): text for path, text in files.texts.items()}
    return configuration.effective(reloads.accepted, reloads.state.serial, zones)


async def reload(context: Context, request: web.Request, _: ReloadRequest) -> web.Response:
    """Have the configuration checked, and applied if it has no mistake."""
    reloads = context.view.reloads
    before = reloads.state.serial
    try:
        async with asyncio.timeout(RELOAD_PATIENCE):
            state = await reloads.reload()
    except (OSError, TimeoutError):
        raise Refused(Code.NO_SUPERVISOR, "the supervisor does not answer") from None
    after = {"configuration": state.serial, "outcome": str(state.outcome)}
    context.audit(request, "reload", reloads.path, {"configuration": before}, after)
    if state.outcome is not ReloadOutcome.REFUSED:
        return item_response(configuration.configuration(reloads))
    detail = "\n".join((f"the configuration is refused; configuration {state.serial} stays in effect", *state.mistakes))
    return problem_response(
        ConfigurationRefused(
            type=Code.CONFIGURATION_REFUSED.type,
            title="Unprocessable Content",
            status=422,
            detail=detail,
            mistakes=list(state.mistakes),
        )
    )


def _query_log(context: Context) -> QueryLogItem | None:
    view = context.view
    if view.reloads.accepted.query_log is None:
        return None
    dropped = sum(count for metric, _, count in view.totals() if metric == "query_log_dropped_total")
    return query_log(view.query_log, dropped)


def _memory_reports(context: Context) -> Iterator[tuple[int, MemoryReport]]:
    return ((each.index, each.memory) for each in context.view.workers.values() if each.memory)


def _workers(context: Context) -> list[WorkerItem]:
    return [
        WorkerItem(
            index=worker.index,
            pid=worker.pid,
            connected=worker.connected,
            synced=worker.synced,
            serial=worker.serial,
            restarts=worker.restarts,
            restart_age=None if worker.restarted is None else round(max(wall_clock.now() - worker.restarted, 0.0), 1),
        )
        for worker in context.view.workers.values()
    ]


def _sources(context: Context) -> list[SourceItem]:
    return [sources.source(context.estate, status, wall_clock.now()) for status in context.estate.sources.values()]
