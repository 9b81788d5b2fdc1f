"""How much a gateway may borrow: more than any needs to, and no more (T-19)."""

from datetime import timedelta

import pytest

from fakes.auth_house import House, loan
from services.auth.model.audit import Kind, Phase
from services.auth.model.grantless import Scope
from services.auth.model.loans import WINDOW_S, Budget, LendingTerms
from services.auth.model.refusals import LendingBudgetExceeded
from services.auth.model.turns import Pace
from tests.unit.auth.shop import Shop

WINDOW = timedelta(seconds=WINDOW_S)


def house(sellers_max: int = 3, tokens_max: int = 10) -> House:
    budget = Budget(sellers_max=sellers_max, tokens_max=tokens_max)
    return House(terms=LendingTerms(pace=Pace(rate_per_s=1_000.0, burst=1_000), budget=budget))


async def shops(at: House, count: int) -> list[Shop]:
    return [await Shop.open(at, partner_id=f"A{number}") for number in range(count)]


async def test_a_borrower_gets_tokens_for_so_many_sellers_a_minute_T19() -> None:
    at = house()
    sellers = await shops(at, 4)
    for seller in sellers[:3]:
        await seller.lend()
    at.pass_(timedelta(seconds=20))
    with pytest.raises(LendingBudgetExceeded) as refusal:
        await sellers[3].lend()
    assert refusal.value.retry_after_s == WINDOW_S - 20
    await sellers[0].lend()
    at.pass_(timedelta(seconds=40))
    await sellers[3].lend()


async def test_a_borrower_gets_so_many_tokens_a_minute_T19() -> None:
    at = house()
    (seller,) = await shops(at, 1)
    for _ in range(10):
        await seller.lend()
    with pytest.raises(LendingBudgetExceeded):
        await seller.lend()
    with pytest.raises(LendingBudgetExceeded):
        await at.use.lending.lend_grantless("gateway/1", Scope.NOTIFICATIONS)


async def test_each_process_of_a_gateway_has_a_budget_of_its_own_T19() -> None:
    at = house()
    sellers = await shops(at, 4)
    for seller in sellers[:3]:
        await seller.lend()
    await sellers[3].lend(borrower="gateway/2")
    with pytest.raises(LendingBudgetExceeded):
        await sellers[3].lend()


async def test_an_overdrawn_budget_raises_one_alarm_for_as_long_as_it_lasts_T19() -> None:
    at = house()
    sellers = await shops(at, 4)

    async def overdraw() -> None:
        for seller in sellers[:3]:
            await seller.lend()
        for _ in range(3):
            with pytest.raises(LendingBudgetExceeded):
                await sellers[3].lend()

    for _ in range(3):
        await overdraw()
        at.pass_(WINDOW)
    assert at.signals.counts["overdrawn", "alarm"] == 1
    assert at.signals.counts["overdrawn", "counted"] == 8
    assert at.audit.told(Kind.LENDING_REFUSED) == [(Phase.FACT, "lending_budget_exceeded")]
    assert at.audit.details(Kind.LENDING_REFUSED) == [
        {"borrower": "gateway/1", "sellers": "3", "tokens": "3"}
    ]
    await sellers[0].lend()
    at.pass_(WINDOW)
    await overdraw()
    assert at.signals.counts["overdrawn", "alarm"] == 2
    at.pass_(2 * WINDOW)
    await overdraw()
    assert at.signals.counts["overdrawn", "alarm"] == 3


async def test_whoever_may_borrow_nothing_spends_nothing() -> None:
    at = house()
    sellers = await shops(at, 4)
    for _ in range(20):
        with pytest.raises(Exception, match="no such device"):
            await at.use.lending.lend(loan("0190b2f0-0000-7000-8000-000000000000"))
    for seller in sellers[:3]:
        await seller.lend()


def test_a_busy_gateway_never_meets_the_default_budget_T19() -> None:
    assert (Budget().sellers_max, Budget().tokens_max) == (5_000, 20_000)
