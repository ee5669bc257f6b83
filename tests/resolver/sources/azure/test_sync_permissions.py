"""Syncs with an identity that may not read everything, and errors of identities."""

import asyncio
import logging

import pytest

from resolver.azure_settings import Credential
from tests.fake_azure.conftest import ONE, TWO
from tests.fake_azure.faults import FakeFault
from tests.fake_azure.server import FakeAzure
from tests.resolver.sources.azure.conftest import Make
from tests.resolver.sources.azure.test_sync import ALL, READER, endpoints, lines, lists_alone


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_without_resource_graph_lists_are_read_and_it_is_logged_once(
    fake: FakeAzure, make: Make, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)
    out = lists_alone(fake, status)
    azure = make()
    assert endpoints(await azure.read()) == ALL
    assert endpoints(await azure.read()) == ALL
    (line,) = lines(caplog)
    assert line.startswith("source hub: Resource Graph does not answer, so lists are read: ")
    assert azure.requests().answered["graph", str(status)] >= 2
    fake.faults.remove(out)
    assert endpoints(await azure.read()) == ALL
    assert lines(caplog)[1:] == ["source hub: Resource Graph answers again"]


async def test_where_resource_graph_fails_between_pages_lists_are_read(fake: FakeAzure, make: Make) -> None:
    fake.faults.add(FakeFault("status", api="graph", status=500, skip=1))
    azure = make()
    assert endpoints(await azure.read()) == ALL
    assert ("list", "200") in azure.requests().answered


async def test_an_unreadable_subscription_is_named_with_the_remedy(fake: FakeAzure, make: Make) -> None:
    broken = fake.faults.add(FakeFault("forbidden", path=TWO))
    azure = make(ONE, TWO)
    reading = await azure.read()
    assert endpoints(reading) == {ONE: ALL[ONE]}
    assert list(reading.refused) == [TWO]
    assert READER + TWO in reading.refused[TWO]
    fake.faults.remove(broken)
    reading = await azure.read()
    assert endpoints(reading) == ALL
    assert not reading.refused


async def test_a_list_that_is_refused_is_a_missing_permission(fake: FakeAzure, make: Make) -> None:
    lists_alone(fake)
    fake.faults.add(FakeFault("status", api="arm", path=f"{TWO}/providers", status=403, count=0))
    reading = await make().read()
    assert endpoints(reading) == {ONE: ALL[ONE]}
    assert READER + TWO in reading.refused[TWO]


async def test_a_deleted_subscription_is_not_a_part(fake: FakeAzure, make: Make) -> None:
    azure = make()
    await azure.read()
    fake.faults.add(FakeFault("gone", path=TWO))
    assert endpoints(await azure.read()) == {ONE: ALL[ONE]}


async def test_a_deleted_subscription_in_the_configuration_is_named(fake: FakeAzure, make: Make) -> None:
    fake.faults.add(FakeFault("gone", path=TWO))
    reading = await make(ONE, TWO).read()
    assert endpoints(reading) == {ONE: ALL[ONE]}
    assert list(reading.refused) == [TWO]


async def test_an_identity_without_any_role_is_an_error(fake: FakeAzure, make: Make) -> None:
    for each in (ONE, TWO):
        fake.faults.add(FakeFault("forbidden", path=each))
    reading = await make().read()
    assert "the identity can read no subscription: give it the role Reader" in reading.error
    reading = await make(TWO).read()
    assert f"none of its 1 subscriptions can be read; {TWO}: no permission, or no such subscription" in reading.error
    fake.faults.clear()
    fake.faults.add(FakeFault("status", api="graph", status=403, count=0))
    fake.faults.add(FakeFault("status", api="arm", path="/providers", status=403, count=0))
    assert "none of its 2 subscriptions can be read" in (await make().read()).error


async def test_a_revoked_token_is_renewed(fake: FakeAzure, make: Make) -> None:
    azure = make()
    await azure.read()
    fake.identity.revoke()
    assert endpoints(await azure.read()) == ALL
    assert fake.counts["token", 200] == 2
    fake.faults.add(FakeFault("expired", api="graph"))
    assert endpoints(await azure.read()) == ALL
    assert not any(api == "list" for api, _ in azure.requests().answered)
    assert fake.counts["token", 200] == 3


async def test_one_token_is_requested_for_parallel_syncs(fake: FakeAzure, make: Make) -> None:
    azure = make()
    await asyncio.gather(azure.read(), azure.read(), azure.read())
    assert fake.counts["token", 200] == 1


async def test_a_token_of_another_cloud_is_named(fake: FakeAzure, make: Make) -> None:
    assert "they are for another cloud" in (await make(cloud="china").read()).error


async def test_a_token_of_another_tenant_is_named(fake: FakeAzure, make: Make) -> None:
    fake.faults.add(FakeFault("status", status=401, api="arm", code="InvalidAuthenticationTokenTenant", count=0))
    assert "the identity is in another tenant" in (await make().read()).error


async def test_an_unassigned_identity_is_named(fake: FakeAzure, make: Make) -> None:
    mine = Credential("managed-identity", client_id="0c0c0c0c-0000-4000-a000-0000000000cc")
    error = (await make(credential=mine).read()).error
    assert error.startswith("no token: the managed identity is not assigned to this machine")
