"""Groups: full under load, never late for company, bounded, and fair to each thing in them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from chassis.errors import Conflict, InvalidInput, Unavailable
from chassis.groups import LINGER_S, Bounds, Groups, NotSent
from sallyport.simulate.loop import new_loop

BOUNDS = Bounds(group_max=3, waiting_max=5, wait_s_max=5.0, sends_max=2)
# What nobody waits for finds company for sure, or none.
PATIENT, HURRIED = replace(BOUNDS, linger_s=3_600.0), replace(BOUNDS, linger_s=0.0)


class Receiver:
    """Takes groups while `gate` is open; refuses, or fails, as it is told."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.arrivals: asyncio.Queue[list[int]] = asyncio.Queue()
        self.refused: dict[int, Exception] = {}
        self.failures = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def take(self, things: Sequence[int]) -> None:
        self.groups.append(list(things))
        self.arrivals.put_nowait(list(things))
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


@asynccontextmanager
async def running(receiver: Receiver, bounds: Bounds) -> AsyncIterator[Groups[int]]:
    made = Groups(receiver.take, bounds)
    run = asyncio.create_task(made.run())
    yield made
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


@pytest.fixture
async def groups(receiver: Receiver) -> AsyncIterator[Groups[int]]:
    async with running(receiver, PATIENT) as made:
        yield made


@pytest.fixture
async def hurried(receiver: Receiver) -> AsyncIterator[Groups[int]]:
    async with running(receiver, HURRIED) as made:
        yield made


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def ignored(_: int) -> None:
    pass


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


# --- what nobody waits for


async def test_what_nobody_waits_for_goes_with_the_next_group(
    groups: Groups[int], receiver: Receiver
) -> None:
    lost: list[int] = []
    groups.hand_over(1, lost.append)
    await settle()
    assert receiver.groups == []
    await groups.hand_in(2)
    assert (receiver.groups, lost) == ([[1, 2]], [])


async def test_what_nobody_waits_for_stands_in_front_of_nobody_who_comes_a_moment_later(
    groups: Groups[int], receiver: Receiver
) -> None:
    receiver.gate.clear()
    first = asyncio.create_task(groups.hand_in(0))
    await settle()
    groups.hand_over(1, ignored)
    receiver.gate.set()
    await first
    await settle()
    await groups.hand_in(2)
    assert receiver.groups == [[0], [1, 2]]


def test_what_nobody_waits_for_looks_for_company_for_as_long_as_the_one_before_it(receiver: Receiver) -> None:
    async def story() -> None:
        async with running(receiver, BOUNDS) as groups:
            groups.hand_over(0, ignored)
            await asyncio.sleep(LINGER_S / 2)
            await groups.hand_in(1)
            groups.hand_over(2, ignored)
            await asyncio.sleep(LINGER_S * 3 / 4)
            await groups.hand_in(3)

    new_loop(seed=1).run(story())
    assert receiver.groups == [[0, 1], [2, 3]]


def test_what_nobody_waits_for_is_not_forgotten_while_the_way_is_busy(receiver: Receiver) -> None:
    async def story() -> None:
        async with running(receiver, BOUNDS) as groups:
            receiver.gate.clear()
            first = asyncio.create_task(groups.hand_in(0))
            await settle()
            groups.hand_over(1, ignored)
            await asyncio.sleep(LINGER_S * 2)
            receiver.gate.set()
            await first
            await asyncio.sleep(LINGER_S * 2)

    new_loop(seed=1).run(story())
    assert receiver.groups == [[0], [1]]


async def test_what_nobody_waits_for_goes_at_once_when_it_fills_a_group(
    groups: Groups[int], receiver: Receiver
) -> None:
    receiver.gate.clear()
    first = asyncio.create_task(groups.hand_in(0))
    await settle()
    for thing in range(1, 1 + BOUNDS.group_max):
        groups.hand_over(thing, ignored)
    receiver.gate.set()
    await first
    await settle()
    assert receiver.groups == [[0], [1, 2, 3]]


async def test_what_nobody_waits_for_goes_alone_when_no_company_comes(
    hurried: Groups[int], receiver: Receiver
) -> None:
    for thing in range(BOUNDS.waiting_max):
        hurried.hand_over(thing, ignored)
    assert await receiver.arrivals.get() == [0, 1, 2]
    assert await receiver.arrivals.get() == [3, 4]


@pytest.mark.parametrize("fault", ["absence", "judgement"])
async def test_what_does_not_arrive_is_lost_to_whoever_handed_it_over(
    hurried: Groups[int], receiver: Receiver, fault: str
) -> None:
    if fault == "absence":
        receiver.failures = BOUNDS.sends_max
    else:
        receiver.refused[1] = InvalidInput("no")
    lost: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    hurried.hand_over(1, lost.set_result)
    assert await asyncio.wait_for(lost, 5.0) == 1


async def test_one_too_many_is_lost_at_once_R23(groups: Groups[int]) -> None:
    lost: list[int] = []
    for thing in range(BOUNDS.waiting_max + 1):
        groups.hand_over(thing, lost.append)
    assert lost == [BOUNDS.waiting_max]


async def test_what_was_on_its_way_or_waited_at_the_end_is_sent_by_a_flush_R04(receiver: Receiver) -> None:
    groups = Groups(receiver.take, BOUNDS)
    running = asyncio.create_task(groups.run())
    receiver.gate.clear()
    sender = asyncio.create_task(groups.hand_in(0))
    await settle()
    groups.hand_over(1, ignored)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    receiver.gate.set()
    await groups.flush()
    await sender
    assert receiver.groups == [[0], [0, 1]]


async def test_a_flush_does_not_wait_for_ever_R16(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.groups.FLUSH_S_MAX", 0.01)
    receiver.gate.clear()
    groups = Groups(receiver.take, BOUNDS)
    lost: list[int] = []
    groups.hand_over(1, lost.append)
    await groups.flush()
    assert lost == [1]
