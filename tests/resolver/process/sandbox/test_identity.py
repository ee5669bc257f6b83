"""The user that a pldns started as root becomes."""

import os
import pwd

import pytest

from resolver.process.sandbox import identity


def test_an_account_is_found_by_its_name_and_by_its_number() -> None:
    own = pwd.getpwuid(os.getuid())
    assert identity.account(own.pw_name) == identity.account(str(own.pw_uid))
    assert identity.account(own.pw_name).group == own.pw_gid


def test_a_number_needs_no_account() -> None:
    assert identity.account("64999") == identity.Account("64999", 64999, 64999)


def test_the_default_is_the_account_pldns_or_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "NAME", "no-such-account")
    assert identity.account("").user == 65532
    monkeypatch.setattr(identity, "NAME", pwd.getpwuid(os.getuid()).pw_name)
    assert identity.account("").user == os.getuid()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(identity.NoSuchUser, match="there is no user `no-such-account`"):
        identity.account("no-such-account")
