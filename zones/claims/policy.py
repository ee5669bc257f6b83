"""What the configuration decides about zones and contests: TTLs, miss policies, conflict policies and pins."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Literal, NamedTuple

import msgspec

from zones.azure.endpoint import ResourceId
from zones.azure.resource import InvalidId, resource_id
from zones.clocks import WallTime
from zones.dns.name import Name, from_text, parent

ChainForm = Literal["auto", "cname", "flat"]
"""How a public name leads to its private name: by a CNAME (`cname`), or with the addresses at the public name (`flat`).

`auto`: by a CNAME where one suffix that a resolver in front forwards covers both names, else `flat`.
"""


class ConflictPolicy(StrEnum):
    """What happens when neither a pin nor nearness decides a contest."""

    STICKY = "sticky"
    """The incumbent wins, then the endpoint that was seen first."""
    MERGE = "merge"
    """All addresses are served."""
    REFUSE = "refuse"
    """The answer is SERVFAIL."""


class MissPolicy(StrEnum):
    """What a zone answers for a name that it does not have."""

    PUBLIC = "public"
    """The upstream with the longest matching suffix answers."""
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    FORWARD = "forward"
    """A group of upstreams answers that the policy names."""


class ZonePolicy(msgspec.Struct, frozen=True):
    """How a zone answers, as the configuration says. In an override, None means: as the defaults.

    TTLs are in seconds. `on_miss` is `public`, `nxdomain`, `nodata`, `servfail` or `forward:GROUP`.
    """

    ttl: int | None = None
    negative_ttl: int | None = None
    on_miss: str | None = None
    chain: ChainForm | None = None


class Terms(NamedTuple):
    """The complete policy of one zone. TTLs are in seconds; `negative_ttl` is None for the SOA's own value."""

    ttl: int
    negative_ttl: int | None
    on_miss: MissPolicy
    forward_to: str
    """The group of upstreams for `MissPolicy.FORWARD`; else empty."""
    chain: ChainForm

    @property
    def on_miss_text(self) -> str:
        """The miss policy as the configuration writes it."""
        return f"{self.on_miss}:{self.forward_to}" if self.forward_to else str(self.on_miss)


DEFAULTS: Final = ZonePolicy(ttl=10, negative_ttl=10, on_miss="public", chain="auto")


class Policies:
    """Zone policies by zone.

    `defaults` are for zones of endpoints. The zone of a file answers a miss with NXDOMAIN unless overridden.
    """

    def __init__(self, defaults: ZonePolicy, overrides: Mapping[str, ZonePolicy]) -> None:
        self._defaults = _terms(defaults, _terms(DEFAULTS, Terms(0, 0, MissPolicy.PUBLIC, "", "auto")))
        self._overrides = {from_text(zone): policy for zone, policy in overrides.items()}

    @property
    def named(self) -> frozenset[Name]:
        """Zones that the configuration names. Every network sees them."""
        return frozenset(self._overrides)

    def of(self, zone: Name | None) -> Terms:
        """Return the terms of a zone of endpoints. None is for a name in no zone."""
        override = self._overrides.get(zone) if zone is not None else None
        return _terms(override, self._defaults) if override else self._defaults

    def of_file(self, zone: Name, *, is_open: bool) -> Terms:
        """Return the terms of a zone that a file has. `is_open`: a miss is answered as in a zone of endpoints."""
        base = self._defaults._replace(negative_ttl=None)
        base = base if is_open else base._replace(on_miss=MissPolicy.NXDOMAIN, forward_to="")
        override = self._overrides.get(zone)
        return _terms(override, base) if override else base


def _terms(policy: ZonePolicy, base: Terms) -> Terms:
    on_miss, forward_to = base.on_miss, base.forward_to
    if policy.on_miss:
        kind, _, forward_to = policy.on_miss.partition(":")
        on_miss = MissPolicy(kind)
    return Terms(
        base.ttl if policy.ttl is None else policy.ttl,
        base.negative_ttl if policy.negative_ttl is None else policy.negative_ttl,
        on_miss,
        forward_to,
        policy.chain or base.chain,
    )


class Pin(msgspec.Struct, frozen=True):
    """Gives a name to an endpoint. `until` is in seconds since the epoch; None never ends."""

    name: str
    endpoint: str
    network: str | None = None
    until: WallTime | None = None
    reason: str = ""
    by: str = ""
    """The operator who made the pin while pldns ran; empty for a pin of the configuration."""

    def has_ended(self, now: WallTime) -> bool:
        """Return whether the time of the pin is over."""
        return self.until is not None and self.until <= now

    @property
    def key(self) -> ResourceId:
        """Key of the endpoint: the normalised resource id, or the name of an endpoint in the short form."""
        try:
            return resource_id(self.endpoint)
        except InvalidId:
            return ResourceId(self.endpoint)


class Conflicts:
    """Conflict policies, by the longest matching ancestor of a name, and pins by name."""

    def __init__(
        self, policy: ConflictPolicy, policies: Mapping[str, ConflictPolicy], pins: Sequence[Pin] = ()
    ) -> None:
        self._policy = policy
        self._policies = {from_text(text): value for text, value in policies.items()}
        self.pins: dict[Name, tuple[Pin, ...]] = {}
        self.replace_pins(pins)

    def replace_pins(self, pins: Iterable[Pin]) -> None:
        """Replace all pins."""
        self.pins = {}
        for pin in pins:
            name = from_text(pin.name)
            self.pins[name] = (*self.pins.get(name, ()), pin)

    def of(self, *names: Name) -> ConflictPolicy:
        """Return the policy that is closest above one of `names` (a private name and its public names).

        At the same distance the first name's policy counts.
        """
        ats = list(names) if self._policies else []
        while any(at[0] for at in ats):
            for at in ats:
                if at in self._policies:
                    return self._policies[at]
            ats = [parent(at) for at in ats]
        return self._policy

    def pinned(self, now: WallTime, *names: Name) -> list[Pin]:
        """Return the pins of these names that have not expired, the first that applies first.

        Pins of the configuration come before those of operators; among both, pins of one network before the others.
        """
        found = [pin for name in names for pin in self.pins.get(name, ()) if not pin.has_ended(now)]
        return sorted(found, key=lambda pin: (bool(pin.by), pin.network is None))
