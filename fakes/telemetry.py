"""The small parts around telemetry's use cases: key, signals, readiness."""

from collections.abc import Iterable
from datetime import datetime

import chassis.crypto.sign
from fakes.entropy import FakeEntropy


class FakeCheckpointKey:
    """A key in memory; while `error` is set every call raises it."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.error = error
        self._signer = chassis.crypto.sign.Signer.generate(FakeEntropy(7))

    async def public_pem(self) -> str:
        self._fail_if_told()
        return self._signer.public_pem

    async def sign(self, message: bytes) -> bytes:
        self._fail_if_told()
        return self._signer.sign(message)

    def _fail_if_told(self) -> None:
        if self.error is not None:
            raise self.error


class FakeSignals:
    """Remembers what was shown."""

    def __init__(self) -> None:
        self.codes_refused: list[tuple[str, str]] = []
        self.requests_refused: list[list[str]] = []
        self.failures: list[BaseException] = []
        self.jobs_failed: list[tuple[str, str]] = []
        self.health: list[bool] = []
        self.rows_queued = 0
        self.events_appended = 0
        self.resolved = 0

    def appended(self, sender: str, events: int, elapsed_s: float) -> None:
        assert sender
        assert elapsed_s >= 0
        self.events_appended += events

    def refused(self, sender: str, code: str, request_ids: Iterable[str]) -> None:
        self.codes_refused.append((sender, code))
        self.requests_refused.append(list(request_ids))

    def committed(self, rows: int, elapsed_s: float) -> None:
        assert rows > 0
        assert elapsed_s >= 0

    def commit_failed(self, fault: BaseException) -> None:
        self.failures.append(fault)

    def queued(self, rows: int) -> None:
        assert rows >= 0
        self.rows_queued = rows

    def checkpoint_signed(self, signed_at: datetime, sequence: int) -> None:
        assert signed_at.tzinfo is not None
        assert sequence >= 0

    def intents_resolved(self, intents: int) -> None:
        self.resolved += intents

    def job_failed(self, job: str, code: str) -> None:
        self.jobs_failed.append((job, code))

    def health_changed(self, *, is_well: bool) -> None:
        self.health.append(is_well)


class FakeReadiness:
    """Remembers what was said last."""

    def __init__(self) -> None:
        self.said: dict[str, bool] = {}

    def set(self, name: str, ok: bool) -> None:
        self.said[name] = ok
