"""Stopping what listens: within one grace, and to the end whatever one of them does."""

import asyncio

import chassis.run

GRACE_S = 0.01


class Listener:
    """Remembers the grace that it was given; uses all of it, or fails, if it is to."""

    def __init__(self, *, uses_grace: bool = False, fault: Exception | None = None) -> None:
        self.graces_s: list[float] = []
        self._uses_grace = uses_grace
        self._fault = fault

    async def start(self) -> None:
        """Serve nobody."""

    async def stop(self, grace_s: float) -> None:
        self.graces_s.append(grace_s)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + grace_s
        while self._uses_grace and loop.time() < until_s:  # noqa: ASYNC110 - nothing happens meanwhile
            await asyncio.sleep(0)
        if self._fault is not None:
            raise self._fault


async def test_all_listeners_together_take_one_grace_R16() -> None:
    slow, last = Listener(uses_grace=True), Listener()
    listening: list[chassis.run.Listener] = [slow, Listener(), last]
    await chassis.run._drain(listening, GRACE_S)
    assert last.graces_s[0] < GRACE_S / 1_000
    assert listening == []


async def test_one_that_fails_to_stop_keeps_no_other_from_it_R16() -> None:
    failing, other, last = Listener(fault=ValueError()), Listener(), Listener(fault=OSError())
    await chassis.run._drain([failing, other, last], GRACE_S)
    assert [len(each.graces_s) for each in (failing, other, last)] == [1, 1, 1]
