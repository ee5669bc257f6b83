"""Translates the section `registry` of a valid configuration to its settings: absolute paths, parsed addresses."""

from pathlib import Path

from resolver.config.named_files import absolute, secret
from resolver.config.registry import RegistrySection
from resolver.host_port import parse
from resolver.registry_settings import (
    RegistryClient,
    RegistryDatabase,
    RegistrySettings,
    RegistrySubscription,
    RegistryTls,
)


def registry_settings(given: RegistrySection, folder: Path) -> RegistrySettings:
    """Return the settings of a registry. Relative paths are relative to `folder`."""
    tls = given.tls
    return RegistrySettings(
        listen=parse(given.listen),
        tls=RegistryTls(absolute(folder / tls.certificate), absolute(folder / tls.key)) if tls else None,
        tenant=given.tenant,
        subscriptions=tuple(RegistrySubscription(each.id, each.name) for each in given.subscriptions),
        locations=given.locations,
        clients=tuple(RegistryClient(each.id, each.name, each.sha256, each.accepted()) for each in given.clients),
        database=_database(given, folder),
        hold=given.hold,
    )


def _database(given: RegistrySection, folder: Path) -> RegistryDatabase | None:
    found, password = given.database, given.database_password
    if found is None:
        return None
    reference = secret(password, folder) if password else None
    return RegistryDatabase(found.url, found.password, reference, found.files, found.is_unix)
