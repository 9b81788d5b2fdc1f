"""The safe itself: seal a copy of what Amazon answered, open it again before its clock runs out."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import chassis.clock
import chassis.errors
from services.retention.model.audit import Kind, Origin
from services.retention.model.errors import (
    KEY_GONE,
    Expired,
    OrderNotObserved,
    RecordTooLarge,
    RecordUnsound,
)
from services.retention.model.orders import Term, erase_day, is_dead, record_expiry
from services.retention.model.records import (
    PLAINTEXT_BYTES_MAX,
    Kept,
    Opened,
    Record,
    RecordName,
    readable,
)
from services.retention.service.attempts import repeat
from services.retention.service.data_keys import DataKeys, OpenKey
from services.retention.service.ports import Cipher, Records, Signals
from services.retention.service.trail import Deed, Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class SafePorts:
    """What sealing, opening and moving are made of."""

    records: Records
    data_keys: DataKeys
    cipher: Cipher
    trail: Trail
    clock: chassis.clock.Clock
    signals: Signals


class Safe:
    """Seals and opens records."""

    def __init__(self, ports: SafePorts, *, term: Term) -> None:
        self._ports = ports
        self._term = term

    async def seal(
        self, name: RecordName, plaintext: bytes, *, fetched_at: datetime, origin: Origin
    ) -> datetime:
        """Keep a sealed copy in place of any other under its name; return when it must be unreadable.

        The plaintext has at most PLAINTEXT_BYTES_MAX bytes; a `fetched_at` still to come counts as now.

        Raises:
            RecordTooLarge: the bound is passed.
            OrderNotObserved: no clock can be set for the order yet.
            Expired: it would be dead already.
            RecordUnsound: the data key that it would lie under was changed.
        """
        if len(plaintext) > PLAINTEXT_BYTES_MAX:
            raise RecordTooLarge
        async with self._ports.trail.around(_deed(Kind.RECORD_SEALED, name, origin)):
            expires_at = await repeat(lambda: self._keep(name, plaintext, fetched_at))
        self._ports.signals.sealed()
        return expires_at

    async def open(self, name: RecordName, *, age_max: timedelta | None, origin: Origin) -> Opened:
        """Return the kept copy.

        One older than `age_max` of an order that has not left counts as not kept; None means any age.

        Raises:
            NothingKept: there is no copy, or only one that is too old.
            Expired: its clock has run out.
            RecordUnsound: it does not open where it lies.
        """
        found = await self._ports.records.find(name)
        try:
            kept = readable(found, age_max=age_max, now=self._ports.clock.now())
            async with self._ports.trail.around(_deed(Kind.RECORD_OPENED, name, origin)):
                opened = await self._opened(kept)
        except chassis.errors.SallyportError as refusal:
            await self._refused(name, origin, refusal)
            raise
        self._ports.signals.opened()
        return opened

    async def _keep(self, name: RecordName, plaintext: bytes, fetched_at: datetime) -> datetime:
        ports, now = self._ports, self._ports.clock.now()
        found = await ports.records.find(name)
        if found.clock is None:
            raise OrderNotObserved
        before = found.kept.record.expires_at if found.kept else None
        expires_at = record_expiry(found.clock, fetched_at, term=self._term, now=now, before=before)
        if is_dead(expires_at, now):
            raise Expired
        key = await sealing_key(ports, name.seller_id, erase_day(expires_at))
        record = Record(
            name=name,
            erase_day=key.data_key.erase_day,
            key_id=key.data_key.key_id,
            fetched_at=min(fetched_at, now),
            expires_at=expires_at,
        )
        sealed = ports.cipher.seal(key.secret, plaintext, ports.cipher.associated(**record.place))
        await ports.records.put(replace(record, sealed=sealed), found.clock)
        return expires_at

    async def _opened(self, kept: Kept) -> Opened:
        ports, record = self._ports, kept.record
        try:
            plaintext = await decrypt(ports, kept)
        except RecordUnsound:
            await ports.records.set_aside(record)
            raise
        # The day may have begun while the key service was asked.
        if is_dead(record.expires_at, ports.clock.now()):
            raise Expired
        return Opened(plaintext, record.fetched_at, record.expires_at)

    async def _refused(
        self, name: RecordName, origin: Origin, refusal: chassis.errors.SallyportError
    ) -> None:
        self._ports.signals.refused(refusal.code)
        if isinstance(refusal, (Expired, RecordUnsound)):
            await self._ports.trail.note(_deed(Kind.RECORD_REFUSED, name, origin), refusal.code)


async def decrypt(ports: SafePorts, kept: Kept) -> bytes:
    """Return what a record holds.

    Raises:
        Expired: a key over it is gone, for good.
        RecordUnsound: the record or its key was changed, or lies where it was not put.
    """
    record = kept.record
    try:
        secret = await ports.data_keys.unwrap(kept.data_key)
        return ports.cipher.open_(secret, record.sealed, ports.cipher.associated(**record.place))
    except chassis.errors.SallyportError as error:
        if error.code == KEY_GONE:
            raise Expired from error
        if error.code == RecordUnsound.code:
            ports.signals.unsound()
            raise RecordUnsound from error
        raise


async def sealing_key(ports: SafePorts, seller_id: str, day: date) -> OpenKey:
    """Return the data key under which a seller's records of a day are sealed.

    Raises:
        RecordUnsound: the key was changed, or lies where it was not put.
    """
    try:
        return await ports.data_keys.for_sealing(seller_id, day)
    except chassis.errors.SallyportError as error:
        if error.code == RecordUnsound.code:
            ports.signals.unsound()
            raise RecordUnsound from error
        raise


def _deed(kind: Kind, name: RecordName, origin: Origin) -> Deed:
    details = {"order_id": name.order_id, "field_set": name.field_set}
    return Deed(kind=kind, origin=origin, seller_id=name.seller_id, details=details)
