"""A step is begun anew while others are faster, and no more often than is bounded."""

import pytest

import chassis.errors
from services.retention.model.errors import KeyRetired, OrderContended, SubjectClosed
from services.retention.service.attempts import ATTEMPTS_MAX, repeat


class Step:
    """Fails in turn as it was told, then gives how often it was tried."""

    def __init__(self, *failures: chassis.errors.SallyportError) -> None:
        self._failures = list(failures)
        self.tries = 0

    async def __call__(self) -> int:
        self.tries += 1
        if self._failures:
            raise self._failures.pop(0)
        return self.tries


@pytest.mark.parametrize("lost", range(ATTEMPTS_MAX))
async def test_a_step_that_lost_to_others_gives_what_it_gives_at_last(lost: int) -> None:
    failures = [OrderContended(), KeyRetired()] * lost
    assert await repeat(Step(*failures[:lost])) == lost + 1


@pytest.mark.parametrize("failure", [OrderContended(), KeyRetired()], ids=["order", "key"])
async def test_a_step_that_always_loses_is_given_up_R23(failure: chassis.errors.SallyportError) -> None:
    step = Step(*[failure] * (ATTEMPTS_MAX + 1))
    with pytest.raises(type(failure)):
        await repeat(step)
    assert step.tries == ATTEMPTS_MAX


async def test_what_no_further_try_would_change_is_told_at_once() -> None:
    step = Step(SubjectClosed())
    with pytest.raises(SubjectClosed):
        await repeat(step)
    assert step.tries == 1
