"""The names that completion offers: of sources, networks, zones, codes, findings, endpoints, tokens, and the registry.

They come from the running daemon. Where none answers within 0.2 seconds, they come from the configuration file, which
is read without checks, and from the catalogue of private-link zones.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from resolver.cli import admin_client, daemon_address
from resolver.cli.failure import Failed
from resolver.cli.options import DEFAULT_CONFIG
from resolver.config import nodes

_PATIENCE: Final = 0.2
"""Seconds that the daemon has for its answer."""
_MOST: Final = 5000
"""Names to request."""
_TYPES: Final = ("A", "AAAA", "CNAME", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TXT")


class Daemon(NamedTuple):
    """The daemon that a command line names: the values of `--admin` and `--config`, and the environment."""

    admin: str | None
    config: Path | None
    environ: Mapping[str, str]


class _Kind(NamedTuple):
    """Names of one kind: where the daemon lists them, under which key, and where they come from without it."""

    path: str
    key: str
    without: Callable[[Daemon], Iterable[str]]


def of(parameter: str, metavar: str, daemon: Daemon) -> list[str]:
    """Return the names that a parameter of a command can have; empty where these are not known."""
    if metavar in {"ADDRESS", "URL", "FILE"}:  # `query --source` is an address
        return []
    if parameter in {"rtype", "code"}:
        return [*_TYPES] if parameter == "rtype" else _codes()
    kind = _KINDS.get(parameter)
    if kind is None:
        return []
    try:
        url = daemon.admin or daemon_address.admin_url(daemon.config, DEFAULT_CONFIG, daemon.environ)
        page = admin_client.get(url, kind.path, {"limit": str(_MOST)}, timeout=_PATIENCE)
        names = [str(each[kind.key]) for each in page["items"]]
    except (Failed, KeyError):
        names = list(kind.without(daemon))
    return list(dict.fromkeys(names))


def _codes() -> list[str]:
    from zones.findings import codes  # noqa: PLC0415 - only this case needs the evidence of all findings

    return sorted({each.code for each in codes.TYPES})


def _configured(section: str) -> Callable[[Daemon], Iterable[str]]:
    """Return the function that reads the names of a section's items from the configuration file."""

    def names(daemon: Daemon) -> Iterable[str]:
        try:
            text = (daemon.config or DEFAULT_CONFIG).read_text(encoding="utf-8-sig")
        except OSError:
            return []
        plain: Any = nodes.parse(text, "")[0].plain()
        items = plain.get(section) if isinstance(plain, dict) else None
        found = items if isinstance(items, list) else []
        return [str(each["name"]) for each in found if isinstance(each, dict) and "name" in each]

    return names


def _catalogue(_: Daemon) -> Iterable[str]:
    """Return the private zones of Microsoft's table, without loading the catalogue itself."""
    data = json.loads(files("zones.azure").joinpath("data/private-link-zones.json").read_bytes())
    zones = {zone for entry in data["entries"] for zone in entry["privateZones"]}
    return sorted(zone for zone in zones if "{" not in zone)


def _nothing(_: Daemon) -> Iterable[str]:
    return ()


_KINDS: Final[Mapping[str, _Kind]] = {
    "source": _Kind("/v1/sources", "name", _configured("sources")),
    "network": _Kind("/v1/networks", "name", _configured("networks")),
    "zone": _Kind("/v1/zones", "zone", _catalogue),
    "finding": _Kind("/v1/findings", "id", _nothing),
    "endpoint": _Kind("/v1/endpoints", "name", _nothing),
    "connection": _Kind("/v1/registry/connections", "name", _nothing),
    "target": _Kind("/v1/registry/targets", "name", _nothing),
    "token": _Kind("/v1/tokens", "name", _nothing),
}
"""By the name of a command's parameter."""
