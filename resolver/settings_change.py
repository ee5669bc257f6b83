"""What a new accepted configuration changes, compared with the one in effect.

Owns which keys a running pldns cannot change, and what stays when a configuration replaces another. Does not know how
a process applies its part. Pure.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import structs

from resolver.admin_settings import AdminTls
from resolver.registry_settings import RegistrySettings
from resolver.settings import Accepted, ControlSettings, Overrides, Tls, WorkerSettings

_AT_START: Final = "sockets are bound when pldns starts"


class Lasting(msgspec.Struct, frozen=True):
    """What a start makes by chance, and a reload or takeover must keep. Empty where it is not known."""

    root: bytes = b""
    """See `CookieSettings`. With another one, the cookies of all clients become invalid."""
    mark: bytes = b""
    """See `WorkerSettings`. A loop through queries that are under way is found with the same one only."""


def lasting(accepted: Accepted) -> Lasting:
    """Return what the next configuration, or a successor, must keep."""
    return Lasting(accepted.worker.cookies.root, accepted.worker.mark)


def continued(kept: Lasting, new: Accepted) -> Accepted:
    """Return `new` with what an earlier configuration or process had."""
    worker = new.worker
    cookies = structs.replace(worker.cookies, root=kept.root or worker.cookies.root)
    return structs.replace(new, worker=structs.replace(worker, cookies=cookies, mark=kept.mark or worker.mark))


def of_start(accepted: Accepted) -> dict[str, str]:
    """Return the settings that take effect only at a start, as text by key. The order is that of `restart_needed`."""
    worker, control = accepted.worker, accepted.control
    return {
        "dns.bind": worker.bind,
        "dns.listen": _listen(worker),
        "dns.tls.listen": _listen(worker.tls),
        "dns.https.listen": _listen(worker.https),
        "admin.listen": str(control.admin.listen or "off"),
        "admin.socket": _beside(accepted.path, control.admin.socket) or "off",
        "admin.group": control.admin.group,
        "admin.tls": _key_pair(accepted.path, control.admin.tls),
        "admin.health": str(control.admin.health or "off"),
        "registry.listen": str(control.registry.listen) if control.registry else "off",
        "registry.database": _database(control.registry),
        "registry.tls": _key_pair(accepted.path, _registry_tls(control.registry)),
        "hub.listen": str(control.hub.listen) if control.hub else "off",
        "hub.tls": _key_pair(accepted.path, control.hub.tls if control.hub else None),
        "hub.followers": str(control.hub.followers) if control.hub else "",
        "processes.heartbeat": str(accepted.processes.heartbeat),
        "log": f"{accepted.log.format} {accepted.log.time} {accepted.log.level}",
        "dns.workers": str(accepted.workers),
        "state.directory": _beside(accepted.path, control.state_directory),
        "user": accepted.user,
        "sandbox": worker.sandbox,
    }


_WHY: Final = {
    "processes.heartbeat": "a process gets its heartbeat when it starts",
    "log": "a process sets up its log when it starts",
    "dns.workers": "workers are counted when pldns starts",
    "state.directory": "the state directory is locked when pldns starts",
    "user": "pldns changes its user when it starts",
    "sandbox": "a process enters its sandbox when it starts",
}


def restart_needed(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return a sentence for each key that differs between two results of `of_start`."""
    return {
        key: f"{key}: a reload cannot change this: {_WHY.get(key, _AT_START)}; restart pldns"
        for key, value in new.items()
        if old.get(key, value) != value
    }


def _listen(section: WorkerSettings | Tls | None) -> str:
    return " ".join(map(str, section.listen)) if section else ""


def _key_pair(file: str, tls: AdminTls | None) -> str:
    return " ".join(_beside(file, each) for each in (tls.certificate, tls.key, tls.client_ca) if each) if tls else "off"


def _database(registry: RegistrySettings | None) -> str:
    return registry.database.url if registry and registry.database else "off"


def _registry_tls(registry: RegistrySettings | None) -> AdminTls | None:
    tls = registry.tls if registry else None
    return AdminTls(tls.certificate, tls.key) if tls else None


def _beside(file: str, path: str) -> str:
    """Return a path without the folder of the file, so that the same files in another folder say the same."""
    return path.removeprefix(f"{file.rpartition('/')[0]}/")


def same(old: Accepted, new: Accepted) -> bool:
    """Return whether both mean the same. Warnings and comments do not count, nor how a value is written."""
    return _bare(old) == _bare(new)


def _bare(accepted: Accepted) -> Accepted:
    return structs.replace(accepted, warnings=(), source="", keys="", overrides=Overrides())


def digest(settings: Accepted | WorkerSettings) -> bytes:
    """Return the SHA-256 of settings. It is the same in every process."""
    return sha256(msgspec.json.encode(settings, order="deterministic")).digest()


def table_digest(settings: WorkerSettings) -> bytes:
    """Return the SHA-256 of the settings that decide what the rows of a worker's table mean.

    With other ones, a worker needs a new table. The zone files are not among them: control sends their records.
    """
    zones = settings.zones
    parts = (
        settings.networks, settings.auto, settings.listeners, settings.catalogue, zones.defaults, zones.overrides,
    )  # fmt: skip
    return sha256(msgspec.json.encode(parts, order="deterministic")).digest()


def same_estate(old: ControlSettings, new: ControlSettings) -> bool:
    """Return whether the estate of both is made alike, apart from the zone files and the upstream groups."""
    return _of_estate(old) == _of_estate(new)


def _of_estate(settings: ControlSettings) -> tuple[object, ...]:
    zones = settings.zones
    return (
        settings.networks, settings.auto, settings.listeners, settings.catalogue, zones.defaults, zones.overrides,
        settings.sources, settings.names, settings.conflicts,
    )  # fmt: skip
