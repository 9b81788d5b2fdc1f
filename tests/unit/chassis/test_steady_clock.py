"""Time never goes back while the process lives."""

import asyncio
from datetime import timedelta

from chassis.clock import SteadyClock
from fakes.clock import START, FakeClock


def test_time_passes_as_the_clock_says() -> None:
    clock = FakeClock()
    steady = SteadyClock(clock)
    clock.pass_(3600)
    assert steady.now() == START + timedelta(hours=1)


def test_a_jump_back_is_not_believed_and_time_goes_on_R14() -> None:
    clock = FakeClock()
    steady = SteadyClock(clock)
    clock.set_now(START - timedelta(days=10))
    assert steady.now() == START
    clock.pass_(60)
    assert steady.now() == START + timedelta(minutes=1)
    assert steady.monotonic_s() == clock.monotonic_s()


def test_a_jump_forward_is_believed() -> None:
    clock = FakeClock()
    steady = SteadyClock(clock)
    clock.set_now(START + timedelta(days=31))
    assert steady.now() == START + timedelta(days=31)


async def test_sleeping_is_the_other_clocks() -> None:
    clock = FakeClock()
    sleeping = asyncio.create_task(SteadyClock(clock).sleep(3600))
    await clock.advance(3599)
    assert not sleeping.done()
    await clock.advance(1)
    assert sleeping.done()


def test_time_goes_no_faster_for_being_read_often_R14() -> None:
    clock = FakeClock()
    steady = SteadyClock(clock)
    for _ in range(5):
        clock.pass_(60)
        assert steady.now() == clock.now()
