"""The query log as JSON: its outputs, and what was lost."""

from pydantic import Field

from resolver.admin.resources.model import Model
from resolver.process.query_log_state import OutputKind, QueryLogState


class QueryLogOutputItem(Model):
    """One output of the query log. Counts begin when the query logger starts."""

    output: OutputKind = Field(description="`lines`: a file or stdout. `dnstap`: a collector.")
    to: str = Field(description="The path of the file, `stdout`, or the address of the collector.")
    written: int = Field(description="Queries that were written.")
    dropped: int = Field(description="Queries that could not be written.")
    fault: str = Field(description="Why nothing can be written now; empty while it can.")


class QueryLogItem(Model):
    """The query log (docs/query-log.md)."""

    running: bool = Field(description="The query logger runs.")
    queue_dropped: int = Field(description="Queries that workers dropped because the logger was too slow or absent.")
    outputs: list[QueryLogOutputItem]


def query_log(state: QueryLogState, queue_dropped: int) -> QueryLogItem:
    """Return the query log as JSON."""
    return QueryLogItem(
        running=bool(state.pid), queue_dropped=queue_dropped,
        outputs=[
            QueryLogOutputItem(
                output=each.kind, to=each.to, written=each.written, dropped=each.dropped, fault=each.fault
            )
            for each in state.outputs
        ],
    )  # fmt: skip
