"""What somebody who may use the admin interface may do in the registry.

Does not know what a role in the registry permits (`resolver.registry.model.access`).
"""

from resolver.admin.access.identity import Identity, Role
from resolver.registry.model.access import Caller
from resolver.registry_roles import RegistryRoles
from resolver.registry_settings import RegistrySettings


def caller(identity: Identity, settings: RegistrySettings) -> Caller:
    """Return an identity as a caller of the registry.

    `read` reads all subscriptions; `operate` and `admin` own them.
    """
    every = frozenset(each.id for each in settings.subscriptions)
    roles = RegistryRoles(owner=every) if identity.role.includes(Role.OPERATE) else RegistryRoles(reader=every)
    return Caller("", identity.name, roles)
