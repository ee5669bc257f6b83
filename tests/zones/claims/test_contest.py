"""The five rules and three policies, on masks of networks alone: bit 0 is the network N0, bit 1 is N1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zones.azure.endpoint import ResourceId
from zones.claims.contest import Claim, Conditions, Contender, Incumbent, Rule, Ruling, Verdict, decide
from zones.claims.policy import ConflictPolicy
from zones.clocks import WallTime
from zones.dns.name import Name, from_text
from zones.networks.network import NO_NETWORKS, NetworkMask

NAME = from_text("kv.privatelink.vaultcore.azure.net")
PUBLIC = from_text("kv.vault.azure.net")
ZONE = from_text("privatelink.vaultcore.azure.net")
V4 = [bytes((10, 0, 0, i)) for i in range(9)]
V6 = [bytes((0xFD, *bytes(14), i)) for i in range(9)]
N0, N1, N2 = NetworkMask(1), NetworkMask(2), NetworkMask(4)
ALL = NetworkMask(N0 | N1 | N2)


def contender(
    key: str, *addresses: bytes, sees: int = N0, home: int = 0, near: int = 0, seen: float = 0, public: Name = PUBLIC
) -> Contender:
    return Contender(
        (Claim(ResourceId(key), NAME, public, ZONE, addresses, WallTime(seen)),),
        NetworkMask(sees),
        NetworkMask(home),
        NetworkMask(near),
    )


def conditions(
    policy: ConflictPolicy = ConflictPolicy.STICKY,
    *,
    pins: tuple[tuple[NetworkMask, ResourceId], ...] = (),
    held: tuple[Incumbent, ...] = (),
    homeless: NetworkMask = NO_NETWORKS,
) -> Conditions:
    return Conditions(policy, pins, held, homeless)


def only(verdicts: list[Verdict]) -> Verdict:
    (verdict,) = verdicts
    return verdict


def winners_of(verdicts: list[Verdict]) -> dict[int, list[tuple[str, str]]]:
    """Winner and rule of each family by network."""
    return {
        1 << i: [(" ".join(ruling.winners), ruling.rule) for ruling in verdict.rulings]
        for verdict in verdicts
        for i in range(3)
        if verdict.mask >> i & 1
    }


# -- several addresses of one endpoint


def test_several_addresses_of_one_endpoint_are_no_contest() -> None:
    verdict = only(decide([contender("x", V4[2], V6[1], V4[1])], conditions()))

    assert (verdict.a, verdict.aaaa) == ((V4[1], V4[2]), (V6[1],))
    assert verdict.rulings == (Ruling((ResourceId("x"),), (), Rule.NONE),)


def test_two_public_names_of_one_endpoint_that_lead_to_one_private_name_are_no_contest() -> None:
    other = from_text("kv.vaultcore.azure.net")
    claims = tuple(Claim(ResourceId("x"), NAME, public, ZONE, (V4[1],), WallTime(0)) for public in (PUBLIC, other))
    verdict = only(decide([Contender(claims, N0, NO_NETWORKS, NO_NETWORKS)], conditions()))

    assert verdict.a == (V4[1],)
    assert verdict.publics == tuple(sorted((PUBLIC, other)))


def test_an_endpoint_that_no_network_sees_is_not_served() -> None:
    assert decide([contender("x", V4[1], sees=0)], conditions()) == []
    assert decide([contender("x", V4[1], sees=0), contender("y", V4[2], sees=0)], conditions()) == []


def test_two_endpoints_that_no_network_sees_together_are_no_contest() -> None:
    verdicts = decide([contender("x", V4[1], sees=N0), contender("y", V4[2], sees=N1)], conditions())

    assert winners_of(verdicts) == {N0: [("x", "")], N1: [("y", "")]}
    assert all(not ruling.losers for verdict in verdicts for ruling in verdict.rulings)


# -- rule `pin`


def test_a_pin_beats_nearness_incumbent_and_age() -> None:
    x, y = contender("x", V4[1], home=N0, seen=1), contender("y", V4[2], seen=2)
    verdict = only(decide([x, y], conditions(pins=((N0, ResourceId("y")),), held=((N0, ResourceId("x"), Rule.NONE),))))

    assert verdict.a == (V4[2],)
    assert verdict.rulings == (Ruling((ResourceId("y"),), (ResourceId("x"),), Rule.PIN),)


def test_a_pin_for_one_network_leaves_the_others_alone() -> None:
    x, y = contender("x", V4[1], sees=N0 | N1, seen=1), contender("y", V4[2], sees=N0 | N1, seen=2)

    assert winners_of(decide([x, y], conditions(pins=((N1, ResourceId("y")),)))) == {
        N0: [(ResourceId("x"), "oldest")],
        N1: [(ResourceId("y"), "pin")],
    }


def test_a_pin_to_an_endpoint_that_is_not_visible_is_skipped() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], seen=2)
    z = contender("z", V4[3], sees=N1)

    assert winners_of(decide([x, y, z], conditions(pins=((N0, ResourceId("z")), (ALL, ResourceId("y"))))))[N0] == [
        (ResourceId("y"), "pin")
    ]
    assert winners_of(decide([x, y, z], conditions(pins=((N0, ResourceId("z")), (ALL, ResourceId("gone"))))))[N0] == [
        (ResourceId("x"), "oldest")
    ]


def test_a_pin_decides_both_families() -> None:
    verdict = only(
        decide([contender("x", V4[1]), contender("y", V4[2], V6[2])], conditions(pins=((N0, ResourceId("x")),)))
    )

    assert (verdict.a, verdict.aaaa) == ((V4[1],), ())


def test_a_pin_without_another_contender_decides_nothing() -> None:
    verdicts = decide(
        [contender("x", V4[1], sees=N0 | N1), contender("y", V4[2], sees=N1)],
        conditions(pins=((ALL, ResourceId("x")),)),
    )

    assert winners_of(verdicts) == {N0: [("x", "")], N1: [("x", "pin")]}


# -- rule `nearest`


def test_a_home_is_nearer_than_its_region_and_that_nearer_than_the_rest() -> None:
    home, near, far = contender("h", V4[1], home=N0), contender("n", V4[2], near=N0), contender("f", V4[3])

    assert winners_of(decide([far, home, near], conditions())) == {N0: [("h", "nearest")]}
    assert winners_of(decide([far, near], conditions())) == {N0: [("n", "nearest")]}


def test_a_farther_claim_is_out_for_both_families() -> None:
    home, far = contender("h", V4[1], home=N0), contender("f", V4[2], V6[2])
    verdict = only(decide([far, home], conditions()))

    assert (verdict.a, verdict.aaaa) == ((V4[1],), ())
    assert verdict.rulings == (Ruling((ResourceId("h"),), (ResourceId("f"),), Rule.NEAREST),)


def test_each_network_gets_the_endpoint_that_is_near() -> None:
    x = contender("x", V4[1], sees=N0 | N1, home=N0)
    y = contender("y", V4[2], sees=N0 | N1, home=N1)

    assert winners_of(decide([x, y], conditions())) == {N0: [("x", "nearest")], N1: [("y", "nearest")]}


def test_of_several_homes_the_nearest_counts() -> None:
    both, near = contender("b", V4[1], home=N0, near=N0), contender("n", V4[2], near=N0)

    assert winners_of(decide([near, both], conditions())) == {N0: [("b", "nearest")]}


def test_without_a_home_nearness_decides_nothing() -> None:
    x, y = contender("x", V4[1], near=N0, seen=2), contender("y", V4[2], seen=1)

    assert winners_of(decide([x, y], conditions(homeless=N0))) == {N0: [("y", "oldest")]}


def test_equally_near_endpoints_go_to_the_next_rule_and_the_far_one_loses_too() -> None:
    x, y, far = contender("x", V4[1], home=N0, seen=2), contender("y", V4[2], home=N0, seen=1), contender("f", V4[3])

    assert only(decide([far, x, y], conditions())).rulings == (
        Ruling((ResourceId("y"),), (ResourceId("f"), ResourceId("x")), Rule.OLDEST),
    )


def test_equally_near_claims_in_different_families_do_not_meet() -> None:
    verdict = only(decide([contender("x", V4[1]), contender("y", V6[2])], conditions()))

    assert (verdict.a, verdict.aaaa) == ((V4[1],), (V6[2],))
    assert verdict.rulings == (Ruling((ResourceId("x"),), (), Rule.NONE), Ruling((ResourceId("y"),), (), Rule.NONE))


# -- rule `incumbent`


def test_the_incumbent_stays_before_an_older_one() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], seen=2)

    assert winners_of(decide([x, y], conditions(held=((N0, ResourceId("y"), Rule.NONE),)))) == {
        N0: [(ResourceId("y"), Rule.INCUMBENT)]
    }


def test_who_held_the_name_before_the_contest_is_the_incumbent_though_older_too() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], seen=2)

    for how in (Rule.NONE, Rule.INCUMBENT, Rule.NEAREST, Rule.PIN):
        assert winners_of(decide([x, y], conditions(held=((N0, ResourceId("x"), how),)))) == {
            N0: [(ResourceId("x"), Rule.INCUMBENT)]
        }


def test_a_contest_that_age_decided_keeps_that_rule_when_it_is_evaluated_again() -> None:
    x, y, old = contender("x", V4[1], seen=1), contender("y", V4[2], seen=1), contender("z", V4[3], seen=0)

    for how in (Rule.OLDEST, Rule.RESOURCE_ID):
        assert winners_of(decide([x, y], conditions(held=((N0, ResourceId("x"), how),)))) == {
            N0: [(ResourceId("x"), Rule.RESOURCE_ID)]
        }
        assert winners_of(decide([x, y, old], conditions(held=((N0, ResourceId("x"), how),)))) == {
            N0: [(ResourceId("x"), Rule.INCUMBENT)]
        }


def test_incumbents_are_of_their_network() -> None:
    x, y = contender("x", V4[1], sees=N0 | N1, seen=1), contender("y", V4[2], sees=N0 | N1, seen=2)

    assert winners_of(decide([x, y], conditions(held=((N1, ResourceId("y"), Rule.NONE),)))) == {
        N0: [("x", Rule.OLDEST)],
        N1: [("y", Rule.INCUMBENT)],
    }


def test_an_incumbent_that_is_gone_or_not_visible_has_no_claim_to_the_name() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], seen=2)

    assert winners_of(decide([x, y], conditions(held=((ALL, ResourceId("gone"), Rule.NONE),)))) == {
        N0: [(ResourceId("x"), Rule.OLDEST)]
    }


def test_a_nearer_claim_beats_the_incumbent() -> None:
    x, y = contender("x", V4[1], home=N0, seen=2), contender("y", V4[2], seen=1)

    assert winners_of(decide([x, y], conditions(held=((N0, ResourceId("y"), Rule.NONE),)))) == {
        N0: [(ResourceId("x"), Rule.NEAREST)]
    }


def test_each_family_keeps_its_own_holder() -> None:
    """The incumbent of A comes first: no family flips when an endpoint claims the other family too."""
    x, y = contender("x", V4[1], V6[1], seen=1), contender("y", V4[2], V6[2], seen=2)

    x_key, y_key = ResourceId("x"), ResourceId("y")
    for first, second in ((x_key, y_key), (y_key, x_key)):
        held = ((N0, first, Rule.NONE), (N0, second, Rule.NONE))
        assert winners_of(decide([x, y], conditions(held=held))) == {N0: [(first, "incumbent"), (second, "incumbent")]}


# -- rules `oldest` and `resource-id`


def test_the_oldest_wins_then_the_first_by_folded_id() -> None:
    x, y, z = (contender(key, V4[i], seen=seen) for i, (key, seen) in enumerate((("x", 2), ("Y", 1), ("z", 1))))

    assert only(decide([x, y, z], conditions())).rulings == (
        Ruling((ResourceId("Y"),), (ResourceId("x"), ResourceId("z")), Rule.RESOURCE_ID),
    )
    assert only(decide([x, z], conditions())).rulings == (Ruling((ResourceId("z"),), (ResourceId("x"),), Rule.OLDEST),)


def test_families_are_decided_apart() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], V6[2], seen=2)
    verdict = only(decide([x, y], conditions()))

    assert (verdict.a, verdict.aaaa) == ((V4[1],), (V6[2],))
    assert verdict.rulings == (
        Ruling((ResourceId("x"),), (ResourceId("y"),), Rule.OLDEST),
        Ruling((ResourceId("y"),), (), Rule.NONE),
    )


# -- policies


def test_merge_serves_all_that_is_left_after_nearness() -> None:
    x, y, far = contender("x", V4[1], V6[1], home=N0), contender("y", V4[2], home=N0), contender("f", V4[3])
    verdict = only(decide([far, x, y], conditions(ConflictPolicy.MERGE, held=((N0, ResourceId("x"), Rule.NONE),))))

    assert (verdict.a, verdict.aaaa) == ((V4[1], V4[2]), (V6[1],))
    assert verdict.rulings == (
        Ruling((ResourceId("x"), ResourceId("y")), (ResourceId("f"),), Rule.MERGE),
        Ruling((ResourceId("x"),), (ResourceId("f"),), Rule.NEAREST),
    )


def test_refuse_serves_nothing_where_the_last_rules_would_decide() -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], V6[2], seen=2)
    verdict = only(decide([x, y], conditions(ConflictPolicy.REFUSE, held=((N0, ResourceId("x"), Rule.NONE),))))

    assert verdict.refused
    assert (verdict.a, verdict.aaaa) == ((), ())
    assert verdict.rulings[0] == Ruling((), (ResourceId("x"), ResourceId("y")), Rule.REFUSE)


@pytest.mark.parametrize("pins", [((N0, ResourceId("y")),), ()])
def test_refuse_serves_a_winner_by_pin_or_nearness(pins: tuple[tuple[NetworkMask, ResourceId], ...]) -> None:
    x, y = contender("x", V4[1], seen=1), contender("y", V4[2], seen=2, home=N0)
    verdict = only(decide([x, y], conditions(ConflictPolicy.REFUSE, pins=pins)))

    assert not verdict.refused
    assert verdict.a == (V4[2],)


# -- all together

masks = st.integers(0, ALL).map(NetworkMask)


@st.composite
def contests(draw: st.DrawFn) -> tuple[list[Contender], Conditions]:
    keys = draw(st.lists(st.sampled_from("abcde"), min_size=2, max_size=5, unique=True))
    contenders = []
    for i, key in enumerate(sorted(keys)):
        addresses = draw(st.sampled_from(((V4[i],), (V6[i],), (V4[i], V6[i]))))
        sees, home, near = draw(masks), draw(masks), draw(masks)
        contenders.append(contender(key, *addresses, sees=sees, home=home, near=near, seen=draw(st.integers(0, 2))))
    pins = st.lists(st.tuples(masks, st.sampled_from("abcde").map(ResourceId)), max_size=3).map(tuple)
    rules = st.sampled_from((Rule.NONE, Rule.OLDEST, Rule.INCUMBENT))
    held = st.lists(st.tuples(masks, st.sampled_from("abcde").map(ResourceId), rules), max_size=3).map(tuple)
    policy = draw(st.sampled_from(ConflictPolicy))
    return contenders, Conditions(policy, draw(pins), draw(held), draw(masks))


def reference(contenders: list[Contender], given: Conditions, bit: int) -> tuple[set[bytes], bool]:
    """Apply the rules literally for one network. Return its addresses, and whether it is refused."""
    left = [c for c in contenders if c.sees & bit]
    pinned = [c for mask, key in given.pins for c in left if mask & bit and c.endpoint == key]
    if pinned:
        left = pinned[:1]
    elif not given.homeless & bit:
        for distance in ("home", "near"):
            if any(getattr(c, distance) & bit for c in left):
                left = [c for c in left if getattr(c, distance) & bit]
                break
    answer: set[bytes] = set()
    for octets in (4, 16):
        claimants = [c for c in left if c.of_family(octets)]
        if len(claimants) > 1 and given.policy is ConflictPolicy.REFUSE:
            return set(), True
        if len(claimants) > 1 and given.policy is ConflictPolicy.STICKY:
            held = [c for mask, key, _ in given.incumbents for c in claimants if mask & bit and c.endpoint == key]
            oldest = sorted(claimants, key=lambda c: (c.first_seen, c.endpoint))
            claimants = [(held or oldest)[0 if octets == 4 or not held else -1]]
        answer.update(address for c in claimants for address in c.of_family(octets))
    return answer, False


@given(contests())
def test_every_network_gets_one_verdict_as_the_rules_say(drawn: tuple[list[Contender], Conditions]) -> None:
    contenders, given_conditions = drawn
    verdicts = decide(contenders, given_conditions)
    for bit in (N0, N1, N2):
        mine = [verdict for verdict in verdicts if verdict.mask & bit]
        assert len(mine) == any(c.sees & bit for c in contenders)
        for verdict in mine:
            assert ({*verdict.a, *verdict.aaaa}, verdict.refused) == reference(contenders, given_conditions, bit)


@given(contests())
def test_no_endpoint_both_wins_and_loses(drawn: tuple[list[Contender], Conditions]) -> None:
    contenders, given_conditions = drawn
    for verdict in decide(contenders, given_conditions):
        visible = {c.endpoint for c in contenders if c.sees & verdict.mask}
        for ruling in verdict.rulings:
            assert set(ruling.winners).isdisjoint(ruling.losers)
            assert visible.issuperset(ruling.winners + ruling.losers)
            assert bool(ruling.rule) == (len(ruling.winners + ruling.losers) > 1)


@given(contests())
def test_the_order_of_contenders_decides_nothing(drawn: tuple[list[Contender], Conditions]) -> None:
    contenders, given_conditions = drawn
    backwards, forwards = decide(contenders[::-1], given_conditions), decide(contenders, given_conditions)

    def plain(verdicts: list[Verdict]) -> set[tuple[object, ...]]:
        return {(*v[:5], *((frozenset(r.winners), frozenset(r.losers), r.rule) for r in v.rulings)) for v in verdicts}

    assert plain(backwards) == plain(forwards)
