"""Counting failures (T-11)."""

import pytest

from fakes.clock import FakeClock
from services.auth.model.refusals import TooManyFailures
from services.auth.service.lockout import FAILURES_MAX, LOCKED_S, SUBJECTS_MAX, Lockout


def failed(lockout: Lockout, subject: str, times: int = FAILURES_MAX) -> None:
    for _ in range(times):
        lockout.failed(subject)


def test_ten_failures_lock_and_nine_do_not_T11() -> None:
    lockout = Lockout(FakeClock())
    failed(lockout, "one", FAILURES_MAX - 1)
    lockout.check("one")
    failed(lockout, "one", 1)
    with pytest.raises(TooManyFailures) as refusal:
        lockout.check("one")
    assert refusal.value.retry_after_s == LOCKED_S
    lockout.check("another")


def test_a_lock_ends_and_counting_begins_anew_T11() -> None:
    clock = FakeClock()
    lockout = Lockout(clock)
    failed(lockout, "one")
    clock.pass_(LOCKED_S)
    lockout.check("one")
    failed(lockout, "one", FAILURES_MAX - 1)
    lockout.check("one")


def test_what_is_remembered_is_bounded_R23() -> None:
    lockout = Lockout(FakeClock())
    failed(lockout, "first")
    for number in range(SUBJECTS_MAX):
        lockout.failed(str(number))
    lockout.check("first")


def test_whoever_goes_on_failing_is_not_forgotten_for_others_T11() -> None:
    lockout = Lockout(FakeClock())
    failed(lockout, "first", FAILURES_MAX - 1)
    for number in range(SUBJECTS_MAX - 1):
        lockout.failed(str(number))
    lockout.failed("first")
    lockout.failed("one more")
    with pytest.raises(TooManyFailures):
        lockout.check("first")
