"""How many endpoints each VNet, subscription and limited target has, compared with Azure's limits.

Every endpoint counts, whatever its state: a rejected one takes its place too. Does not know findings. A change of one
endpoint costs a few dictionary entries, and the peers of its VNet once the estate is large enough for that limit.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from zones.azure.endpoint import Endpoint, ResourceId, VirtualNetwork
from zones.azure.limits import LIMITS_OF_TARGETS, Limit, slot_of

_K = TypeVar("_K", bound=Hashable)
_ALIAS: Final = ".azure.privatelinkservice"


class Use(NamedTuple):
    """A limit, and how much of it is used."""

    limit: Limit
    used: int


class LimitUse:
    """Counts endpoints. `vnets` are all VNets by key, which the owner of this object keeps up to date."""

    def __init__(self, vnets: Mapping[ResourceId, VirtualNetwork]) -> None:
        self._vnets = vnets
        self._in_vnet: Counter[ResourceId] = Counter()
        self._in_subscription: Counter[str] = Counter()
        self._at_target: Counter[int] = Counter()
        """By hash of the target: the texts would take more memory than the counts."""
        self._touched_vnets: set[ResourceId] = set()
        self._uses: dict[str, tuple[Use, ...]] = {}
        """The uses to report of subjects that are no VNet, as they are now; empty for those to close."""
        self._near_vnets: set[ResourceId] = set()
        """The VNets that were reported."""

    def move(self, old: Endpoint | None, new: Endpoint | None) -> None:
        """Count an endpoint that is new, changed or gone."""
        for endpoint, by in ((old, -1), (new, 1)):
            if endpoint is None:
                continue
            if endpoint.vnet:
                _add(self._in_vnet, endpoint.vnet, by)
                self._touched_vnets.add(endpoint.vnet)
            if key := endpoint.subscription:
                used = _add(self._in_subscription, key, by)
                self._note(f"/subscriptions/{key}", Limit.ENDPOINTS_PER_SUBSCRIPTION, used)
            if limit := _limit_of_target(endpoint):
                subject = _subject(endpoint, limit)
                self._note(subject, limit, _add(self._at_target, hash(subject), by))

    def _note(self, subject: str, limit: Limit, used: int) -> None:
        """Remember a use that is near its limit, or was so a moment ago."""
        if limit.is_near(used):
            self._uses[subject] = (Use(limit, used),)
        elif limit.is_near(used + 1):
            self._uses[subject] = ()

    def touch(self, vnets: Iterable[ResourceId]) -> None:
        """Count again for VNets whose limits or peers have changed."""
        self._touched_vnets.update(vnets)

    def take(self) -> Iterator[tuple[str, tuple[Use, ...]]]:
        """Yield the uses of each subject that changed since the last call; no uses for one that is far below."""
        noted, self._uses = self._uses, {}
        yield from noted.items()
        touched, self._touched_vnets = self._touched_vnets, set()
        if not touched:
            return
        is_large = Limit.ENDPOINTS_ACROSS_PEERED_VNETS.is_near(self._in_vnet.total())
        peers = {peer for key in touched for peer in self._peers(key)} if is_large else set()
        for key in touched | peers | {key for key in self._near_vnets if not touched.isdisjoint(self._peers(key))}:
            uses = tuple(use for use in self._of_vnet(key, with_peers=is_large) if use.limit.is_near(use.used))
            (self._near_vnets.add if uses else self._near_vnets.discard)(key)
            yield key, uses

    def _peers(self, key: ResourceId) -> tuple[ResourceId, ...]:
        vnet = self._vnets.get(key)
        return vnet.peers if vnet else ()

    def _of_vnet(self, key: ResourceId, *, with_peers: bool) -> Iterator[Use]:
        vnet, used = self._vnets.get(key), self._in_vnet[key]
        high = vnet is not None and vnet.high_scale
        yield Use(Limit.ENDPOINTS_PER_HIGH_SCALE_VNET if high else Limit.ENDPOINTS_PER_VNET, used)
        if with_peers and (peers := self._peers(key)):
            used += sum(self._in_vnet[peer] for peer in peers if peer != key)
            across = Limit.ENDPOINTS_ACROSS_HIGH_SCALE_PEERED_VNETS if high else Limit.ENDPOINTS_ACROSS_PEERED_VNETS
            yield Use(across, used)


def _limit_of_target(endpoint: Endpoint) -> Limit | None:
    target = endpoint.target
    if not target.startswith("/"):
        return Limit.ENDPOINTS_PER_SERVICE if target.casefold().endswith(_ALIAS) else None
    return LIMITS_OF_TARGETS.get(endpoint.target_type)


def _subject(endpoint: Endpoint, limit: Limit) -> str:
    """Return the limited target; of an app the slot too, as Azure writes it into the id."""
    if limit is Limit.ENDPOINTS_PER_APP_SLOT and (slot := slot_of(endpoint.groups)):
        return f"{endpoint.target_key}/slots/{slot}"
    return endpoint.target_key


def _add(counts: Counter[_K], key: _K, by: int) -> int:
    """Add to a count and return it. A count of 0 takes no memory."""
    counts[key] += by
    if not (now := counts[key]):
        del counts[key]
    return now
