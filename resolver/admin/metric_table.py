"""Every metric: its name, meaning, type and labels, and the values that each label can have.

The one definition of them. `metrics` gives them values, `metrics_reference` writes the page. Names and labels are
those of CoreDNS where it has the metric.
"""

from typing import Final, Literal, NamedTuple, get_args

from resolver.control.estate.source_health import Freshness, SyncOutcome
from resolver.forward.round_trip import BOUNDS
from resolver.process.reload_state import ReloadOutcome
from resolver.worker.answer.counters import OTHER, TYPES
from resolver.worker.answer.durations import PATHS
from resolver.worker.answer.response import ReplyOrigin
from resolver.worker.net.close_reason import CloseReason
from zones.azure.endpoint import ConnectionState
from zones.findings.evidence import Severity
from zones.table.outcome import DataOrigin

PREFIX: Final = "pldns_"

Kind = Literal["counter", "gauge", "histogram"]


class Label(NamedTuple):
    """A label of a metric. Its values are those in `closed`; where that is empty, `source` says where they come from.

    No value comes from a query name or a client's address, so that their number has a bound.
    """

    name: str
    source: str = ""
    closed: tuple[str, ...] = ()

    def permits(self, value: str) -> bool:
        """Return whether the label may have this value. `other` is for what a worker reports beyond its limit."""
        return not self.closed or value in self.closed or value == OTHER


class Metric(NamedTuple):
    """One metric; its name has no prefix here. A metric without `bounds` is a counter or a gauge."""

    name: str
    help: str
    labels: tuple[Label, ...] = ()
    bounds: tuple[str, ...] = ()
    """Upper bounds of the buckets of a histogram, in ascending order."""

    @property
    def kind(self) -> Kind:
        """The type of the metric. Names of counters end in `_total`."""
        if self.bounds:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


def _closed(name: str, *values: str) -> Label:
    return Label(name, closed=values)


_PROTO: Final = _closed("proto", "udp", "tcp", "tls", "https")
_STREAM: Final = _closed("proto", "tcp", "tls", "https")
_FAMILY: Final = _closed("family", "4", "6")
_TYPE: Final = _closed("type", *TYPES.values(), OTHER)
_RCODE: Final = Label("rcode", "mnemonics of rcodes, or `RCODE` and a number below 4096")
_ZONE: Final = Label("zone", "zones of the catalogue, of zone files, private DNS zones and `zones`")
_ANSWER_ZONE: Final = Label(
    "zone",
    f"{_ZONE.source}; `(reverse)`: reverse zones; `(alone)`: names that are zones of their own; "
    "empty: the answer belongs to no zone",
)
_NETWORK: Final = Label(
    "network", "names of networks; `none`: the client is in no network; empty: an error whose network is not known"
)
_ORIGIN: Final = _closed("origin", *(each.value for each in DataOrigin), *(each.value for each in ReplyOrigin), "acl")
_UPSTREAM: Final = Label("upstream", "groups of `upstreams`")
_SERVER: Final = Label("server", "servers of the group, as `/v1/upstreams` shows them")
_SOURCE: Final = Label("source", "names of `sources`")
_WORKER: Final = Label("worker", "indexes of workers, from 0 to `dns.workers` - 1")
_PROCESS: Final = Label("process", "`supervisor`, `control`, `query log`, and `worker N` for each worker")
_FINDING: Final = (
    Label("code", "codes of docs/findings.md"), _closed("severity", *(each.value for each in Severity))
)  # fmt: skip
_CACHE: Final = _closed("cache", "replies", "answers")
_BUCKETS: Final = (*map(str, BOUNDS), "+Inf")

METRICS: Final = (
    Metric(
        "build_info", "Always 1.", (Label("version", "the version of pldns"), Label("python", "the version of Python"))
    ),
    Metric("dns_requests_total", "Queries received.", (_PROTO, _FAMILY)),
    Metric(
        "dns_requests_by_type_total", "Queries answered, by their type and the client's network.", (_TYPE, _NETWORK)
    ),
    Metric(
        "dns_request_duration_seconds",
        "Time from a packet to its reply; path: repeated (a packet over UDP that was asked before), made (an answer of "
        "the worker) or forwarded (an upstream server was asked). One in 16 is timed, and counts 16 times.",
        (_closed("path", *PATHS),),
        _BUCKETS,
    ),
    Metric(
        "dns_responses_total",
        "Responses sent; origin: private (endpoints), static (zone files, private DNS zones), ptr (addresses of "
        "endpoints), policy (`on_miss`), local (special names), public (an upstream, for a name in a private zone), "
        "forward (an upstream, for any other name), dropped (`dns.drop.names`), acl (`dns.allow`) or error.",
        (_RCODE, _ANSWER_ZONE, _NETWORK, _ORIGIN),
    ),
    Metric(
        "dns_dropped_total",
        "Packets without a response; reason: malformed, client (`dns.drop.clients`), proxy (no valid PROXY header), "
        "unanswerable (from port 0 or from pldns itself) or unsent (send buffer full, or no route).",
        (_closed("reason", "malformed", "client", "proxy", "unanswerable", "unsent"),),
    ),
    Metric(
        "dns_rate_limited_total",
        "Queries over the rate limit: dropped, truncated or badcookie.",
        (_closed("reply", "dropped", "truncated", "badcookie"),),
    ),
    Metric("dns_connections_total", "Connections accepted.", (_STREAM,)),
    Metric(
        "dns_connections_closed_total",
        "Connections closed; reason: ended (by the client), idle, limit, client_limit, memory (too many octets waited "
        "in all connections together), handshake, proxy, dropped or stop.",
        (_STREAM, _closed("reason", *get_args(CloseReason))),
    ),
    Metric(
        "dns_connections_waiting_total",
        "Times that new connections waited because no file descriptor was left.",
        (_STREAM,),
    ),
    Metric(
        "dns_https_errors_total",
        "HTTP connections closed for what the client sent: protocol, flood or bodies.",
        (_closed("reason", "protocol", "flood", "bodies"),),
    ),
    Metric(
        "dns_https_responses_total",
        "HTTP responses of DNS over HTTPS.",
        (Label("status", "HTTP statuses that pldns sends"),),
    ),
    Metric("dns_listen_absent", "Listen addresses that the machine does not have (`dns.bind: wait`)."),
    Metric("fallback_total", "Responses for names inside a private zone that came from an upstream.", (_ZONE,)),
    Metric(
        "no_network_total",
        "Responses for names of endpoints to clients whose address no network holds.",
        (Label("zone", f"{_ZONE.source}; `(alone)`: names that are zones of their own"),),
    ),
    Metric("cache_hits_total", "Questions that a cached upstream reply answered."),
    Metric("cache_misses_total", "Questions of which the cache had no reply that is still good."),
    Metric("cache_evictions_total", "Upstream replies removed from the cache to make room."),
    Metric("cache_prefetches_total", "Questions asked again shortly before their cached reply expired."),
    Metric("cache_entries", "Entries of a cache: replies of upstream servers, or compiled answers.", (_CACHE, _WORKER)),
    Metric("cache_octets", "Approximate memory use of a cache.", (_CACHE, _WORKER)),
    Metric(
        "forward_loops_total",
        "Queries of pldns itself that came back through an upstream group; they get SERVFAIL.",
        (_UPSTREAM,),
    ),
    Metric("upstream_queries_total", "Queries sent to upstream servers."),
    Metric("upstream_replies_total", "Replies of upstream servers that matched a query."),
    Metric("upstream_timeouts_total", "Queries that an upstream server did not answer in time."),
    Metric("upstream_errors_total", "Queries that could not be sent, or whose connection broke."),
    Metric("upstream_mismatches_total", "Packets on upstream sockets that match no query."),
    Metric("upstream_tcp_total", "Queries repeated over TCP because the reply was truncated."),
    Metric(
        "upstream_request_duration_seconds",
        "Time from a query to an upstream server until its answer.",
        (_UPSTREAM, _SERVER),
        _BUCKETS,
    ),
    Metric(
        "upstream_failures_total",
        "Queries to an upstream server without a reply, or that could not be sent.",
        (_UPSTREAM, _SERVER),
    ),
    Metric("upstream_up", "0 while a worker regards an upstream server as down.", (_UPSTREAM, _SERVER, _WORKER)),
    Metric("upstream_shed_total", "Questions that failed because too many were under way."),
    Metric("upstream_late_total", "Replies that came after their question had failed, and went into the cache."),
    Metric("ready", "1 while `/readyz` answers 200."),
    Metric("state_unwritable", "Files of the state directory whose last write failed."),
    Metric("serial", "Serial of the served state. A worker that lags behind has a lower `worker_serial`."),
    Metric(
        "config_reloads_total", "Reloads: `applied`, `unchanged` or `refused`.", (_closed("result", *ReloadOutcome),)
    ),
    Metric("config_serial", "Number of the configuration in effect: 1 at the start, one more with each that differs."),
    Metric("config_last_reload_successful", "0 while the last reload was refused."),
    Metric("config_last_success_timestamp_seconds", "When the configuration in effect was accepted."),
    Metric("config_file_changed", "1 while the configuration file is not the one in effect."),
    Metric("memory_budget_bytes", "What all processes together may use; absent where there is no limit."),
    Metric("memory_free_bytes", "What is left of the budget; absent where there is no limit."),
    Metric(
        "memory_bytes",
        "Memory in use; part: supervisor, control, query log, or of all workers together replies (`cache.size`), "
        "answers (`cache.answers`), connections, and workers (the rest: interpreter, table, queries in progress).",
        (_closed("part", "supervisor", "control", "query log", "replies", "answers", "connections", "workers"),),
    ),
    Metric(
        "memory_bound_bytes",
        "Bound of a part of all workers together: replies, answers or connections. It is lower than configured where "
        "memory is scarce.",
        (_closed("part", "replies", "answers", "connections"),),
    ),
    Metric("memory_drops_total", "Times that a worker dropped its caches because memory was short."),
    Metric(
        "query_log_written_total",
        "Queries that the query log has written; output: lines (a file or stdout) or dnstap (a collector).",
        (_closed("output", "lines", "dnstap"),),
    ),
    Metric(
        "query_log_dropped_total",
        "Queries that the query log lacks; output: queue (the logger was too slow or absent), lines (the file or "
        "stdout could not be written) or dnstap (the collector was absent or too slow).",
        (_closed("output", "queue", "lines", "dnstap"),),
    ),
    Metric("workers", "Configured worker processes."),
    Metric("answers_evicted_total", "Compiled answers removed because a name behind them changed."),
    Metric("gc_long_pauses_total", "Garbage collections that stopped a worker for more than 20 ms."),
    Metric("worker_restarts_total", "Starts of a worker after its first one, since control started.", (_WORKER,)),
    Metric("workers_connected", "Worker processes that are connected to control."),
    Metric("worker_serial", "Serial of the last state that a worker has applied.", (_WORKER,)),
    Metric("sync_synced", "1 once a source has provided a complete inventory, live or saved.", (_SOURCE,)),
    Metric("sync_failing", "1 while a source cannot be read; its last data is served.", (_SOURCE,)),
    Metric("sync_last_success_timestamp_seconds", "Time of the last complete read of a source.", (_SOURCE,)),
    Metric("source_age_seconds", "Time since the last complete read of a source.", (_SOURCE,)),
    Metric(
        "source_state",
        "1 for the current state of a source: fresh, stale (three intervals without a good sync) or expired.",
        (_SOURCE, _closed("state", *get_args(Freshness))),
    ),
    Metric("source_parts", "Files or subscriptions of a source.", (_SOURCE,)),
    Metric("source_unreadable_parts", "Files or subscriptions of a source that cannot be read.", (_SOURCE,)),
    Metric(
        "sync_total",
        "Syncs of a remote source; result: published, held or failed.",
        (_SOURCE, _closed("result", *get_args(SyncOutcome))),
    ),
    Metric(
        "sync_requests_total",
        "Requests to a remote source. asked: what was asked; status: the HTTP status, or error, timeout or too-long "
        "without a usable response. asked=token, status=failed counts failures to get a token.",
        (
            _SOURCE,
            Label("asked", "kinds of requests to Azure, and `token`"),
            Label("status", "HTTP statuses, `error`, `timeout`, `too-long` and `failed`"),
        ),
    ),
    Metric("sync_duration_seconds", "Duration of the last sync of a remote source.", (_SOURCE,)),
    Metric("sync_held", "1 while a sync or a change of files that would remove too much is held.", (_SOURCE,)),
    Metric("sync_absent", "Resources that recent syncs lack and that are still served.", (_SOURCE,)),
    Metric(
        "events_total",
        "Events from Event Grid; result: hint (in scope, or before the first sync), duplicate, out_of_scope, other, "
        "malformed, or refused (wrong or missing secret).",
        (_SOURCE, _closed("result", "hint", "duplicate", "out_of_scope", "other", "malformed", "refused")),
    ),
    Metric(
        "hints_total",
        "Resources read because of an event; result: read, failed (left to the next sync), overflow, held (would "
        "remove more than events may before the next sync), or out_of_scope (arrived before the first sync, which "
        "showed that the resource is out of scope).",
        (_SOURCE, _closed("result", "read", "failed", "overflow", "held", "out_of_scope")),
    ),
    Metric(
        "hints_seconds_total",
        "Sum of the times from an event until its resource was read and applied. Divide by `pldns_hints_total` with "
        "result=read for the mean.",
        (_SOURCE,),
    ),
    Metric("hub_followers", "Spokes that follow this hub."),
    Metric("hub_serial", "Serial of the last change that this hub has sent."),
    Metric("hub_history_bytes", "Changes that this hub keeps for spokes that come back."),
    Metric(
        "hub_connections_total",
        "Connections of spokes; start: copy (a whole copy) or serial (the changes since the last connection).",
        (_closed("start", "copy", "serial"),),
    ),
    Metric("hub_dropped_total", "Spokes that were disconnected because they read too slowly."),
    Metric("endpoints", "Private endpoints by connection state.", (_closed("state", *ConnectionState),)),
    Metric("claims", "Claims of endpoints on names."),
    Metric("claims_lingering", "Removed claims that linger."),
    Metric("names", "Private names that have an answer."),
    Metric("findings", "Open findings, without those that are acknowledged.", _FINDING),
    Metric("findings_acknowledged", "Findings that an operator has acknowledged (`pldns acknowledge`).", _FINDING),
    Metric("process_resident_memory_bytes", "Memory of a process that is in use.", (_PROCESS,)),
    Metric("process_cpu_seconds_total", "Time that a process has used a CPU.", (_PROCESS,)),
    Metric("process_open_fds", "Descriptors that a process has open. Needs Linux 6.2 or newer.", (_PROCESS,)),
    Metric("process_max_fds", "Descriptors that a process may have open.", (_PROCESS,)),
    Metric("process_start_time_seconds", "When a process started, in seconds since the epoch.", (_PROCESS,)),
)
"""All metrics."""
