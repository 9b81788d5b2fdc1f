"""Periodic work: purging, late audit events, doubtful, ending and idle grants, leavers, news, health.

A round that fails is counted and tried again at the next one; a job ends only when it is cancelled.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import chassis.clock
import chassis.errors
import chassis.rounds
from services.auth.model.devices import Revocation
from services.auth.service import UseCases

PURGE_PERIOD_S = 60.0
SETTLE_PERIOD_S = 2.0
CONFIRM_PERIOD_S = 30.0
RETIRE_PERIOD_S = 3_600.0
# Well below the 5 to 15 minutes that a renewal ahead has.
RENEW_PERIOD_S = 5.0
# How many renewals one replica has under way; each waits for Amazon most of its time.
RENEWERS = 6
KEY_AGES_PERIOD_S = 3_600.0
REWRAP_PERIOD_S = 2.0
REMIND_PERIOD_S = 60.0
OFFBOARD_PERIOD_S = 5.0
ACCESS_REVIEW_PERIOD_S = 3_600.0
SECRETS_PERIOD_S = 60.0
# Hearing waits for letters by itself; this is for when it fails.
NOTICES_PERIOD_S = 5.0
# Source, readiness tells the truth within 5 s.
HEALTH_PERIOD_S = 1.0
NEWS_AGAIN_S = 0.5
ROUND_S_MAX = 120.0
HEALTH_S_MAX = 3.0
STORE_NAME = "store"
KEYS_NAME = "key_service"
NEWS_NAME = "news"
AUDIT_NAME = "audit"
SECRETS_NAME = "client_secrets"

Task = tuple[str, Callable[[], Coroutine[Any, Any, None]]]


class Signals(Protocol):
    """What the jobs make visible."""

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round that failed."""
        ...


class Readiness(Protocol):
    """Where the truth about this process is kept."""

    def set(self, name: str, ok: bool) -> None:
        """Say whether one thing that this process needs is well."""
        ...


class Line(Protocol):
    """Storage's line for news."""

    async def listen(
        self, clock: chassis.clock.Clock, *, opened: Callable[[], None], tell: Callable[[Revocation], None]
    ) -> None:
        """Tell every piece of news after `opened` was called, until the line breaks."""
        ...


class Jobs:
    """Runs the rounds of auth's periodic work."""

    def __init__(
        self,
        use_cases: UseCases,
        *,
        line: Line,
        clock: chassis.clock.Clock,
        readiness: Readiness,
        signals: Signals,
    ) -> None:
        self._use_cases = use_cases
        self._news = use_cases.news
        self._line = line
        self._clock = clock
        self._readiness = readiness
        self._signals = signals
        for name in (STORE_NAME, KEYS_NAME, NEWS_NAME, AUDIT_NAME):
            self._readiness.set(name, ok=False)

    def tasks(self) -> list[Task]:
        """Return what is to run all the time, by name: each job once, "renew" RENEWERS times."""
        use = self._use_cases
        rounds = (
            ("purge", use.upkeep.purge, PURGE_PERIOD_S),
            ("settle", use.upkeep.settle, SETTLE_PERIOD_S),
            ("confirm", use.upkeep.confirm_refusals, CONFIRM_PERIOD_S),
            ("retire", use.upkeep.retire_idle, RETIRE_PERIOD_S),
            ("remind", use.reminding.remind, REMIND_PERIOD_S),
            ("offboard", use.offboarding.pursue, OFFBOARD_PERIOD_S),
            ("access_review", use.people.reviews.watch, ACCESS_REVIEW_PERIOD_S),
            ("key_ages", use.keys.begin_aged, KEY_AGES_PERIOD_S),
            ("rewrap", use.keys.work, REWRAP_PERIOD_S),
            *(("renew", use.upkeep.renew_ahead, RENEW_PERIOD_S) for _ in range(RENEWERS)),
        )
        return [
            *(
                (job, functools.partial(self.repeat, job, round_, period_s))
                for job, round_, period_s in rounds
            ),
            ("secrets", functools.partial(self.tend_secrets, use.rotation.tend)),
            ("news", self.hear_news),
        ]

    async def tend_secrets(self, tend: Callable[[], Awaitable[bool]]) -> None:
        """Keep client secrets from ending, and readiness true to whether Amazon may still be called."""

        async def tend_once() -> None:
            self._readiness.set(SECRETS_NAME, ok=await tend())

        self._readiness.set(SECRETS_NAME, ok=True)
        await self.repeat("secrets", tend_once, SECRETS_PERIOD_S)

    async def hear_news(self) -> None:
        """Keep this replica's watchers told of every change, or cut off."""
        while True:
            try:
                await self._line.listen(self._clock, opened=self._open_news, tell=self._news.tell)
            except chassis.errors.SallyportError as fault:
                self._signals.job_failed("news", fault.code)
            finally:
                self._news.interrupt()
                self._readiness.set(NEWS_NAME, ok=False)
            await self._clock.sleep(NEWS_AGAIN_S)

    async def watch(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        """Keep readiness true to whether one thing that this process needs answers."""
        while True:
            is_well = await self._round("health", check, HEALTH_S_MAX)
            self._readiness.set(name, ok=is_well)
            await self._clock.sleep(HEALTH_PERIOD_S)

    async def repeat(self, job: str, round_: Callable[[], Awaitable[object]], period_s: float) -> None:
        """Run a job's rounds, each with its bound and so many seconds after the last one."""
        while True:
            await self._round(job, round_, ROUND_S_MAX)
            await self._clock.sleep(period_s)

    def _open_news(self) -> None:
        self._news.open()
        self._readiness.set(NEWS_NAME, ok=True)

    async def _round(self, job: str, round_: Callable[[], Awaitable[object]], limit_s: float) -> bool:
        code = await chassis.rounds.fault_of(round_, limit_s)
        if code is not None:
            self._signals.job_failed(job, code)
        return code is None
