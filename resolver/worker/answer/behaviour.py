"""The settings that apply to every answer, whatever its name and client."""

from typing import Final, NamedTuple

from resolver import settings
from resolver.forward.rebinding import Screen
from resolver.wire import codes
from resolver.worker.answer.designation import Designation, designation
from zones.azure.catalogue import catalogue
from zones.dns.name import Name, from_text


class Behaviour(NamedTuple):
    """Settings that apply to every answer."""

    identity: str = "pldns"
    """Name of the server in NSID and CHAOS answers."""
    designation: Designation | None = None
    """How clients find the encrypted listeners; None if they are not to find them."""
    payload: int = codes.PAYLOAD
    """Octets of UDP that its OPT records offer."""
    dropped: frozenset[Name] = frozenset()
    """Names at and under these are refused."""
    rotate: bool = False
    """Rotate the addresses of an answer from one reply to the next (`Rotating`)."""
    private_only: frozenset[Name] = frozenset()
    """No upstream is asked for names at and under these."""
    local_reverse: bool = False
    """The reverse zones of RFC 6303 are answered here."""
    screen: Screen | None = None
    """Removes addresses from upstreams' answers; None: nothing is removed."""
    prefetch: bool = True
    """Renew answers that clients ask for shortly before they expire."""


DEFAULT: Final = Behaviour()


def behaviour(worker: settings.WorkerSettings) -> Behaviour:
    """Return the behaviour that a worker's settings describe."""
    return Behaviour(
        identity=worker.identity,
        designation=designation(worker),
        payload=worker.payload,
        dropped=frozenset(map(from_text, worker.drop_names)),
        rotate=worker.rotate,
        private_only=frozenset(map(from_text, worker.zones.private_only)),
        local_reverse=worker.zones.local_reverse,
        screen=Screen(worker.upstreams, catalogue(worker.catalogue), strip_hints=worker.zones.strip_hints),
        prefetch=worker.cache.prefetch,
    )
