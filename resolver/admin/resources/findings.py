"""Findings as JSON, and the order in which people read them."""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AwareDatetime, Field, WithJsonSchema

from resolver.admin.resources.evidence import EVIDENCE, encoded
from resolver.admin.resources.finding_advice import advice
from resolver.admin.resources.finding_sentences import sentence
from resolver.admin.resources.model import (
    ListParameters,
    Model,
    Note,
    OneOf,
    Parameters,
    Time,
    clock_text,
    time_text,
)
from zones.clocks import WallTime
from zones.findings.acknowledgement import Acknowledgement
from zones.findings.board import Board
from zones.findings.codes import TYPES
from zones.findings.evidence import Severity
from zones.findings.finding import Finding

FindingCode = Annotated[str, OneOf(kind.code for kind in TYPES)]
FindingSeverity = Annotated[Severity, OneOf(Severity)]
FindingState = Literal["open", "acknowledged"]


class AcknowledgementItem(Model):
    """An operator has seen a finding. The finding is not counted as open while it says the same."""

    note: str
    by: str = Field(description="The operator, as in the audit log.")
    at: Time
    until: Time | None = Field(description="null: without an end.")


class AcknowledgeRequest(Parameters):
    """The acknowledgement of a finding."""

    note: Note = Field(description="Why the finding may stay. At most 500 characters.")
    until: AwareDatetime | None = Field(default=None, description="When it ends. Default: never.")


class WithdrawRequest(Parameters):
    """No keys."""


class FindingItem(Model):
    """A fact about the inventory that a person should know. docs/findings.md explains each code."""

    id: str = Field(description="Stays the same while the finding is open.")
    code: str
    severity: Severity
    networks: list[str] = Field(description="Networks in which it holds.")
    networks_total: int
    subject: str = Field(description="The name, address, endpoint or source that the finding is about.")
    evidence: Annotated[dict[str, Any], WithJsonSchema(EVIDENCE)] = Field(
        description="What was found; the keys depend on the code: see docs/findings.md."
    )
    text: str = Field(description="What was found, as a sentence.")
    winner: str = Field(description="The endpoint that is served; empty when there is no contest.")
    rule: str = Field(description="The rule that decided; empty when there is no contest.")
    action: str = Field(description="What pldns does.")
    advice: str = Field(description="What a person can do.")
    commands: list[str] = Field(description="Commands for that, with the ids of this finding.")
    first_seen: Time
    age: float = Field(description="Seconds since `first_seen`.")
    acknowledged: AcknowledgementItem | None = Field(
        description="The acknowledgement that covers the finding; null for an open finding."
    )


class FindingParameters(ListParameters):
    """Query parameters of `/v1/findings`."""

    code: tuple[FindingCode, ...] = Field(default=(), description="Only findings with this code.")
    severity: tuple[FindingSeverity, ...] = Field(default=(), description="Only findings of this severity.")
    state: tuple[Annotated[FindingState, OneOf(get_args(FindingState))], ...] = Field(
        default=(), description="Only findings that are acknowledged, or only those that are not."
    )
    network: tuple[str, ...] = Field(default=(), description="Only findings that hold in this network.")
    zone: tuple[str, ...] = Field(
        default=(), description="Only findings about a name in this zone, or about an endpoint with such a name."
    )
    name: tuple[str, ...] = Field(
        default=(),
        description="Only findings with this subject: a public or private name, an endpoint by id or name, "
        "an address, or a source.",
    )


def finding(board: Board, fact: Finding, now: WallTime) -> FindingItem:
    """Return one finding as JSON, with its age."""
    first_seen = board.first_seen(fact)
    since = now if first_seen is None else first_seen
    covering = board.acknowledgements.of(fact, now)
    evidence = encoded(fact.evidence)
    to_do = advice(fact.code, evidence, fact.subject)
    return FindingItem(
        id=fact.id, code=fact.code, severity=fact.severity, subject=fact.subject,
        networks=list(fact.networks.items), networks_total=fact.networks.total,
        evidence=evidence, text=sentence(fact.code, evidence, fact.subject) or "",
        winner=fact.winner, rule=fact.rule, action=fact.action, advice=to_do.text,
        commands=list(to_do.commands), first_seen=clock_text(since),
        age=round(max(now - since, 0), 3),
        acknowledged=acknowledgement(covering) if covering else None,
    )  # fmt: skip


def acknowledgement(given: Acknowledgement) -> AcknowledgementItem:
    """Return an acknowledgement as JSON."""
    until = None if given.until is None else time_text(given.until)
    return AcknowledgementItem(note=given.note, by=given.by, at=clock_text(given.at), until=until)


def state_of(board: Board, fact: Finding, now: WallTime) -> FindingState:
    """Return whether somebody has acknowledged a finding."""
    return "acknowledged" if board.acknowledgements.of(fact, now) else "open"


def most_severe_first(fact: Finding) -> tuple[str, ...]:
    """Return a sort key for findings: by severity, then code, subject, winner and rule."""
    return (_RANKS[fact.severity], fact.code, fact.subject, fact.winner, fact.rule)


_RANKS: Final = {severity: str(rank) for rank, severity in enumerate(Severity)}
