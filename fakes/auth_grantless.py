"""The application's own tokens in memory. Every method is one step, as a transaction is."""

from fakes.auth_tables import FakePart, GrantlessRow, is_held
from services.auth.model.grantless import GrantlessLease, Scope, SealedGrantless


class FakeGrantlessStore(FakePart):
    """One row per application and scope."""

    async def find_grantless(self, application_id: str, scope: Scope) -> SealedGrantless | None:
        return self.tables.grantless.get((application_id, scope), GrantlessRow()).token

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
        return GrantlessLease(fence=row.fence, token=row.token)

    async def settle_grantless(self, fresh: SealedGrantless) -> bool:
        row = self.tables.grantless.get((fresh.application_id, fresh.scope))
        if row is None or row.fence != fresh.fence:
            return False
        row.token, row.held_until_s = fresh, None
        return True

    async def release_grantless(self, application_id: str, scope: Scope, fence: int) -> None:
        row = self.tables.grantless.get((application_id, scope))
        if row is not None and row.fence == fence:
            row.held_until_s = None
