from dataclasses import replace

from simulator.operations import BY_NAME
from simulator.plans import Key, Plans
from simulator.seed import Seed
from tests.unit.simulator.rig import BORN_AT, Rig, error, marketplaces

CREATE = BY_NAME["tokens_2021-03-01.createRestrictedDataToken"]
SEARCH = BY_NAME["orders_2026-01-01.searchOrders"]
KEY = Key("app", "seller", SEARCH.name)


def test_the_published_plans_are_these() -> None:
    published = {
        "ordersV0.getOrders": (0.0167, 20),
        "ordersV0.getOrder": (0.5, 30),
        "ordersV0.getOrderAddress": (0.5, 30),
        "ordersV0.getOrderBuyerInfo": (0.5, 30),
        "ordersV0.getOrderItems": (0.5, 30),
        "ordersV0.getOrderItemsBuyerInfo": (0.5, 30),
        "ordersV0.getOrderRegulatedInfo": (0.5, 30),
        "ordersV0.confirmShipment": (2, 10),
        "ordersV0.updateShipmentStatus": (5, 15),
        "orders_2026-01-01.searchOrders": (0.0056, 20),
        "orders_2026-01-01.getOrder": (0.5, 30),
        "tokens_2021-03-01.createRestrictedDataToken": (1, 10),
        "application_2023-11-30.rotateApplicationClientSecret": (0.0167, 1),
        "reports_2021-06-30.createReport": (0.0167, 15),
        "reports_2021-06-30.getReport": (2, 15),
        "reports_2021-06-30.getReportDocument": (0.0167, 15),
        "feeds_2021-06-30.createFeed": (0.0083, 15),
        "productPricingV0.getItemOffersBatch": (0.1, 1),
        "sellers.getMarketplaceParticipations": (0.016, 15),
        "lwa.token": (1_000_000, 1_000_000),
    }
    assert {name: (BY_NAME[name].rate, BY_NAME[name].burst) for name in published} == published


def test_a_bucket_starts_full_and_refills_in_virtual_time() -> None:
    rig = Rig(has_real_plans=True)
    clock, plans = rig.clock, Plans(Seed(1))
    assert [plans.take(KEY, SEARCH, clock.now()) for _ in range(21)] == [True] * 20 + [False]
    clock.advance(seconds=1 / 0.0056 - 1)
    assert not plans.take(KEY, SEARCH, clock.now())
    clock.advance(seconds=2)
    assert plans.take(KEY, SEARCH, clock.now())


def test_a_clock_set_back_neither_fills_nor_empties_a_bucket() -> None:
    rig = Rig()
    plans = Plans(Seed(1))
    plans.take(KEY, SEARCH, rig.clock.now())
    rig.clock.advance(days=-30)
    assert [plans.take(KEY, SEARCH, rig.clock.now()) for _ in range(20)] == [True] * 19 + [False]


def test_sellers_do_not_share_a_bucket() -> None:
    plans = Plans(Seed(1))
    for _ in range(20):
        plans.take(KEY, SEARCH, BORN_AT)
    assert not plans.take(KEY, SEARCH, BORN_AT)
    assert plans.take(replace(KEY, seller_id="other"), SEARCH, BORN_AT)


def test_one_call_too_many_gets_amazons_429_without_a_rate() -> None:
    rig = Rig(has_real_plans=True)
    access = rig.access()
    answers = [rig.post(CREATE.path, access, {}) for _ in range(11)]
    assert [answer.status for answer in answers] == [400] * 10 + [429]
    last = answers[-1]
    assert error(last) == {
        "code": "QuotaExceeded",
        "message": "You exceeded your quota for the requested resource.",
        "details": "",
    }
    assert last.header("x-amzn-ErrorType") == "TooManyRequestsException"
    assert last.header("x-amzn-RateLimit-Limit") is None


def test_the_rate_is_told_with_200_204_400_and_404_and_not_with_403() -> None:
    rig = Rig()
    access = rig.access()
    order_id = rig.orders()[0].order_id
    told = rig.get(
        "/orders/v0/orders", access, MarketplaceIds=marketplaces(rig.sellers[0]), CreatedAfter="2025-12-01"
    )
    shown = [told, rig.get("/orders/v0/orders", access), rig.get("/orders/v0/orders/x", access)]
    assert [answer.status for answer in shown] == [200, 400, 404]
    assert {answer.header("x-amzn-RateLimit-Limit") for answer in shown} == {"1000.0"}
    hidden = [rig.get("/orders/v0/orders"), rig.get(f"/orders/v0/orders/{order_id}/address", access)]
    assert [answer.status for answer in hidden] == [403, 403]
    assert {answer.header("x-amzn-RateLimit-Limit") for answer in hidden} == {None}
    assert all(answer.header("x-amzn-RequestId") for answer in (*shown, *hidden))


def test_orders_v0_rates_differ_from_seller_to_seller_and_never_fall_below_the_default() -> None:
    plans = Plans(Seed(1))
    operation = BY_NAME["ordersV0.getOrder"]
    rates = {plans.rate(Key("app", f"seller {n}", operation.name), operation) for n in range(40)}
    assert rates == {0.5, 0.75, 1.0}
    assert {plans.rate(Key("app", f"seller {n}", SEARCH.name), SEARCH) for n in range(40)} == {0.0056}
