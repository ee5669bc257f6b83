"""The section `registry`, and the source that reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resolver.config.file import ConfigError, effective, load
from resolver.registry_settings import LOCATIONS
from resolver.settings_change import of_start

ONE = "20000000-0000-4000-a000-000000000001"
DIGEST = "0" * 64
GOOD = f"""
registry:
  listen: 127.0.0.1:8443
  subscriptions: [{{id: {ONE}, name: lab}}]
  clients: [{{id: 30000000-0000-4000-a000-000000000001, name: me, sha256: {DIGEST}, owner: [{ONE}]}}]
sources: [{{name: lab, type: registry}}]
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], list[str]]:
    """The function that returns the mistakes of a configuration."""

    def problems(text: str) -> list[str]:
        file = tmp_path / "pldns.yaml"
        file.write_text(text)
        try:
            load(file, {}, resolv_conf=tmp_path / "none")
        except ConfigError as error:
            return [f"{each.path}: {each.message}" for each in error.problems]
        return []

    return problems


def test_a_token_has_roles_in_the_registry(tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    token = f"{{name: a, role: registry, sha256: {DIGEST}, registry: {{consumer: [{ONE}]}}}}"
    file.write_text(f"{GOOD}\nadmin: {{tokens: [{token}]}}\n")
    (made,) = load(file, {}, resolv_conf=tmp_path / "none").control.admin.tokens
    assert made.registry
    assert made.role == "registry"
    assert made.registry.consumer == {ONE}


@pytest.mark.parametrize(
    ("base", "said"), [(GOOD, "the registry has no subscription"), ("dns: {}", "there is no registry")]
)
def test_a_token_needs_subscriptions_that_exist(read: Callable[[str], list[str]], base: str, said: str) -> None:
    other = "20000000-0000-4000-a000-000000000002"
    token = f"{{name: a, role: read, sha256: {DIGEST}, registry: {{owner: [{other}]}}}}"
    assert any(said in each and "admin.tokens" in each for each in read(f"{base}\nadmin: {{tokens: [{token}]}}\n"))


def test_a_registry_has_defaults_and_its_source_is_not_remote(tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(GOOD)
    control = load(file, {}, resolv_conf=tmp_path / "none").control
    assert control.registry
    assert control.registry.locations == LOCATIONS
    assert control.registry.clients[0].roles.owner == {ONE}
    (source,) = control.sources
    assert (source.type, source.remote, source.guard) == ("registry", False, "off")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("127.0.0.1:8443", "0.0.0.0:8443", "is not loopback: it needs `registry.tls`"),
        (f"owner: [{ONE}]", "owner: [20000000-0000-4000-a000-000000000002]", "the registry has no subscription"),
        (DIGEST, "secret", "must be the SHA-256"),
        ("name: lab}]\n  clients", "name: lab}, {id: " + ONE + ", name: two}]\n  clients", "twice"),
        ("type: registry}]", "type: registry}, {name: two, type: registry}]", "there is one registry"),
        (GOOD[: GOOD.index("sources:")], "", "there is no registry"),
        ("listen: 127.0.0.1:8443", "listen: 127.0.0.1:8443\n  locations: ['west/europe']", "is not a location"),
        (f"{{id: {ONE}, name: lab}}", "", "must not be empty"),
    ],
)
def test_a_mistake_is_named(read: Callable[[str], list[str]], old: str, new: str, said: str) -> None:
    assert not read(GOOD)
    assert old in GOOD
    assert any(said in each for each in read(GOOD.replace(old, new))), read(GOOD.replace(old, new))


def test_the_password_of_the_database_is_in_the_settings_and_in_no_text_that_people_see(tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    url = "postgresql://pldns:pass%20word@db.example:5433/pldns?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    file.write_text(GOOD.replace("listen: 127.0.0.1:8443", f"listen: 127.0.0.1:8443\n  database: {url}"))
    environ = {"PLDNS_REGISTRY_DATABASE": url}
    loaded = load(file, environ, {"registry.database": url}, resolv_conf=tmp_path / "none")
    assert loaded.control.registry
    database = loaded.control.registry.database
    assert database
    assert (database.url, database.password, database.files) == (
        url.replace(":pass%20word", ""), "pass word", ("/etc/ca.pem",)
    )  # fmt: skip
    shown = effective(file, environ, resolv_conf=tmp_path / "none")
    assert ("registry.database", url.replace("pass%20word", "***")) in [each[:2] for each in shown]
    assert "pass%20word" not in f"{shown}{loaded.keys}{loaded.overrides}{of_start(loaded)}{database!r}"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("database: mysql://root:hush@db/x", "must be a URL such as postgresql://"),
        ("database: 'postgresql://db:hush/x'", "must be a URL such as postgresql://"),
        ("database: postgresql://db/x?password=hush", "must not have `password`"),
        ("database: postgresql://db/x?sslrootcert=ca.pem", "must be an absolute path"),
        ("database_password: {file: password}", "needs a `database`"),
        ("database: postgresql://u:hush@/x\n  database_password: {file: password}", "without a password in its URL"),
        ("database: postgresql://u@/x\n  database_password: {}", "needs either `file` or `environment`"),
        ("database: postgresql://u@/x\n  database_password: hush", "must not be the secret itself"),
    ],
)
def test_a_database_that_cannot_be_meant_is_refused_and_not_repeated(
    read: Callable[[str], list[str]], keys: str, said: str
) -> None:
    (message,) = read(GOOD.replace("listen: 127.0.0.1:8443", f"listen: 127.0.0.1:8443\n  {keys}"))
    assert said in message
    assert "hush" not in message


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("postgresql://db.example/x", True),
        ("postgresql://db.example/x?sslmode=require", True),
        ("postgresql://db.example/x?sslmode=verify-full", False),
        ("postgresql://localhost/x", False),
        ("postgresql://[::1]/x", False),
        ("postgresql:///x?host=/run/postgresql", False),
    ],
)
def test_a_database_that_others_could_pretend_to_be_is_warned_of(tmp_path: Path, url: str, *, warned: bool) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(GOOD.replace("listen: 127.0.0.1:8443", f"listen: 127.0.0.1:8443\n  database: {url}"))
    loaded = load(file, {}, resolv_conf=tmp_path / "none")
    assert any("registry.database" in each for each in loaded.warnings) is warned
