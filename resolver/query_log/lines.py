"""The query log as lines: JSON objects, or the text form of CoreDNS's plugin `log`.

Does not know where lines go.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from socket import ntohs
from typing import Final

from resolver.channel.query_records import QueryBatch
from resolver.query_log import message
from resolver.query_log.client_addresses import ClientAddresses
from resolver.query_log.message import QueryParts, ReplyParts
from resolver.query_log_settings import LineFormat
from zones.clocks import WallTime

_LEAST_PAYLOAD: Final = 512
_STREAM: Final = 65_535

Form = Callable[[QueryBatch, ClientAddresses], Iterator[str]]


def form(of: LineFormat) -> Form:
    """Return the function that yields a line, with its end, for each query."""
    return json_lines if of == "json" else coredns_lines


def json_lines(batch: QueryBatch, clients: ClientAddresses) -> Iterator[str]:
    """Yield a JSON object for each query. Its keys are those of `pldns tail`, and some more."""
    for answered in batch.answered:
        start = f'{{"at":"{rfc3339(answered.at)}","proto":"{answered.proto}","client":"'
        seconds = f'"seconds":{answered.seconds:.6f}}}\n'
        for record in answered.records:
            packet, address, port, _, reply = record
            asked = message.query_parts(packet)
            yield (
                f'{start}{clients.of(address).text}","port":{ntohs(port)},{_json_network(batch.network(record))},'
                f'"id":{packet[0] << 8 | packet[1]},{_json_question(asked)},'
                f'{_json_reply(message.reply_parts(reply, asked.end))},"octets":{len(reply) + 2},{seconds}'
            )


@lru_cache(maxsize=2_000)
def _json_network(name: str) -> str:
    return f'"network":{json.dumps(name)}'


@lru_cache(maxsize=4_096)
def _json_question(asked: QueryParts) -> str:
    name = asked.name if asked.name == "." else asked.name.removesuffix(".")
    return f'"name":{json.dumps(name)},"type":"{asked.qtype}"'


@lru_cache(maxsize=1_024)
def _json_reply(sent: ReplyParts) -> str:
    return f'"rcode":"{sent.rcode}","flags":"{sent.flags}"'


def coredns_lines(batch: QueryBatch, clients: ClientAddresses) -> Iterator[str]:
    """Yield a line for each query, as CoreDNS's plugin `log` does in its default format (`common`)."""
    for answered in batch.answered:
        seconds = f"{answered.seconds:.9f}s\n"
        for packet, address, port, _, reply in answered.records:
            asked = message.query_parts(packet)
            sent = message.reply_parts(reply, asked.end)
            client = clients.of(address).text
            host = f"[{client}]" if ":" in client else client
            payload = max(asked.payload, _LEAST_PAYLOAD) if answered.proto == "udp" else _STREAM
            yield (
                f"[INFO] {host}:{ntohs(port)} - {packet[0] << 8 | packet[1]} "
                f'"{asked.qtype} {asked.qclass} {asked.name} {_coredns_proto(answered.proto)} {len(packet)} '
                f'{"true" if asked.do else "false"} {payload}" '
                f"{sent.rcode} {sent.flags} {len(reply) + 2} {seconds}"
            )


def _coredns_proto(proto: str) -> str:
    """Return the protocol as CoreDNS names it, which is that of the transport."""
    return "udp" if proto == "udp" else "tcp"


def rfc3339(at: WallTime) -> str:
    """Return a time in UTC with milliseconds."""
    return f"{_second(int(at))}.{int(at % 1 * 1000):03}Z"


@lru_cache(maxsize=16)
def _second(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
