"""Desktops that wait to be let in, in memory. Every method is one step."""

from dataclasses import replace
from datetime import datetime

from fakes.auth_devices import FakeDeviceStore
from fakes.auth_tables import DeviceGrantRow
from services.auth.model.device_grants import (
    DEVICE_GRANTS_MAX,
    Decision,
    DeviceGrant,
    Polled,
)
from services.auth.model.device_refusals import TooManyDeviceGrants, UserCodeInvalid
from services.auth.model.refusals import InvalidGrant
from services.auth.model.tokens import Enrolment


class FakeDeviceGrantStore(FakeDeviceStore):
    """Begun by desktops, decided on by people, redeemed by desktops."""

    async def keep_device_grant(self, grant: DeviceGrant, now: datetime) -> None:
        rows = self.tables.device_grants.values()
        if sum(row.grant.expires_at > now for row in rows) >= DEVICE_GRANTS_MAX:
            raise TooManyDeviceGrants
        self.tables.device_grants[grant.device_code_digest] = DeviceGrantRow(grant)
        self._keep(grant.device_code_digest)

    async def find_device_grant(self, user_code_digest: bytes) -> DeviceGrant:
        grant = self._waiting(user_code_digest).grant
        return replace(grant, age_s=self._age_s(grant.device_code_digest))

    async def decide_device_grant(self, user_code_digest: bytes, decision: Decision, now: datetime) -> None:
        row = self._waiting(user_code_digest)
        if row.grant.decision is None and row.grant.expires_at > now:
            row.grant = replace(row.grant, decision=decision)
            return
        known = row.grant.decision
        if known is None or (known.is_approved, known.user_id) != (decision.is_approved, decision.user_id):
            raise UserCodeInvalid

    async def poll_device_grant(self, digest: bytes, client_id: str, key_thumbprint: str) -> Polled:
        row, now_s = self.tables.device_grants.get(digest), self._clock.monotonic_s()
        if row is None or not row.grant.is_for(client_id, key_thumbprint):
            raise InvalidGrant
        ago_s = None if row.redeemed_at_s is None else now_s - row.redeemed_at_s
        found = replace(row.grant, redeemed_ago_s=ago_s, age_s=self._age_s(digest))
        is_too_early = row.polled_at_s is not None and now_s < row.polled_at_s + found.interval_s
        interval_s = found.next_interval_s(is_too_early=is_too_early)
        row.grant = replace(row.grant, key_thumbprint=key_thumbprint, interval_s=interval_s)
        row.polled_at_s = now_s
        return Polled(grant=found, is_too_early=is_too_early)

    async def enrol_by_device_grant(self, digest: bytes, enrolment: Enrolment, nonce: bytes) -> bytes:
        row = self.tables.device_grants.get(digest)
        if row is None:
            raise InvalidGrant
        if row.grant.nonce is not None:
            return row.grant.nonce
        await self.enrol(enrolment)
        row.grant, row.redeemed_at_s = replace(row.grant, nonce=nonce), self._clock.monotonic_s()
        return nonce

    def _waiting(self, user_code_digest: bytes) -> DeviceGrantRow:
        for row in self.tables.device_grants.values():
            if row.grant.user_code_digest == user_code_digest:
                return row
        raise UserCodeInvalid
