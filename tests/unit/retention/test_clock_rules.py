"""The clocks against a simple model of the truth.

One order has a true history that the safe never sees. What it is told is what Amazon's answers may tell:
true states with delays, times present or absent, by hosts whose clocks are up to ten minutes off, in any
order, with restarts, erasing runs and jumps of the wall clock between. Whatever happens:

- nothing opens later than 30 days after the true shipment or delivery, whichever came first (R-18);
- nothing opens later than 30 days after its fetch;
- an observation never makes anything open longer;
- once refused as expired, a copy never opens again.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fakes.clock import START, FakeClock
from fakes.retention_house import CONSOLE, GATEWAY, NAME, PLAINTEXT, House
from services.retention.model.errors import (
    Expired,
    KeyRetired,
    NothingKept,
    OrderNotObserved,
    SubjectClosed,
)
from services.retention.model.orders import OrderState, begins_at

MONTH = timedelta(days=30)
HOURS = st.integers(min_value=0, max_value=24 * 12)
SKEW_MINUTES = st.integers(min_value=-10, max_value=10)


class ClockRules(RuleBasedStateMachine):
    @initialize(
        bought=HOURS,
        ships_after=st.integers(min_value=0, max_value=45),
        midnight=st.integers(min_value=-20, max_value=20),
        travels=HOURS,
        skew=SKEW_MINUTES,
    )
    def start(self, bought: int, ships_after: int, midnight: int, travels: int, skew: int) -> None:
        """Draw the order's history, and by how much this host's clock is off.

        Orders ship within minutes of midnight, where a day's key dies just before or just after the deadline.
        """
        self.truth = START
        self.skew = timedelta(minutes=skew)
        self.house = House(clock=FakeClock(START + self.skew))
        self.purchased_at = START - timedelta(hours=bought)
        midnights = (START + timedelta(days=ships_after)).replace(hour=0)
        self.shipped_at = max(self.purchased_at, midnights + timedelta(minutes=midnight))
        self.delivered_at = self.shipped_at + timedelta(hours=travels)
        self.fetched_at: datetime | None = None
        self.is_over = False
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    @rule(hours=st.integers(min_value=1, max_value=24 * 20))
    def time_passes(self, hours: int) -> None:
        self.truth += timedelta(hours=hours)
        self.house.pass_(timedelta(hours=hours))

    @rule(minutes=st.integers(min_value=-30, max_value=30))
    def the_deadline_comes(self, minutes: int) -> None:
        span = self.deadline + timedelta(minutes=minutes) - self.truth
        if span > timedelta(0):
            self.truth += span
            self.house.pass_(span)

    @rule(hours=st.integers(min_value=1, max_value=24 * 3))
    def wall_clock_jumps_back(self, hours: int) -> None:
        self.house.clock.set_now(self.house.now - timedelta(hours=hours))

    @rule(late_h=HOURS, tells_shipment=st.booleans(), tells_delivery=st.booleans(), skew=SKEW_MINUTES)
    def amazon_is_read(self, late_h: int, tells_shipment: bool, tells_delivery: bool, skew: int) -> None:
        """Tell what was true when Amazon answered; the answer arrives up to days late."""
        answered_at = self.truth - timedelta(hours=late_h)
        state = self.state_at(answered_at)
        told = {
            "purchased_at": self.purchased_at,
            "shipped_at": self.shipped_at if tells_shipment and state is not OrderState.UNSHIPPED else None,
            "delivered_at": self.delivered_at if tells_delivery and state is OrderState.DELIVERED else None,
            "observed_at": answered_at + timedelta(minutes=skew),
        }
        before = self.ends_at()
        self.run(self.house.observe(state, **told))
        after = self.ends_at()
        assert before is None or after is None or after <= before, "an observation extended a record"

    @rule(late_h=HOURS, skew=SKEW_MINUTES)
    def copy_is_sealed(self, late_h: int, skew: int) -> None:
        fetched_at = self.truth - timedelta(hours=late_h)
        try:
            self.run(self.seal(fetched_at + timedelta(minutes=skew)))
        except (Expired, OrderNotObserved, SubjectClosed, KeyRetired):
            return
        self.fetched_at = fetched_at
        self.is_over = False

    @rule()
    def erasing_runs(self) -> None:
        self.run(self.house.use.erasing.erase_due(CONSOLE))

    @rule()
    def process_restarts(self) -> None:
        self.house.clock.set_now(max(self.house.now, self.truth + self.skew))
        self.house.restart()

    @invariant()
    def nothing_opens_past_its_clock(self) -> None:
        if not hasattr(self, "house"):
            return
        try:
            self.run(self.house.open())
        except Expired:
            self.is_over = True
            return
        except NothingKept:
            return
        assert not self.is_over, "an expired copy came back"
        assert self.fetched_at is not None
        assert self.truth <= min(self.fetched_at + MONTH, self.deadline)

    @invariant()
    def no_key_outlives_the_deadline(self) -> None:
        """A day's key dies when the day begins on this host, whose clock may be late."""
        if hasattr(self, "house"):
            for record in self.house.tables.records:
                assert begins_at(record.erase_day) - self.skew <= self.deadline

    @property
    def deadline(self) -> datetime:
        return min(self.shipped_at, self.delivered_at) + MONTH

    def state_at(self, moment: datetime) -> OrderState:
        if moment >= self.delivered_at:
            return OrderState.DELIVERED
        return OrderState.SHIPPED if moment >= self.shipped_at else OrderState.UNSHIPPED

    def ends_at(self) -> datetime | None:
        return max((record.expires_at for record in self.house.tables.records), default=None)

    async def seal(self, fetched_at: datetime) -> None:
        await self.house.use.safe.seal(NAME, PLAINTEXT, fetched_at=fetched_at, origin=GATEWAY)

    def run(self, work: Coroutine[Any, Any, object]) -> None:
        self.loop.run_until_complete(work)


ClockRules.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestClockRulesR18 = ClockRules.TestCase
