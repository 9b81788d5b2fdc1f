"""A small run of slow clients at the door, and its verdict."""

from pathlib import Path

import pytest

from bench.slow.clients import KINDS
from bench.slow.command import holds, lines
from bench.slow.show import Load, Round, Waits, running, show


async def test_slow_clients_of_every_kind_leave_swift_ones_served_R25(tmp_path: Path) -> None:
    load = Load(slow_clients=2 * len(KINDS), rounds=1, half_s=0.2, coming_s=0.1, settle_s=0.1)
    (measured,) = await show(tmp_path, load)
    assert measured.wave_s > 0
    for waits in (measured.alone, measured.beside, measured.wave, measured.elsewhere):
        assert 0 < waits.p99_s <= waits.longest_s


async def test_a_crowd_that_does_not_come_is_no_crowd(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended by itself"):
        async with running("bench.slow.crowd", str(tmp_path), "1", "1", "0"):
            raise AssertionError("it came")


def measured(*, beside_s: float = 0.001, wave_s: float = 0.001) -> list[Round]:
    alone, beside, wave = (Waits(p99_s, 0.01) for p99_s in (0.001, beside_s, wave_s))
    return [Round(alone, beside, wave, elsewhere=alone, wave_s=4.0)]


@pytest.mark.parametrize("half", ["beside_s", "wave_s"])
def test_a_promise_broken_either_way_is_told(half: str) -> None:
    fair, slow = measured(**{half: 0.0019}), measured(**{half: 0.0021})
    assert (holds(fair), holds(slow)) == (True, False)
    assert "does not hold" in list(lines(2_000, slow))[-1]
    assert sum("2,000" in line for line in lines(2_000, fair)) == 2
