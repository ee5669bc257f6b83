"""Evidence of findings about the state directory: what could not be written, and what could not be used."""

from typing import Annotated, ClassVar

from msgspec import Meta

from zones.findings.evidence import Evidence, Severity


class StateUnwritable(Evidence, frozen=True, kw_only=True):
    """A file of the state directory that cannot be written."""

    code: ClassVar = "state-unwritable"
    severity: ClassVar = Severity.ERROR
    meaning: ClassVar = "A file of the state directory cannot be written."
    action: ClassVar = "answers continue; a restart would begin with older data. pldns tries again every 30 seconds"
    message: Annotated[str, Meta(description="Why.")]


class StateSetAside(Evidence, frozen=True, kw_only=True):
    """A file of the state directory that could not be used at the start."""

    code: ClassVar = "state-set-aside"
    severity: ClassVar = Severity.WARNING
    meaning: ClassVar = "A file of the state directory is damaged, unreadable, or of another version of pldns."
    action: ClassVar = (
        "it is not used; other saved data is, if there is any, and the sources are read; a new file is written"
    )
    message: Annotated[str, Meta(description="Why.")]
    kept_as: Annotated[str, Meta(description="Where the file is kept; empty where it could not be moved.")] = ""
