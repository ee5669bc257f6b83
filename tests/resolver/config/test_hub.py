"""The section `hub`, and sources of type `hub`."""

from pathlib import Path

import pytest

from resolver.azure_settings import Secret
from resolver.config.file import ConfigError, load
from resolver.host_port import HostPort
from resolver.hub_settings import HubSettings, HubSourceSettings
from resolver.settings import ControlSettings

HUB = "hub: {listen: 127.0.0.1:8054}"
SPOKE = "sources: [{name: hub, type: hub, urls: ['https://hub.example:8054']}]"


def accepted(folder: Path, text: str) -> ControlSettings:
    file = folder / "pldns.yaml"
    file.write_text(text)
    return load(file, {}, resolv_conf=folder / "none").control


def test_a_hub_needs_nothing_but_an_address(tmp_path: Path) -> None:
    control = accepted(tmp_path, HUB)
    assert control.hub == HubSettings(HostPort("127.0.0.1", 8054), None, 1000)
    assert accepted(tmp_path, "{}").hub is None


def test_a_spoke_has_urls_a_token_and_an_authority(tmp_path: Path) -> None:
    (source,) = accepted(
        tmp_path,
        "sources:\n- {name: h, type: hub, urls: ['https://a:1/', 'https://b:2'], token: {file: t}, ca: ca.pem, "
        "private_dns: check, expire: 1h}",
    ).sources
    urls = ("https://a:1", "https://b:2")
    assert source.hub == HubSourceSettings(urls, Secret(str(tmp_path / "t")), str(tmp_path / "ca.pem"), "check")
    assert (source.remote, source.hold_down, source.expire, source.private_dns) == (True, 0, 3600, "check")
    assert (source.guard, source.path) == ("on", "https://a:1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hub: {listen: 0.0.0.0:8054}", "hub.listen: `0.0.0.0:8054` is not loopback: it needs `hub.tls`"),
        ("hub: {}", "hub: `listen` is missing"),
        ("hub: {listen: 127.0.0.1:8053}", "hub.listen: `127.0.0.1:8053` is already used by admin.listen"),
        (f"{HUB}\ndns: {{listen: [127.0.0.1:8054]}}", "hub.listen: `127.0.0.1:8054` is already used by dns.listen"),
        ("hub: {listen: 127.0.0.1:1, tls: {certificate: c, key: k}}", "hub.tls.certificate: cannot read"),
        ("hub: {listen: 127.0.0.1:1, followers: 0}", "hub.followers: must be greater than or equal to 1"),
        (SPOKE.replace("https", "http"), "tokens are sent without TLS to a loopback address only"),
        (SPOKE.replace("'https://hub.example:8054'", ""), "sources[0].urls: must not be empty"),
        (SPOKE.replace("]}]", "], token: {}}]"), "sources[0].token: needs either `file` or `environment`"),
        (SPOKE.replace("]}]", "], token: secret}]"), "must not be the secret itself"),
        (SPOKE.replace("]}]", "], hold_down: 5}]"), "sources[0].hold_down: unknown key"),
    ],
)
def test_a_mistake_says_what_to_do(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        accepted(tmp_path, text)
    assert any(said in f"{each.path}: {each.message}" for each in raised.value.problems), raised.value.problems
