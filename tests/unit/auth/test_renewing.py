"""Renewing ahead: tokens of sellers who are served never end, and each is refreshed once, whoever does it."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.auth_house import Crash, Fuse, House, loan
from fakes.clock import FakeClock
from services.auth.jobs import RENEW_PERIOD_S
from services.auth.model import lending
from services.auth.model.audit import Kind
from services.auth.model.consents import Ending
from services.auth.model.loans import LendingTerms
from services.auth.model.refusals import AmazonThrottled, AuthorizationUnavailable, UpstreamInvalid
from services.auth.model.turns import Pace
from services.auth.service import UseCases
from tests.unit.auth.shop import Shop, alone, kept, together

PACE = Pace(rate_per_s=20.0, burst=10)
MINUTE = timedelta(minutes=1)


async def served(count: int = 1, at: House | None = None) -> list[Shop]:
    """Return sellers who were all lent a token in the same second."""
    at = at or House()
    sellers = [await Shop.open(at, partner_id=f"A{number}") for number in range(count)]
    for seller in sellers:
        await seller.lend()
    at.amazon.calls.clear()
    at.amazon.granted = 0
    return sellers


async def test_a_token_is_renewed_5_to_15_minutes_before_its_end_R10() -> None:
    sellers = await served(40)
    at, renewed_at = sellers[0].house, []
    at.pass_(44 * MINUTE)
    for minute in range(44, 57):
        renewed_at += [minute] * await at.use.upkeep.renew_ahead()
        at.pass_(MINUTE)
    assert (len(renewed_at), min(renewed_at)) == (40, 46)
    assert len(set(renewed_at)) > 5
    assert at.amazon.calls["refresh"] == 40


@pytest.mark.parametrize(
    ("early_s", "life_s", "after_s"), [(300, 3600, 3300), (900, 3600, 2700), (900, 200, 100)]
)
def test_a_short_lived_token_is_not_renewed_right_away(early_s: float, life_s: float, after_s: float) -> None:
    now = FakeClock().now()
    renew_at = lending.renew_at(now + timedelta(seconds=life_s), now, early_s)
    assert renew_at == now + timedelta(seconds=after_s)


async def test_a_renewed_token_is_lent_from_then_on_without_asking_amazon() -> None:
    (seller,) = await served()
    first = await seller.lend()
    seller.house.pass_(55 * MINUTE)
    assert await seller.house.use.upkeep.renew_ahead() == 1
    second = await seller.lend()
    assert second.token != first.token
    assert await seller.house.replica().lending.lend(loan(seller.device_id)) == second
    assert seller.refreshes == 1


async def test_a_seller_who_is_not_served_is_not_renewed() -> None:
    (seller,) = await served()
    seller.house.pass_(55 * MINUTE)
    assert await seller.house.use.upkeep.renew_ahead() == 1
    seller.house.pass_(55 * MINUTE)
    assert await seller.house.use.upkeep.renew_ahead() == 0
    await seller.lend()
    assert seller.refreshes == 1


async def test_a_seller_who_is_served_never_waits_for_amazon_R10() -> None:
    (seller,) = await served()
    for _ in range(6):
        for _ in range(11):
            seller.house.pass_(5 * MINUTE)
            await seller.house.use.upkeep.renew_ahead()
        await seller.lend()
    assert seller.house.signals.counts["lent", "access", "renewed"] == 1


async def test_replicas_agree_on_when_to_renew_and_do_it_once_R09_R10() -> None:
    (seller,) = await served()
    replicas = [seller.house.replica() for _ in range(4)]
    seller.house.amazon.takes_s = 2.0
    for _ in range(60):
        seller.house.pass_(MINUTE)
        await asyncio.gather(*(use.upkeep.renew_ahead() for use in replicas for _ in range(3)))
    assert (seller.refreshes, seller.house.amazon.in_flight_max) == (1, 1)


async def test_callers_are_lent_the_old_token_while_it_is_renewed() -> None:
    at = House(clock=FakeClock())
    (seller,) = await served(1, at)
    first = await seller.lend()
    at.pass_(55 * MINUTE)
    at.amazon.takes_s = 4.0
    renewing = asyncio.create_task(at.use.upkeep.renew_ahead())
    await at.clock.advance(1.0)
    assert at.amazon.calls["refresh"] == 1
    assert await seller.lend() == first
    await at.clock.advance(4.0)
    assert await renewing == 1


@pytest.mark.parametrize("fault", [AuthorizationUnavailable(), UpstreamInvalid(), AmazonThrottled()])
async def test_a_renewal_that_failed_is_tried_again_later_and_the_old_token_serves_R08(
    fault: Exception,
) -> None:
    (seller,) = await served()
    first = await seller.lend()
    seller.house.pass_(55 * MINUTE)
    seller.house.amazon.faults.extend([fault] * 2)
    await seller.house.use.upkeep.renew_ahead()
    seller.house.amazon.faults.clear()
    tried = seller.refreshes
    assert await seller.lend() == first
    seller.house.pass_(timedelta(seconds=lending.RENEW_AGAIN_S_MIN - 10))
    assert await seller.house.use.upkeep.renew_ahead() == 0
    seller.house.pass_(timedelta(seconds=lending.RENEW_AGAIN_S_MAX))
    assert await seller.house.use.upkeep.renew_ahead() == 1
    assert seller.refreshes == tried + 1


async def test_a_refused_grant_is_confirmed_before_the_seller_is_called_revoked_R08() -> None:
    (seller,) = await served()
    first = await seller.lend()
    seller.house.pass_(46 * MINUTE)
    seller.house.tables.leases[seller.consent_id].renew_at = seller.house.clock.now()
    seller.house.amazon.refresh_tokens.clear()
    assert await seller.house.use.upkeep.renew_ahead() == 0
    assert await seller.lend() == first
    seller.house.pass_(timedelta(seconds=60))
    assert await seller.house.use.upkeep.renew_ahead() == 0
    assert seller.refreshes == 1
    seller.house.pass_(timedelta(seconds=61))
    assert await seller.house.use.upkeep.confirm_refusals() == 1
    assert seller.house.tables.consents[seller.consent_id].ending is Ending.REFUSED


async def test_each_renewal_is_told_as_the_houses_own_doing() -> None:
    (seller,) = await served()
    seller.house.pass_(55 * MINUTE)
    await seller.house.use.upkeep.renew_ahead()
    purposes = [details["purpose"] for details in seller.house.audit.details(Kind.AMAZON_TOKEN_REQUESTED)]
    assert purposes == ["access", "renew"]


async def test_a_round_is_bounded_and_rests_when_told_to_come_back() -> None:
    sellers = await served(5)
    at = sellers[0].house
    at.pass_(55 * MINUTE)
    at.amazon.faults.append(AmazonThrottled(retry_after_s=20.0))
    assert await at.use.upkeep.renew_ahead() == 0
    assert at.amazon.calls["refresh"] == 1


# The herd: tokens that end in the same second, several replicas, an Amazon that fails, processes that die


async def work(at: House, use: UseCases) -> None:
    """Renew like one worker of a process, until the tokens have ended or the process has died."""
    until_s = at.clock.monotonic_s() + 16 * 60
    while at.clock.monotonic_s() < until_s:
        try:
            await use.upkeep.renew_ahead()
        except Crash:
            return
        await at.clock.sleep(RENEW_PERIOD_S)


@settings(max_examples=6, deadline=None)
@given(fuses=st.lists(st.integers(20, 600), max_size=3), failing=st.floats(0.0, 0.3))
async def test_a_herd_is_refreshed_once_each_within_lwas_rate_while_replicas_die_R09_R10_R12(
    fuses: list[int], failing: float
) -> None:
    at = House(clock=FakeClock())
    sellers = await served(30, at)
    at.terms = LendingTerms(pace=PACE)
    at.pass_(44 * MINUTE)
    at.amazon.takes_s = 0.2
    at.amazon.asked_s.clear()

    def stumble() -> None:
        if at.entropy.uniform(0.0, 1.0) < failing:
            raise AuthorizationUnavailable

    at.amazon.meanwhile = stumble
    replicas = [*(at.replica(Fuse(step)) for step in fuses), at.replica(), at.replica()]
    await together(at.clock, *(work(at, use) for use in replicas for _ in range(2)))
    shared = [row.access for row in at.tables.leases.values() if row.access is not None]
    assert sum(access.expires_at > at.clock.now() + 30 * MINUTE for access in shared) == len(sellers)
    # A process that dies while Amazon answers may take the answer with it: one for each of its workers.
    assert len(sellers) <= at.amazon.granted <= len(sellers) + 2 * len(fuses)
    assert at.amazon.in_flight_each_max == 1
    assert kept(PACE.rate_per_s, PACE.burst, at.amazon.asked_s)
    assert all(consent.ended_at is None for consent in at.tables.consents.values())


async def test_a_killed_renewal_is_taken_over_within_30_seconds_R09_R12() -> None:
    step = 0
    while True:
        step += 1
        (seller,) = await served(1, House(clock=FakeClock()))
        at = seller.house
        at.pass_(55 * MINUTE)
        (answer,) = await together(at.clock, at.replica(Fuse(step)).upkeep.renew_ahead())
        if not isinstance(answer, Crash):
            break
        granted, until_s = at.amazon.granted, at.clock.monotonic_s() + 30.0
        while at.clock.monotonic_s() < until_s and not await alone(at.clock, at.use.upkeep.renew_ahead()):
            at.pass_(timedelta(seconds=5))
        row = at.tables.leases[seller.consent_id]
        assert row.access is not None
        assert row.access.expires_at > at.clock.now() + 55 * MINUTE
        assert at.amazon.granted - granted <= 1
        assert at.amazon.in_flight_max == 1
        assert at.tables.consents[seller.consent_id].refused_at is None
    assert step > 15
