"""Auth's storage in memory. Every method is one step, as a transaction is."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fakes.auth_device_grants import FakeDeviceGrantStore
from fakes.auth_grantless import FakeGrantlessStore
from fakes.auth_leases import FakeLeaseStore
from fakes.auth_life import FakeReminderStore, FakeSellerStore
from fakes.auth_rewrappings import FakeRewrappingStore
from fakes.auth_rotations import FakeRotationStore
from fakes.auth_sign_ins import FakeSignInStore
from fakes.auth_turns import FakeTurnStore
from services.auth.model.ages import CLOCKS_APART_MAX
from services.auth.model.device_grants import DEVICE_GRANT_MEMORY
from services.auth.model.devices import (
    CODE_MEMORY,
    DEVICE_IDLE_MAX,
    Reach,
)
from services.auth.model.passwords import LOCKED
from services.auth.model.rewrapping import REWRAPPING_MEMORY
from services.auth.model.tokens import (
    ACCESS_MEMORY,
)

V = TypeVar("V")


class FakeStore(
    FakeLeaseStore,
    FakeTurnStore,
    FakeGrantlessStore,
    FakeReminderStore,
    FakeSellerStore,
    FakeDeviceGrantStore,
    FakeRotationStore,
    FakeRewrappingStore,
    FakeSignInStore,
):
    """Several of these on the same tables are several replicas on one database."""

    async def find_reach(self, seller_id: str, now: datetime) -> Reach:
        found = [
            consent
            for consent in self._active()
            if consent.seller_id == seller_id and consent.expires_at > now
        ]
        found.sort(key=lambda consent: consent.granted_at, reverse=True)
        regions = tuple(sorted(consent.region for consent in found))
        return Reach(regions=regions, default_marketplace_id=found[0].marketplace_id if found else "")

    # Sweeps

    async def purge(self, now: datetime, rows_max: int) -> int:
        tables, idle_s = self.tables, DEVICE_IDLE_MAX.total_seconds()
        over_before = now - CLOCKS_APART_MAX
        purged = _drop(tables.invitations, lambda row: row[0].expires_at < over_before, rows_max)
        purged += _drop(tables.sessions, lambda row: row[0].expires_at < over_before, rows_max)
        purged += _drop(tables.states, lambda state: state.expires_at < over_before, rows_max)
        purged += _drop(tables.codes, lambda code: code.expires_at < now - CODE_MEMORY, rows_max)
        purged += _drop(
            tables.device_grants, lambda row: row.grant.expires_at < now - DEVICE_GRANT_MEMORY, rows_max
        )
        purged += _drop(tables.spent, lambda expires_at: expires_at < over_before, rows_max)
        purged += _drop(tables.failures, lambda one: one.failed_at < now - LOCKED, rows_max)
        newest = {
            device_id: access
            for device_id, access in tables.access_tokens.values()
            if not access.restrictions
        }
        purged += _drop(
            tables.access_tokens,
            lambda row: row[1].expires_at < now - ACCESS_MEMORY and row[1] != newest.get(row[0]),
            rows_max,
        )
        purged += self._forget_rewrappings(now - REWRAPPING_MEMORY, rows_max)
        return purged + _drop(
            tables.refresh_tokens,
            lambda row: (
                row.rotated_at_s is not None and row.rotated_at_s < self._clock.monotonic_s() - idle_s
            ),
            rows_max,
        )


def _drop(rows: dict[bytes, V], is_over: Callable[[V], bool], rows_max: int) -> int:
    over = [key for key, row in rows.items() if is_over(row)][:rows_max]
    for key in over:
        del rows[key]
    return len(over)
