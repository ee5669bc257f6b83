"""Who a request is from, and which role that gives. Does not know how a request proves it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web

from resolver.registry_roles import RegistryRoles


class Role(StrEnum):
    """What somebody may do. Each role includes those before it."""

    REGISTRY = "registry"
    """Use the registry, as far as roles there permit it."""
    READ = "read"
    """See everything except tokens and the audit log."""
    OPERATE = "operate"
    """Change what pldns serves, and to whom: sync, accept, flush, pin, acknowledge, drain."""
    ADMIN = "admin"
    """Change pldns itself, and who may use it."""

    def includes(self, other: "Role") -> bool:
        """Return whether somebody with this role may do what needs the other one."""
        return _RANKS[self] >= _RANKS[other]


_RANKS: Final = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request is from. `name`: for the audit log, such as `user root (0)` or `token grafana`.

    `is_proven` False: the request has shown nothing. `roles`: in the registry; None: `role` says it.
    """

    name: str
    role: Role
    is_proven: bool = True
    roles: RegistryRoles | None = None


IDENTITY: Final = web.RequestKey("identity", Identity)
"""The key of a request under which its identity is, once an entrance has let it in."""
