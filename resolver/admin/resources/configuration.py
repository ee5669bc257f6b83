"""The configuration in effect, and the last reload, as JSON."""

from pydantic import Field

from resolver.admin.resources.model import Model, Parameters, ProblemDetails, Time, clock_text
from resolver.control.reloads import Reloads
from resolver.process.reload_state import ReloadOutcome, ReloadState


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


class ReloadRequest(Parameters):
    """No keys: the file, the environment and the flags of the start are read again."""


class Refused(ProblemDetails):
    """A configuration with mistakes. The one before stays in effect."""

    mistakes: list[str]


def configuration(reloads: Reloads) -> ConfigurationItem:
    """Return the configuration in effect."""
    state = reloads.state
    return ConfigurationItem(
        file=reloads.path, serial=state.serial, loaded=clock_text(state.loaded), file_changed=reloads.differs,
        waiting=reloads.late, last_reload=_last(state),
    )  # fmt: skip


def _last(state: ReloadState) -> ReloadItem | None:
    if state.outcome is None:
        return None
    return ReloadItem(outcome=state.outcome, at=clock_text(state.at), mistakes=list(state.mistakes))
