"""Time: the machine's, the shifted one of development, and the tests' own."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import chassis.clock
from fakes.clock import START, FakeClock


def is_near(moment: datetime, shift: timedelta) -> bool:
    return abs(moment - (datetime.now(UTC) + shift)) < timedelta(minutes=1)


def write_shift(path: Path, text: str, version: int) -> None:
    path.write_text(text)
    os.utime(path, ns=(version, version))


def test_system_time_is_aware_and_utc() -> None:
    assert chassis.clock.SystemClock().now().utcoffset() == timedelta(0)


async def test_a_negative_sleep_returns() -> None:
    await chassis.clock.SystemClock().sleep(-1)


def test_a_shifted_clock_follows_its_file(tmp_path: Path) -> None:
    path = tmp_path / "shift"
    clock = chassis.clock.choose(path)
    assert is_near(clock.now(), timedelta(0))
    write_shift(path, "2678400", 1)
    assert is_near(clock.now(), timedelta(days=31))
    write_shift(path, "-3600\n", 2)
    assert is_near(clock.now(), timedelta(hours=-1))


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e12", "١٢é"])
def test_a_file_without_a_sane_number_leaves_the_shift_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shift"
    clock = chassis.clock.ShiftedClock(path)
    write_shift(path, "3600", 1)
    assert is_near(clock.now(), timedelta(hours=1))
    write_shift(path, text, 2)
    assert is_near(clock.now(), timedelta(hours=1))
    path.unlink()
    assert is_near(clock.now(), timedelta(hours=1))


def test_a_shift_never_touches_durations_R14(tmp_path: Path) -> None:
    path = tmp_path / "shift"
    clock = chassis.clock.ShiftedClock(path)
    before_s = clock.monotonic_s()
    write_shift(path, "2678400", 1)
    clock.now()
    assert clock.monotonic_s() - before_s < 3600


def test_without_a_file_the_clock_is_the_machines() -> None:
    assert type(chassis.clock.choose(None)) is chassis.clock.SystemClock


async def test_the_fake_clock_wakes_sleepers_in_the_order_they_are_due() -> None:
    clock = FakeClock()
    woken: list[tuple[str, timedelta]] = []

    async def sleep(name: str, delay_s: float) -> None:
        await clock.sleep(delay_s)
        woken.append((name, clock.now() - START))

    async with asyncio.TaskGroup() as group:
        for name, delay_s in [("late", 20), ("early", 5), ("never-due-yet", 60)]:
            group.create_task(sleep(name, delay_s))
        await clock.advance(30)
        assert woken == [("early", timedelta(seconds=5)), ("late", timedelta(seconds=20))]
        assert clock.sleepers == 1
        await clock.advance(30)
    assert clock.monotonic_s() == 60


async def test_the_fake_clock_lets_a_periodic_task_run_each_period_within_one_advance() -> None:
    clock = FakeClock()
    seen: list[float] = []

    async def tick() -> None:
        while True:
            await clock.sleep(10)
            seen.append(clock.monotonic_s())

    task = asyncio.create_task(tick())
    await clock.advance(35)
    task.cancel()
    assert seen == [10, 20, 30]


async def test_setting_the_fake_clock_is_a_jump_of_the_wall_clock_only() -> None:
    clock = FakeClock()
    clock.set_now(START + timedelta(days=31))
    assert (clock.now(), clock.monotonic_s()) == (START + timedelta(days=31), 0)
