"""Changes of the running daemon itself as JSON: draining, and the log level."""

from pydantic import Field

from resolver.admin.resources.model import Model, Parameters, Time, clock_text
from resolver.control.log_level import LogLevel
from resolver.settings import LogLevelName


class DrainItem(Model):
    """Whether clients are kept away."""

    draining: bool = Field(description="`/readyz` answers 503, so that load balancers choose another server.")


class DrainRequest(Parameters):
    """Begin or end to keep clients away."""

    draining: bool = Field(strict=True, description="true: begin; false: end.")


class LogLevelItem(Model):
    """The log level of all processes."""

    level: LogLevelName
    configured: LogLevelName = Field(description="`log.level` of the configuration.")
    until: Time | None = Field(description="When the level goes back to `configured`; null while it is that.")


class LogLevelRequest(Parameters):
    """The log level to set."""

    level: LogLevelName
    seconds: int = Field(
        default=600, ge=1, le=86_400, strict=True, description="Until the level goes back to that of the configuration."
    )


def log_level(found: LogLevel) -> LogLevelItem:
    """Return the log level in effect as JSON."""
    until = None if found.until is None else clock_text(found.until)
    return LogLevelItem(level=found.level, configured=found.configured, until=until)
