"""Translates a valid item of `sources` to its settings: absolute paths, parsed addresses."""

from pathlib import Path

from resolver.azure_settings import AzureSettings, Credential, EventSettings, Secret
from resolver.config.named_files import absolute, secret
from resolver.config.sources import FilesSection, HubSourceSection, RegistrySourceSection, SecretReference, Source
from resolver.host_port import parse
from resolver.hub_settings import HubSourceSettings
from resolver.settings import SourceSettings
from zones.azure.clouds import CLOUDS


def source_settings(source: Source, folder: Path) -> SourceSettings:
    """Return the settings of a source. Relative paths are relative to `folder`."""
    if isinstance(source, FilesSection):
        path = absolute(folder / source.path)
        return SourceSettings(source.name, source.type, path, source.on_unsynced, guard=source.guard)
    if isinstance(source, RegistrySourceSection):
        return SourceSettings(source.name, source.type, on_unsynced=source.on_unsynced, guard="off")
    if isinstance(source, HubSourceSection):
        hub = HubSourceSettings(
            source.urls,
            _optional_secret(source.token, folder),
            absolute(folder / source.ca) if source.ca else "",
            source.private_dns,
        )
        return SourceSettings(
            source.name, source.type, source.urls[0], source.on_unsynced, 0, source.expire, None, source.guard, hub
        )
    given = source.credential
    credential = Credential(
        type=given.type,
        tenant_id=given.tenant_id or "",
        client_id=given.client_id or "",
        secret=_optional_secret(given.secret, folder),
        certificate=_optional_secret(given.certificate, folder),
        password=_optional_secret(given.password, folder),
        authority=given.authority or "",
    )
    management = source.management or CLOUDS[source.cloud].management
    webhook = source.events
    azure = AzureSettings(
        subscriptions=source.subscriptions,
        interval=source.interval,
        cloud=source.cloud,
        management=management,
        credential=credential,
        private_dns=source.private_dns,
        events=EventSettings(parse(webhook.listen), secret(webhook.secret, folder)) if webhook else None,
    )
    return SourceSettings(
        source.name, source.type, management, source.on_unsynced, source.hold_down, source.expire, azure, source.guard
    )


def _optional_secret(given: SecretReference | None, folder: Path) -> Secret | None:
    return None if given is None else secret(given, folder)
