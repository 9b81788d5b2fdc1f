"""A small run of slow clients at the door, and its verdict."""

from pathlib import Path

import pytest

from bench.slow.clients import KINDS
from bench.slow.command import Load, Outcome, holds, lines, running, show
from sallyport.bench.figures import Series


async def test_slow_clients_of_every_kind_leave_swift_ones_served_R25(tmp_path: Path) -> None:
    load = Load(slow_clients=2 * len(KINDS), rounds=1, half_s=0.2, coming_s=0.1, settle_s=0.1)
    outcome = await show(tmp_path, load)
    assert len(outcome.alone.values) == len(outcome.beside.values) == 1


async def test_a_crowd_that_does_not_come_is_no_crowd(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended by itself"):
        async with running("bench.slow.crowd", str(tmp_path), "1", "1", "0"):
            raise AssertionError("it came")


def test_a_broken_promise_is_told() -> None:
    fair = Outcome(2_000, Series.of([0.001]), Series.of([0.0019]))
    slow = Outcome(2_000, Series.of([0.001]), Series.of([0.0021]))
    assert (holds(fair), holds(slow)) == (True, False)
    assert "does not hold" in list(lines(slow))[-1]
    assert any("2,000" in line for line in lines(fair))
