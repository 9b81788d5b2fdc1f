"""Keeping the parts of a stack up, with parts that live and die as a test says."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import pytest

from sallyport import supervisor
from sallyport.supervisor import PartFailed, Supervisor


class FakePart:
    """A part; each start takes what stands first in `faults`, None for none."""

    def __init__(self, name: str = "auth") -> None:
        self.name = name
        self.pid: int | None = None
        self.faults: deque[Exception | None] = deque()
        self.is_up = asyncio.Event()
        self._is_down = asyncio.Event()

    async def start(self) -> None:
        fault = self.faults.popleft() if self.faults else None
        if fault is not None:
            raise fault
        self._is_down.clear()
        self.is_up.set()

    async def wait(self) -> int:
        await self._is_down.wait()
        return 1

    async def stop(self) -> None:
        self.die()

    def die(self) -> None:
        self.is_up.clear()
        self._is_down.set()


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """What the supervisor reported."""
    return []


@pytest.fixture
async def stack(told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisor]:
    monkeypatch.setattr(supervisor, "RESTART_DELAY_S", 0.0)
    stack = Supervisor(lambda name, event: told.append((name, event)))
    yield stack
    await stack.stop()


@pytest.mark.parametrize("fault", [PartFailed("not healthy"), OSError(28, "No space left on device")])
async def test_a_part_that_died_is_started_until_it_is_up_whatever_kept_it_down(
    stack: Supervisor, told: list[tuple[str, str]], fault: Exception
) -> None:
    part = FakePart()
    await stack.add(part)
    part.faults.extend([fault, fault])
    part.die()
    async with asyncio.timeout(5):
        await part.is_up.wait()
    assert told[:2] == [("auth", "starting"), ("auth", "up")]
    assert told[2:] == [("auth", "died")] * 3 + [("auth", "up")]


async def test_parts_are_stopped_in_the_reverse_of_the_order_in_which_they_were_started(
    stack: Supervisor, told: list[tuple[str, str]]
) -> None:
    for name in ("telemetry", "auth", "gateway"):
        await stack.add(FakePart(name))
    told.clear()
    await stack.stop()
    assert told == [("gateway", "stopped"), ("auth", "stopped"), ("telemetry", "stopped")]
    told.clear()
