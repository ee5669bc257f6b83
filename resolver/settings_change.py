"""What a new accepted configuration changes, compared with the one in effect.

Owns which keys a running pldns cannot change, and what stays when a configuration replaces another. Does not know how
a process applies its part. Pure.
"""

from hashlib import sha256
from typing import Final

import msgspec
from msgspec import structs

from resolver.settings import Accepted, ControlSettings, WorkerSettings

_AT_START: Final = "sockets are bound when pldns starts"


def continued(old: Accepted, new: Accepted) -> Accepted:
    """Return `new` with what must outlive a reload: the secrets made at the start, which clients' cookies rely on."""
    cookies = structs.replace(new.worker.cookies, root=old.worker.cookies.root)
    return structs.replace(new, worker=structs.replace(new.worker, cookies=cookies, mark=old.worker.mark))


def restart_needed(old: Accepted, new: Accepted) -> tuple[str, ...]:
    """Return a sentence for each changed key that takes effect only at the next start."""
    was, now = old.worker, new.worker
    keys = (
        ("dns.bind", was.bind != now.bind, _AT_START),
        ("dns.listen", was.listen != now.listen, _AT_START),
        ("dns.tls.listen", _listen(was.tls) != _listen(now.tls), _AT_START),
        ("dns.https.listen", _listen(was.https) != _listen(now.https), _AT_START),
        ("dns.bind", bool(old.control.awaited) != bool(new.control.awaited), _AT_START),
        ("admin.listen", old.control.admin.listen != new.control.admin.listen, _AT_START),
        ("admin.health", old.control.admin.health != new.control.admin.health, _AT_START),
        ("admin.socket", old.control.admin.socket != new.control.admin.socket, _AT_START),
        ("admin.group", old.control.admin.group != new.control.admin.group, _AT_START),
        (
            "processes.heartbeat",
            old.processes.heartbeat != new.processes.heartbeat,
            "a process gets its heartbeat when it starts",
        ),
        ("dns.workers", old.workers != new.workers, "workers are counted when pldns starts"),
        (
            "state.directory",
            old.control.state_directory != new.control.state_directory,
            "the state directory is locked when pldns starts",
        ),
        ("user", old.user != new.user, "pldns changes its user when it starts"),
        ("sandbox", was.sandbox != now.sandbox, "a process enters its sandbox when it starts"),
    )
    return tuple(f"{key}: a reload cannot change this: {why}; restart pldns" for key, differs, why in keys if differs)


def _listen(tls: object) -> object:
    return getattr(tls, "listen", ())


def same(old: Accepted, new: Accepted) -> bool:
    """Return whether both mean the same. Warnings and comments do not count."""
    return structs.replace(old, warnings=(), source="") == structs.replace(new, warnings=(), source="")


def digest(settings: Accepted | WorkerSettings) -> bytes:
    """Return the SHA-256 of settings. It is the same in every process."""
    return sha256(msgspec.json.encode(settings)).digest()


def table_digest(settings: WorkerSettings) -> bytes:
    """Return the SHA-256 of the settings that decide what the rows of a worker's table mean.

    With other ones, a worker needs a new table. The zone files are not among them: control sends their records.
    """
    zones = settings.zones
    parts = (
        settings.networks, settings.auto, settings.listeners, settings.catalogue, zones.defaults, zones.overrides,
    )  # fmt: skip
    return sha256(msgspec.json.encode(parts)).digest()


def same_estate(old: ControlSettings, new: ControlSettings) -> bool:
    """Return whether the estate of both is made alike, apart from the zone files and the upstream groups."""
    return _of_estate(old) == _of_estate(new)


def _of_estate(settings: ControlSettings) -> tuple[object, ...]:
    zones = settings.zones
    return (
        settings.networks, settings.auto, settings.listeners, settings.catalogue, zones.defaults, zones.overrides,
        settings.sources, settings.names, settings.conflicts,
    )  # fmt: skip
