"""How much events may remove between two syncs: as much as one sync."""

from resolver.control.guard.event_guard import EventGuard
from resolver.control.guard.shrink_guard import FEW
from tests.resolver.control.scripted import endpoint, many, part, vnet
from zones.azure.resource import Resources


class GuardedSource:
    """The data of a source, from which events remove resources."""

    def __init__(self, **parts: Resources) -> None:
        self.parts = parts
        self.deletions = EventGuard("on")

    def put(self, now: Resources, name: str = "s1") -> str:
        """Apply new data of a subscription. Return why it is held; empty if it is not."""
        why = self.deletions.check(self.parts, name, now)
        if not why:
            self.parts[name] = now
        return why


def test_a_few_or_a_share_of_the_resources_may_be_removed() -> None:
    small, large = GuardedSource(s1=part(*many(20))), GuardedSource(s1=part(*many(10)), s2=part(*many(40, "s2")))
    assert [small.put(part(*many(20)[i + 1 :])) for i in range(FEW + 1)] == [""] * FEW + ["6 of 20 private endpoints"]
    left = many(40, "s2")
    assert [large.put(part(*left[i + 1 :]), "s2") for i in range(11)] == [""] * 10 + ["11 of 50 private endpoints"]


def test_nothing_is_held_where_the_guard_is_off() -> None:
    source = GuardedSource(s1=part(*many(20)))
    source.deletions = EventGuard("off")
    assert not source.put(part())


def test_networks_are_counted_separately() -> None:
    nets = [vnet(f"v{i}") for i in range(20)]
    estate = GuardedSource(s1=part(*many(20), vnets=nets))
    for i in range(FEW):
        assert not estate.put(part(*many(20)[i + 1 :], vnets=nets[i + 1 :]))
    assert estate.put(part(*many(20)[FEW:], vnets=nets[FEW + 1 :])) == "6 of 20 virtual networks"


def test_the_last_resource_of_a_kind_or_subscription_is_kept() -> None:
    assert GuardedSource(s1=part(*many(1), vnets=[vnet("v")])).put(part(vnets=[vnet("v")])) == (
        "all 1 private endpoints of the source"
    )
    estate = GuardedSource(s1=part(*many(20)), s2=part(endpoint("a", "10.0.0.4", sub="s2")))
    assert estate.put(part(), "s2") == "everything of subscription s2"


def test_changes_and_additions_are_never_held_and_a_returned_resource_is_not_counted() -> None:
    estate = GuardedSource(s1=part(*many(6)))
    for _ in range(20):
        assert not estate.put(part(*many(5)))
        assert not estate.put(part(*many(6)))
    assert not estate.put(part(*many(5), endpoint("e005", "10.9.9.9")))


def test_a_published_sync_resets_the_count() -> None:
    estate = GuardedSource(s1=part(*many(20)))
    for i in range(FEW):
        assert not estate.put(part(*many(20)[i + 1 :]))
    estate.deletions.sync_published()
    assert not estate.put(part(*many(20)[FEW + 1 :]))
