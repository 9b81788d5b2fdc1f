"""Key rotation's part of the fake store: what is sealed lies in the tables of the other parts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from fakes.auth_tables import FakePart, LeaseRow, RewrappingRow, is_held
from fakes.auth_vault import key_version
from services.auth.model.consents import Ending
from services.auth.model.key_refusals import RoundMissing
from services.auth.model.lending import SealedAccess
from services.auth.model.passwords import hash_place
from services.auth.model.people import user_name_place
from services.auth.model.rewrapping import (
    AGED_KEYS_MAX,
    PAGE_VALUES_MAX,
    SETTLING_S,
    KeyAges,
    KeyKind,
    KeyOwner,
    Outcome,
    Progress,
    Rewrapping,
    Round,
    SealedValue,
)
from services.auth.model.sealing import Place

K = TypeVar("K")
R = TypeVar("R")


@dataclass(frozen=True)
class Lying:
    """A sealed value and how to put another in its place."""

    value: SealedValue
    put: Callable[[str], None]


class FakeRewrappingStore(FakePart):
    """Key rotation's memory."""

    async def begin_round(self, round_id: str, owner: KeyOwner | None, now: datetime) -> Round:
        wanted = [known for known in self._owners() if owner in {None, known}]
        begun = self._begin(round_id, list(wanted), now)
        return Round(round_id=round_id, keys=begun, keys_under_way=len(wanted) - begun)

    async def begin_aged(self, round_id: str, since: datetime, now: datetime) -> int:
        aged = [(at, owner) for owner, at in self._owners().items() if at < since]
        aged = [row for row in aged if not self._open_row(row[1])]
        aged.sort(key=lambda row: row[0])
        return self._begin(round_id, [owner for _, owner in aged][:AGED_KEYS_MAX], now)

    async def find_progress(self, round_id: str) -> Progress:
        rows = [row for row in self.tables.rewrappings if row.work.round_id == round_id]
        if not rows:
            raise RoundMissing
        closed = [row for row in rows if row.outcome is not None]
        rewrapped = [row for row in rows if row.rewrapped_at_s is not None or row.outcome is not None]
        ends = [row.rewrapped_at_s for row in rows if row.outcome is None and row.rewrapped_at_s is not None]
        closes_in_s = None
        if len(rewrapped) == len(rows) and ends:
            closes_in_s = max(0.0, max(ends) + SETTLING_S - self._clock.monotonic_s())
        return Progress(
            keys=len(rows),
            keys_rewrapped=len(rewrapped),
            keys_closed=len(closed),
            values=sum(row.values for row in rows),
            values_done=sum(row.done for row in rows),
            values_damaged=sum(row.damaged for row in rows),
            closes_in_s=closes_in_s,
        )

    async def find_ages(self, since: datetime) -> KeyAges:
        owners = self._owners()
        return KeyAges(
            keys=len(owners),
            oldest_since=min(owners.values(), default=None),
            aged=sum(at < since for at in owners.values()),
            under_way=sum(row.outcome is None for row in self.tables.rewrappings),
        )

    async def claim_rewrapping(self, lease_s: float) -> Rewrapping | None:
        now_s = self._clock.monotonic_s()
        for row in sorted(
            self.tables.rewrappings, key=lambda row: (row.rewrapped_at_s or 0.0, row.wanted_at)
        ):
            is_settling = row.rewrapped_at_s is not None and row.rewrapped_at_s + SETTLING_S > now_s
            if row.outcome is None and not is_held(row.held_until_s, now_s, lease_s) and not is_settling:
                row.held_until_s = now_s + lease_s
                return replace(row.work, is_settled=row.rewrapped_at_s is not None)
        return None

    async def note_beginning(self, rewrapping: Rewrapping, version_before: int) -> None:
        row = self._row(rewrapping)
        row.work = replace(row.work, version_before=row.work.version_before or version_before)

    async def note_rotation(self, rewrapping: Rewrapping, version: int) -> None:
        row = self._row(rewrapping)
        row.work = replace(row.work, version=row.work.version or version)

    async def list_older(self, owner: KeyOwner, version: int, after: str) -> Sequence[SealedValue]:
        values = [lying.value for lying in self._values(owner)]
        older = [value for value in values if key_version(value.sealed) < version and value.sealed > after]
        return sorted(older, key=lambda value: value.sealed)[:PAGE_VALUES_MAX]

    async def replace_sealed(self, owner: KeyOwner, value: SealedValue, sealed: str) -> bool:
        same = [lying for lying in self._values(owner) if lying.value == value]
        for lying in same:
            lying.put(sealed)
        return bool(same)

    async def note_page(self, rewrapping: Rewrapping, done: int, lease_s: float) -> None:
        row = self._row(rewrapping)
        if row.outcome is None:
            row.done += done
            row.held_until_s = self._clock.monotonic_s() + lease_s

    async def end_pass(self, rewrapping: Rewrapping, damaged: int) -> None:
        row = self._row(rewrapping)
        if row.outcome is None:
            row.damaged, row.rewrapped_at_s = damaged, self._clock.monotonic_s()
            row.held_until_s = None

    async def close_rewrapping(self, rewrapping: Rewrapping, outcome: Outcome, now: datetime) -> None:
        assert now.tzinfo is not None
        row = self._row(rewrapping)
        if row.outcome is None:
            row.outcome, row.closed_at, row.held_until_s = outcome, now, None

    def _forget_rewrappings(self, before: datetime, rows_max: int) -> int:
        rows = self.tables.rewrappings
        over = [row for row in rows if row.closed_at is not None and row.closed_at < before][:rows_max]
        for row in over:
            rows.remove(row)
        return len(over)

    def _begin(self, round_id: str, owners: list[KeyOwner], now: datetime) -> int:
        fresh = [owner for owner in owners if not self._open_row(owner)]
        for owner in fresh:
            work = Rewrapping(round_id=round_id, owner=owner)
            row = RewrappingRow(work, now, values=len(list(self._values(owner))))
            self.tables.rewrappings.append(row)
        return len(fresh)

    def _owners(self) -> dict[KeyOwner, datetime]:
        """Return every key with the time since when its newest version is in use."""
        tables = self.tables
        owners = {
            KeyOwner(kind=KeyKind.SELLER, owner_id=seller.seller_id): seller.created_at
            for seller in tables.sellers.values()
        }
        for application_id, (registered_at, _) in tables.applications.items():
            owners[KeyOwner(kind=KeyKind.APPLICATION, owner_id=application_id)] = registered_at
        staff = [user.created_at for user in tables.users.values() if not user.seller_id]
        if staff:
            owners[KeyOwner(kind=KeyKind.STAFF, owner_id="")] = min(staff)
        for row in tables.rewrappings:
            is_renewed = row.work.version is not None or row.outcome is Outcome.GONE
            if is_renewed and row.work.owner in owners:
                owners[row.work.owner] = max(row.wanted_at, owners[row.work.owner])
        return owners

    def _open_row(self, owner: KeyOwner) -> bool:
        return any(row.work.owner == owner and row.outcome is None for row in self.tables.rewrappings)

    def _row(self, rewrapping: Rewrapping) -> RewrappingRow:
        key = (rewrapping.round_id, rewrapping.owner)
        return next(row for row in self.tables.rewrappings if (row.work.round_id, row.work.owner) == key)

    def _values(self, owner: KeyOwner) -> Iterator[Lying]:
        """Yield what lies in the tables that every seller has something in."""
        if owner.kind is KeyKind.APPLICATION:
            return
        tables = self.tables
        for user_id, user in tables.users.items():
            if user.seller_id == owner.owner_id:
                place = user_name_place(owner.owner_id, user_id)
                yield _lying("users.name_sealed", tables.users, user_id, place=place)
        yield from self._ways_in(owner.owner_id)
        if owner.kind is KeyKind.SELLER:
            yield from self._sellers_values(owner.owner_id)

    def _ways_in(self, seller_id: str) -> Iterator[Lying]:
        tables = self.tables
        for passkey_id, passkey in tables.passkeys.items():
            if passkey.person.seller_id == seller_id:
                place = passkey.name_place
                yield _lying("passkeys.name_sealed", tables.passkeys, passkey_id, place=place)
        for user_id, login in tables.logins.items():
            if login.person.seller_id == seller_id:
                yield _lying("passwords.email_sealed", tables.logins, user_id, place=login.email_place)
                yield _lying("passwords.totp_sealed", tables.logins, user_id, place=login.totp_place)
        for key, old in tables.hashes.items():
            if tables.users[key[0]].seller_id == seller_id:
                place = hash_place(tables.users[key[0]].person, old.version)
                yield _lying("password_hashes.hash_sealed", tables.hashes, key, place=place)

    def _sellers_values(self, seller_id: str) -> Iterator[Lying]:
        tables = self.tables
        yield _lying(
            "sellers.name_sealed", tables.sellers, seller_id, place=tables.sellers[seller_id].name_place
        )
        for consent_id, consent in tables.consents.items():
            if consent.seller_id != seller_id:
                continue
            partner = consent.selling_partner_place
            yield _lying("consents.selling_partner_sealed", tables.consents, consent_id, place=partner)
            if consent.refresh_token_sealed is not None and consent.ending is not Ending.QUARANTINED:
                token = consent.refresh_token_place
                yield _lying("consents.refresh_token_sealed", tables.consents, consent_id, place=token)
            lease = tables.leases.get(consent_id)
            if lease is not None and lease.access is not None:
                yield _lying_access(lease, lease.access)
        for device_id, device in tables.devices.items():
            if device.seller_id == seller_id:
                yield _lying("devices.name_sealed", tables.devices, device_id, place=device.name_place)
        for digest, code in tables.codes.items():
            if code.seller_id == seller_id:
                yield _lying("codes.name_sealed", tables.codes, digest, place=code.name_place)


def _lying(column: str, rows: dict[K, R], key: K, *, place: Place) -> Lying:
    """Return one attribute of a row; the column says which."""
    attribute = column.partition(".")[2]

    def put(sealed: str) -> None:
        rows[key] = replace(rows[key], **{attribute: sealed})  # type: ignore[type-var]

    sealed = getattr(rows[key], attribute)
    return Lying(SealedValue(column=column, place=place, sealed=sealed), put)


def _lying_access(lease: LeaseRow, access: SealedAccess) -> Lying:
    def put(sealed: str) -> None:
        lease.access = replace(access, token_sealed=sealed)

    value = SealedValue(column="access_leases.token_sealed", place=access.place, sealed=access.token_sealed)
    return Lying(value, put)
