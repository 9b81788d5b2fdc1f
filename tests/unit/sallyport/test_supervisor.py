"""Keeping the parts of a stack up, with parts that live and die as a test says."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence

import pytest

from sallyport import supervisor
from sallyport.supervisor import PartFailed, Supervisor


class FakePart:
    """A part; each start takes what stands first in `faults`, None for none. One that clings never stops."""

    def __init__(self, name: str = "auth", *, clings: bool = False, pid: int | None = None) -> None:
        self.name = name
        self.pid = pid
        self.faults: deque[Exception | None] = deque()
        self._clings = clings
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
        if self._clings:
            raise TimeoutError
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


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (PartFailed("auth ended with exit code 1: no key"), "auth ended with exit code 1: no key"),
        (PartFailed("postgres: starting\n\none\ntwo\n  three\n"), "one / two / three"),
        (PartFailed("auth: refused sp_at_0123456789"), "auth: refused Secret(***)"),
        (OSError(28, "No space left on device"), "OSError: [Errno 28] No space left on device"),
        (KeyError("keys"), "KeyError: 'keys'"),
    ],
)
async def test_a_part_that_died_is_started_until_it_is_up_and_what_kept_it_down_is_told(
    stack: Supervisor, told: list[tuple[str, str]], fault: Exception, reason: str
) -> None:
    part = FakePart()
    await stack.add(part)
    part.faults.extend([fault, fault])
    part.die()
    async with asyncio.timeout(5):
        await part.is_up.wait()
    assert told[:2] == [("auth", "starting"), ("auth", "up")]
    assert told[2:] == [("auth", "died"), *[("auth", f"not up: {reason}")] * 2, ("auth", "up")]


async def test_what_the_system_refuses_a_part_at_its_first_start_is_told_as_the_parts_failure(
    stack: Supervisor,
) -> None:
    part = FakePart()
    part.faults.append(OSError(28, "No space left on device"))
    with pytest.raises(PartFailed, match=r"auth: OSError: \[Errno 28\] No space left on device"):
        await stack.add(part)


async def test_a_part_that_dies_again_is_started_again(
    stack: Supervisor, told: list[tuple[str, str]]
) -> None:
    part = FakePart()
    await stack.add(part)
    for _ in range(3):
        part.die()
        async with asyncio.timeout(5):
            await part.is_up.wait()
    assert told[2:] == [("auth", "died"), ("auth", "up")] * 3


async def test_parts_are_stopped_in_the_reverse_of_the_order_in_which_they_were_started(
    stack: Supervisor, told: list[tuple[str, str]]
) -> None:
    for name in ("telemetry", "auth", "gateway"):
        await stack.add(FakePart(name))
    told.clear()
    await stack.stop()
    assert told == [("gateway", "stopped"), ("auth", "stopped"), ("telemetry", "stopped")]


async def test_a_part_that_does_not_stop_is_told_and_keeps_none_of_the_others_up(
    stack: Supervisor, told: list[tuple[str, str]]
) -> None:
    parts = [FakePart("telemetry"), FakePart("auth", clings=True), FakePart("gateway")]
    for part in parts:
        await stack.add(part)
    told.clear()
    await stack.stop()
    assert [part.name for part in parts if part.is_up.is_set()] == ["auth"]
    assert told == [("gateway", "stopped"), ("auth", "not stopped: TimeoutError"), ("telemetry", "stopped")]


async def _run(parts: Sequence[FakePart], end: BaseException | None = None) -> None:
    """Start parts and leave them again, as `end` has it."""
    async with Supervisor(lambda *_: None) as stack:
        for part in parts:
            await stack.add(part)
        if end is not None:
            raise end


@pytest.mark.parametrize("end", [None, asyncio.CancelledError()])
async def test_a_stack_of_which_a_part_does_not_stop_fails_and_names_it(end: BaseException | None) -> None:
    parts = [
        FakePart("telemetry"),
        FakePart("auth", clings=True, pid=4711),
        FakePart("gateway", clings=True, pid=4712),
    ]
    with pytest.raises(PartFailed, match=r"^not stopped: gateway \(process 4712\), auth \(process 4711\)$"):
        await _run(parts, end)


async def test_a_stack_that_failed_tells_of_that_and_not_of_what_did_not_stop() -> None:
    parts = [FakePart("auth", clings=True), FakePart("gateway")]
    parts[1].faults.append(PartFailed("gateway ended with exit code 1: no key"))
    with pytest.raises(PartFailed, match=r"^gateway ended with exit code 1: no key$"):
        await _run(parts)


@pytest.mark.parametrize("end", [None, asyncio.CancelledError(), PartFailed("no key")])
async def test_every_part_is_stopped_however_a_stack_ends(end: BaseException | None) -> None:
    parts = [FakePart("auth"), FakePart("gateway")]
    with contextlib.suppress(asyncio.CancelledError, PartFailed):
        await _run(parts, end)
    assert not any(part.is_up.is_set() for part in parts)


async def test_a_reader_who_has_gone_keeps_no_part_up_nor_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_DELAY_S", 0.0)
    is_read = True

    def report(_name: str, _event: str) -> None:
        if not is_read:
            raise BrokenPipeError(32, "Broken pipe")

    stack = Supervisor(report)
    parts = [FakePart("auth"), FakePart("gateway")]
    for part in parts:
        await stack.add(part)
    is_read = False
    parts[0].die()
    async with asyncio.timeout(5):
        await parts[0].is_up.wait()
    await stack.stop()
    assert not any(part.is_up.is_set() for part in parts)
