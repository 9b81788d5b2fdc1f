from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator.world
from simulator.seed import Mint, Seed
from simulator.world import ORDERS_AT_BIRTH, ORDERS_MAX, World
from tests.unit.simulator.rig import BORN_AT

WORLD = World(seed=Seed(1), born_at=BORN_AT, sellers_count=26)


@given(seller=st.integers(0, 25), number=st.integers(0, ORDERS_MAX - 1))
def test_an_order_is_found_by_the_identifier_its_number_predicts(seller: int, number: int) -> None:
    found = WORLD.order(WORLD.order_id(WORLD.sellers[seller], number))
    assert found is not None
    assert (found.seller_id, found.number) == (WORLD.sellers[seller].seller_id, number)


def test_no_two_orders_share_an_identifier() -> None:
    ids = {WORLD.order_id(seller, number) for seller in WORLD.sellers for number in range(ORDERS_MAX)}
    assert len(ids) == 26 * ORDERS_MAX


def test_thousands_of_sellers_change_nothing_about_the_first_and_share_no_identifier() -> None:
    crowd = World(seed=Seed(1), born_at=BORN_AT, sellers_count=10_000)
    assert crowd.sellers[:26] == WORLD.sellers
    assert len({seller.seller_id for seller in crowd.sellers}) == 10_000
    assert len({crowd.order_id(seller, 0) for seller in crowd.sellers}) == 10_000
    last = crowd.order(crowd.order_id(crowd.sellers[-1], 23))
    assert last is not None
    assert last.seller_id == crowd.sellers[-1].seller_id


def test_an_order_that_was_let_go_of_is_drawn_again_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator.world, "ORDERS_KEPT_MAX", 10)
    world = World(seed=Seed(1), born_at=BORN_AT, sellers_count=3)
    assert [world.placed(seller, BORN_AT) for seller in world.sellers] == [
        WORLD.placed(seller, BORN_AT) for seller in WORLD.sellers[:3]
    ]
    assert len(world._orders) == 10


def test_an_identifier_of_another_shape_or_number_is_no_order() -> None:
    beyond = WORLD.order_id(WORLD.sellers[0], ORDERS_MAX)
    for text in ("", "902-1234567", "903-0000000-0000000", "902-0000000-0000000", beyond, f"{beyond}\n"):
        assert WORLD.order(text) is None


def test_the_same_seed_makes_the_same_world_and_another_seed_another() -> None:
    def orders(seed: int) -> list[object]:
        world = World(seed=Seed(seed), born_at=BORN_AT, sellers_count=2)
        return [order for seller in world.sellers for order in world.placed(seller, BORN_AT)]

    assert orders(7) == orders(7)
    assert not set(map(repr, orders(7))) & set(map(repr, orders(8)))


def test_a_world_begins_with_twenty_four_orders_for_each_seller_and_goes_on_getting_more() -> None:
    for seller in WORLD.sellers[:2]:
        assert len(WORLD.placed(seller, BORN_AT)) == ORDERS_AT_BIRTH == 24
        assert len(WORLD.placed(seller, BORN_AT + timedelta(days=10))) == 48
        assert len(WORLD.placed(seller, BORN_AT + timedelta(days=4_000))) == ORDERS_MAX
        assert WORLD.placed(seller, BORN_AT - timedelta(days=11)) == []


def test_orders_are_placed_in_the_order_of_their_numbers() -> None:
    orders = WORLD.placed(WORLD.sellers[3], BORN_AT + timedelta(days=30))
    assert [order.number for order in orders] == list(range(len(orders)))
    assert sorted(orders, key=lambda order: order.placed_at) == orders


def test_no_buyer_shares_a_needle_with_another() -> None:
    orders = [o for seller in WORLD.sellers for o in WORLD.placed(seller, BORN_AT + timedelta(days=20))]
    needles = [needle for order in orders for needle in set(order.buyer.needles())]
    # The marker and its lower-case form are the same text when it holds digits only.
    assert len(needles) == len(set(needles))


def test_a_buyers_needles_carry_the_marker_or_the_unique_telephone_number() -> None:
    buyer = WORLD.placed(WORLD.sellers[0], BORN_AT)[0].buyer
    assert all(
        buyer.marker in needle or needle in (buyer.phone, buyer.marker.lower(), buyer.email)
        for needle in buyer.needles()
    )
    assert buyer.email.endswith("@marketplace.example")


def test_the_number_of_an_order_decides_its_character() -> None:
    orders = WORLD.placed(WORLD.sellers[0], BORN_AT + timedelta(days=40))
    for order in orders:
        n = order.number
        assert order.is_amazon_fulfilled == (n % 4 == 1)
        assert order.is_business == (n % 8 == 3)
        assert order.is_gift == (n % 3 == 2)
        assert order.is_pickup == (n % 10 == 7 and n % 4 != 1)
        assert order.is_regulated == (n % 12 == 6)
        assert order.is_customized == (n % 12 == 10)
        assert len(order.items) == n % 3 + 1
        assert order.marketplace == WORLD.sellers[0].marketplaces[n // 4 % 2]


@settings(max_examples=30)
@given(st.text(max_size=5), st.integers(1, 50), st.integers(1, 1_000))
def test_a_draw_depends_on_its_name_only(name: str, limit: int, seed: int) -> None:
    first, second = Seed(seed), Seed(seed)
    second.below(limit, "something", "else", "in between")
    assert first.below(limit, name) == second.below(limit, name) < limit
    assert 0 <= first.fraction(name) < 1


def test_a_restarted_mint_never_repeats_an_earlier_one() -> None:
    seed = Seed(1)
    minted = [Mint(seed=seed, boot=boot) for boot in (1, 2)]
    tokens = [mint.token("Atza|", size_bytes=240) for mint in minted for _ in range(50)]
    assert len(set(tokens)) == 100
    assert all(token.startswith("Atza|") and len(token) <= 2_048 for token in tokens)
