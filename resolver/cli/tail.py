"""`pldns tail`: the queries that a running daemon answers, as they are answered."""

import sys
from collections.abc import Mapping

from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json


def run(url: str, wanted: Mapping[str, str | None], as_json: bool) -> int:
    """Print one line for each query until the daemon ends or Ctrl-C; return 0."""
    if sys.stdout.isatty():
        output.note("queries are shown as they are answered; Ctrl-C ends this")
    asked = {key: value for key, value in wanted.items() if value}
    for event, data in admin_client.events(url, "/v1/queries", asked):
        if event == "dropped":
            output.note(f"{data['count']} queries are not shown: there were too many")
        elif as_json:
            output.document(data)
        else:
            output.line(_line(data))
        sys.stdout.flush()
    return 0


def _line(query: Json) -> str:
    network = query["network"] or "-"
    answer = f" {', '.join(query['answer'])}" if query["answer"] else ""
    return (
        f"{query['at'][11:23]} {query['proto']:5} {query['client']} {network} {query['name']} {query['type']} "
        f"{query['rcode']} {query['origin']}{answer} {query['octets']} octets {query['seconds'] * 1000:.1f} ms"
    )
