"""Who waits for a call of a bucket: people first, devices in turn, and whoever left is in nobody's way."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.forward.rate_limiter.wait_queue import Waiter, WaitQueue
from services.gateway.model.priority import Priority

DEVICES = st.sampled_from(["one", "two", "three"])
PRIORITIES = st.sampled_from(Priority)
COMING = st.tuples(DEVICES, PRIORITIES)
# Somebody comes, the next one is served, or the one of a number leaves, who may have left or been served.
STEPS = st.lists(COMING | st.none() | st.integers(0, 30), max_size=60)


@given(STEPS)
async def test_everybody_is_served_once_people_first_and_each_device_in_turn_T32(
    steps: list[tuple[str, Priority] | int | None],
) -> None:
    queue, loop = WaitQueue(), asyncio.get_running_loop()
    came: list[Waiter] = []
    waiting: list[Waiter] = []
    for now_s, step in enumerate(steps):
        before = list(queue)
        if isinstance(step, tuple):
            came.append(Waiter(*step, since_s=now_s, until_s=99.0, future=loop.create_future()))
            queue.push(came[-1])
            waiting.append(came[-1])
        elif step is None and waiting:
            assert queue.pop() is before[0]
            assert list(queue) == before[1:]
            waiting.remove(before[0])
        elif step is not None and came:
            leaving = came[step % len(came)]
            was_there = leaving in waiting
            assert queue.discard(leaving) == was_there
            if was_there:
                waiting.remove(leaving)
        judge(queue, waiting, float(now_s))


def judge(queue: WaitQueue, waiting: list[Waiter], now_s: float) -> None:
    """Check what a queue tells against those who wait, in the order in which they came."""
    assert sorted(map(id, queue)) == sorted(map(id, waiting))
    assert (len(queue), bool(queue)) == (len(waiting), bool(waiting))
    assert queue.waited_s(now_s) == max((now_s - each.since_s for each in waiting), default=0.0)
    calls = Counter(each.device_id for each in waiting)
    assert {device_id: queue.count(device_id) for device_id in calls} == calls
    people = [each for each in queue if each.priority is Priority.INTERACTIVE]
    assert list(queue)[: len(people)] == people
    for of_priority, served in ((queue.people, people), (queue.bulk, list(queue)[len(people) :])):
        devices = {each.device_id for each in served}
        assert (of_priority.waiters, of_priority.devices) == (len(served), len(devices))
        assert {each.device_id for each in served[: len(devices)]} == devices
        for device_id in devices:
            own = [each for each in served if each.device_id == device_id]
            assert own == [each for each in waiting if each in own]
