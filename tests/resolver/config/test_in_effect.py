"""The configuration in effect: its keys with their origins, as JSON, and what takes precedence over the file."""

import json
from collections.abc import Callable
from pathlib import Path

from resolver import settings
from resolver.config.file import effective

Load = Callable[..., settings.Accepted]


def test_an_accepted_configuration_has_every_key(accepted: Load, file: Path) -> None:
    (file.parent / "r").write_text("nameserver 192.0.2.7\n")
    got = accepted("""
        networks: auto
        cache: {stale: 60}
        upstreams: {corp: {resolv_conf: ./r, suffixes: [corp.example]}}
    """)
    keys = json.loads(got.keys)
    assert keys["cache"] == {"size": 67108864, "answers": 201326592, "stale": 60, "prefetch": True}
    assert keys["networks"] == ["auto"]
    assert keys["upstreams"]["corp"]["servers"] == ["udp://192.0.2.7:53"]
    assert keys["upstreams"]["public"] == {"servers": ["udp://192.0.2.53:53"]}
    assert keys["dns"]["tls"] is None


def test_variables_that_are_not_settings_are_not_kept(accepted: Load) -> None:
    environ = {"PLDNS_CLIENT_SECRET": "hidden", "PLDNS_CACHE__STALE": "60", "PATH": "/bin", "STATE_DIRECTORY": "/s"}
    got = accepted("", environ, {"dns.workers": "2"})
    assert got.overrides == settings.Overrides(
        {"PLDNS_CACHE__STALE": "60", "STATE_DIRECTORY": "/s"}, {"dns.workers": "2"}
    )


def test_each_setting_shows_where_it_came_from(accepted: Load, file: Path) -> None:
    text = "dns:\n  listen: ['127.0.0.1:5300']\nsources:\n- {name: a, type: files, path: a}\nadmin: {listen: off}\n"
    environ = {"PLDNS_ZONES__DEFAULTS__TTL": "1m", "STATE_DIRECTORY": "/var/lib/pldns"}
    accepted(text, environ)
    resolv = file.parent / "resolv.conf"

    rows = effective(file, environ, {"dns.workers": "3"}, resolv_conf=resolv)

    shown = {path: (value, origin) for path, value, origin in rows}
    assert shown["dns.listen"] == (["127.0.0.1:5300"], f"{file}:2")
    assert shown["dns.workers"] == (3, "flag dns.workers")
    assert shown["dns.allow"][1] == "default"
    assert shown["sources[0].path"] == ("a", f"{file}:4")
    assert shown["sources[0].on_unsynced"] == ("servfail", "default")
    assert shown["zones.defaults.ttl"] == (60, "environment PLDNS_ZONES__DEFAULTS__TTL")
    assert shown["upstreams.public.servers"] == (["udp://192.0.2.53:53"], str(resolv))
    assert shown["admin.listen"] == (None, f"{file}:5")
    assert shown["state.directory"] == ("/var/lib/pldns", "environment STATE_DIRECTORY")
    assert json.dumps(rows)
