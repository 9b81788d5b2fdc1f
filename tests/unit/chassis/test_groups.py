"""Groups: full under load, never late for company, bounded, and fair to each thing in them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from chassis.errors import Conflict, InvalidInput, Unavailable
from chassis.groups import Bounds, Groups, NotSent

BOUNDS = Bounds(group_max=3, waiting_max=5, wait_s_max=5.0, sends_max=2)


class Receiver:
    """Takes groups while `gate` is open; refuses, or fails, as it is told."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.refused: dict[int, Exception] = {}
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def take(self, things: Sequence[int]) -> None:
        self.groups.append(list(things))
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable(retry_after_s=7.0)
        for thing in things:
            if thing in self.refused:
                raise self.refused[thing]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def groups(receiver: Receiver) -> AsyncIterator[Groups[int]]:
    made = Groups(receiver.take, BOUNDS)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def fates(groups: Groups[int], receiver: Receiver, count: int) -> list[Any]:
    """Hand in so many while the receiver is busy with the first; return what became of each."""
    receiver.gate.clear()
    handing = [asyncio.create_task(groups.hand_in(0))]
    await settle()
    handing += [asyncio.create_task(groups.hand_in(thing)) for thing in range(1, count)]
    await settle()
    receiver.gate.set()
    return await asyncio.gather(*handing, return_exceptions=True)


async def test_one_alone_goes_at_once(groups: Groups[int], receiver: Receiver) -> None:
    await groups.hand_in(1)
    assert receiver.groups == [[1]]


async def test_what_comes_meanwhile_shares_the_next_call_within_its_bound(
    groups: Groups[int], receiver: Receiver
) -> None:
    assert await fates(groups, receiver, 6) == [None] * 6
    assert receiver.groups == [[0], [1, 2, 3], [4, 5]]


@pytest.mark.parametrize("judgement", [InvalidInput("no"), Conflict("no")])
async def test_what_is_refused_is_refused_alone(
    groups: Groups[int], receiver: Receiver, judgement: Exception
) -> None:
    receiver.refused[2] = judgement
    became = await fates(groups, receiver, 4)
    assert became[2] is judgement
    assert became[:2] + became[3:] == [None] * 3


async def test_an_unknown_fate_is_tried_again_and_then_told_to_each(
    groups: Groups[int], receiver: Receiver
) -> None:
    receiver.failures = 1
    await groups.hand_in(1)
    assert receiver.groups == [[1], [1]]
    receiver.failures = 2 * BOUNDS.sends_max
    became = await fates(groups, receiver, 3)
    assert all(isinstance(each, NotSent) and each.retry_after_s == 7.0 for each in became)
    assert len({id(each) for each in became}) == 3
    await groups.hand_in(9)


async def test_too_many_are_refused_at_once_R23(groups: Groups[int], receiver: Receiver) -> None:
    became = await fates(groups, receiver, 1 + BOUNDS.waiting_max + 1)
    assert [isinstance(each, NotSent) for each in became] == [False] * (1 + BOUNDS.waiting_max) + [True]


async def test_nobody_waits_longer_than_allowed_R23() -> None:
    bounds = Bounds(group_max=3, waiting_max=5, wait_s_max=0.01, sends_max=1)
    hung = Receiver()
    hung.gate.clear()
    groups = Groups(hung.take, bounds)
    running = asyncio.create_task(groups.run())
    handed_in = [asyncio.create_task(groups.hand_in(thing)) for thing in range(5)]
    became = await asyncio.gather(*handed_in, return_exceptions=True)
    assert all(isinstance(each, NotSent) for each in became)
    # Whoever gave up is passed over when the way is free again.
    hung.gate.set()
    await settle()
    await groups.hand_in(9)
    assert hung.groups == [[0, 1, 2], [9]]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_nobody_waits_for_any_more_is_not_sent(groups: Groups[int], receiver: Receiver) -> None:
    receiver.gate.clear()
    first, second = (asyncio.create_task(groups.hand_in(thing)) for thing in (1, 2))
    await settle()
    third = asyncio.create_task(groups.hand_in(3))
    await settle()
    third.cancel()
    receiver.gate.set()
    await asyncio.gather(first, second)
    await groups.hand_in(4)
    assert [thing for group in receiver.groups for thing in group] == [1, 2, 4]
