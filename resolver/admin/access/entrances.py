"""The ways into the admin interface: each one finds out who a request is from.

Does not know routes, or which role a route needs.
"""

from typing import Final, Protocol

from aiohttp import web

from resolver.admin.access import peers
from resolver.admin.access.identity import Identity, Role

_ANYBODY: Final = Identity("anybody", Role.READ)
_LOCAL: Final = Identity("a user of this machine", Role.ADMIN)


class Entrance(Protocol):
    """A listener, as far as access is concerned."""

    def identify(self, request: web.Request) -> Identity:
        """Return who a request is from. Raises an exception of aiohttp for a request that is refused."""


class HealthEntrance:
    """The listener for health checks: everybody may read what is there."""

    def identify(self, _: web.Request) -> Identity:
        """Return the same identity for every request."""
        return _ANYBODY


class LoopbackEntrance:
    """The listener on a loopback address."""

    def identify(self, _: web.Request) -> Identity:
        """Return the same identity for every request."""
        return _LOCAL


class UnixEntrance:
    """The Unix socket. `group`: number of the group whose members may use it."""

    def __init__(self, group: int | None) -> None:
        self._group = group

    def identify(self, request: web.Request) -> Identity:
        """Return the user at the other end. Raises a 403 for a user who may not use the socket."""
        connected = request.get_extra_info("socket")
        try:
            found = None if connected is None else peers.identity(peers.peer(connected), self._group)
        except OSError:  # the client has gone
            found = None
        if found is None:
            raise web.HTTPForbidden(
                text="this socket is for root, the user of pldns, and members of the group in `admin.group`"
            )
        return found
