"""The files that a configuration names and that are read before it is accepted: zone files, certificates, secrets.

The daemon refuses to start when one of them cannot be used. Does not translate the configuration (`accept`).
"""

import glob
import os
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path

from resolver import path_pattern, settings
from resolver.azure_settings import Secret
from resolver.config.model import Configuration
from resolver.config.nodes import Part
from resolver.config.sources import SecretReference
from resolver.process import certificate
from resolver.process.cookie_secrets import read_secrets
from zones.dns import name
from zones.dns.parsed_zones import ParsedZones
from zones.dns.zonefile import InvalidZone

ZoneFilePaths = dict[str, name.Name]
"""Absolute paths of zone files, in the order of `zones.files`, with the origin of each."""
Refusal = tuple[tuple[Part, ...], str]
"""Where the configuration names a file that cannot be used, and the reason."""


def absolute(path: Path | str) -> str:
    """Return the absolute path without `..`. Symbolic links stay: a mounted ConfigMap changes where they lead."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() follows links, absolute() keeps `..`


def secret(given: SecretReference, folder: Path) -> Secret:
    """Return where a secret is."""
    return Secret(absolute(folder / given.file) if given.file else "", given.environment or "")


def unusable_key_files(model: Configuration, folder: Path) -> list[Refusal]:
    """Return the certificates, keys, authorities and cookie secrets that cannot be used."""
    dns = model.dns
    refused: list[Refusal] = []
    for group, upstream in model.upstreams.items():
        if upstream.ca and (why := _no_authorities(absolute(folder / upstream.ca))):
            refused.append((("upstreams", group, "ca"), why))
    admin, registry = model.admin.tls, model.registry.tls if model.registry else None
    hub = model.hub.tls if model.hub else None
    for section_name, tls in (("admin", admin), ("hub", hub)):
        if tls and tls.client_ca and (why := _no_authorities(absolute(folder / tls.client_ca))):
            refused.append(((section_name, "tls", "client_ca"), why))
    pairs = (
        (("dns", "tls"), dns.tls), (("dns", "https"), dns.https), (("admin", "tls"), admin),
        (("registry", "tls"), registry), (("hub", "tls"), hub),
    )  # fmt: skip
    for where, section in pairs:
        if section is None:
            continue
        files = {key: absolute(folder / getattr(section, key)) for key in ("certificate", "key")}
        missing = [((*where, key), why) for key, file in files.items() if (why := _unreadable(file))]
        refused += missing
        if not missing:
            chain, private_key = (Path(file).read_bytes() for file in files.values())
            try:
                certificate.load(certificate.context(), settings.Tls((), **files), chain, private_key)
            except ValueError as error:
                refused.append(((*where, "certificate"), str(error)))
    if dns.cookies.secrets and (why := _no_secrets(absolute(folder / dns.cookies.secrets))):
        refused.append((("dns", "cookies", "secrets"), why))
    return refused


def authorities(file: str) -> str:
    """Return the PEM certificates in a file, without the text around them. Raises OSError."""
    return certificate.certificates(Path(file).read_bytes())


def _no_authorities(file: str) -> str:
    """Return why the file cannot be read as PEM certificates; empty when it can."""
    try:
        found = authorities(file)
        if found:
            ssl.create_default_context(cadata=found)
    except ssl.SSLError:
        return f"{file} has a PEM certificate that cannot be read"
    except OSError as error:
        return f"cannot read {file}: {error.strerror}"
    return "" if found else f"{file} has no PEM certificates"


def _no_secrets(file: str) -> str:
    """Return why the file cannot be read as cookie secrets; empty when it can."""
    if why := _unreadable(file):
        return why
    try:
        read_secrets(Path(file).read_bytes().decode("ascii"))
    except ValueError as error:
        return f"{file}: {error}"
    return ""


def _unreadable(file: str) -> str:
    try:
        Path(file).read_bytes()
    except OSError as error:
        return f"cannot read {file}: {error.strerror}"
    return ""


def find_zone_files(
    patterns: Iterable[str], folder: Path, parsed: ParsedZones
) -> tuple[ZoneFilePaths, list[Refusal], list[str]]:
    """Return the zone files that match `patterns` below `folder`, those that cannot be used, and warnings.

    A pattern with wildcards may match nothing, which is a warning. A plain path must exist. `parsed` gets the zones.
    """
    files: ZoneFilePaths = {}
    at: dict[name.Name, str] = {}
    refused: list[Refusal] = []
    notes: list[str] = []
    for i, pattern in enumerate(patterns):
        found = path_pattern.matches(path_pattern.absolute(folder, pattern))
        if not found and glob.has_magic(pattern):
            notes.append(f"zones.files[{i}]: no file matches `{pattern}`")
        elif not found:
            refused.append((("zones", "files", i), f"there is no file `{pattern}`"))
        for file in found:
            if file not in files:
                refused += [(("zones", "files", i), why) for why in _add(file, files, at, parsed)]
    return files, refused, notes


def _add(file: str, files: ZoneFilePaths, at: dict[name.Name, str], parsed: ParsedZones) -> Sequence[str]:
    """Add `file` and its origin to `files` and `at`. Return the reasons why that is not possible; empty when it is."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - there may be thousands, and a Path doubles the time
            octets = opened.read()
        origin = parsed.parse(octets.decode(), file).origin
    except OSError as error:
        return [f"cannot read {file}: {error.strerror}"]
    except UnicodeDecodeError as error:
        return [f"{file} is not UTF-8 (at octet {error.start})"]
    except InvalidZone as error:
        return error.messages
    other = at.setdefault(origin, file)
    if other != file:
        return [f"{file} and {other} are both the zone `{name.to_text(origin)}`"]
    files[file] = origin
    return ()
