"""What an operator decides about zones and contests: TTLs, miss policies, conflict policies, pins."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from zones.azure.resource import InvalidId, resource_id
from zones.dns.name import Name, from_text, parent

Chain = Literal["cname", "flat"]
Conflict = Literal["sticky", "merge", "refuse"]


class ZonePolicy(msgspec.Struct, frozen=True):
    """How a zone answers, as configured. In an override None means: as the defaults.

    `on_miss` is `public`, `nxdomain`, `nodata`, `servfail` or `forward:GROUP`.
    """

    ttl: int | None = None
    negative_ttl: int | None = None
    on_miss: str | None = None
    chain: Chain | None = None


class Terms(NamedTuple):
    """A zone's policy with nothing left open; TTLs in seconds. `negative_ttl` None: as the file's SOA says."""

    ttl: int
    negative_ttl: int | None
    on_miss: str
    chain: str


DEFAULTS: Final = ZonePolicy(ttl=10, negative_ttl=10, on_miss="public", chain="cname")


class Policies:
    """Zone policies by zone. `defaults` are for endpoint zones; a file misses with `nxdomain` unless overridden."""

    def __init__(self, defaults: ZonePolicy, overrides: Mapping[str, ZonePolicy]) -> None:
        self._defaults = _terms(defaults, _terms(DEFAULTS, Terms(0, 0, "", "")))
        self._overrides = {from_text(zone): policy for zone, policy in overrides.items()}

    @property
    def named(self) -> frozenset[Name]:
        """Zones that the configuration names: every network sees them."""
        return frozenset(self._overrides)

    def of(self, zone: Name | None) -> Terms:
        """Terms of an endpoint zone; None is a name that stands in no zone."""
        override = self._overrides.get(zone) if zone is not None else None
        return _terms(override, self._defaults) if override else self._defaults

    def of_file(self, zone: Name, *, is_open: bool) -> Terms:
        """Terms of a zone that a file gives. `is_open`: what it lacks is judged as in a zone of endpoints."""
        base = self._defaults._replace(negative_ttl=None)
        base = base if is_open else base._replace(on_miss="nxdomain")
        override = self._overrides.get(zone)
        return _terms(override, base) if override else base


def _terms(policy: ZonePolicy, base: Terms) -> Terms:
    return Terms(
        base.ttl if policy.ttl is None else policy.ttl,
        base.negative_ttl if policy.negative_ttl is None else policy.negative_ttl,
        policy.on_miss or base.on_miss,
        policy.chain or base.chain,
    )


class Pin(msgspec.Struct, frozen=True):
    """An operator's word on who holds a name. `until` in seconds since the epoch, None for ever."""

    name: str
    endpoint: str
    network: str | None = None
    until: float | None = None
    reason: str = ""

    @property
    def key(self) -> str:
        """Key of the endpoint: its id normalised, or the short form's name as it stands."""
        try:
            return resource_id(self.endpoint)
        except InvalidId:
            return self.endpoint


class Conflicts:
    """Conflict policies, longest match over a name's ancestors, and pins by name."""

    def __init__(self, policy: Conflict, policies: Mapping[str, Conflict], pins: Sequence[Pin] = ()) -> None:
        self._policy = policy
        self._policies = {from_text(text): value for text, value in policies.items()}
        self.pins: dict[Name, tuple[Pin, ...]] = {}
        for pin in pins:
            name = from_text(pin.name)
            self.pins[name] = (*self.pins.get(name, ()), pin)

    def of(self, *names: Name) -> Conflict:
        """The policy that stands closest above one of `names` (a private name, its public ones), the first at a tie."""
        ats = list(names) if self._policies else []
        while any(at[0] for at in ats):
            for at in ats:
                if at in self._policies:
                    return self._policies[at]
            ats = [parent(at) for at in ats]
        return self._policy

    def pinned(self, now: float, *names: Name) -> list[Pin]:
        """Pins on any of these names that have not run out; those for one network first."""
        found = [pin for name in names for pin in self.pins.get(name, ()) if pin.until is None or pin.until > now]
        return sorted(found, key=lambda pin: pin.network is None)
