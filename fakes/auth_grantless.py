"""The application's own tokens in memory. Every method is one step, as a transaction is."""

from dataclasses import replace

from fakes.auth_tables import FakePart, GrantlessRow, is_held
from services.auth.model.grantless import GrantlessLease, Scope, SealedGrantless


class FakeGrantlessStore(FakePart):
    """One row per application and scope."""

    async def find_grantless(self, application_id: str, scope: Scope) -> SealedGrantless | None:
        return self._aged_grantless(self.tables.grantless.get((application_id, scope), GrantlessRow()))

    async def acquire_grantless(
        self, application_id: str, scope: Scope, lease_s: float
    ) -> GrantlessLease | None:
        row, now_s = (
            self.tables.grantless.setdefault((application_id, scope), GrantlessRow()),
            self._clock.monotonic_s(),
        )
        if is_held(row.held_until_s, now_s, lease_s):
            return None
        row.fence += 1
        row.held_until_s = now_s + lease_s
        return GrantlessLease(fence=row.fence, token=self._aged_grantless(row))

    async def settle_grantless(self, fresh: SealedGrantless) -> bool:
        row = self.tables.grantless.get((fresh.application_id, fresh.scope))
        if row is None or row.fence != fresh.fence:
            return False
        row.token, row.held_until_s = fresh, None
        row.settled_at_s = self._clock.monotonic_s()
        return True

    async def forget_grantless(
        self, application_id: str, scope: Scope, *, fence: int, age_s_min: float
    ) -> bool:
        row = self.tables.grantless.get((application_id, scope))
        if row is None or row.token is None or row.token.fence != fence:
            return False
        if row.settled_at_s > self._clock.monotonic_s() - age_s_min:
            return False
        row.token = None
        return True

    async def release_grantless(self, application_id: str, scope: Scope, fence: int) -> None:
        row = self.tables.grantless.get((application_id, scope))
        if row is not None and row.fence == fence:
            row.held_until_s = None

    def _aged_grantless(self, row: GrantlessRow) -> SealedGrantless | None:
        age_s = self._clock.monotonic_s() - row.settled_at_s
        return None if row.token is None else replace(row.token, age_s=age_s)
