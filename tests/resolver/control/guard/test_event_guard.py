"""How much events may remove between two syncs: as much as one of them."""

from resolver.control.guard.event_guard import EventGuard
from resolver.control.guard.shrink_guard import FEW
from tests.resolver.control.scripted import endpoint, many, part, vnet
from zones.azure.resource import Resources


class Estate:
    """What a source gave, as events remove it."""

    def __init__(self, **parts: Resources) -> None:
        self.parts = parts
        self.deletions = EventGuard()

    def put(self, now: Resources, name: str = "s1") -> str:
        """Why this is held; empty: it is what the subscription holds now."""
        why = self.deletions.check(self.parts, name, now)
        if not why:
            self.parts[name] = now
        return why


def test_a_few_may_go_and_then_a_share_of_what_was_there() -> None:
    small, large = Estate(s1=part(*many(20))), Estate(s1=part(*many(10)), s2=part(*many(40, "s2")))
    assert [small.put(part(*many(20)[i + 1 :])) for i in range(FEW + 1)] == [""] * FEW + ["6 of 20 private endpoints"]
    left = many(40, "s2")
    assert [large.put(part(*left[i + 1 :]), "s2") for i in range(11)] == [""] * 10 + ["11 of 50 private endpoints"]


def test_networks_are_counted_by_themselves() -> None:
    nets = [vnet(f"v{i}") for i in range(20)]
    estate = Estate(s1=part(*many(20), vnets=nets))
    for i in range(FEW):
        assert not estate.put(part(*many(20)[i + 1 :], vnets=nets[i + 1 :]))
    assert estate.put(part(*many(20)[FEW:], vnets=nets[FEW + 1 :])) == "6 of 20 virtual networks"


def test_the_last_of_its_kind_and_the_last_of_a_subscription_stay() -> None:
    assert Estate(s1=part(*many(1), vnets=[vnet("v")])).put(part(vnets=[vnet("v")])) == (
        "all 1 private endpoints of the source"
    )
    estate = Estate(s1=part(*many(20)), s2=part(endpoint("a", "10.0.0.4", sub="s2")))
    assert estate.put(part(), "s2") == "everything of subscription s2"


def test_what_changes_or_comes_is_never_held_and_what_comes_back_is_not_gone() -> None:
    estate = Estate(s1=part(*many(6)))
    for _ in range(20):
        assert not estate.put(part(*many(5)))
        assert not estate.put(part(*many(6)))
    assert not estate.put(part(*many(5), endpoint("e005", "10.9.9.9")))


def test_after_a_sync_it_begins_anew() -> None:
    estate = Estate(s1=part(*many(20)))
    for i in range(FEW):
        assert not estate.put(part(*many(20)[i + 1 :]))
    estate.deletions.sync_published()
    assert not estate.put(part(*many(20)[FEW + 1 :]))
