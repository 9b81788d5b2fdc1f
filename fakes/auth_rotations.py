"""Who looks after the applications' client secrets, in memory. Every method is one step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_tables import FakePart, RotationRow, is_held
from services.auth.model.consents import Application
from services.auth.model.rotation import APPLICATIONS_MAX, RotationLease, RotationState


class FakeRotationStore(FakePart):
    """The rows are made when somebody first looks after an application."""

    async def list_applications(self) -> Sequence[Application]:
        known = sorted(self.tables.applications.values(), key=lambda row: row[0], reverse=True)
        return [application for _, application in known[:APPLICATIONS_MAX]]

    async def find_rotation(self, application_id: str) -> RotationState:
        return self.tables.rotations.get(application_id, RotationRow()).state

    async def hold_rotation(self, application_id: str, lease_s: float) -> RotationLease | None:
        assert application_id in self.tables.applications
        row, now_s = (
            self.tables.rotations.setdefault(application_id, RotationRow()),
            self._clock.monotonic_s(),
        )
        if is_held(row.held_until_s, now_s, lease_s):
            return None
        row.fence += 1
        row.held_until_s = now_s + lease_s
        return RotationLease(application_id=application_id, fence=row.fence, state=row.state)

    async def note_asked(self, lease: RotationLease, now: datetime) -> bool:
        return self._note(lease, asked_at=now, refused_at=None, refusal="")

    async def note_rotation_refused(self, lease: RotationLease, code: str, now: datetime) -> None:
        self._note(lease, asked_at=lease.state.asked_at, refused_at=now, refusal=code)

    async def note_told(self, lease: RotationLease, secret_id: str, days: int) -> None:
        self._note(lease, told_secret_id=secret_id, told_days=days)

    async def release_rotation(self, lease: RotationLease) -> None:
        row = self.tables.rotations[lease.application_id]
        if row.fence == lease.fence:
            row.held_until_s = None

    def _note(self, lease: RotationLease, **changes: object) -> bool:
        row = self.tables.rotations[lease.application_id]
        if row.fence != lease.fence:
            return False
        row.state = replace(row.state, **changes)  # type: ignore[arg-type]
        return True
