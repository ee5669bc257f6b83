"""Whole syncs from a fake Azure: what is read, every fault of Azure, and that the next sync heals each by itself."""

import re

import aiohttp
import pytest

from resolver.sources.azure import client, sync
from resolver.sources.azure.protocol import budget, graph_query
from resolver.sources.azure.sync import AzureSource
from resolver.sources.reading import ReadError, Reading, RemoteSource
from tests.fake_azure import shapes
from tests.fake_azure.conftest import ONE, TWO
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.replies import FakeReply
from tests.fake_azure.server import FakeAzure
from tests.resolver.sources.azure.conftest import Make, Time
from zones.azure.endpoint import ResourceId
from zones.azure.resource import Resources, resource_id
from zones.clocks import SteadyTime

READER = "give the identity the role Reader on /subscriptions/"
Endpoints = dict[str, list[str]]


def endpoints(reading: Reading) -> Endpoints:
    """Return the names of the endpoints by subscription, of a reading without an error."""
    assert not reading.error
    return {name: sorted(each.name for each in part.endpoints) for name, part in reading.parts.items()}


ALL = {ONE: ["pe1", "pe2", "pe3", "pe4", "pe5"], TWO: ["pe6"]}


def lists_alone(fake: FakeAzure, status: int = 404) -> FakeFault:
    return fake.faults.add(FakeFault("status", api="graph", status=status, count=0))


# -- data


async def test_it_is_a_remote_source(make: Make) -> None:
    remote: RemoteSource = make()
    assert endpoints(await remote.read()) == ALL


async def test_an_estate_is_read_by_two_queries_and_a_list_of_subscriptions(fake: FakeAzure, make: Make) -> None:
    azure = make()
    reading = await azure.read()
    assert endpoints(reading) == ALL
    assert not reading.refused
    here = reading.parts[ONE]
    assert {nic.endpoint for nic in here.nics} == {endpoint.key for endpoint in here.endpoints}
    assert next(row.fqdns for nic in here.nics for row in nic.rows) == ("st1.blob.core.windows.net",)
    (hub,), (spoke,) = here.vnets, reading.parts[TWO].vnets
    assert hub.prefixes == ("10.1.0.0/16",)
    assert spoke.peers == (hub.key,)
    assert fake.counts["graph", 200] == 3 + 1  # six endpoints and two networks, two to a page
    assert fake.counts["arm", 200] == 1
    assert not any(api == "list" for api, _ in azure.requests().answered)


async def test_an_unchanged_estate_costs_a_query_for_each_page_and_a_list(
    fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = make()
    for rows, pages in ((2, 3 + 1), (4, 2 + 1), (1000, 1 + 1)):  # of six endpoints, and of two networks
        monkeypatch.setattr(graph_query, "TOP", rows)
        await azure.read()
        fake.counts.clear()
        await azure.read()
        assert fake.counts == {("graph", 200): pages, ("arm", 200): 1}


async def test_lists_give_the_same_data(fake: FakeAzure, make: Make) -> None:
    by_graph = await make().read()
    lists_alone(fake)
    azure = make()
    by_lists = await azure.read()
    assert by_lists == by_graph
    assert ("list", "200") in azure.requests().answered


@pytest.mark.parametrize("way", ["graph", "lists"])
async def test_an_unchanged_subscription_is_the_same_object(fake: FakeAzure, make: Make, way: str) -> None:
    if way == "lists":
        lists_alone(fake)
    azure = make()
    first = await azure.read()
    fake.estate.add(*shapes.endpoint(shapes.group(TWO), "pe7", {"b.vault.azure.net": "10.2.0.7"}))
    second = await azure.read()
    assert endpoints(second) == ALL | {TWO: ["pe6", "pe7"]}
    assert second.parts[ONE] is first.parts[ONE] or second.parts[ONE] == first.parts[ONE]
    third = await azure.read()
    assert all(third.parts[name] is second.parts[name] for name in ALL)


async def test_listed_subscriptions_alone_are_read(make: Make) -> None:
    assert endpoints(await make(TWO).read()) == {TWO: ["pe6"]}


async def test_a_subscription_without_anything_is_a_part(fake: FakeAzure, make: Make) -> None:
    empty = shapes.subscription_id(3)
    fake.estate.subscribe(empty)
    assert endpoints(await make().read()) == ALL | {empty: []}


async def test_subscriptions_come_in_groups(fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_query, "GROUP", 1)
    assert endpoints(await make().read()) == ALL
    assert all(len(each.body["subscriptions"]) == 1 for each in fake.requests if each.body)


async def test_an_unreadable_row_does_not_affect_others(fake: FakeAzure, make: Make) -> None:
    where = f"{shapes.group(ONE, 'RG-Network')}/{shapes.NETWORK}/privateEndpoints/pe1"
    fake.estate.change(where, lambda body: body["properties"].update(subnet=5))
    reading = await make().read()
    assert endpoints(reading) == ALL | {ONE: ["pe2", "pe3", "pe4", "pe5"]}
    (fault,) = reading.parts[ONE].faults
    assert fault.subject == where


# -- faults: one error, and then the next sync succeeds


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("resolver")]


def fault(kind: str, **keys: object) -> FakeFault:
    return FakeFault(kind, **keys)  # type: ignore[arg-type]  # as the test says


BROKEN = [
    (fault("repeat", api="graph"), "Resource Graph: /subscriptions/.* came twice"),
    (fault("lose", api="graph"), "Resource Graph: 4 of 6 rows came"),
    (fault("lose", api="graph", skip=1), "Resource Graph: 4 of 6 rows came"),
    (fault("malformed", api="graph", skip=1), "Resource Graph: its answer cannot be read"),
    (fault("malformed", api="arm", path="/subscriptions?"), "the list of subscriptions: a page cannot be read"),
    (fault("cut", api="arm", count=2), "127.0.0.1: the connection broke off"),
    (fault("redirect", api="graph", to="http://127.0.0.2:9"), r"redirects \(HTTP 307\)"),
    (fault("redirect", api="arm", to="http://127.0.0.2:9"), r"redirects \(HTTP 307\)"),
    (fault("status", api="arm", status=500, count=2), "HTTP 500 InternalServerError"),
    (fault("status", api="arm", status=503, count=2), "HTTP 503 ServiceUnavailable"),
    (fault("status", api="graph", status=400), "HTTP 400"),
    (fault("status", api="token", status=400), "no token: .*No managed identity"),
    (fault("skew", seconds=-4000, count=0), "tokens are refused: this machine's clock is .* s ahead of Azure's"),
    (fault("expired", count=0), "tokens are refused"),
]
BROKEN_LISTS = [
    (fault("repeat", api="arm", path="privateEndpoints"), "privateEndpoints in subscription .* came twice"),
    (fault("malformed", api="arm", path="networkInterfaces"), "networkInterfaces in subscription .* cannot be read"),
    (
        fault("status", api="arm", path=f"{ONE}/providers/Microsoft.Network/privateE", skip=1, status=500, count=2),
        "HTTP 500",
    ),
    (fault("elsewhere", api="arm", path="privateEndpoints", to="http://127.0.0.1:9"), "a link leads to 127.0.0.1"),
    (fault("elsewhere", api="arm", path="privateEndpoints", to="http://management.example"), "leads to management.ex"),
    (
        fault("cut", api="arm", path=f"{ONE}/providers/Microsoft.Network/virtualN", count=2),
        "127.0.0.1: the connection broke off",
    ),
]


@pytest.mark.parametrize(("broken", "said"), BROKEN)
async def test_a_fault_is_an_error_and_the_next_sync_is_complete(
    fake: FakeAzure, make: Make, caplog: pytest.LogCaptureFixture, broken: FakeFault, said: str
) -> None:
    await heals(fake, make(), broken, said)
    tokens(fake, caplog)


@pytest.mark.parametrize(("broken", "said"), BROKEN_LISTS)
async def test_a_fault_in_lists_is_an_error_and_the_next_sync_is_complete(
    fake: FakeAzure, make: Make, caplog: pytest.LogCaptureFixture, broken: FakeFault, said: str
) -> None:
    lists_alone(fake)
    await heals(fake, make(), broken, said)
    tokens(fake, caplog)


async def heals(fake: FakeAzure, azure: AzureSource, broken: FakeFault, said: str) -> None:
    await fails(fake, azure, broken, said)
    assert endpoints(await azure.read()) == ALL


async def fails(fake: FakeAzure, azure: AzureSource, broken: FakeFault, said: str) -> None:
    fake.faults.add(broken)
    reading = await azure.read()
    assert not reading.parts
    assert re.search(said, reading.error), reading.error
    assert "\n" not in reading.error
    fake.faults.remove(broken)


def tokens(fake: FakeAzure, caplog: pytest.LogCaptureFixture) -> None:
    """Assert that no token and no secret was logged."""
    assert fake.identity.secret not in caplog.text
    assert "eyJ" not in caplog.text
    assert "Bearer" not in caplog.text


async def test_a_page_of_20_mib_is_read(fake: FakeAzure, make: Make) -> None:
    fake.faults.add(FakeFault("huge", api="graph", count=1, size=20 << 20))
    assert endpoints(await make().read()) == ALL


async def test_a_page_over_the_limit_is_refused(fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BODY", 1 << 20)
    lists_alone(fake)
    await heals(fake, make(), FakeFault("huge", api="arm", count=0, size=2 << 20), "an answer of more than 1 MiB")


async def test_a_slow_body_is_read_and_one_that_stops_is_given_up(
    fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.faults.add(FakeFault("slow", api="graph", seconds=0.2))
    assert endpoints(await make().read()) == ALL
    lists_alone(fake)
    azure = make()
    with monkeypatch.context() as patch:
        patch.setattr(client, "_TIMEOUT", aiohttp.ClientTimeout(total=60, sock_read=0.3))
        await fails(fake, azure, FakeFault("slow", api="arm", seconds=60, count=2), "no answer in time")
    assert endpoints(await azure.read()) == ALL


async def test_a_sync_has_a_time_limit(fake: FakeAzure, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    azure = make()
    fake.faults.add(FakeFault("slow", api="arm", seconds=16, count=1))
    with monkeypatch.context() as patch:
        patch.setattr(sync, "LONGEST", 0.05)
        assert (await azure.read()).error == "a sync took more than 0 s"
    assert endpoints(await azure.read()) == ALL


async def test_a_read_that_fails_once_is_retried(fake: FakeAzure, make: Make, passing: Time) -> None:
    fake.faults.add(FakeFault("cut", api="arm"))
    lists_alone(fake)
    assert endpoints(await make().read()) == ALL
    assert passing.slept == [1.0]


# -- throttling


@pytest.mark.parametrize("api", ["graph", "arm"])
async def test_a_429_is_waited_for_exactly_as_long_as_it_says(
    fake: FakeAzure, make: Make, passing: Time, api: str
) -> None:
    fake.faults.add(fault("status", api=api, status=429, seconds=7, count=3))
    azure = make()
    assert endpoints(await azure.read()) == ALL
    assert passing.slept == [7.0] * 3


async def test_waiting_is_limited(fake: FakeAzure, make: Make, passing: Time) -> None:
    broken = FakeFault("status", api="arm", status=429, seconds=60, count=0)
    await heals(fake, make(), broken, "Azure asks to wait 60 s")
    assert sum(passing.slept) <= sync.WAITING + 60


async def test_a_wait_that_azure_asked_for_counts_for_later_syncs(fake: FakeAzure, make: Make, passing: Time) -> None:
    fake.faults.add(fault("status", api="graph", status=429, seconds=1000))
    azure = make()
    assert (await azure.read()).error == "Azure asks to wait 1000 s, which is too long"
    passing.now += 60
    assert (await azure.read()).error == "Azure asks to wait 940 s, which is too long"
    passing.now += 700
    assert endpoints(await azure.read()) == ALL
    assert passing.slept == [240.0]


async def test_waiting_for_the_quota_is_not_limited(
    fake: FakeAzure, make: Make, passing: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "WAITING", 0.0)
    azure = make()
    azure._budget.bucket(budget.GRAPH).learn(
        {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}, SteadyTime(passing.now)
    )
    assert endpoints(await azure.read()) == ALL
    assert passing.slept[0] == 5.0


async def test_a_503_with_retry_after_is_waited_for_too(fake: FakeAzure, make: Make, passing: Time) -> None:
    real = fake._reply
    replies: list[FakeReply] = []
    fake._reply = lambda *args: replies.pop() if replies else real(*args)  # type: ignore[method-assign]
    azure = make()
    await azure._tokens.get()
    replies.append(FakeReply(503, b"", {"Retry-After": "9"}))
    assert endpoints(await azure.read()) == ALL
    assert passing.slept == [9.0]


# -- single resources

PE1 = f"/subscriptions/{ONE}/resourcegroups/rg-network/providers/microsoft.network/privateendpoints/pe1"


async def test_before_a_sync_only_the_configuration_defines_the_scope(make: Make) -> None:
    elsewhere = PE1.replace(ONE, shapes.subscription_id(9))
    listed, azure = make(ONE), make()
    assert (listed.covers(ResourceId(PE1)), listed.covers(ResourceId(elsewhere))) == (True, False)
    assert (azure.covers(ResourceId(PE1)), azure.covers(ResourceId(PE1.upper()))) == (None, False)
    assert await azure.read_one(ResourceId(PE1))
    await azure.read()
    assert (azure.covers(ResourceId(PE1)), azure.covers(ResourceId(elsewhere))) == (True, False)


async def test_one_endpoint_comes_with_its_nic(make: Make) -> None:
    azure = make()
    reading = await azure.read()
    found = await azure.read_one(ResourceId(PE1))
    assert found is not None
    assert found.endpoints == tuple(each for each in reading.parts[ONE].endpoints if each.key == PE1)
    assert found.nics == tuple(each for each in reading.parts[ONE].nics if each.endpoint == PE1)


async def test_a_network_and_a_nic_come_alone(make: Make) -> None:
    azure = make()
    reading = await azure.read()
    (hub,), nic = reading.parts[ONE].vnets, reading.parts[ONE].nics[0]
    assert await azure.read_one(hub.key) == Resources(vnets=(hub,))
    assert await azure.read_one(nic.key) == Resources(nics=(nic,))


async def test_a_group_may_have_any_letters(fake: FakeAzure, make: Make) -> None:
    own, nic = shapes.endpoint(shapes.group(ONE, "rg-münchen(1)"), "pe8", {"m.vault.azure.net": "10.1.0.8"})
    fake.estate.add(own, nic)
    found = await make(ONE).read_one(resource_id(own["id"]))
    assert found is not None
    assert (found.endpoints[0].id, found.nics[0].id) == (own["id"], nic["id"])


async def test_a_resource_that_does_not_exist_is_none(make: Make) -> None:
    azure = make(ONE)
    assert await azure.read_one(ResourceId(f"{PE1}0")) is None


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (PE1.replace(ONE, TWO), "its subscription is not one of this source's"),
        (PE1.replace("privateendpoints", "publicipaddresses"), "is not the id of a private endpoint"),
        (f"{PE1}?api-version=1", "is not the id of a private endpoint"),
        (PE1.replace("rg-network", ".."), "is not the id of a private endpoint"),
        (f"{PE1}%2f..%2fpe2", "is not the id of a private endpoint"),
        ("pe1", "'pe1' is not the id"),
        ("", "no id"),
    ],
)
async def test_no_request_is_sent_for_an_id_out_of_scope(fake: FakeAzure, make: Make, key: str, said: str) -> None:
    azure = make(ONE)
    with pytest.raises(ReadError, match=said):
        await azure.read_one(ResourceId(key))
    assert not fake.requests


@pytest.mark.parametrize("status", [403, 500])
async def test_an_unreadable_resource_is_not_gone(fake: FakeAzure, make: Make, status: int) -> None:
    azure = make(ONE)
    fake.faults.add(FakeFault("status", api="arm", status=status, count=0))
    with pytest.raises(ReadError, match=f"HTTP {status}"):
        await azure.read_one(ResourceId(PE1))


async def test_a_served_endpoint_without_its_nic_is_an_error(fake: FakeAzure, make: Make) -> None:
    """Azure creates and deletes the two one after the other, and the names are in the NIC."""
    azure = make(ONE)
    (nic,) = fake.estate.nics(PE1)
    fake.estate.remove(nic)
    with pytest.raises(ReadError, match="pe1 has no network interface yet, or none any more"):
        await azure.read_one(ResourceId(PE1))
    fake.estate.change(PE1, lambda own: own["properties"].update(provisioningState="Deleting"))
    found = await azure.read_one(ResourceId(PE1))
    assert found is not None
    assert ([each.key for each in found.endpoints], found.nics) == ([PE1], ())


async def test_a_resource_in_an_unknown_subscription_is_not_gone(fake: FakeAzure, make: Make) -> None:
    azure = make(ONE)
    fake.faults.add(FakeFault("gone", path=ONE))
    with pytest.raises(ReadError, match="SubscriptionNotFound"):
        await azure.read_one(ResourceId(PE1))


# -- pace and cost


async def test_the_requests_of_a_sync_are_counted(fake: FakeAzure, make: Make) -> None:
    azure = make(interval=120)
    assert azure.requests() == ({}, 0)
    await azure.read()
    assert azure.requests() == ({("subscriptions", "200"): 1, ("graph", "200"): 4}, 150)
    assert azure.interval() == 120.0


async def test_the_interval_grows_with_the_cost_of_a_sync(fake: FakeAzure, make: Make) -> None:
    where = shapes.group(ONE)
    for i in range(200):
        fake.estate.add(*shapes.endpoint(where, f"many{i}", {f"m{i}.blob.core.windows.net": "10.1.1.1"}))
    azure = make(interval=10)
    await azure.read()
    queries = azure.requests().answered["graph", "200"]
    assert queries == 103 + 1
    assert azure.interval() == pytest.approx(queries / 1.5)
