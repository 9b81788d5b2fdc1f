"""The rounds of periodic work, and readiness."""

import asyncio
from collections.abc import Callable

import pytest

from chassis.clock import Clock
from chassis.errors import Unavailable
from fakes.auth_house import House
from fakes.clock import FakeClock
from services.auth.jobs import (
    AUDIT_NAME,
    HEALTH_PERIOD_S,
    KEYS_NAME,
    NEWS_NAME,
    SECRETS_NAME,
    SECRETS_PERIOD_S,
    SETTLE_PERIOD_S,
    STORE_NAME,
    Jobs,
)
from services.auth.model.audit import Kind, Phase
from services.auth.model.devices import Revocation
from services.auth.model.refusals import InvalidState
from services.auth.service.news import NewsInterrupted

NEWS = Revocation(device_id="one", seller_id="seller")


class Line:
    """Storage's line: breaks when a test says so."""

    def __init__(self) -> None:
        self.breaks = asyncio.Event()
        self.calls = 0

    async def listen(
        self, _clock: Clock, *, opened: Callable[[], None], tell: Callable[[Revocation], None]
    ) -> None:
        self.calls += 1
        opened()
        tell(NEWS)
        await self.breaks.wait()
        self.breaks.clear()
        raise Unavailable


class Board:
    """Readiness as it was last set; and the rounds that failed."""

    def __init__(self) -> None:
        self.shown: dict[str, bool] = {}
        self.failed: list[tuple[str, str]] = []

    def set(self, name: str, ok: bool) -> None:
        self.shown[name] = ok

    def job_failed(self, job: str, code: str) -> None:
        self.failed.append((job, code))


class Shift:
    """Jobs at work on a house of fakes."""

    def __init__(self) -> None:
        self.house, self.line = House(), Line()
        self.news = self.house.use.news
        self.clock, self.board = FakeClock(), Board()
        self.jobs = Jobs(
            self.house.use,
            line=self.line,
            clock=self.clock,
            readiness=self.board,
            signals=self.board,
        )


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_ready_before_it_was_looked_at_R16() -> None:
    shift = Shift()
    assert shift.board.shown == dict.fromkeys((STORE_NAME, KEYS_NAME, NEWS_NAME, AUDIT_NAME), False)


async def test_a_broken_line_cuts_watchers_off_and_is_opened_again_R11() -> None:
    shift = Shift()
    task = asyncio.create_task(shift.jobs.hear_news())
    await shift.clock.advance(0)
    assert shift.board.shown[NEWS_NAME]
    watcher = shift.news.watch()
    shift.line.breaks.set()
    await shift.clock.advance(0)
    assert not shift.board.shown[NEWS_NAME]
    with pytest.raises(NewsInterrupted):
        await watcher.next()
    with pytest.raises(NewsInterrupted):
        shift.news.watch()
    await shift.clock.advance(1)
    assert shift.board.shown[NEWS_NAME]
    assert (shift.line.calls, shift.board.failed) == (2, [("news", "unavailable")])
    await stop(task)


async def test_readiness_follows_what_is_asked_R02_R16() -> None:
    shift, answers = Shift(), [True, False, True, True]

    async def check() -> None:
        if not answers.pop(0):
            raise Unavailable

    task = asyncio.create_task(shift.jobs.watch(STORE_NAME, check))
    seen = []
    for _ in range(3):
        await shift.clock.advance(0)
        seen.append(shift.board.shown[STORE_NAME])
        await shift.clock.advance(HEALTH_PERIOD_S)
    assert seen == [True, False, True]
    await stop(task)


async def test_a_round_that_stumbles_over_what_nobody_foresaw_ends_no_job() -> None:
    shift, rounds = Shift(), list[bool]()

    async def stumble() -> None:
        rounds.append(True)
        raise KeyError("a letter")

    task = asyncio.create_task(shift.jobs.repeat("letters", stumble, SETTLE_PERIOD_S))
    await shift.clock.advance(SETTLE_PERIOD_S)
    assert (len(rounds), shift.board.failed) == (2, [("letters", "internal")] * 2)
    await stop(task)


async def test_a_failed_round_is_counted_and_tried_again_R24() -> None:
    shift = Shift()
    person = await shift.house.person()
    shift.house.audit.is_down = True
    with pytest.raises(InvalidState):
        await shift.house.use.consents.complete(person.session_token, shift.house.callback("g" * 43))
    task = asyncio.create_task(dict(shift.jobs.tasks())["settle"]())
    await shift.clock.advance(0)
    assert shift.board.failed == [("settle", "audit_unavailable")]
    shift.house.audit.is_down = False
    await shift.clock.advance(SETTLE_PERIOD_S)
    assert shift.house.audit.told(Kind.CONSENT_REFUSED) == [(Phase.FACT, "invalid_state")]
    await stop(task)


async def test_readiness_follows_what_is_found_out_about_client_secrets() -> None:
    shift, answers = Shift(), [True, False]

    async def tend() -> bool:
        return answers.pop(0) if answers else True

    task = asyncio.create_task(shift.jobs.tend_secrets(tend))
    shown = []
    for _ in range(3):
        await shift.clock.advance(0)
        shown.append(shift.board.shown[SECRETS_NAME])
        await shift.clock.advance(SECRETS_PERIOD_S)
    assert shown == [True, False, True]
    await stop(task)
