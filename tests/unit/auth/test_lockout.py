"""Counting failures (T-11)."""

import asyncio
from collections import Counter

import pytest

from chassis.errors import SallyportError
from fakes.clock import FakeClock
from services.auth.model.refusals import InvalidGrant, TooManyFailures
from services.auth.service.lockout import FAILURES_MAX, LOCKED_S, SUBJECTS_MAX, Lockout


async def attempt(lockout: Lockout, subject: str, error: type[SallyportError] | None = None) -> str:
    """Return what an attempt hears that is judged while others have their turn; empty when it is right."""
    try:
        async with lockout.judging(subject, InvalidGrant):
            await asyncio.sleep(0)
            if error is not None:
                raise error
    except SallyportError as refusal:
        return refusal.code
    return ""


async def failed(lockout: Lockout, subject: str, times: int = FAILURES_MAX) -> None:
    for _ in range(times):
        assert await attempt(lockout, subject, InvalidGrant) == InvalidGrant.code


async def test_ten_failures_lock_and_nine_do_not_T11() -> None:
    lockout = Lockout(FakeClock())
    await failed(lockout, "one", FAILURES_MAX - 1)
    assert await attempt(lockout, "one") == ""
    await failed(lockout, "one", 1)
    with pytest.raises(TooManyFailures) as refusal:
        async with lockout.judging("one", InvalidGrant):
            pass
    assert refusal.value.retry_after_s == LOCKED_S
    assert await attempt(lockout, "another") == ""


async def test_guesses_made_at_once_get_no_more_tries_than_one_after_another_T11() -> None:
    lockout = Lockout(FakeClock())
    heard = await asyncio.gather(*(attempt(lockout, "one", InvalidGrant) for _ in range(3 * FAILURES_MAX)))
    assert Counter(heard) == {InvalidGrant.code: FAILURES_MAX, TooManyFailures.code: 2 * FAILURES_MAX}


async def test_who_is_right_may_come_as_often_at_once_as_they_like() -> None:
    lockout = Lockout(FakeClock())
    heard = await asyncio.gather(*(attempt(lockout, "one") for _ in range(3 * FAILURES_MAX)))
    assert set(heard) == {""}


async def test_what_is_no_wrong_guess_does_not_count() -> None:
    lockout = Lockout(FakeClock())
    for _ in range(FAILURES_MAX):
        assert await attempt(lockout, "one", SallyportError) == SallyportError.code
    assert await attempt(lockout, "one") == ""


async def test_nobody_waits_for_what_another_guesses() -> None:
    lockout = Lockout(FakeClock())
    async with lockout.judging("slow", InvalidGrant):
        assert await attempt(lockout, "another") == ""


async def test_a_lock_ends_and_counting_begins_anew_T11() -> None:
    clock = FakeClock()
    lockout = Lockout(clock)
    await failed(lockout, "one")
    clock.pass_(LOCKED_S)
    await failed(lockout, "one", FAILURES_MAX - 1)
    assert await attempt(lockout, "one") == ""


async def test_what_is_remembered_is_bounded_R23() -> None:
    lockout = Lockout(FakeClock())
    await failed(lockout, "first")
    for number in range(SUBJECTS_MAX):
        await failed(lockout, str(number), 1)
    assert await attempt(lockout, "first") == ""


async def test_whoever_goes_on_failing_is_not_forgotten_for_others_T11() -> None:
    lockout = Lockout(FakeClock())
    await failed(lockout, "first", FAILURES_MAX - 1)
    for number in range(SUBJECTS_MAX - 1):
        await failed(lockout, str(number), 1)
    await failed(lockout, "first", 1)
    await failed(lockout, "one more", 1)
    assert await attempt(lockout, "first") == TooManyFailures.code
