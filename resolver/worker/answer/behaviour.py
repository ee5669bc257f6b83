"""How a server answers, whatever the answer: what the configuration says that is not about one name or one client."""

from typing import Final, NamedTuple

from resolver import settings
from resolver.forward.rebinding import Screen
from resolver.wire import codes
from zones.azure.catalogue import catalogue
from zones.dns.name import Name, from_text


class Manner(NamedTuple):
    """How a server answers, whatever the answer."""

    identity: str = "pldns"
    payload: int = codes.PAYLOAD
    """Octets of UDP that our OPT records offer."""
    dropped: frozenset[Name] = frozenset()
    """Names at and under these are refused."""
    rotate: bool = False
    """See `Rotating`."""
    private_only: frozenset[Name] = frozenset()
    """Names at and under these are never asked of an upstream."""
    screen: Screen | None = None
    prefetch: bool = True
    """Ask again for what is asked for shortly before it expires."""


PLAIN: Final = Manner()


def manner(worker: settings.WorkerSettings) -> Manner:
    """As the configuration has it."""
    return Manner(
        identity=worker.identity,
        payload=worker.payload,
        dropped=frozenset(map(from_text, worker.drop_names)),
        rotate=worker.rotate,
        private_only=frozenset(map(from_text, worker.zones.private_only)),
        screen=Screen(worker.upstreams, catalogue(), strip_hints=worker.zones.strip_hints),
        prefetch=worker.cache.prefetch,
    )
