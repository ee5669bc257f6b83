"""All keys of an accepted configuration as JSON, and what takes precedence over the file."""

import json
from collections.abc import Callable
from pathlib import Path

from resolver import settings

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
