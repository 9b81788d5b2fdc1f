"""Hearing one caller's requests: for how long, and who may end it."""

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest

import chassis.rpc.hearing
import chassis.rpc.transport
from chassis.rpc.hearing import Hearing

REQUEST, TURNS = "request", 50


class Caller:
    """Says what a test has it say."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[object] = asyncio.Queue()

    async def read(self) -> object:
        return await self.says.get()


async def handled(requests: AsyncIterator[object]) -> list[object]:
    return [request async for request in requests]


async def begin(hearing: Hearing, caller: Caller) -> "asyncio.Task[list[object]]":
    """Return a handler that waits for its caller's next request."""

    async def handle() -> list[object]:
        return await handled(hearing.requests(caller.read))

    task = asyncio.create_task(handle())
    await give_turns()
    return task


async def give_turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


@pytest.fixture
def _always_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chassis.rpc.hearing, "LOOK_S", 0.0)


@pytest.mark.usefixtures("_always_looking")
async def test_a_caller_who_pauses_for_less_than_the_bound_is_heard_on() -> None:
    caller = Caller()
    handling = await begin(Hearing(), caller)
    for _ in range(2):
        caller.says.put_nowait(REQUEST)
        await give_turns()
    assert not handling.done()
    caller.says.put_nowait(grpc.aio.EOF)
    assert await handling == [REQUEST, REQUEST]


@pytest.mark.usefixtures("_always_looking")
async def test_a_silent_caller_is_heard_no_longer_and_one_who_comes_later_is_looked_after_too_R23(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hearing = Hearing()
    monkeypatch.setattr(chassis.rpc.transport, "SILENCE_S_MAX", 0.0)
    for _ in range(2):
        assert await (await begin(hearing, Caller())) == []
        await give_turns()


async def test_once_hearing_is_over_nobody_waits_and_nobody_begins_R16() -> None:
    hearing, caller = Hearing(), Caller()
    waiting = await begin(hearing, caller)
    hearing.close()
    assert await waiting == []
    assert await (await begin(hearing, caller)) == []


async def test_a_handler_at_work_when_hearing_ends_finishes_and_hears_no_more_R16() -> None:
    hearing, caller, at_work, may_end = Hearing(), Caller(), asyncio.Event(), asyncio.Event()

    async def handle() -> list[object]:
        answered = []
        async for request in hearing.requests(caller.read):
            at_work.set()
            await may_end.wait()
            answered.append(request)
        return answered

    handling = asyncio.create_task(handle())
    caller.says.put_nowait(REQUEST)
    caller.says.put_nowait(REQUEST)
    await at_work.wait()
    hearing.close()
    may_end.set()
    assert await handling == [REQUEST]


async def test_who_is_cancelled_while_hearing_ends_is_cancelled_and_not_done() -> None:
    hearing = Hearing()
    waiting = await begin(hearing, Caller())
    waiting.cancel()
    hearing.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_is_cancelled_by_others_is_cancelled_and_not_done() -> None:
    waiting = await begin(Hearing(), Caller())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_whose_wait_was_ended_is_not_taken_for_cancelled_afterwards() -> None:
    hearing = Hearing()
    told: list[bool] = []

    async def handle() -> None:
        assert await handled(hearing.requests(Caller().read)) == []
        task = asyncio.current_task()
        told.append(task is not None and task.cancelling() > 0)
        async with asyncio.timeout(0.0):
            await asyncio.Event().wait()

    handling = asyncio.create_task(handle())
    await give_turns()
    hearing.close()
    with pytest.raises(TimeoutError):
        await handling
    assert told == [False]
