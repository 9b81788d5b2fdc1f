"""A round of periodic work fails by a code, and ends no process."""

import asyncio
import io
import json

import pytest

import chassis.log
import chassis.trace
from chassis.errors import Internal, Unavailable
from chassis.rounds import OVERDUE, fault_of


async def test_a_round_that_went_well_has_no_fault() -> None:
    done = list[bool]()

    async def round_() -> None:
        done.append(True)

    assert await fault_of(round_, 1.0) is None
    assert done == [True]


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable(), Unavailable.code), (TimeoutError(), OVERDUE), (KeyError("a letter"), Internal.code)],
)
async def test_a_round_that_fails_is_told_by_a_code(error: Exception, code: str) -> None:
    async def round_() -> None:
        raise error

    assert await fault_of(round_, 1.0) == code


async def test_a_mistake_in_a_round_is_logged_whole() -> None:
    async def stumble_over_a_letter() -> None:
        raise KeyError("notice")

    stream = io.StringIO()
    with chassis.log.configure("auth", "info", context=dict, stream=stream):
        await fault_of(stumble_over_a_letter, 1.0)
    line = json.loads(stream.getvalue())
    assert (line["level"], line["event"]) == ("error", "round_crashed")
    assert "stumble_over_a_letter" in json.dumps(line["error"])


async def test_a_round_has_so_much_time() -> None:
    assert await fault_of(asyncio.Event().wait, 0.01) == OVERDUE


async def test_a_round_that_is_cancelled_ends() -> None:
    task = asyncio.create_task(fault_of(asyncio.Event().wait, 60.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_round_has_an_id_of_its_own_whatever_request_began_it() -> None:
    seen = list[str]()

    async def round_() -> None:
        seen.append(chassis.trace.request_id())

    with chassis.trace.bind_request_id("request-1"):
        await fault_of(round_, 1.0)
    assert seen not in (["request-1"], [""])
