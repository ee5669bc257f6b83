"""The handler that explains an answer: a worker records how it answers, and control adds where the names come from."""

from typing import Final

from aiohttp import web

from resolver.admin import filters
from resolver.admin.access.problems import Code, Refused
from resolver.admin.resources import explanation
from resolver.admin.resources.explanation import Asked, ExplainParameters, Origin
from resolver.admin.resources.question import InvalidQuestion, client, question
from resolver.admin.responses import item_response
from resolver.admin.route import Context
from resolver.channel.requests import Explain
from resolver.host_port import HostPort, InvalidHostPort, parse
from resolver.process import wall_clock

PATIENCE: Final = 6.0
"""Seconds that a worker has. With `ask`, upstream servers have 5 of these."""


async def explain(context: Context, _: web.Request, asked: ExplainParameters) -> web.Response:
    """Answer with what a client gets for a name, and why."""
    try:
        address, network = client(asked.client, context.estate.networks.now)
        wanted = Asked(question(asked.name, asked.type), address, asked.transport, _listener(asked.listener), network)
    except InvalidQuestion as error:
        raise Refused(Code.INVALID_PARAMETER, str(error)) from None
    if asked.worker is not None and asked.worker not in context.view.workers:
        raise filters.unknown("worker", str(asked.worker), [str(each) for each in context.view.workers])
    worker = asked.worker if asked.worker is not None else _first(context)
    packet = wanted.question.message.to_wire()
    request = Explain(packet, wanted.client, wanted.transport, wanted.listener, asked.ask)
    try:
        reply = await context.view.ask_worker(request, worker, PATIENCE)
    except LookupError:
        raise Refused(Code.NO_WORKER, f"worker {worker} is not connected") from None
    if reply is None or reply.trace is None:
        raise Refused(Code.NO_WORKER, f"worker {worker} did not explain the query; its log says why")
    accepted = context.view.reloads.accepted
    return item_response(
        explanation.explanation(accepted, context.estate, wanted, reply.trace, Origin(worker), wall_clock.now())
    )


def _first(context: Context) -> int:
    """Return the first connected worker. Raises `Refused` where there is none."""
    found = [index for index, worker in sorted(context.view.workers.items()) if worker.connected]
    if not found:
        raise Refused(Code.NO_WORKER, "no worker is connected")
    return found[0]


def _listener(text: str | None) -> HostPort | None:
    try:
        return None if text is None else parse(text)
    except InvalidHostPort as error:
        raise InvalidQuestion(f"listener: {error}") from None
