"""Periodic work: health, fresh keys, the policy file, and forgetting what nobody uses.

A round that fails is told, a lasting loss once, and tried again; a job ends only when it is cancelled.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

import chassis.rounds
from chassis.clock import Clock
from chassis.secrecy import Secret
from chassis.web import Readiness

# How long one round takes at most.
# Source, readiness tells the truth within 5 s: a check that hangs, and the pause before it.
ROUND_S_MAX = 3.0
HEALTH_PERIOD_S = 1.5
# Twice within the time for which a shared key is remembered, and soon again when the key service was away.
KEY_PERIOD_S = 20.0
KEY_AGAIN_S = 1.0
# How soon a changed file is in force.
FOLLOW_PERIOD_S = 3.0
# What nobody uses is forgotten an hour late at most, and not all at once.
IDLE_PERIOD_S = 3_600.0
FORGOTTEN_MAX = 1_000


class Signals(Protocol):
    """Where lost dependencies are told."""

    def side_failed(self, what: str, code: str) -> None:
        """Count and log a side step that failed without changing an answer."""
        ...


class Jobs:
    """Runs the rounds of the gateway's periodic work; see each job."""

    def __init__(self, *, readiness: Readiness, clock: Clock, signals: Signals) -> None:
        """Take what is told and when; `clock` is the machine's."""
        self._readiness = readiness
        self._clock = clock
        self._signals = signals

    async def watch(self, name: str, check: Callable[[], Awaitable[None]]) -> None:
        """Keep readiness true to whether one thing answers, for ever."""
        is_well = True
        while True:
            is_well = await self._round("health", check, was_well=is_well)
            self._readiness.set(name, ok=is_well)
            await self._clock.sleep(HEALTH_PERIOD_S)

    async def renew_key(
        self,
        name: str,
        read: Callable[[], Awaitable[Secret[bytes]]],
        learn: Callable[[Secret[bytes]], None],
    ) -> None:
        """Hand on a key that the key service holds, again and again, for ever."""

        async def renew() -> None:
            learn(await read())

        is_well = True
        while True:
            is_well = await self._round(name, renew, was_well=is_well)
            await self._clock.sleep(KEY_PERIOD_S if is_well else KEY_AGAIN_S)

    async def follow(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Take one step every few seconds, for ever."""
        is_well = True
        while True:
            is_well = await self._round(name, step, was_well=is_well)
            await self._clock.sleep(FOLLOW_PERIOD_S)

    async def forget(self, name: str, forget: Callable[[int], Awaitable[int]]) -> None:
        """Have storage forget what nobody uses, again and again, for ever; each round that fails is told."""

        async def forget_all() -> None:
            while await forget(FORGOTTEN_MAX) == FORGOTTEN_MAX:
                pass

        while True:
            await self._clock.sleep(IDLE_PERIOD_S)
            await self._round(name, forget_all, was_well=True)

    async def _round(self, name: str, step: Callable[[], Awaitable[None]], *, was_well: bool) -> bool:
        """Return whether a step went well, within ROUND_S_MAX; a failure after a success is told."""
        code = await chassis.rounds.fault_of(step, ROUND_S_MAX)
        if code is not None and was_well:
            self._signals.side_failed(name, code)
        return code is None
