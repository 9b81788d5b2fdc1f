"""The right to refresh, and the shared access tokens, in memory. Every method is one step."""

from dataclasses import replace
from datetime import datetime

from fakes.auth_consents import FakeConsentStore
from fakes.auth_tables import LeaseRow, is_held
from services.auth.model.consents import Region
from services.auth.model.lending import Lease, Refreshed, SealedAccess, Standing
from services.auth.model.refusals import ConsentMissing, ConsentRevoked, DeviceNotFound


class FakeLeaseStore(FakeConsentStore):
    """One row per active consent."""

    async def find_standing(self, device_id: str, region: Region) -> Standing:
        self._check_id(device_id)
        device = self.tables.devices.get(device_id)
        if device is None:
            raise DeviceNotFound
        try:
            consent = await self.find_consent(device.seller_id, region)
        except ConsentMissing:
            return Standing(device=device, consent=None, access=None, lent_at=None)
        row = self.tables.leases.get(consent.consent_id)
        return Standing(
            device=device,
            consent=consent,
            access=None if row is None else self._aged(row),
            lent_at=None if row is None else row.lent_at,
        )

    async def find_access(self, consent_id: str) -> SealedAccess | None:
        row = self.tables.leases.get(consent_id)
        return None if row is None else self._aged(row)

    def _aged(self, row: LeaseRow) -> SealedAccess | None:
        age_s = self._clock.monotonic_s() - row.settled_at_s
        return None if row.access is None else replace(row.access, age_s=age_s)

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        row, now_s = self.tables.leases.get(consent_id), self._clock.monotonic_s()
        if row is None:
            raise ConsentRevoked
        if is_held(row.held_until_s, now_s, lease_s):
            return None
        row.fence += 1
        row.held_until_s = now_s + lease_s
        return Lease(fence=row.fence, consent=self.tables.consents[consent_id], access=self._aged(row))

    async def take_due(self, now: datetime, lent_after: datetime, lease_s: float) -> Lease | None:
        now_s = self._clock.monotonic_s()
        due = [
            (row.renew_at, consent_id)
            for consent_id, row in self.tables.leases.items()
            if row.renew_at is not None
            and row.renew_at <= now
            and row.lent_at is not None
            and row.lent_at > lent_after
            and not is_held(row.held_until_s, now_s, lease_s)
        ]
        if not due:
            return None
        return await self.acquire(min(due)[1], lease_s)

    async def put_off(self, consent_id: str, fence: int, renew_at: datetime) -> None:
        row = self.tables.leases.get(consent_id)
        if row is not None and row.fence == fence and row.renew_at is not None:
            row.renew_at = renew_at

    async def note_lent(self, consent_id: str, now: datetime) -> None:
        row = self.tables.leases.get(consent_id)
        if row is not None:
            row.lent_at = max(row.lent_at or now, now)

    async def forget_access(self, consent_id: str, fence: int, age_s_min: float) -> bool:
        row = self.tables.leases.get(consent_id)
        if row is None or row.access is None or row.access.fence != fence:
            return False
        if row.settled_at_s > self._clock.monotonic_s() - age_s_min:
            return False
        row.access = row.renew_at = None
        return True

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        row = self.tables.leases.get(consent_id)
        if row is None or row.fence != fence:
            return False
        consent = self.tables.consents[consent_id]
        self.tables.consents[consent_id] = replace(
            consent,
            used_at=refreshed.refreshed_at,
            refused_at=None,
            refresh_version=refreshed.refresh_version,
            refresh_token_sealed=refreshed.refresh_token_sealed or consent.refresh_token_sealed,
        )
        row.access, row.renew_at = refreshed.access, refreshed.renew_at
        row.settled_at_s, row.held_until_s = self._clock.monotonic_s(), None
        return True

    async def note_refusal(self, consent_id: str, fence: int, now: datetime) -> None:
        row = self.tables.leases.get(consent_id)
        if row is not None and row.fence == fence:
            consent = self.tables.consents[consent_id]
            self.tables.consents[consent_id] = replace(consent, refused_at=consent.refused_at or now)

    async def release(self, consent_id: str, fence: int) -> None:
        row = self.tables.leases.get(consent_id)
        if row is not None and row.fence == fence:
            row.held_until_s = None
