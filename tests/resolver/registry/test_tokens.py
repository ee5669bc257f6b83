"""Tokens of clients of the registry: whose they are, and for how long."""

import time

import pytest

from resolver.registry.arm import tokens
from resolver.registry.model.failure import ArmFailure
from tests.filled_registry import SETTINGS
from tests.registry_shapes import BOTH

KEY = "0123456789abcdef" * 4
FORM = {"grant_type": "client_credentials", "client_id": BOTH.id, "client_secret": BOTH.secret}


def _issued(key: str) -> str:
    token = tokens.issued(FORM, "", "http://127.0.0.1:8443", SETTINGS, key).body["access_token"]
    return f"Bearer {token}"


def _refused(authorization: str, key: str, now: float) -> str:
    with pytest.raises(ArmFailure) as caught:
        tokens.caller(authorization, SETTINGS, key, now)
    assert caught.value.status == 401
    return caught.value.code


def test_a_token_is_its_clients_until_it_expires_however_often_it_is_used() -> None:
    now, sent = time.time(), _issued(KEY)
    for later in (0, 1, tokens.LIFETIME - 2):
        assert tokens.caller(sent, SETTINGS, KEY, now + later).id == BOTH.id
    assert _refused(sent, KEY, now + tokens.LIFETIME) == "ExpiredAuthenticationToken"


def test_a_token_that_was_signed_with_another_key_or_was_changed_is_nobodys() -> None:
    now, sent = time.time(), _issued(KEY)
    assert tokens.caller(sent, SETTINGS, KEY, now).id == BOTH.id
    assert _refused(sent, KEY.upper(), now) == "InvalidAuthenticationToken"
    assert _refused(f"{sent[:-4]}AAAA", KEY, now) == "InvalidAuthenticationToken"
