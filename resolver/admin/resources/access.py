"""Identities, tokens and the audit log as JSON.

The text of a token is in one response only: that of the request that made it.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from resolver.admin.access.audit import Entry
from resolver.admin.access.tokens import MadeToken
from resolver.admin.resources.model import ListParameters, Model, Parameters, Time, time_text
from resolver.admin_settings import AdminToken, RoleName
from zones.clocks import WallTime


class WhoAmI(Model):
    """The identity that pldns has found in the request."""

    name: str = Field(description="As in the audit log; `anybody` for a request that proves no identity.")
    role: RoleName
    proven: bool = Field(description="False: everybody may read, because nobody can prove an identity.")
    session: bool = Field(description="The request has the cookie of an open session.")


TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,63}$")]


class TokenItem(Model):
    """A bearer token."""

    name: str
    role: RoleName
    origin: Literal["configuration", "command"] = Field(description="What made it.")
    created: Time | None = Field(description="null for a token of the configuration.")
    expires: Time | None = Field(description="null: never.")


class NewToken(TokenItem):
    """A bearer token that was just made."""

    token: str = Field(description="The text of the token. pldns does not keep it.")


class TokenRequest(Parameters):
    """The token to make."""

    name: TokenName = Field(description="Letters, digits, `.`, `_` and `-`, at most 63.")
    role: RoleName
    expires: AwareDatetime | None = Field(default=None, description="When it ends. Default: never.")


class RevokeRequest(Parameters):
    """No keys."""


class AuditItem(Model):
    """A change that an operator made."""

    id: int = Field(description="Grows by one with each change.")
    at: Time
    who: str = Field(description="The user of the Unix socket, or the token with the address it came from.")
    action: str = Field(description="What was done, such as `cache.flush`.")
    target: str = Field(description="To what: a name, a source, a token.")
    before: dict[str, Any]
    after: dict[str, Any]


class AuditParameters(ListParameters):
    """Query parameters of `/v1/audit`."""

    name: tuple[str, ...] = Field(default=(), description="Only changes of this target.")
    who: tuple[str, ...] = Field(default=(), description="Only changes by this user or token.")


def token(item: AdminToken | MadeToken) -> TokenItem:
    """Return a token as JSON."""
    if isinstance(item, AdminToken):
        return TokenItem(name=item.name, role=item.role, origin="configuration", created=None, expires=None)
    return TokenItem(
        name=item.name, role=item.role, origin="command", created=time_text(WallTime(item.created)),
        expires=None if item.expires is None else time_text(WallTime(item.expires)),
    )  # fmt: skip


def entry(item: Entry) -> AuditItem:
    """Return a change as JSON."""
    return AuditItem(
        id=item.id, at=time_text(WallTime(item.at)), who=item.who, action=item.action, target=item.target,
        before=item.before, after=item.after,
    )  # fmt: skip
