"""Consents' reminders and sellers' leaving in memory. Every method is one step, as a transaction is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_consents import FakeConsentStore
from fakes.auth_people import FakePeopleStore
from services.auth.model.consents import Consent, Ending
from services.auth.model.offboarding import KnownSeller, Offboarding
from services.auth.model.refusals import SellerNotFound
from services.auth.model.reminders import ENDED, MARKS_DAYS, Reminder, reached_by


class FakeReminderStore(FakeConsentStore):
    async def list_reached(self, mark_days: int, ends_by: datetime, rows_max: int) -> Sequence[Consent]:
        reminded = {consent_id for consent_id, mark in self.tables.reminders if mark <= mark_days}
        found = [
            consent
            for consent in self._active()
            if consent.expires_at <= ends_by and consent.consent_id not in reminded
        ]
        return sorted(found, key=lambda consent: consent.expires_at)[:rows_max]

    async def keep_reminder(self, reminder: Reminder) -> None:
        key = (reminder.consent_id, reminder.mark_days)
        self.tables.reminders.setdefault(key, (reminder, None))

    async def list_untold(self, rows_max: int) -> Sequence[Reminder]:
        untold = [reminder for reminder, told_at in self.tables.reminders.values() if told_at is None]
        return sorted(untold, key=lambda one: (one.reminded_at, one.consent_id))[:rows_max]

    async def settle_reminder(self, reminder: Reminder, now: datetime) -> bool:
        key = (reminder.consent_id, reminder.mark_days)
        kept, told_at = self.tables.reminders[key]
        self.tables.reminders[key] = (kept, told_at or now)
        if reminder.mark_days != ENDED:
            return False
        return await self.end_consent(reminder.consent_id, Ending.EXPIRED, now)

    async def count_ending(self, now: datetime) -> Mapping[int, int]:
        return {
            mark_days: sum(consent.expires_at <= reached_by(mark_days, now) for consent in self._active())
            for mark_days in MARKS_DAYS
        }


class FakeSellerStore(FakeConsentStore, FakePeopleStore):
    async def find_known_seller(self, seller_id: str) -> KnownSeller:
        self._check_id(seller_id)
        if seller_id not in self.tables.sellers:
            raise SellerNotFound
        devices = self.tables.devices.values()
        return KnownSeller(
            seller=self.tables.sellers[seller_id],
            active_consents=sum(consent.seller_id == seller_id for consent in self._active()),
            active_devices=sum(one.seller_id == seller_id and one.revoked_at is None for one in devices),
            offboarding=self.tables.offboardings.get(seller_id),
        )

    async def list_known_sellers(self, after: str, rows_max: int) -> Sequence[KnownSeller]:
        if after:
            self._check_id(after)
        seller_ids = sorted(seller_id for seller_id in self.tables.sellers if seller_id > after)
        return [await self.find_known_seller(seller_id) for seller_id in seller_ids[:rows_max]]

    async def close_seller(self, seller_id: str, now: datetime) -> Offboarding:
        if seller_id not in self.tables.sellers:
            raise SellerNotFound
        if seller_id not in self.tables.offboardings:
            self.tables.offboardings[seller_id] = Offboarding(seller_id=seller_id, closed_at=now)
            self._tell_all(seller_id)
            self._close(seller_id, now)
        return self.tables.offboardings[seller_id]

    async def list_offboardings(self, rows_max: int) -> Sequence[Offboarding]:
        under_way = [one for one in self.tables.offboardings.values() if one.told_at is None]
        return sorted(under_way, key=lambda one: (one.closed_at, one.seller_id))[:rows_max]

    async def keep_offboarding(self, offboarding: Offboarding) -> Offboarding:
        kept = self.tables.offboardings.get(offboarding.seller_id)
        if kept is None:
            raise SellerNotFound
        receipt_id = kept.receipt_id if kept.finished_at else offboarding.receipt_id or kept.receipt_id
        self.tables.offboardings[offboarding.seller_id] = replace(
            kept,
            key_destroyed_at=kept.key_destroyed_at or offboarding.key_destroyed_at,
            erased_at=kept.erased_at or offboarding.erased_at,
            finished_at=kept.finished_at or offboarding.finished_at,
            receipt_id=receipt_id,
            told_at=kept.told_at or offboarding.told_at,
        )
        return self.tables.offboardings[offboarding.seller_id]

    def _close(self, seller_id: str, now: datetime) -> None:
        tables = self.tables
        for device in [one for one in tables.devices.values() if one.seller_id == seller_id]:
            tables.devices[device.device_id] = replace(device, revoked_at=device.revoked_at or now)
        for consent in [one for one in tables.consents.values() if one.seller_id == seller_id]:
            tables.leases.pop(consent.consent_id, None)
            tables.consents[consent.consent_id] = replace(
                consent,
                ended_at=consent.ended_at or now,
                ending=consent.ending or Ending.OFFBOARDED,
                refresh_token_sealed=None,
            )
        for user_id in [one.user_id for one in tables.users.values() if one.seller_id == seller_id]:
            self._end_ways_in(user_id)
            tables.hashes = {key: row for key, row in tables.hashes.items() if key[0] != user_id}
            del tables.users[user_id]
        tables.states = {key: state for key, state in tables.states.items() if state.seller_id != seller_id}
        tables.partners = {key: owner for key, owner in tables.partners.items() if owner != seller_id}
