import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

import chassis.errors
from fakes.clock import FakeClock
from fakes.telemetry import FakeReadiness, FakeSignals
from services.telemetry import jobs as jobs_module
from services.telemetry.jobs import CHECKPOINT_INTERVAL_S, READINESS_NAME, Jobs
from tests.unit.telemetry.house import House, fact


class Bench:
    """Jobs over rounds that a test writes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.signals = FakeSignals()
        self.readiness = FakeReadiness()
        self.rounds = 0
        self.is_well = True

    async def count(self) -> None:
        self.rounds += 1

    async def fail(self) -> None:
        self.rounds += 1
        raise chassis.errors.Unavailable

    async def hang(self) -> None:
        await asyncio.Event().wait()

    async def check_health(self) -> bool:
        return self.is_well

    def jobs(self, round_: Callable[[], Awaitable[None]]) -> Jobs:
        return Jobs(
            sign_if_due=round_,
            resolve_orphans=round_,
            check_health=self.check_health,
            readiness=self.readiness,
            clock=self.clock,
            signals=self.signals,
        )


@asynccontextmanager
async def running(job: Awaitable[None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(job)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_every_record_is_covered_by_a_checkpoint_within_a_minute_T22() -> None:
    async with House().open() as house:
        bench = Bench()
        bench.clock = house.clock
        async with running(bench.jobs(house.checkpoints.sign_if_due).sign_checkpoints()):
            for number in range(1, 20):
                await house.intake.append("gateway", [fact(number)])
                recorded_at = house.clock.now()
                await house.clock.advance(CHECKPOINT_INTERVAL_S, turns=60)
                covering = (await house.store.checkpoints(number, 10_000, (1, 10_000)))[0]
                assert (covering.signed_at - recorded_at).total_seconds() <= 60


def test_one_failed_round_still_leaves_time_for_another_within_the_minute_T22() -> None:
    assert 2 * CHECKPOINT_INTERVAL_S <= 60


async def test_a_failed_round_is_counted_and_the_next_one_comes_R12() -> None:
    bench = Bench()
    async with running(bench.jobs(bench.fail).conclude_orphans()):
        await bench.clock.advance(600)
    assert bench.rounds > 100
    assert set(bench.signals.jobs_failed) == {("orphans", "unavailable")}


async def test_a_round_that_hangs_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "ROUND_S_MAX", 0.0)
    bench = Bench()
    async with running(bench.jobs(bench.hang).conclude_orphans()):
        await bench.clock.advance(10, turns=20)
    assert bench.signals.jobs_failed[0] == ("orphans", "round_overdue")


async def test_a_webhook_that_cannot_be_told_is_tried_ever_more_rarely_until_a_round_goes_well() -> None:
    bench = Bench()
    began_s: list[float] = []
    is_well = False

    async def tell() -> None:
        began_s.append(bench.clock.monotonic_s())
        if not is_well:
            raise chassis.errors.Unavailable

    async with running(bench.jobs(bench.count).tell_webhook(tell)):
        await bench.clock.advance(122)
        assert began_s == [0, 2, 6, 14, 30, 60, 90, 120]
        is_well = True
        await bench.clock.advance(30)
        assert began_s[8:] == [150, 151, 152]
        is_well = False
        await bench.clock.advance(4)
    assert began_s[11:] == [153, 155]


async def test_a_process_is_not_ready_before_its_first_check() -> None:
    bench = Bench()
    bench.jobs(bench.count)
    assert bench.readiness.said == {READINESS_NAME: False}


async def test_readiness_follows_health_within_the_promised_times_R02() -> None:
    bench = Bench()
    async with running(bench.jobs(bench.count).watch_health()):
        await bench.clock.advance(1)
        assert bench.readiness.said[READINESS_NAME]
        bench.is_well = False
        await bench.clock.advance(5)
        assert not bench.readiness.said[READINESS_NAME]
        bench.is_well = True
        await bench.clock.advance(10)
        assert bench.readiness.said[READINESS_NAME]
    assert bench.signals.health == [False, True]


async def test_a_health_check_that_fails_means_not_ready_R02() -> None:
    bench = Bench()
    jobs = bench.jobs(bench.count)
    async with running(jobs.watch_health()):
        await bench.clock.advance(1)
        jobs._check_health = bench.fail  # type: ignore[assignment]
        await bench.clock.advance(1)
    assert not bench.readiness.said[READINESS_NAME]
    assert bench.signals.jobs_failed[0] == ("health", "unavailable")
