"""Devices, their codes and their tokens, in memory. Every method is one step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_tables import FakePart, RefreshRow
from services.auth.model.device_refusals import ScopeWithheld
from services.auth.model.devices import (
    DEVICES_ACTIVE_MAX,
    DEVICES_LISTED_MAX,
    Code,
    Device,
    left_scopes,
)
from services.auth.model.refusals import DeviceNotFound, DevicesFull, InvalidGrant, TokenInvalid
from services.auth.model.tokens import (
    ACCESS_TOKENS_MAX,
    AccessToken,
    Enrolment,
    NewAccess,
    RefreshToken,
    Rotation,
)


class FakeDeviceStore(FakePart):
    """Enrolled desktops and what they hold."""

    async def keep_code(self, code: Code) -> None:
        self.tables.codes[code.code_digest] = code
        self._keep(code.code_digest)

    async def find_code(self, digest: bytes) -> Code:
        if digest not in self.tables.codes:
            raise InvalidGrant
        return replace(self.tables.codes[digest], age_s=self._age_s(digest))

    async def burn_code(self, digest: bytes, now: datetime) -> None:
        code = self.tables.codes[digest]
        self.tables.codes[digest] = replace(code, used_at=code.used_at or now)

    async def enrol_by_code(self, digest: bytes, enrolment: Enrolment, now: datetime) -> None:
        code = self.tables.codes.get(digest)
        if code is None or code.used_at is not None:
            raise InvalidGrant
        await self.enrol(enrolment)
        self.tables.codes[digest] = replace(code, used_at=now)

    async def enrol(self, enrolment: Enrolment) -> None:
        self._hold_seller(enrolment.device.seller_id)
        device = enrolment.device
        if device.user_id not in self.tables.users:
            raise InvalidGrant
        if await self.count_active(device.seller_id) >= DEVICES_ACTIVE_MAX:
            raise DevicesFull
        self.tables.devices[device.device_id] = device
        self.tables.refresh_tokens[enrolment.refresh_digest] = RefreshRow(device.device_id)
        if enrolment.access is not None:
            await self.issue_access(device.device_id, enrolment.access)

    async def find_device(self, device_id: str) -> Device:
        self._check_id(device_id)
        if device_id not in self.tables.devices:
            raise DeviceNotFound
        return self.tables.devices[device_id]

    async def list_devices(self, seller_id: str) -> Sequence[Device]:
        found = [device for device in self.tables.devices.values() if device.seller_id == seller_id]
        found.sort(key=lambda device: (device.revoked_at is None, device.enrolled_at), reverse=True)
        return found[:DEVICES_LISTED_MAX]

    async def list_idle_devices(self, used_before: datetime, rows_max: int) -> Sequence[Device]:
        found = [
            device
            for device in self.tables.devices.values()
            if device.revoked_at is None and device.used_at < used_before
        ]
        return sorted(found, key=lambda device: device.used_at)[:rows_max]

    async def count_active(self, seller_id: str) -> int:
        devices = self.tables.devices.values()
        return sum(device.seller_id == seller_id and device.revoked_at is None for device in devices)

    async def revoke_device(
        self, device_id: str, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        device = self.tables.devices.get(device_id)
        if device is None or device.revoked_at is not None:
            return False
        if used_before is not None and device.used_at >= used_before:
            return False
        self.tables.devices[device_id] = replace(device, revoked_at=now)
        self._tell(device)
        return True

    async def set_scopes(self, device_id: str, scopes: tuple[str, ...]) -> None:
        device = await self.find_device(device_id)
        if set(scopes).intersection(device.withheld_scopes):
            raise ScopeWithheld
        self.tables.devices[device_id] = replace(device, scopes=scopes)
        self._tell(device)

    async def withhold_scopes(self, device_id: str, withheld_scopes: tuple[str, ...]) -> None:
        device = await self.find_device(device_id)
        self.tables.devices[device_id] = replace(
            device,
            scopes=left_scopes(device.scopes, withheld_scopes),
            withheld_scopes=tuple(sorted({*device.withheld_scopes, *withheld_scopes})),
        )
        self._tell(device)

    async def find_refresh_token(self, digest: bytes) -> RefreshToken:
        row = self.tables.refresh_tokens.get(digest)
        if row is None:
            raise InvalidGrant
        ago_s = None if row.rotated_at_s is None else self._clock.monotonic_s() - row.rotated_at_s
        device = self.tables.devices[row.device_id]
        return RefreshToken(token_digest=digest, device=device, rotated_ago_s=ago_s, nonce=row.nonce)

    async def rotate(self, rotation: Rotation) -> bytes:
        row = self.tables.refresh_tokens.get(rotation.token_digest)
        if row is None:
            raise InvalidGrant
        if row.nonce is not None:
            return row.nonce
        row.nonce, row.rotated_at_s = rotation.nonce, self._clock.monotonic_s()
        self.tables.refresh_tokens[rotation.successor_digest] = RefreshRow(row.device_id)
        if rotation.app_version:
            device = self.tables.devices[row.device_id]
            facts = replace(device.facts, app_version=rotation.app_version)
            self.tables.devices[row.device_id] = replace(device, facts=facts)
        await self.issue_access(row.device_id, rotation.access)
        return rotation.nonce

    async def issue_access(self, device_id: str, access: NewAccess) -> None:
        self.tables.access_tokens[access.token_digest] = (device_id, access)
        self._keep(access.token_digest)
        own = [
            row
            for row in self.tables.access_tokens.values()
            if row[0] == device_id and bool(row[1].restrictions) == bool(access.restrictions)
        ]
        for _, dropped in own[:-ACCESS_TOKENS_MAX]:
            del self.tables.access_tokens[dropped.token_digest]
        device = self.tables.devices[device_id]
        used_at = max(device.used_at, access.issued_at)
        self.tables.devices[device_id] = replace(device, used_at=used_at)

    async def find_access_token(self, digest: bytes) -> AccessToken:
        if digest not in self.tables.access_tokens:
            raise TokenInvalid
        device_id, access = self.tables.access_tokens[digest]
        device = self.tables.devices[device_id]
        return AccessToken(
            device=device,
            issued_at=access.issued_at,
            expires_at=access.expires_at,
            restrictions=access.restrictions,
            target_application=access.target_application,
            age_s=self._age_s(digest),
        )

    async def drop_access_token(self, digest: bytes) -> None:
        device_id, _ = self.tables.access_tokens.pop(digest, ("", None))
        if device_id:
            self._tell(self.tables.devices[device_id])
