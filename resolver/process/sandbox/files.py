"""Files that each kind of process opens, as rules for Landlock.

Does not know how the kernel enforces them.
"""

import os
import shutil
import site
import ssl
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from resolver import path_pattern
from resolver.azure_settings import Secret
from resolver.process.sandbox.landlock import Access
from resolver.query_log_settings import QueryLogSettings, log_directory
from resolver.settings import ControlSettings

_AUTHORITIES: Final = (
    "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted",
    "/etc/crypto-policies", "/usr/lib/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
)  # fmt: skip
"""Where systems keep the certificates of authorities."""
_SYSTEM: Final = (
    "/usr", "/lib", "/lib64", "/proc", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/dev/null", "/dev/urandom",
    "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
    "/etc/protocols", "/etc/localtime", "/etc/ld.so.cache", "/etc/mime.types", "/etc/passwd", "/etc/group",
    "/etc/os-release", "/var/opt/azcmagent/tokens",
)  # fmt: skip
"""What libraries of control read. Azure Arc leaves the challenge of its identity endpoint in a file."""
_SHARED: Final = frozenset(map(Path, ("/", "/etc", "/var", "/usr", "/opt", "/home", "/root", "/run", "/tmp", "/srv")))  # noqa: S108
"""Directories that hold much besides pldns's files. Access to one of them is never granted as a whole."""
_VARIABLES: Final = (
    "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_CERTIFICATE_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)  # fmt: skip
"""Environment variables with the path of a file that the libraries for identities read."""
_TOOLS: Final = ("az", "azd", "pwsh")
"""Programs with which `credential: default` obtains a token on the machine of a developer."""
_INSTALLED: Final = Path(__file__).parents[3]
"""Where the packages of pldns are."""
_LINKS: Final = 40  # the kernel follows no more


def worker() -> Access:
    """Return the files of a worker: Python's modules, and the authorities of upstream servers. It connects nowhere."""
    return Access(read=(*_python(), *_authorities()), tcp=False)


def query_logger(settings: QueryLogSettings) -> Access:
    """Return the files of the query logger: Python's modules, and the directory of its files."""
    directory, tcp = log_directory(settings), settings.dnstap is not None and not settings.dnstap.path
    return Access(read=(*_python(),), write=(directory,) if directory else (), tcp=tcp)


def control(settings: ControlSettings, environ: Mapping[str, str], configuration: str = "") -> Access | None:
    """Return the files of control; None if it needs the files of other programs (`needs_programs`).

    `configuration`: the path of the configuration file, which control watches if the settings say so.
    """
    if needs_programs(settings, environ):
        return None
    watched = [configuration] if settings.watch and configuration else []
    named = [*watched, *_named(settings)] + [environ[each] for each in _VARIABLES if environ.get(each)]
    read = (*_python(), *_authorities(), *_SYSTEM, *(found for path in named for found in around(path)))
    write = (settings.state_directory, "/dev/null") if settings.state_directory else ("/dev/null",)
    return Access(tuple(dict.fromkeys(read)), write)


def needs_programs(settings: ControlSettings, environ: Mapping[str, str]) -> bool:
    """Return whether a credential may execute programs: the Azure CLI, and for `default` other tools too."""
    types = {source.azure.credential.type for source in settings.sources if source.azure}
    return "cli" in types or ("default" in types and has_tools(environ))


def has_tools(environ: Mapping[str, str]) -> bool:
    """Return whether this machine has a program from which `credential: default` can obtain a token."""
    return any(shutil.which(tool, path=environ.get("PATH", "")) for tool in _TOOLS)


def around(path: str) -> Iterator[str]:
    """Yield the directories in which a file or folder is replaced, also where links lead to it.

    An editor replaces a file, and a Kubernetes volume a link in the path. A rule for the file alone would end with it.
    """
    left = _LINKS
    parts = [*reversed(Path(path).parts)]
    at = Path(parts.pop())
    while parts:
        here = at / parts.pop()
        if here.is_symlink():
            yield from _granted(here)
            left -= 1
            if not left:
                return
            target = at / here.readlink()
            parts += [*reversed(Path(os.path.normpath(target)).parts)]
            at = Path(parts.pop())
        else:
            at = here
    yield from _granted(at)


def _granted(path: Path) -> Iterator[str]:
    """Yield the directory of a path, or the path itself where the directory is shared. One that exists."""
    while not path.parent.exists():
        path = path.parent
    yield str(path if path.parent in _SHARED else path.parent)


def _named(settings: ControlSettings) -> Iterator[str]:
    """Yield the paths in the settings."""
    yield from settings.zones.files
    yield from (f"{path_pattern.base(each)}/x.zone" for each in settings.zones.patterns)  # as a file in that folder
    if settings.admin.tls:
        yield from (settings.admin.tls.certificate, settings.admin.tls.key)
        yield from filter(None, (settings.admin.tls.client_ca,))
    if settings.admin.oidc:
        yield from _files((settings.admin.oidc.client_secret,))
    if settings.registry and settings.registry.tls:
        yield from (settings.registry.tls.certificate, settings.registry.tls.key)
    if settings.registry and settings.registry.database:
        yield from settings.registry.database.files
        yield from _files((settings.registry.database.secret,))
    if settings.hub and settings.hub.tls:
        yield from filter(None, (settings.hub.tls.certificate, settings.hub.tls.key, settings.hub.tls.client_ca))
    for source in settings.sources:
        if source.type == "files":
            yield source.path
        if source.hub:
            yield from filter(None, (source.hub.token.file if source.hub.token else "", source.hub.ca))
        if source.azure is None:
            continue
        credential, events = source.azure.credential, source.azure.events
        yield from _files((credential.secret, credential.certificate, credential.password))
        yield from _files((events.secret,) if events else ())


def _files(secrets: Iterable[Secret | None]) -> Iterator[str]:
    return (secret.file for secret in secrets if secret and secret.file)


def _python() -> Iterator[str]:
    """Yield the directories with modules: Python's own, those of libraries, and pldns's."""
    yield os.path.dirname(os.__file__)  # noqa: PTH120 - only text
    yield from (path for path in sys.path if Path(path).name in {"site-packages", "dist-packages", "lib-dynload"})
    yield from site.getsitepackages()
    yield from (str(_INSTALLED / package) for package in ("resolver", "zones"))


def _authorities() -> Iterator[str]:
    yield from _AUTHORITIES
    where = ssl.get_default_verify_paths()
    yield from (path for path in (where.cafile, where.capath) if path)
