"""Signing checkpoints: on the minute by a job, and on demand when the log is exported."""

import asyncio

import chassis.clock
from services.telemetry.model.checkpoints import (
    SIGNATURE_CONTEXT,
    Checkpoint,
    Reason,
    Tip,
    fingerprint,
    statement,
)
from services.telemetry.model.errors import CheckpointContended
from services.telemetry.model.kinds import Kind
from services.telemetry.service.diary import Diary
from services.telemetry.service.ports import CheckpointKey, CheckpointStore, Signals

# Replicas may take the same number at the same moment; each round somebody wins.
TRIES_MAX = 5


class Checkpoints:
    """Signs what the log is, with a key that was made when the key service was provisioned."""

    def __init__(
        self,
        *,
        store: CheckpointStore,
        key: CheckpointKey,
        diary: Diary,
        clock: chassis.clock.Clock,
        signals: Signals,
    ) -> None:
        self._store = store
        self._key = key
        self._diary = diary
        self._clock = clock
        self._signals = signals
        self._fingerprint: str | None = None
        self._loading = asyncio.Lock()

    async def sign_if_due(self) -> None:
        """Sign a checkpoint unless the last one already covers the last record.

        Raises:
            CheckpointContended: others took TRIES_MAX numbers before us.
            Gone, Unavailable: the key does not exist; the store or the key service is down.
        """
        key = await self.key_fingerprint()
        tip = await self._store.tip()
        if not tip.is_covered:
            await self._sign(tip, Reason.INTERVAL, key)

    async def sign_for_export(self) -> Checkpoint:
        """Return a fresh checkpoint over everything in the log now; raises what `sign_if_due` does."""
        key = await self.key_fingerprint()
        return await self._sign(await self._store.tip(), Reason.EXPORT, key)

    async def key_fingerprint(self) -> str:
        """Return the name of the key that signs; a process's first use of it is on record before."""
        async with self._loading:
            if self._fingerprint is None:
                name = fingerprint(await self._key.public_pem())
                await self._diary.write(self._diary.compose(Kind.KEY_LOADED, details={"key": name}))
                self._fingerprint = name
        return self._fingerprint

    async def _sign(self, tip: Tip, reason: Reason, key: str) -> Checkpoint:
        for _ in range(TRIES_MAX):
            signed_at = self._clock.now()
            body = statement(tip, signed_at=signed_at, reason=reason, key=key)
            signature = await self._key.sign(SIGNATURE_CONTEXT + body)
            number, sequence = tip.checkpoint_number + 1, tip.head.sequence
            checkpoint = Checkpoint(number, sequence, signed_at, body, signature)
            if await self._store.add_checkpoint(checkpoint):
                self._signals.checkpoint_signed(signed_at, sequence)
                return checkpoint
            tip = await self._store.tip()
        raise CheckpointContended
