"""Periodic work: checkpoints, orphaned intents, health, the webhook. Each job is a loop that `app` starts.

A round that fails is counted and tried again at the next one; a job ends only when it is cancelled.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import chassis.clock
import chassis.rounds

# Source: T-22, a checkpoint at most 60 s after any record. Half of it: one failed round breaks nothing.
CHECKPOINT_INTERVAL_S = 30.0
# Source: R-01, resolved within 60 s of a restart: model.intents.INTENT_OPEN_S plus this, plus the commits.
ORPHANS_INTERVAL_S = 5.0
# Source: R-02, readiness false within 5 s of a failure. A check of a store that hangs takes up to 4 s.
HEALTH_INTERVAL_S = 0.5
# What is to be told has been waiting for a commit already; a second more is not noticed.
WEBHOOK_INTERVAL_S = 1.0
# A round that failed is told in the log: each one more lets the next wait twice as long, up to this.
WEBHOOK_RETRY_S_MAX = 30.0
ROUND_S_MAX = 20.0
READINESS_NAME = "audit_log"

Round = Callable[[], Awaitable[None]]


class Signals(Protocol):
    """What the jobs make visible."""

    def job_failed(self, job: str, code: str) -> None:
        """Count and log one round that failed."""
        ...

    def health_changed(self, *, is_well: bool) -> None:
        """Log that the audit log began or ceased to take events."""
        ...


class Readiness(Protocol):
    """Where the truth about this process is kept."""

    def set(self, name: str, ok: bool) -> None:
        """Say whether one thing that this process needs is well."""
        ...


class Jobs:
    """Runs the rounds of telemetry's periodic work."""

    def __init__(
        self,
        *,
        sign_if_due: Round,
        resolve_orphans: Round,
        check_health: Callable[[], Awaitable[bool]],
        readiness: Readiness,
        clock: chassis.clock.Clock,
        signals: Signals,
    ) -> None:
        self._sign_if_due = sign_if_due
        self._resolve_orphans = resolve_orphans
        self._check_health = check_health
        self._readiness = readiness
        self._clock = clock
        self._signals = signals
        self._was_well = True
        self._readiness.set(READINESS_NAME, ok=False)

    async def sign_checkpoints(self) -> None:
        """Keep every record covered by a checkpoint."""
        await self._repeat("checkpoints", self._sign_if_due, CHECKPOINT_INTERVAL_S)

    async def conclude_orphans(self) -> None:
        """Keep every intent from staying without an outcome."""
        await self._repeat("orphans", self._resolve_orphans, ORPHANS_INTERVAL_S)

    async def watch_health(self) -> None:
        """Keep readiness true to whether the log takes events."""
        await self._repeat("health", self._show_health, HEALTH_INTERVAL_S)

    async def tell_webhook(self, tell: Round) -> None:
        """Keep the receiver told; rounds come more rarely the longer they have failed."""
        pause_s = WEBHOOK_INTERVAL_S
        while True:
            is_well = await self._round("webhook", tell)
            pause_s = WEBHOOK_INTERVAL_S if is_well else min(pause_s * 2, WEBHOOK_RETRY_S_MAX)
            await self._clock.sleep(pause_s)

    async def _show_health(self) -> None:
        is_well = False
        try:
            is_well = await self._check_health()
        finally:
            self._readiness.set(READINESS_NAME, ok=is_well)
            if is_well is not self._was_well:
                self._signals.health_changed(is_well=is_well)
            self._was_well = is_well

    async def _repeat(self, job: str, round_: Round, interval_s: float) -> None:
        while True:
            await self._round(job, round_)
            await self._clock.sleep(interval_s)

    async def _round(self, job: str, round_: Round) -> bool:
        code = await chassis.rounds.fault_of(round_, ROUND_S_MAX)
        if code is not None:
            self._signals.job_failed(job, code)
        return code is None
