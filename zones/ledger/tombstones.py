"""Claims that are gone and linger: a remote source may have lost sight of what is still there.

A lingering claim is judged like any other, but only in networks that see no served claim on its name and none on its
addresses: a live claim always beats it. Refuses to know why a claim went. Time is an argument.
"""

import heapq
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from zones.azure.endpoint import Endpoint
from zones.claims.contest import Claim, Contender
from zones.dns.name import Name
from zones.ledger.endpoint_index import Neighbours
from zones.networks.network import Networks


class Tombstone(msgspec.Struct, frozen=True, gc=False):
    """A claim that is gone, the endpoint as it was last, and until when it lingers, in seconds since the epoch."""

    claim: Claim
    endpoint: Endpoint
    until: float


class Tombstones:
    """Lingering claims by the private names that they stand at. `hold_down`: seconds, by source; others linger not."""

    def __init__(self, hold_down: Mapping[str, float]) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        """Those of lingering claims, by key."""
        self._hold_down = hold_down
        self._stones: dict[Name, tuple[Tombstone, ...]] = {}
        self._by_endpoint: dict[str, set[Name]] = {}
        self._by_address: dict[bytes, set[Name]] = {}
        self._ends: list[tuple[float, Name]] = []
        self._total = 0

    def __iter__(self) -> Iterator[Tombstone]:
        for stones in self._stones.values():
            yield from stones

    def __len__(self) -> int:
        return self._total

    def at(self, name: Name) -> tuple[Tombstone, ...]:
        """What lingers at a private name."""
        return self._stones.get(name, ())

    def of(self, key: str) -> list[Tombstone]:
        """What lingers of an endpoint."""
        return [
            each for name in self._by_endpoint.get(key, ()) for each in self._stones[name] if each.claim.endpoint == key
        ]

    def until(self, claim: Claim) -> float | None:
        """Until when a claim lingers, in seconds since the epoch; None for one that does not."""
        return next((stone.until for stone in self.at(claim.name) if stone.claim == claim), None)

    def names_at(self, address: bytes) -> Collection[Name]:
        """Names at which a claim on this address lingers."""
        return self._by_address.get(address, ())

    def names_in(self, vnets: Container[str]) -> set[Name]:
        """Names at which a claim of an endpoint in one of these VNets lingers."""
        return {stone.claim.name for stone in self if stone.endpoint.vnet in vnets}

    # -- changes

    def replace(
        self,
        changes: Mapping[str, Endpoint | None],
        before: Mapping[str, Endpoint],
        withdrawn: Iterable[Claim],
        names_of: Callable[[Endpoint], set[Name]],
        now: float,
    ) -> set[Name]:
        """Endpoints have changed, and these claims of what they were are withdrawn: served ones that are gone linger.

        Not where their endpoint is there and no longer served. Returns names at which something lingers no more.
        """
        names: dict[str, set[Name]] = {}
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

    def bury(self, claim: Claim, endpoint: Endpoint, now: float) -> None:
        """A claim is gone: it lingers, if its source's claims do."""
        hold_down = self._hold_down.get(endpoint.source, 0)
        if hold_down > 0:
            self.put([Tombstone(claim, endpoint, now + hold_down)])

    def put(self, stones: Iterable[Tombstone]) -> set[Name]:
        """Have these linger, as before a restart; the names that they stand at."""
        names = set()
        for stone in stones:
            if self._hold_down.get(stone.endpoint.source, 0) > 0:
                name = stone.claim.name
                names.add(name)
                self._set(name, (*(each for each in self.at(name) if each.claim != stone.claim), stone))
                heapq.heappush(self._ends, (stone.until, name))
        return names

    def lift(self, key: str, names: Container[Name] | None = None) -> set[Name]:
        """The endpoint speaks for itself again at these names, or (None) at all; where something lingered of it."""
        lifted = {stone.claim.name for stone in self.of(key) if names is None or stone.claim.name in names}
        for name in lifted:
            self._set(name, tuple(stone for stone in self._stones[name] if stone.claim.endpoint != key))
        return lifted

    @property
    def next_end(self) -> float | None:
        """When the next one ends, in seconds since the epoch; None where nothing lingers."""
        while self._ends and all(stone.until != self._ends[0][0] for stone in self.at(self._ends[0][1])):
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def expire(self, now: float) -> list[Tombstone]:
        """Those whose time is over linger no more."""
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

    # -- judgement

    def contenders(
        self, name: Name, taken: int, networks: Networks, neighbours: Neighbours, live: Mapping[str, Endpoint]
    ) -> Iterator[Contender]:
        """What lingers at a name, where no live claim is seen on it (the networks `taken`) nor on its addresses."""
        claims: dict[str, list[Claim]] = {}
        for stone in self.at(name):
            claims.setdefault(stone.claim.endpoint, []).append(stone.claim)
        for key, each in claims.items():
            endpoint = self.endpoints[key]
            sees = networks.sees(endpoint) & ~taken
            for holder in {holder for claim in each for a in claim.addresses for holder in neighbours.at(a)}:
                sees &= ~networks.sees(live[holder])
            if sees:
                yield Contender(tuple(each), sees, networks.home(endpoint), networks.near(endpoint))


_K = TypeVar("_K")


def _leave(index: dict[_K, set[Name]], at: _K, name: Name) -> None:
    names = index.get(at, set())
    names.discard(name)
    if not names:
        index.pop(at, None)
