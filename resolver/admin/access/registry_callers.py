"""What somebody who may use the admin interface may do in the registry.

Does not know what a role in the registry permits (`resolver.registry.model.access`).
"""

from resolver.admin.access.bearer import BearerTokens
from resolver.admin.access.identity import Identity, Role
from resolver.admin.access.problems import Refused
from resolver.registry.model.access import Caller
from resolver.registry_roles import RegistryRoles
from resolver.registry_settings import RegistrySettings


def caller(identity: Identity, settings: RegistrySettings) -> Caller:
    """Return an identity as a caller of the registry.

    Its roles there count. Where it has none of its own: `read` reads all subscriptions, `operate` and `admin` own them.
    """
    every = frozenset(each.id for each in settings.subscriptions)
    if identity.roles is not None:
        roles = identity.roles
    elif identity.role.includes(Role.OPERATE):
        roles = RegistryRoles(owner=every)
    else:
        roles = RegistryRoles(reader=every if identity.role.includes(Role.READ) else frozenset())
    return Caller("", identity.name, roles)


async def of_token(bearer: BearerTokens, settings: RegistrySettings, text: str, remote: str | None) -> Caller | None:
    """Return who a bearer token of the admin interface is of; None for a text that is no token."""
    try:
        return caller(await bearer.identity(text, remote), settings)
    except Refused:
        return None
