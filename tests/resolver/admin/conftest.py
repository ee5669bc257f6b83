"""An estate with some of everything, and an admin interface that serves it."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from msgspec import structs

from resolver import settings
from resolver.admin.access.tokens import digest
from resolver.admin.app import application, context_of
from resolver.admin_settings import AdminSettings, AdminToken
from resolver.channel.frames import Fallback
from resolver.channel.requests import Explained, ReplyT, WorkerReply, WorkerRequest
from resolver.channel.trace import Access, Row, Trace
from resolver.control.estate.estate import Estate
from resolver.control.guard.sync_state import NothingHeld, SyncAction
from resolver.control.history.recorder import HistoryRecorder
from resolver.control.log_level import LogLevel
from resolver.control.operator_decisions import OperatorDecisions
from resolver.control.query_tails import QueryTails
from resolver.control.reloads import Reloads
from resolver.control.state.decisions_file import Decisions
from resolver.control.sync.ends import SyncEnd
from resolver.control.traffic import Point, Rates
from resolver.control.worker_link import WorkerStatus
from resolver.host_port import HostPort
from resolver.memory_budget import MemoryState
from resolver.process.orders import OrderReceiver
from resolver.process.query_log_state import QueryLogState
from resolver.process.reload_state import ReloadState
from resolver.process.sandbox.level import SandboxLevel
from resolver.registry.portal import Portal
from resolver.sources.reading import ZoneFiles
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.claims.policy import ConflictPolicy, ZonePolicy
from zones.clocks import WallTime
from zones.dns import zonefile
from zones.dns.name import from_text
from zones.networks.network import Network

T0 = WallTime(1_700_000_000.0)
REFUSED = Trace("", Access.REFUSED, Row.ACCESS, (), b"\0\0\x81\5" + bytes(8), None)
"""How a worker explains a query of a client that may not ask."""
BLOB = "privatelink.blob.core.windows.net"
VNETS = {
    name: f"/subscriptions/s1/resourcegroups/net/providers/microsoft.network/virtualnetworks/{name}" for name in "ab"
}
ZONE = "$ORIGIN corp.example.\n$TTL 60\n@ SOA ns hostmaster 1 3600 300 2419200 30\n@ NS ns\nns A 192.0.2.1\n"

LISTEN = HostPort("127.0.0.1", 8053)
TOKEN = "pldns_of_the_tests"  # noqa: S105 - of no daemon

Client = TestClient[Request, Application]
MakeEndpoint = Callable[..., Endpoint]


def _endpoint(
    name: str,
    fqdn: str,
    *addresses: bytes,
    vnet: str = "",
    state: ConnectionState = ConnectionState.APPROVED,
    target: str = "",
) -> Endpoint:
    key = ResourceId(f"/subscriptions/s1/resourcegroups/rg/providers/microsoft.network/privateendpoints/{name}")
    return Endpoint(
        key, key.replace("resourcegroups", "resourceGroups"), name, state, target=target or f"alias-of-{name}",
        groups=("blob",), region="westeurope", vnet=ResourceId(VNETS.get(vnet, "")),
        records=(NicRecord(from_text(fqdn), addresses, "blob", "blob"),), source="estate", where="a.json",
    )  # fmt: skip


@pytest.fixture
def endpoint() -> MakeEndpoint:
    return _endpoint


@pytest.fixture
def estate() -> Estate:
    config = settings.ControlSettings(
        networks=(
            Network("east", ("10.1.0.0/16",), (VNETS["a"],), ("all",)),
            Network("west", ("10.2.0.0/16",), (VNETS["b"],)),
        ),
        zones=settings.Zones(overrides={"privatelink.vaultcore.azure.net": ZonePolicy(on_miss="nxdomain")}),
        sources=(settings.SourceSettings("estate", "files", "/endpoints"),),
        conflicts=settings.ConflictSettings(policies={f"refused.{BLOB}": ConflictPolicy.REFUSE}),
    )
    made = Estate(config)
    endpoints = [
        _endpoint("plain", "plain.blob.core.windows.net", b"\x0a\x01\x00\x04", vnet="a"),
        _endpoint("near", "shared.blob.core.windows.net", b"\x0a\x01\x00\x05", vnet="a"),
        _endpoint("far", "shared.blob.core.windows.net", b"\x0a\x02\x00\x05", b"\xfd" + b"\x00" * 15, vnet="b"),
        _endpoint("first", "twice.blob.core.windows.net", b"\x0a\x01\x00\x06", vnet="a"),
        _endpoint("second", "twice.blob.core.windows.net", b"\x0a\x01\x00\x07", vnet="a"),
        _endpoint("one", "refused.blob.core.windows.net", b"\x0a\x01\x00\x08", vnet="a"),
        _endpoint("two", "refused.blob.core.windows.net", b"\x0a\x01\x00\x09", vnet="a"),
        _endpoint("waits", "waits.blob.core.windows.net", b"\x0a\x01\x00\x0a", vnet="a", state=ConnectionState.PENDING),
    ]
    made.ledger.apply({each.key: each for each in endpoints}, T0)
    made.health.read("estate", 3, T0)
    zone = zonefile.parse(ZONE, "corp.zone")
    made.take_zone_files(ZoneFiles({zone.origin: zone}), T0)
    return made


LINK = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
"""The link to a supervisor that does nothing: what control sends arrives at the second socket."""


class ScriptedReloads(Reloads):
    """The reloads of a daemon whose supervisor decides as the test says: `next`, or no answer at all."""

    def __init__(self) -> None:
        accepted = settings.Accepted(
            "/etc/pldns/pldns.yaml", settings.WorkerSettings((), ()), settings.ControlSettings()
        )
        super().__init__(accepted, ReloadState(loaded=T0), OrderReceiver(LINK[0]), self._applied)
        self.next: ReloadState | None = None

    async def _applied(self, *_: object) -> list[int]:
        return []

    async def reload(self) -> ReloadState:
        if self.next is None:
            raise BrokenPipeError
        self.state = self.next
        return self.state


@dataclass
class ScriptedControl:
    """Control, as far as the admin interface needs it."""

    estate: Estate
    serial: int = 7
    started: WallTime = T0
    workers: dict[int, WorkerStatus] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    absent_addresses: list[HostPort] = field(default_factory=list)
    answers: bool = True
    counted: list[tuple[str, tuple[str, ...], int]] = field(default_factory=list)
    fallen: list[Fallback] = field(default_factory=list)
    replies: dict[int, WorkerReply | None] = field(default_factory=dict)
    explained: WorkerReply | None = field(default_factory=lambda: Explained(REFUSED))
    requests: list[object] = field(default_factory=list)
    wanted: list[tuple[str, str]] = field(default_factory=list)
    reloads: Reloads = field(default_factory=ScriptedReloads)
    traffic: Rates = field(default=Rates(12.34, 0.5, 60.0))
    traffic_points: list[Point] = field(default_factory=list)
    memory: MemoryState = field(default_factory=MemoryState)
    query_log: QueryLogState = field(default_factory=QueryLogState)
    history: HistoryRecorder = field(init=False)
    decisions: OperatorDecisions = field(init=False)
    log_level: LogLevel = field(init=False)
    draining: bool = False
    registry: Portal | None = None
    ends: dict[str, SyncEnd] = field(default_factory=dict)
    tails: QueryTails = field(init=False)
    hub: None = None

    def __post_init__(self) -> None:
        self.history = HistoryRecorder(self.estate)
        self.decisions = OperatorDecisions(self.estate, Decisions(), lambda _: None)
        self.tails = QueryTails(self.ask_workers)
        self.log_level = LogLevel("info", OrderReceiver(LINK[0]))

    def sandboxes(self) -> dict[str, SandboxLevel]:
        lacking = ("this kernel has no Landlock",)
        return {
            "supervisor": SandboxLevel(65532, seccomp=True, landlock=0, lacks=lacking),
            "worker 0": SandboxLevel(65532, seccomp=True, landlock=7),
        }

    def missing(self) -> list[str]:
        return self.lacking

    async def ping(self) -> bool:
        return self.answers

    async def ask_workers(self, request: WorkerRequest[ReplyT]) -> dict[int, ReplyT | None]:
        self.requests.append(request)
        return {worker: None if reply is None else request.checked(reply) for worker, reply in self.replies.items()}

    async def ask_worker(self, request: WorkerRequest[ReplyT], worker: int, patience: float) -> ReplyT | None:  # noqa: ARG002 - as `View`
        self.requests.append(request)
        if worker not in self.workers:
            raise LookupError
        return None if self.explained is None else request.checked(self.explained)

    def sync(self, source: str, action: SyncAction) -> None:
        if action != "now" and self.estate.sources[source].sync_state.held is None:
            raise NothingHeld
        self.wanted.append((source, action))

    async def synced(self, source: str, patience: float) -> SyncEnd | None:
        self.wanted.append((source, f"now, within {patience} s"))
        return self.ends.get(source)

    def totals(self) -> Iterator[tuple[str, tuple[str, ...], int]]:
        return iter(self.counted)

    def gauges(self) -> Iterator[tuple[str, tuple[str, ...], float]]:
        yield "workers_connected", (), 1.0

    def fallbacks(self) -> Iterator[Fallback]:
        return iter(self.fallen)


@pytest.fixture
def control(estate: Estate) -> ScriptedControl:
    return ScriptedControl(estate, workers={0: WorkerStatus(0, 4242, "w", 7, connected=True, synced=True)})


@pytest.fixture
async def client(control: ScriptedControl) -> AsyncIterator[Client]:
    """A client on loopback, which has a token with all roles."""
    control.estate.settings = structs.replace(
        control.estate.settings, admin=AdminSettings(LISTEN, tokens=(AdminToken("test", "admin", digest(TOKEN)),))
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with TestClient(TestServer(application(context_of(control), LISTEN)), headers=headers) as client:
        yield client
