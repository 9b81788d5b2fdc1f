"""Room for what comes too often: never more than fits, and no longer a wait than was told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.model.room import Room

# Sums of fractions of a second.
ROUNDING = 1e-6


@given(
    size=st.integers(1, 5),
    per_s=st.sampled_from([0.05, 1.0, 20.0]),
    pauses=st.lists(st.floats(0.0, 3.0), max_size=40),
)
def test_no_while_has_more_than_fits_and_whoever_waits_as_long_as_told_is_let_in_R23(
    size: int, per_s: float, pauses: list[float]
) -> None:
    room, now_s, above = Room(size, per_s, 0.0), 0.0, 0.0
    for pause in pauses:
        now_s, above = now_s + pause / per_s, max(0.0, above - pause)
        wait_s = room.wait_s(now_s)
        assert wait_s == pytest.approx(max(0.0, above + 1 - size) / per_s, abs=ROUNDING)
        now_s, above = now_s + wait_s, above - wait_s * per_s
        assert room.wait_s(now_s) <= ROUNDING
        room.take()
        above += 1
        assert above <= size + ROUNDING * per_s


@given(size=st.integers(1, 5), taken=st.integers(0, 5))
def test_what_is_given_back_is_there_again_and_no_more_than_that(size: int, taken: int) -> None:
    room = Room(size, 1.0, 0.0)
    for _ in range(min(size, taken)):
        room.take()
    room.give_back()
    room.give_back()
    free = min(size, size - min(size, taken) + 2)
    for _ in range(free):
        assert room.wait_s(0.0) == 0
        room.take()
    assert room.wait_s(0.0) == 1.0
