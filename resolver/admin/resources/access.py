"""Identities, tokens and the audit log as JSON.

The text of a token is in one response only: that of the request that made it.
"""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from resolver.admin.access.audit import Entry
from resolver.admin.access.tokens import MadeToken
from resolver.admin.resources.model import ListParameters, Model, Parameters, Time, time_text
from resolver.admin_settings import AdminToken, RoleName
from resolver.registry_roles import RegistryRoles
from zones.clocks import WallTime

Subscriptions = Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=1000)]


class RegistryRolesItem(Model):
    """Roles in the registry: ids of subscriptions."""

    owner: list[str]
    consumer: list[str]
    reader: list[str]


class WhoAmI(Model):
    """The identity that pldns has found in the request."""

    name: str = Field(description="As in the audit log; `anybody` for a request that proves no identity.")
    role: RoleName
    proven: bool = Field(description="False: everybody may read, because nobody can prove an identity.")
    session: bool = Field(description="The request has the cookie of an open session.")
    registry: RegistryRolesItem | None = Field(description="The roles in the registry; null where there is none.")


TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,63}$")]


class RegistryRolesRequest(Parameters):
    """Roles in the registry, and no others: names or ids of subscriptions."""

    owner: Subscriptions = Field(default=[], description="Everything is permitted, approving connections included.")
    consumer: Subscriptions = Field(default=[], description="Reading everything, changing networks and endpoints.")
    reader: Subscriptions = Field(default=[], description="Reading everything.")


class TokenItem(Model):
    """A bearer token."""

    name: str
    role: RoleName
    origin: Literal["configuration", "command"] = Field(description="What made it.")
    created: Time | None = Field(description="null for a token of the configuration.")
    expires: Time | None = Field(description="null: never.")
    registry: RegistryRolesItem | None = Field(description="What it may do in the registry; null: `role` says it.")


class NewToken(TokenItem):
    """A bearer token that was just made."""

    token: str = Field(description="The text of the token. pldns does not keep it.")


class TokenRequest(Parameters):
    """The token to make."""

    name: TokenName = Field(description="Letters, digits, `.`, `_` and `-`, at most 63.")
    role: RoleName
    expires: AwareDatetime | None = Field(default=None, description="When it ends. Default: never.")
    registry: RegistryRolesRequest | None = Field(
        default=None, description="What it may do in the registry. Default: `role` says it."
    )


class RevokeRequest(Parameters):
    """No keys."""


class AuditItem(Model):
    """A change that an operator made."""

    id: int = Field(description="Grows by one with each change.")
    at: Time
    who: str = Field(
        description="The user of the Unix socket; or the token, or client of the registry, with its address."
    )
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
        return TokenItem(
            name=item.name, role=item.role, origin="configuration", created=None, expires=None,
            registry=registry_roles(item.registry),
        )  # fmt: skip
    return TokenItem(
        name=item.name, role=item.role, origin="command", created=time_text(WallTime(item.created)),
        expires=None if item.expires is None else time_text(WallTime(item.expires)),
        registry=registry_roles(item.registry),
    )  # fmt: skip


def registry_roles(roles: RegistryRoles | None) -> RegistryRolesItem | None:
    """Return roles in the registry as JSON."""
    if roles is None:
        return None
    return RegistryRolesItem(owner=sorted(roles.owner), consumer=sorted(roles.consumer), reader=sorted(roles.reader))


def entry(item: Entry) -> AuditItem:
    """Return a change as JSON."""
    return AuditItem(
        id=item.id, at=time_text(WallTime(item.at)), who=item.who, action=item.action, target=item.target,
        before=item.before, after=item.after,
    )  # fmt: skip
