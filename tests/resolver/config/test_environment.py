"""Flags and environment variables beside the configuration file."""

from collections.abc import Callable

import pytest

from resolver import settings
from resolver.config.file import ConfigError
from resolver.host_port import HostPort

Load = Callable[..., settings.Accepted]


def test_a_flag_beats_the_environment_which_beats_the_file(accepted: Load) -> None:
    text = "dns: {workers: 2, listen: ['127.0.0.1:1']}\n"
    environ = {"PLDNS_DNS__WORKERS": "3", "PLDNS_DNS__LISTEN": '["127.0.0.1:2", "[::1]:2"]'}

    assert accepted(text).workers == 2
    assert accepted(text, environ).workers == 3
    got = accepted(text, environ, {"dns.workers": "4"})
    assert got.workers == got.control.workers == 4
    assert got.worker.listen == (HostPort("127.0.0.1", 2), HostPort("::1", 2))


def test_variables_can_set_groups_by_name_and_whole_sections(accepted: Load) -> None:
    environ = {
        "PLDNS_UPSTREAMS__ONPREM__SERVERS": "['udp://192.0.2.7']",
        "PLDNS_CONFLICTS": "{policy: refuse}",
        "PLDNS_ADMIN__LISTEN": "[::1]:8053",
    }
    got = accepted("upstreams: {onprem: {servers: ['udp://192.0.2.1'], suffixes: [a.b]}}", environ)

    assert got.worker.upstreams[0] == settings.UpstreamGroup(
        "onprem", (settings.Server("udp", "192.0.2.7", 53),), ("a.b",), rebinding=settings.Rebinding("strip")
    )  # fmt: skip
    assert got.control.conflicts.policy == "refuse"
    assert got.control.admin.listen == HostPort("::1", 8053)


def test_variables_that_kubernetes_injects_are_warned_of_and_ignored(accepted: Load) -> None:
    environ = {"PLDNS_SERVICE_HOST": "10.0.0.1", "PLDNS_PORT": "udp://10.0.0.1:53", "PLDNS_DNS__NOPE": "1", "HOME": "/"}
    assert accepted("", environ).warnings == (
        "ignoring the environment variable PLDNS_DNS__NOPE, which is not a setting",
        "ignoring the environment variable PLDNS_PORT, which is not a setting",
        "ignoring the environment variable PLDNS_SERVICE_HOST, which is not a setting",
    )


def test_a_mistake_in_a_variable_or_flag_names_it(accepted: Load) -> None:
    environ = {
        "PLDNS_DNS__LISTEN": "[localhost:53]",
        "PLDNS_DNS__ALLOW": "[",
        "PLDNS_SOURCES": "[{type: azure, events: 1}]",
    }
    with pytest.raises(ConfigError) as caught:
        accepted("", environ, {"dns.worker": "2"})

    lines = str(caught.value).splitlines()
    assert "environment PLDNS_DNS__LISTEN: dns.listen[0]: `localhost` is not an IP address" in lines
    assert any(line.startswith("environment PLDNS_DNS__ALLOW: dns.allow: not YAML: ") for line in lines)
    assert "environment PLDNS_SOURCES: sources[0].events: must be a mapping of keys to values" in lines

    assert "flag dns.worker: dns.worker: unknown key (did you mean `workers`?)" in lines
