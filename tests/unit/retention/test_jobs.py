"""Periodic work goes on whatever a round does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import chassis.vault.errors
from fakes.clock import FakeClock
from fakes.retention_house import DAY, SELLER, House
from services.retention.jobs import Jobs
from services.retention.model.erasures import Subject
from services.retention.model.orders import OrderState


class FakeReadiness:
    def __init__(self) -> None:
        self.truths: dict[str, bool] = {}

    def set(self, name: str, ok: bool) -> None:
        self.truths[name] = ok


def jobs_of(house: House, clock: FakeClock, readiness: FakeReadiness) -> Jobs:
    return Jobs(
        erasing=house.use.erasing,
        clocks=house.use.clocks,
        upkeep=house.use.upkeep,
        clock=clock,
        readiness=readiness,
        signals=house.signals,
    )


@contextlib.asynccontextmanager
async def running(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work())
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def sealed_house() -> House:
    house = House()
    await house.observe()
    await house.seal()
    return house


async def test_due_days_are_erased_within_a_minute_without_being_asked() -> None:
    house, clock = await sealed_house(), FakeClock()
    async with running(jobs_of(house, clock, FakeReadiness()).erase):
        await clock.advance(0, turns=200)
        assert house.tables.receipts == {}
        house.pass_(31 * DAY)
        await clock.advance(60, turns=200)
    (receipt,) = house.tables.receipts.values()
    (erasure,) = house.tables.erasures.values()
    assert erasure.erasure_id == receipt.erasure_id
    assert erasure.origin.caller == "retention"
    assert erasure.origin.request_id


async def test_a_failing_round_is_counted_and_the_next_one_succeeds() -> None:
    house, clock = await sealed_house(), FakeClock()
    house.pass_(31 * DAY)
    house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
    async with running(jobs_of(house, clock, FakeReadiness()).erase):
        await clock.advance(0, turns=200)
        assert house.signals.counts["failed erasing key_service_unavailable"] == 1
        house.keys.error = None
        await clock.advance(60, turns=200)
    assert len(house.tables.receipts) == 1


async def test_moves_left_behind_are_made_up_for() -> None:
    house, clock = await sealed_house(), FakeClock()
    house.pass_(5 * DAY)
    house.audit.is_down = True
    await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)
    house.audit.is_down = False
    async with running(jobs_of(house, clock, FakeReadiness()).move):
        await clock.advance(0, turns=200)
    assert not house.tables.clocks[SELLER, next(iter(house.tables.clocks))[1]].is_move_due


async def test_upkeep_measures_every_minute() -> None:
    house, clock = await sealed_house(), FakeClock()
    async with running(jobs_of(house, clock, FakeReadiness()).keep_up):
        await clock.advance(0, turns=50)
        house.pass_(DAY)
        await clock.advance(60, turns=50)
    assert house.signals.oldest_age_s == DAY.total_seconds()


async def test_readiness_tells_within_five_seconds_that_vault_is_sealed_R16() -> None:
    house, clock, readiness = await sealed_house(), FakeClock(), FakeReadiness()
    jobs = jobs_of(house, clock, readiness)
    assert readiness.truths == {"safe": False}
    async with running(jobs.watch_health):
        await clock.advance(0, turns=500)
        assert readiness.truths == {"safe": True}
        house.keys.error = chassis.vault.errors.KeyServiceUnavailable()
        await clock.advance(5, turns=500)
        assert readiness.truths == {"safe": False}
        house.keys.error = None
        await clock.advance(5, turns=500)
        assert readiness.truths == {"safe": True}


async def test_unwrapped_keys_are_forgotten_while_nobody_asks_R06() -> None:
    house = await sealed_house()
    day = next(iter(house.tables.partitions))
    async with running(jobs_of(house, house.clock, FakeReadiness()).forget_keys):
        await house.clock.advance(60, turns=20)
    findings = await house.use.verifier.inspect(Subject.of_day(day))
    assert [found.is_unreachable for found in findings if found.path == "cache"] == [True]


async def test_every_job_has_a_name() -> None:
    jobs = jobs_of(await sealed_house(), FakeClock(), FakeReadiness())
    assert [name for name, _ in jobs.tasks] == ["erasing", "moving", "upkeep", "keys", "health"]
