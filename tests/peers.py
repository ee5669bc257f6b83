"""Programs of Debian's packages that tests need. Where one is missing, the test says what to install."""

import os
import shutil
from pathlib import Path

import pytest

from resolver.worker.net import mmsg

_PACKAGES = {
    "dig": "bind9-dnsutils", "delv": "bind9-dnsutils", "kdig": "knot-dnsutils", "knotd": "knot", "nsd": "nsd",
    "unbound": "unbound", "dnsmasq": "dnsmasq-base", "systemd-analyze": "systemd", "named": "bind9",
    "kresd": "knot-resolver", "dnsdist": "dnsdist",
    "postgres": "postgresql", "initdb": "postgresql", "psql": "postgresql", "pg_isready": "postgresql",
    "prometheus": "prometheus", "promtool": "prometheus", "fstrm_capture": "fstrm-bin", "dnstap-ldns": "dnstap-ldns",
}  # fmt: skip


def tool(name: str) -> str:
    """Return the path of a program. Where it is missing the test is skipped, or fails if PLDNS_REQUIRE_PEERS is set."""
    versioned = map(str, Path("/usr/lib/postgresql").glob("*/bin"))  # Debian has PostgreSQL's servers outside PATH
    found = shutil.which(name, path=":".join((os.environ.get("PATH", ""), "/usr/sbin", *versioned)))
    if name == "knotd" and not mmsg.AVAILABLE:
        pytest.skip("knotd needs recvmmsg, which is forbidden here")
    if found is None:
        missing = f"{name} is not installed (Debian: {_PACKAGES[name]})"
        if os.environ.get("PLDNS_REQUIRE_PEERS"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found
