"""A line at Login with Amazon that is longer than callers wait sends them away, and holds nobody back."""

import pytest

from fakes.auth_house import APPLICATION
from services.auth.model.refusals import TurnTooFar
from tests.unit.auth.shop import Shop


async def test_a_turn_that_is_too_far_away_holds_nobody_back_R10() -> None:
    shop = await Shop.open()
    row = shop.house.tables.turns[APPLICATION.application_id]
    row.next_at_s = shop.house.clock.monotonic_s() + 60.0
    held_before_s = row.held_until_s
    with pytest.raises(TurnTooFar) as refusal:
        await shop.lend()
    assert refusal.value.code == "authorization_service_unavailable"
    assert shop.refreshes == 0
    assert row.held_until_s == held_before_s
    shop.house.clock.pass_(60.0)
    await shop.lend()
    assert shop.refreshes == 1
