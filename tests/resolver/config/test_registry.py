"""The section `registry`, and the source that reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resolver.config.file import ConfigError, load
from resolver.registry_settings import LOCATIONS

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
