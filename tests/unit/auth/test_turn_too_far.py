"""A line at Login with Amazon that is longer than callers wait sends them away, and holds nobody back."""

from datetime import timedelta

import pytest

from fakes.auth_house import APPLICATION
from services.auth.model.refusals import TurnTooFar
from services.auth.model.turns import CALLER_WAIT_S_MAX, RENEWAL_WAIT_S_MAX
from tests.unit.auth.shop import Shop, alone


async def test_a_turn_that_is_too_far_away_holds_nobody_back_R10() -> None:
    shop = await Shop.open()
    row = shop.house.tables.turns[APPLICATION.application_id]
    row.next_at_s = shop.house.clock.monotonic_s() + shop.house.terms.pace.ahead_s_max
    held_before_s = row.held_until_s
    with pytest.raises(TurnTooFar) as refusal:
        await shop.lend()
    assert refusal.value.code == "authorization_service_unavailable"
    assert shop.refreshes == 0
    assert row.held_until_s == held_before_s
    shop.house.clock.pass_(60.0)
    await shop.lend()
    assert shop.refreshes == 1


async def test_a_renewal_ahead_waits_less_long_for_its_turn_than_callers_R10() -> None:
    shop = await Shop.open()
    at = shop.house
    await shop.lend()
    at.pass_(timedelta(minutes=56))
    row = at.tables.turns[APPLICATION.application_id]
    row.next_at_s = at.clock.monotonic_s() + (RENEWAL_WAIT_S_MAX + CALLER_WAIT_S_MAX) / 2
    assert await alone(at.clock, at.use.upkeep.renew_ahead()) == 0
    assert shop.refreshes == 1
    at.pass_(timedelta(minutes=4))
    row.next_at_s = at.clock.monotonic_s() + (RENEWAL_WAIT_S_MAX + CALLER_WAIT_S_MAX) / 2
    await alone(at.clock, shop.lend())
    assert shop.refreshes == 2
