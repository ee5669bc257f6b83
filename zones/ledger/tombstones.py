"""Tombstones: claims that are gone and linger, because a remote source may have lost access to what still exists.

A lingering claim is a contender only in networks that see no served claim on its name or on its addresses: a live
claim always beats it. Does not know why a claim is gone. Time is an argument, in seconds since the epoch.
"""

import heapq
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from zones.azure.endpoint import Endpoint, ResourceId
from zones.claims.contest import Claim, Contender
from zones.clocks import WallTime
from zones.dns.name import Name
from zones.ledger.endpoint_index import EndpointIndex
from zones.networks.network import NetworkMask, Networks


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A claim that is gone, its endpoint as it was last, and the time until which the claim lingers."""

    claim: Claim
    endpoint: Endpoint
    until: WallTime


class Tombstones:
    """Lingering claims by private name.

    `hold_down` has the seconds for which claims of a source linger. Claims of other sources do not linger.
    """

    def __init__(self, hold_down: Mapping[str, float]) -> None:
        self.endpoints: dict[ResourceId, Endpoint] = {}
        """Endpoints of lingering claims, by key."""
        self._hold_down = hold_down
        self._stones: dict[Name, tuple[Tombstone, ...]] = {}
        self._by_endpoint: dict[ResourceId, set[Name]] = {}
        self._by_address: dict[bytes, set[Name]] = {}
        self._ends: list[tuple[WallTime, Name]] = []
        self._total = 0

    def __iter__(self) -> Iterator[Tombstone]:
        """Every lingering claim, in no order."""
        for stones in self._stones.values():
            yield from stones

    def __len__(self) -> int:
        return self._total

    def at(self, name: Name) -> tuple[Tombstone, ...]:
        """Return the lingering claims on a private name."""
        return self._stones.get(name, ())

    def of(self, key: ResourceId) -> list[Tombstone]:
        """Return the lingering claims of an endpoint."""
        return [
            each for name in self._by_endpoint.get(key, ()) for each in self._stones[name] if each.claim.endpoint == key
        ]

    def until(self, claim: Claim) -> WallTime | None:
        """Return the time until which a claim lingers; None for a claim that does not linger."""
        return next((stone.until for stone in self.at(claim.name) if stone.claim == claim), None)

    def names_at(self, address: bytes) -> Collection[Name]:
        """Return the names with a lingering claim on an address."""
        return self._by_address.get(address, ())

    def names_in(self, vnets: Container[ResourceId]) -> set[Name]:
        """Return the names with a lingering claim of an endpoint in one of these VNets."""
        return {stone.claim.name for stone in self if stone.endpoint.vnet in vnets}

    # -- changes

    def replace(
        self,
        changes: Mapping[ResourceId, Endpoint | None],
        before: Mapping[ResourceId, Endpoint],
        withdrawn: Iterable[Claim],
        names_of: Callable[[Endpoint], set[Name]],
        now: WallTime,
    ) -> set[Name]:
        """Let the withdrawn claims of changed endpoints linger, and end the lingering of claims that are back.

        A claim lingers if its endpoint was served and is gone, or is served and no longer claims the name. A claim
        does not linger if its endpoint exists and is no longer served. Return the names where lingering ended.
        """
        names: dict[ResourceId, set[Name]] = {}
        lifted: set[Name] = set()
        for key, new in changes.items():
            if new is not None and (key in before or key in self.endpoints):
                names[key] = names_of(new)
                lifted |= self.lift(key, names[key] if new.served else None)
        for claim in withdrawn:
            key, new = claim.endpoint, changes[claim.endpoint]
            if before[key].served and (new is None or (new.served and claim.name not in names[key])):
                self.bury(claim, before[key], now)
        return lifted

    def bury(self, claim: Claim, endpoint: Endpoint, now: WallTime) -> None:
        """Let a claim linger that is gone, if claims of its source linger."""
        hold_down = self._hold_down.get(endpoint.source, 0)
        if hold_down > 0:
            self.put([Tombstone(claim, endpoint, WallTime(now + hold_down))])

    def put(self, stones: Iterable[Tombstone]) -> set[Name]:
        """Add these tombstones, except those of sources whose claims do not linger. Return their names."""
        names = set()
        for stone in stones:
            if self._hold_down.get(stone.endpoint.source, 0) > 0:
                name = stone.claim.name
                names.add(name)
                self._set(name, (*(each for each in self.at(name) if each.claim != stone.claim), stone))
                heapq.heappush(self._ends, (stone.until, name))
        return names

    def lift(self, key: ResourceId, names: Container[Name] | None = None) -> set[Name]:
        """End the lingering of an endpoint's claims on these names, or (None) on all. Return the names concerned."""
        lifted = {stone.claim.name for stone in self.of(key) if names is None or stone.claim.name in names}
        for name in lifted:
            self._set(name, tuple(stone for stone in self._stones[name] if stone.claim.endpoint != key))
        return lifted

    @property
    def next_end(self) -> WallTime | None:
        """The time when the next claim stops lingering; None where none lingers."""
        while self._ends and all(stone.until != self._ends[0][0] for stone in self.at(self._ends[0][1])):
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def expire(self, now: WallTime) -> list[Tombstone]:
        """Remove and return the tombstones whose time is over."""
        over: list[Tombstone] = []
        while (end := self.next_end) is not None and end <= now:
            name = self._ends[0][1]
            over += [stone for stone in self._stones[name] if stone.until <= now]
            self._set(name, tuple(stone for stone in self._stones[name] if stone.until > now))
        return over

    def _set(self, name: Name, stones: tuple[Tombstone, ...]) -> None:
        before = self._stones.pop(name, ())
        self._total += len(stones) - len(before)
        for old in before:
            _leave(self._by_endpoint, old.claim.endpoint, name)
            for address in old.claim.addresses:
                _leave(self._by_address, address, name)
            if old.claim.endpoint not in self._by_endpoint:
                self.endpoints.pop(old.claim.endpoint, None)
        for new in stones:
            self._by_endpoint.setdefault(new.claim.endpoint, set()).add(name)
            for address in new.claim.addresses:
                self._by_address.setdefault(address, set()).add(name)
            self.endpoints[new.claim.endpoint] = new.endpoint
        if stones:
            self._stones[name] = stones

    # -- evaluation

    def contenders(
        self,
        name: Name,
        taken: NetworkMask,
        networks: Networks,
        index: EndpointIndex,
        live: Mapping[ResourceId, Endpoint],
    ) -> Iterator[Contender]:
        """The lingering claims on a name as contenders.

        They count only outside the networks `taken`, which see a live claim on the name, and outside networks that see
        a live claim on their addresses. `live` has the current endpoints by key.
        """
        claims: dict[ResourceId, list[Claim]] = {}
        for stone in self.at(name):
            claims.setdefault(stone.claim.endpoint, []).append(stone.claim)
        for key, each in claims.items():
            endpoint = self.endpoints[key]
            sees = networks.sees(endpoint) & ~taken
            for holder in {holder for claim in each for a in claim.addresses for holder in index.at(a)}:
                sees &= ~networks.sees(live[holder])
            if sees:
                yield Contender(tuple(each), NetworkMask(sees), networks.home(endpoint), networks.near(endpoint))


_K = TypeVar("_K")


def _leave(index: dict[_K, set[Name]], at: _K, name: Name) -> None:
    names = index.get(at, set())
    names.discard(name)
    if not names:
        index.pop(at, None)
