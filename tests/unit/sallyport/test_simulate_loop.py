"""The seeded loop: same seed, same order; virtual time; no hang."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sallyport.simulate.loop import Deadlock, new_loop


async def _race(order: list[str]) -> None:
    async def runner(name: str) -> None:
        for step in range(3):
            await asyncio.sleep(0)
            order.append(f"{name}{step}")

    async with asyncio.TaskGroup() as group:
        for name in "abcd":
            group.create_task(runner(name))


def _order(seed: int) -> list[str]:
    order: list[str] = []
    new_loop(seed).run(_race(order))
    return order


@given(seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_order_R27(seed: int) -> None:
    assert _order(seed) == _order(seed)


def test_different_seeds_give_different_orders() -> None:
    assert len({tuple(_order(seed)) for seed in range(20)}) > 10


def test_each_task_keeps_its_own_order() -> None:
    order = _order(7)
    assert [step for step in order if step.startswith("a")] == ["a0", "a1", "a2"]


def test_sleeping_costs_virtual_time_only() -> None:
    loop = new_loop(1)
    loop.run(asyncio.sleep(86_400.0))
    assert loop.time() == 86_400.0


def test_timeouts_fire_at_their_virtual_time() -> None:
    loop = new_loop(1)

    async def work() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), timeout=3.0)
        return loop.time()

    assert loop.run(work()) == 3.0


def test_a_wait_that_can_never_end_is_a_deadlock_and_not_a_hang() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock):
        new_loop(1).run(work())
