"""The configuration in effect, and the last reload, as JSON."""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from pydantic import Field

from resolver import settings_change
from resolver.admin.resources.model import Model, Parameters, ProblemDetails, Time, clock_text
from resolver.control.reloads import Reloads
from resolver.process.reload_state import ReloadOutcome, ReloadState
from resolver.settings import Accepted


class ReloadItem(Model):
    """What became of one reload."""

    outcome: ReloadOutcome = Field(
        description="`applied`, `unchanged` (the files that it names were read again), or `refused` as a whole."
    )
    at: Time
    mistakes: list[str] = Field(description="Every reason why the reload was refused.")


class ConfigurationItem(Model):
    """The configuration in effect."""

    file: str
    serial: int = Field(description="1 for the configuration at the start; each one that differs is the next number.")
    loaded: Time = Field(description="When it was accepted.")
    file_changed: bool = Field(description="The file has other octets than the one in effect.")
    waiting: list[int] = Field(description="Workers that had not taken it over in time. They do with their connection.")
    last_reload: ReloadItem | None = Field(description="null before the first.")


class NamedFile(Model):
    """A file whose contents belong to the configuration: a zone file, or authorities of upstream servers."""

    key: str = Field(description="The key that names it: `zones.files`, or `upstreams.GROUP.ca`.")
    zone: str = Field(description="The zone in a zone file; empty for other files.")
    sha256: str = Field(description="Digest of the contents in effect, in hexadecimal digits.")


class OverridesItem(Model):
    """What takes precedence over the configuration file."""

    environment: dict[str, str] = Field(description="Variables that are settings, as at the start.")
    flags: dict[str, str] = Field(description="Values of `--set` by key.")


class EffectiveConfiguration(Model):
    """Every setting in effect. Secrets are not among them: a configuration only names where these are."""

    file: str
    serial: int
    keys: dict[str, Any] = Field(description="Every key, in the form of the configuration file, defaults included.")
    at_start: dict[str, str] = Field(description="The settings that only a restart changes, as text by key.")
    files: list[NamedFile]
    overrides: OverridesItem


class ReloadRequest(Parameters):
    """No keys: the file, the environment and the flags of the start are read again."""


class ConfigurationRefused(ProblemDetails):
    """A configuration with mistakes. The one before stays in effect."""

    mistakes: list[str]


def configuration(reloads: Reloads) -> ConfigurationItem:
    """Return the configuration in effect."""
    state = reloads.state
    return ConfigurationItem(
        file=reloads.path, serial=state.serial, loaded=clock_text(state.loaded), file_changed=reloads.differs,
        waiting=reloads.late, last_reload=_last(state),
    )  # fmt: skip


def effective(accepted: Accepted, serial: int, zones: Mapping[str, str]) -> EffectiveConfiguration:
    """Return every setting of a configuration. `zones`: the texts of the zone files by zone."""
    return EffectiveConfiguration(
        file=accepted.path, serial=serial, keys=json.loads(accepted.keys), at_start=settings_change.of_start(accepted),
        files=list(_files(accepted, zones)),
        overrides=OverridesItem(environment=accepted.overrides.environment, flags=accepted.overrides.flags),
    )  # fmt: skip


def _files(accepted: Accepted, zones: Mapping[str, str]) -> Iterator[NamedFile]:
    for zone, text in zones.items():
        yield NamedFile(key="zones.files", zone=zone, sha256=_digest(text))
    for group in accepted.worker.upstreams:
        for authorities in {server.ca for server in group.servers} - {""}:
            yield NamedFile(key=f"upstreams.{group.name}.ca", zone="", sha256=_digest(authorities))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _last(state: ReloadState) -> ReloadItem | None:
    if state.outcome is None:
        return None
    return ReloadItem(outcome=state.outcome, at=clock_text(state.at), mistakes=list(state.mistakes))
