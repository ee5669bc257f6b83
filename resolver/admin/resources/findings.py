"""Findings as JSON, and the order in which people read them."""

from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from resolver.admin.resources.evidence import encoded, schema
from resolver.admin.resources.model import ListParameters, Model, OneOf, Time, clock_text
from zones.clocks import WallTime
from zones.findings.board import Board
from zones.findings.codes import TYPES
from zones.findings.evidence import Severity
from zones.findings.finding import Finding

FindingCode = Annotated[str, OneOf(kind.code for kind in TYPES)]
FindingSeverity = Annotated[Severity, OneOf(Severity)]


class FindingItem(Model):
    """A fact about the inventory that a person should know. docs/findings.md explains each code."""

    id: str = Field(description="Stays the same while the finding is open.")
    code: str
    severity: Severity
    networks: list[str] = Field(description="Networks in which it holds.")
    networks_total: int
    subject: str = Field(description="The name, address, endpoint or source that the finding is about.")
    evidence: Annotated[dict[str, Any], WithJsonSchema(schema())] = Field(
        description="What was found; the keys depend on the code: see docs/findings.md."
    )
    winner: str = Field(description="The endpoint that is served; empty when there is no contest.")
    rule: str = Field(description="The rule that decided; empty when there is no contest.")
    action: str = Field(description="What pldns does.")
    first_seen: Time
    age: float = Field(description="Seconds since `first_seen`.")


class FindingParameters(ListParameters):
    """Query parameters of `/v1/findings`."""

    code: tuple[FindingCode, ...] = Field(default=(), description="Only findings with this code.")
    severity: tuple[FindingSeverity, ...] = Field(default=(), description="Only findings of this severity.")
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
    return FindingItem(
        id=fact.id, code=fact.code, severity=fact.severity, subject=fact.subject,
        networks=list(fact.networks.items), networks_total=fact.networks.total,
        evidence=encoded(fact.evidence), winner=fact.winner, rule=fact.rule, action=fact.action,
        first_seen=clock_text(since), age=round(max(now - since, 0), 3),
    )  # fmt: skip


def most_severe_first(fact: Finding) -> tuple[str, ...]:
    """Return a sort key for findings: by severity, then code, subject, winner and rule."""
    return (_RANKS[fact.severity], fact.code, fact.subject, fact.winner, fact.rule)


_RANKS: Final = {severity: str(rank) for rank, severity in enumerate(Severity)}
