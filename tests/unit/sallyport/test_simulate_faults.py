"""Faults and nodes: what a fault does to one step, and what dies with a process."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from chassis.errors import Unavailable
from chassis.rpc.status import PeerUnavailable
from sallyport.simulate.faults import Crashed, Fault, Faults, Way
from sallyport.simulate.loop import new_loop
from sallyport.simulate.nodes import Life, Node
from sallyport.simulate.ports import faulty
from sallyport.simulate.trace import Trace

T = TypeVar("T")

LIMIT_S = 10.0


def played(work: Coroutine[Any, Any, T], seed: int = 1) -> T:
    return new_loop(seed).run(work)


class Counter:
    """A port with one effect."""

    name = "counter"

    def __init__(self) -> None:
        self.count = 0

    async def add(self, number: int) -> int:
        self.count += number
        return self.count


class Stage:
    """One process in front of one port, with faults at a rate."""

    def __init__(self, rate: float, *, seed: int = 1, can_crash: bool = True) -> None:
        self.mistakes: list[BaseException] = []
        self.trace = Trace()
        self.faults = Faults(choices=random.Random(seed), trace=self.trace, rate=rate)
        self.life = self.new_life(can_crash=can_crash)
        self.counter = Counter()
        way = Way(process=self.life, to="store", lost=Unavailable, limit_s=LIMIT_S)
        self.port = faulty(self.counter, way, self.faults)

    def new_life(self, *, can_crash: bool = True) -> Life:
        return Life("node", choices=random.Random(1), mistake=self.note, can_crash=can_crash)

    def note(self, _where: str, error: BaseException) -> None:
        self.mistakes.append(error)


def test_a_step_without_fault_has_its_effect_and_its_answer() -> None:
    async def work() -> None:
        stage = Stage(0.0)
        assert await stage.port.add(2) == 2
        assert stage.port.name == "counter"
        assert stage.trace.lines == ["    0.000000 node store.add ok"]

    played(work())


@pytest.mark.parametrize("seed", range(40))
def test_every_fault_leaves_the_effect_done_once_or_not_at_all(seed: int) -> None:
    async def work() -> None:
        stage = Stage(1.0, seed=seed)
        try:
            await stage.port.add(1)
        except Crashed:
            assert stage.life.is_over
        except Unavailable:
            assert asyncio.get_running_loop().time() <= LIMIT_S
        (fault,) = stage.faults.injected
        is_before = fault in {Fault.LOST_BEFORE, Fault.CRASH_BEFORE}
        is_after = fault in {Fault.LOST_AFTER, Fault.CRASH_AFTER, Fault.SLOW_AFTER}
        assert stage.counter.count in ({0} if is_before else {1} if is_after else {0, 1})

    played(work())


def test_who_is_cut_off_reaches_nothing_until_the_cut_is_over() -> None:
    async def work() -> None:
        stage = Stage(0.0)
        stage.faults.cut(("node", "store"), 30.0)
        with pytest.raises(Unavailable):
            await stage.port.add(1)
        await asyncio.sleep(30.0)
        assert await stage.port.add(1) == 1

    played(work())


def test_after_calm_nothing_goes_wrong() -> None:
    async def work() -> None:
        stage = Stage(1.0)
        stage.faults.cut(("node", "store"), 30.0)
        stage.faults.calm()
        assert [await stage.port.add(1) for _ in range(50)] == list(range(1, 51))

    played(work())


def test_people_do_not_crash() -> None:
    async def work() -> None:
        for seed in range(40):
            stage = Stage(1.0, seed=seed, can_crash=False)
            try:
                await stage.port.add(1)
            except Unavailable:
                continue
            assert not stage.life.is_over

    played(work())


def test_the_dead_have_no_effect_R12() -> None:
    async def work() -> None:
        stage = Stage(0.0)
        step = asyncio.ensure_future(stage.port.add(1))
        await asyncio.sleep(0)
        stage.life.end()
        with pytest.raises(Crashed):
            await step
        with pytest.raises(Crashed):
            await stage.port.add(1)
        assert stage.counter.count == 0

    played(work())


def test_whoever_waits_for_the_dead_hears_that_the_peer_is_gone() -> None:
    async def work() -> None:
        life = Stage(0.0).life
        waiting = asyncio.ensure_future(life.serve(lambda: asyncio.sleep(60.0)))
        await asyncio.sleep(1.0)
        life.end()
        with pytest.raises(PeerUnavailable):
            await waiting
        with pytest.raises(PeerUnavailable):
            await life.serve(lambda: asyncio.sleep(0.0))

    played(work())


def test_a_task_that_fails_by_itself_is_a_mistake() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def work() -> None:
        stage = Stage(0.0)
        stage.life.start(fail())
        await asyncio.sleep(1.0)
        assert [type(error) for error in stage.mistakes] == [ZeroDivisionError]

    played(work())


def test_a_node_starts_anew_with_nothing_in_memory() -> None:
    async def work() -> None:
        node = Node("node", lambda _: list[int](), choices=random.Random(1), mistake=Stage(0.0).note)
        keeping = asyncio.ensure_future(node.keep())
        node.house.append(1)
        first = node.life
        first.end()
        await asyncio.sleep(20.0)
        assert node.is_up
        assert node.life is not first
        assert node.house == []
        assert node.crashes == 1
        keeping.cancel()

    played(work())
