"""Rows for the suites of the safe's database, and the three stores over one database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import chassis.db
from fakes.retention_store import FakeDataKeyStore, FakeErasureStore, FakeRecordStore, Tables
from services.retention.model.audit import Origin
from services.retention.model.erasures import Erasure, Probe, Receipt, Subject
from services.retention.model.orders import OrderClock
from services.retention.model.records import DataKey, Record, RecordName
from services.retention.store import DataKeyStore, ErasureStore, RecordStore

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
DAY = timedelta(days=1)
EARLY, LATE = date(2026, 12, 12), date(2026, 12, 22)
SELLER, OTHER = "seller-1", "seller-2"
NAME = RecordName(SELLER, "111-1", "ordersV0.getOrderAddress")


@dataclass(frozen=True)
class Stores:
    """The three stores over one database."""

    records: FakeRecordStore | RecordStore
    data_keys: FakeDataKeyStore | DataKeyStore
    erasures: FakeErasureStore | ErasureStore


def fake() -> Stores:
    tables = Tables()
    return Stores(FakeRecordStore(tables), FakeDataKeyStore(tables), FakeErasureStore(tables))


def real(pool: chassis.db.Pool) -> Stores:
    return Stores(RecordStore(pool), DataKeyStore(pool), ErasureStore(pool))


def uuid(number: int) -> str:
    return f"00000000-0000-7000-8000-{number:012}"


def clock(order_id: str = NAME.order_id, seller_id: str = SELLER) -> OrderClock:
    return OrderClock(
        seller_id=seller_id, order_id=order_id, unshipped_at=NOW, left_at=None, expires_at=NOW + 30 * DAY
    )


def data_key(number: int = 1, seller_id: str = SELLER, day: date = LATE) -> DataKey:
    return DataKey(key_id=uuid(number), seller_id=seller_id, erase_day=day, wrapped=f"wrapped {number}")


def record(name: RecordName = NAME, key: int = 1, day: date = LATE) -> Record:
    expires_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return Record(
        name=name,
        erase_day=day,
        key_id=uuid(key),
        fetched_at=NOW,
        expires_at=expires_at,
        sealed=b"sealed " + str(day).encode(),
    )


def probe(subject: Subject, wrapped: str = "wrapped") -> Probe:
    return Probe(subject, wrapped, b"sealed")


def erasure(subject: Subject, number: int, at: datetime = NOW) -> Erasure:
    return Erasure(
        erasure_id=uuid(number),
        subject=subject,
        origin=Origin("console", "request-1"),
        intent_id=uuid(number + 1),
        outcome_id=uuid(number + 2),
        closed_at=at,
    )


def receipt(of: Erasure, number: int, at: datetime = NOW) -> Receipt:
    return Receipt(
        receipt_id=uuid(number),
        erasure_id=of.erasure_id,
        subject=of.subject,
        statement=b"{}",
        signature=bytes(64),
        public_key_pem="pem",
        signed_at=at,
    )


async def open_subjects(stores: Stores, *subjects: Subject) -> None:
    for subject in subjects:
        await stores.data_keys.open_subject(probe(subject), NOW)


async def furnish(stores: Stores) -> OrderClock:
    """Open both days and both sellers, with a data key of SELLER for each day, and observe NAME's order."""
    await open_subjects(
        stores,
        Subject.of_day(EARLY),
        Subject.of_day(LATE),
        Subject.of_seller(SELLER),
        Subject.of_seller(OTHER),
    )
    await stores.data_keys.add_data_key(data_key(1, day=LATE))
    await stores.data_keys.add_data_key(data_key(2, day=EARLY))
    return await observed(stores, clock())


async def observed(stores: Stores, given: OrderClock) -> OrderClock:
    await stores.records.save_clocks([given])
    known = await stores.records.find_clocks(given.seller_id, [given.order_id])
    return known[given.order_id]


async def finished(stores: Stores, subject: Subject, number: int) -> Erasure:
    closed = await stores.erasures.close(erasure(subject, number))
    await stores.erasures.drop(subject)
    await stores.erasures.add_receipt(receipt(closed, number + 3))
    await stores.erasures.finish(closed.erasure_id)
    return closed
