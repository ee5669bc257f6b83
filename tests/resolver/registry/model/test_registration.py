"""Registrations of subscriptions with resource providers."""

import re

from resolver.registry.model.failure import ArmFailure
from resolver.registry.model.registration import can_end, check_registered, registration
from tests.resolver.registry.model.refused import refused


def test_a_subscription_whose_registration_ended_is_refused() -> None:
    ended = {registration("Consumer", "Microsoft.Network")}
    check_registered(ended, "other", "Microsoft.Network")
    check_registered(ended, "consumer", "Microsoft.Storage")
    with refused("MissingSubscriptionRegistration", "az provider register", status=409):
        check_registered(ended, "consumer", "microsoft.network")


def test_azures_libraries_find_the_provider_in_the_message() -> None:
    try:
        check_registered({registration("s", "Microsoft.Network")}, "s", "Microsoft.Network")
    except ArmFailure as failure:
        found = re.match(r".*'(.*)'", failure.message)  # as azure-mgmt-core has it
        assert found
        assert found[1] == "Microsoft.Network"


def test_every_subscription_stays_registered_for_groups() -> None:
    assert can_end("Microsoft.Network")
    assert not can_end("Microsoft.Resources")
