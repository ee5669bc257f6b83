"""Registrations with resource providers: kept, and needed by the subscriptions of an endpoint and of its target."""

import pytest

from tests.registry_shapes import AUDITOR, BOTH, CONSUMER, NETWORKER, PROVIDER, Client, account, endpoint, network
from tests.resolver.registry.conftest import Arm

OLD = "2016-02-01"
"""The version with which Azure's libraries register a subscription by themselves."""


def _provider(subscription: str = CONSUMER, name: str = "Microsoft.Network") -> str:
    return f"/subscriptions/{subscription}/providers/{name}"


async def test_a_subscription_is_registered_until_a_client_ends_the_registration(lab: Arm) -> None:
    other = _provider(name="microsoft.storage")
    assert (await lab("GET", other)).body["registrationState"] == "Registered"
    ended = await lab("POST", f"{other}/unregister")
    assert (ended.status, ended.body["registrationState"]) == (200, "NotRegistered")
    every = (await lab("GET", f"/subscriptions/{CONSUMER}/providers")).body["value"]
    assert [each["namespace"] for each in every if each["registrationState"] != "Registered"] == ["Microsoft.Storage"]
    assert (await lab("POST", f"{other}/register", version=OLD)).body["registrationState"] == "Registered"
    assert (await lab("GET", other, version=OLD)).body["registrationState"] == "Registered"


async def test_nothing_is_made_in_a_subscription_that_is_not_registered(lab: Arm) -> None:
    target = account("mine").replace(PROVIDER, CONSUMER)
    await lab("POST", f"{_provider(name='Microsoft.Storage')}/unregister")
    answer = await lab("PUT", target, {"location": "westeurope"})
    assert (answer.status, answer.code) == (409, "MissingSubscriptionRegistration")
    await lab("POST", f"{_provider(name='Microsoft.Storage')}/register")
    assert (await lab("PUT", target, {"location": "westeurope"})).status == 201


async def test_the_subscription_of_the_target_must_be_registered_too(lab: Arm) -> None:
    assert (await lab("POST", f"{_provider(PROVIDER)}/unregister")).status == 200
    answer = await lab("PUT", network("pe"), endpoint(account(), "blob"))
    assert (answer.status, answer.code) == (409, "MissingSubscriptionRegistration")
    assert PROVIDER in answer.body["error"]["message"]
    await lab("POST", f"{_provider(PROVIDER)}/register")
    assert (await lab("PUT", network("pe"), endpoint(account(), "blob"))).status == 201


@pytest.mark.parametrize("name", ["Microsoft.Network", "Microsoft.Resources"])
async def test_a_provider_with_resources_stays(lab: Arm, name: str) -> None:
    answer = await lab("POST", f"{_provider(name=name)}/unregister")
    assert (answer.status, answer.code) == (409, "CannotUnregisterResourceProvider")


@pytest.mark.parametrize(("client", "status"), [(BOTH, 200), (NETWORKER, 200), (AUDITOR, 403)])
async def test_who_may_change_something_may_register(lab: Arm, client: Client, status: int) -> None:
    assert (await lab("POST", f"{_provider()}/register", client=client)).status == status


async def test_an_unknown_provider_is_refused(lab: Arm) -> None:
    answer = await lab("POST", f"{_provider(name='Contoso.Nothing')}/register")
    assert (answer.status, answer.code) == (404, "InvalidResourceNamespace")
