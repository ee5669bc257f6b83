"""The sources, and the syncs of remote ones."""

import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from resolver import settings
from resolver.admin.resources import claims
from resolver.control.estate.activity import SourceActivity, Tally
from resolver.control.estate.estate import Estate
from resolver.control.estate.source_health import SourceStatus
from resolver.control.guard.sync_state import SyncState, WithheldSync
from resolver.control.sync.ends import SyncEnd
from resolver.sources.reading import Reading, Requests
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.clocks import WallTime
from zones.dns.name import from_text

Client = TestClient[Any, Any]
Control = Any  # of conftest
HELD = WithheldSync(
    WallTime(1000.0), WallTime(1060.5), Reading(), ("7 of 9 private endpoints",), 7, 1, ("/ID/a", "/ID/b")
)


@pytest.fixture
def hub(control: Control) -> SourceStatus:
    """A remote source beside the files."""
    now = time.time()
    status = SourceStatus("hub", "azure", "", "servfail", synced=True, last_success=WallTime(now - 100), parts=2)
    status.remote, status.interval, status.expire = True, 60.0, 86_400.0
    status.next_sync, status.duration, status.results = WallTime(now + 30), 1.25, {"published": 3}
    status.requests = Requests({("graph", "200"): 3}, 7)
    control.estate.sources["hub"], control.estate.health._unreadable["hub"] = status, {}
    return status


async def sources(client: Client) -> dict[str, Any]:
    async with client.get("/v1/sources") as response:
        assert response.status == 200
        return {each["name"]: each for each in (await response.json())["items"]}


async def post(client: Client, name: str, body: object) -> tuple[int, Any]:
    async with client.post(f"/v1/sources/{name}/sync", json=body) as response:
        return response.status, await response.json()


async def test_sources_are_listed_with_their_syncs(client: Client, hub: SourceStatus) -> None:
    hub.sync_state = SyncState({ResourceId("k"): WallTime(1.0)})
    found = await sources(client)
    assert list(found) == ["estate", "hub"]
    assert found["estate"]["sync"]["held"] is None
    assert found["hub"]["freshness"] == "fresh"
    sync = found["hub"]["sync"]
    assert sync.pop("next").endswith("Z")
    assert sync == {
        "syncing": False, "interval": 60.0, "duration": 1.25, "failures": 0, "results": {"published": 3},
        "calls_per_hour": 7, "absent": 1,
        "held": None,
    }  # fmt: skip


async def test_a_source_becomes_stale_and_expires(client: Client, hub: SourceStatus) -> None:
    for age, state in ((179, "fresh"), (181, "stale"), (86_401, "expired")):
        hub.last_success = WallTime(time.time() - age)
        assert (await sources(client))["hub"]["freshness"] == state
    hub.synced, hub.last_success = False, None
    assert (await sources(client))["hub"]["freshness"] is None


async def test_verbose_readyz_lists_sources(client: Client, hub: SourceStatus) -> None:
    hub.last_success = WallTime(time.time() - 300)
    async with client.get("/readyz?verbose") as response:
        body = await response.json()
        assert response.status == 200
        assert {each["name"]: each["freshness"] for each in body["sources"]}["hub"] == "stale"


async def test_a_held_sync_is_listed_and_can_be_accepted_or_dropped(
    client: Client, control: Control, hub: SourceStatus
) -> None:
    hub.sync_state = SyncState({}, HELD)
    assert (await sources(client))["hub"]["sync"]["held"] == {
        "since": "1970-01-01T00:16:40.000Z", "read": "1970-01-01T00:17:40.500Z",
        "reasons": ["7 of 9 private endpoints"], "endpoints": 7, "vnets": 1, "zone_groups": 0,
        "ids": ["/ID/a", "/ID/b"],
    }  # fmt: skip
    for action in ("now", "accept", "drop"):
        status, body = await post(client, "hub", {"action": action})
        assert (status, body["name"]) == (202, "hub")
    assert control.wanted == [("hub", "now"), ("hub", "accept"), ("hub", "drop")]


@pytest.mark.parametrize(
    ("name", "body", "status", "detail"),
    [
        ("hub", {"action": "accept"}, 409, "source `hub` has no held sync to accept"),
        ("hub", {"action": "drop"}, 409, "source `hub` has no held sync to drop"),
        ("nope", {"action": "now"}, 404, "there is no source `nope`; nearest: `estate`, `hub`"),
        ("hub", {"action": "later"}, 400, "action: Input should be 'now', 'accept' or 'drop'"),
        ("hub", {"action": "now", "force": True}, 400, "force: no such parameter"),
    ],
)
async def test_an_impossible_request_is_a_problem(
    client: Client, control: Control, hub: SourceStatus, name: str, body: object, status: int, detail: str
) -> None:
    assert hub.sync_state.held is None
    async with client.post(f"/v1/sources/{name}/sync", json=body) as response:
        assert (response.status, response.content_type) == (status, "application/problem+json")
        assert (await response.json())["detail"] == detail
    assert control.wanted == []


async def test_a_sync_request_must_be_json(client: Client, hub: SourceStatus) -> None:
    async with client.post(f"/v1/sources/{hub.name}/sync", data={"action": "now"}) as response:
        assert response.status == 415


async def test_the_metrics_of_a_remote_source(client: Client, hub: SourceStatus) -> None:
    hub.sync_state, hub.results = SyncState({ResourceId("k"): WallTime(1.0)}, HELD), {"published": 3, "failed": 2}
    async with client.get("/metrics") as response:
        lines = set((await response.text()).splitlines())
    assert lines >= {
        'pldns_sync_total{source="hub",result="published"} 3.0',
        'pldns_sync_total{source="hub",result="held"} 0.0',
        'pldns_sync_total{source="hub",result="failed"} 2.0',
        'pldns_sync_requests_total{source="hub",asked="graph",status="200"} 3.0',
        'pldns_sync_held{source="hub"} 1.0',
        'pldns_sync_absent{source="hub"} 1.0',
        'pldns_sync_duration_seconds{source="hub"} 1.25',
        'pldns_source_state{source="hub",state="fresh"} 1.0',
        'pldns_source_state{source="hub",state="stale"} 0.0',
        "pldns_claims_lingering 0.0",
    }
    assert not any(line.startswith('pldns_sync_total{source="estate",result="published"') for line in lines)


def test_a_lingering_claim_has_an_end() -> None:
    estate = Estate(settings.ControlSettings(sources=(settings.SourceSettings("hub", "azure", hold_down=60),)))
    fqdn = from_text("a.blob.core.windows.net")
    gone = Endpoint(
        ResourceId("a"),
        "/ID/a",
        "a",
        ConnectionState.APPROVED,
        records=(NicRecord(fqdn, (b"\x0a\0\0\4",)),),
        source="hub",
    )
    estate.ledger.apply({ResourceId("a"): gone}, WallTime(0.0))
    (claim,) = estate.ledger.find(fqdn)
    assert claims.claim_item(estate, claim).lingers_until is None
    assert claims.claim_state(estate, claim) == "served"
    estate.ledger.apply({ResourceId("a"): None}, WallTime(2.0))
    (claim,) = estate.ledger.find(fqdn)
    found = claims.claim_item(estate, claim)
    assert (found.endpoint, found.lingers_until) == ("/ID/a", "1970-01-01T00:01:02.000Z")
    assert claims.claim_state(estate, claim) == "lingering"
    (record,) = claims.answers(estate, [claim.name], WallTime(3.0))
    assert record.answers[0].endpoints == ["/ID/a"]
    assert record.answers[0].data == ["10.0.0.4"]


async def test_a_request_can_wait_for_the_end_of_a_sync(client: Client, control: Control, hub: SourceStatus) -> None:
    changed = SourceActivity({"s1"}, Tally(added=2, removed=1), Tally(changed=1))
    control.ends["hub"] = SyncEnd("published", "", changed, 5)
    status, body = await post(client, hub.name, {"action": "now", "wait": 5})
    assert (status, body["name"]) == (202, "hub")
    assert body["result"] == {
        "outcome": "published", "error": "", "names": 5,
        "endpoints": {"added": 2, "changed": 0, "removed": 1}, "vnets": {"added": 0, "changed": 1, "removed": 0},
    }  # fmt: skip
    status, body = await post(client, "estate", {"action": "now", "wait": 0.5})  # has not ended
    assert (status, body["result"]) == (202, None)
    assert control.wanted == [("hub", "now, within 5.0 s"), ("estate", "now, within 0.5 s")]
    for body in ({"action": "now", "wait": 61}, {"action": "accept", "wait": 1}, {"action": "now", "wait": -1}):
        assert (await post(client, hub.name, body))[0] == 400
