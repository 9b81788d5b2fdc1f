"""The safe's database in memory: the same rules as the real one, without the SQL.

The three stores share one `Tables`, as the real ones share one schema. `Tables.copy` is a database dump.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from services.retention.model.erasures import Erasure, Probe, Receipt, Stage, Subject
from services.retention.model.errors import KeyRetired, OrderContended, SubjectClosed
from services.retention.model.orders import OrderClock, begins_at
from services.retention.model.records import DataKey, Found, Kept, Record, RecordName


@dataclass
class SubjectRow:
    probe: Probe | None = None
    closed_at: datetime | None = None


@dataclass
class Tables:
    clocks: dict[tuple[str, str], OrderClock] = field(default_factory=dict)
    subjects: dict[str, SubjectRow] = field(default_factory=dict)
    data_keys: dict[str, DataKey] = field(default_factory=dict)
    partitions: dict[date, list[Record]] = field(default_factory=dict)
    erasures: dict[str, Erasure] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def copy(self) -> "Tables":
        return copy.deepcopy(self)

    @property
    def records(self) -> list[Record]:
        return [record for rows in self.partitions.values() for record in rows]

    def subject(self, subject: Subject) -> SubjectRow | None:
        return self.subjects.get(str(subject))

    def last_erasure(self, subject: Subject) -> Erasure | None:
        own = [erasure for erasure in self.erasures.values() if erasure.subject == subject]
        return max(own, key=_lateness, default=None)

    def is_unfinished(self, subject: Subject) -> bool:
        last = self.last_erasure(subject)
        return last is not None and last.stage is not Stage.REPORTED

    def is_open(self, subject: Subject) -> bool:
        row = self.subject(subject)
        if row is None:
            return False
        if row.closed_at is not None and (subject.day is not None or self.is_unfinished(subject)):
            raise SubjectClosed
        return row.closed_at is None

    def demand_open(self, seller_id: str, erase_day: date) -> None:
        for subject in (Subject.of_day(erase_day), Subject.of_seller(seller_id)):
            row = self.subject(subject)
            if row is None or row.closed_at is not None:
                raise SubjectClosed

    def hold(self, clock: OrderClock) -> OrderClock:
        stored = self.clocks.get((clock.seller_id, clock.order_id))
        if stored is None or stored.revision != clock.revision:
            raise OrderContended
        return stored

    def check_keys(self, records: Sequence[Record]) -> None:
        for record in records:
            try:
                self.demand_open(record.name.seller_id, record.erase_day)
            except SubjectClosed as error:
                raise KeyRetired from error
            if record.key_id not in self.data_keys:
                raise KeyRetired

    def remove(self, name: RecordName, erase_day: date | None = None) -> None:
        for day, rows in self.partitions.items():
            if erase_day in (None, day):
                rows[:] = [record for record in rows if record.name != name]

    def kept(self, record: Record) -> Kept:
        return Kept(record, self.data_keys[record.key_id])


class FakeRecordStore:
    """Fits `Records` and `Measures`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    async def find(self, name: RecordName) -> Found:
        own = sorted(
            (record for record in self.tables.records if record.name == name), key=lambda each: each.erase_day
        )
        clock = self.tables.clocks.get((name.seller_id, name.order_id))
        return Found(clock, self.tables.kept(own[0]) if own else None)

    async def find_clocks(self, seller_id: str, order_ids: Sequence[str]) -> dict[str, OrderClock]:
        known = self.tables.clocks
        return {
            order_id: known[seller_id, order_id] for order_id in order_ids if (seller_id, order_id) in known
        }

    async def save_clocks(self, clocks: Sequence[OrderClock]) -> None:
        for clock in clocks:
            stored = self.tables.clocks.get((clock.seller_id, clock.order_id))
            if stored is not None and stored.revision != clock.revision:
                raise OrderContended
        for clock in clocks:
            saved = replace(clock, revision=clock.revision + 1)
            self.tables.clocks[clock.seller_id, clock.order_id] = saved

    async def put(self, record: Record, clock: OrderClock) -> None:
        self.tables.hold(clock)
        self.tables.check_keys([record])
        self.tables.remove(record.name)
        self.tables.partitions[record.erase_day].append(record)

    async def set_aside(self, record: Record) -> None:
        rows = self.tables.partitions[record.erase_day]
        rows[:] = [replace(row, is_unsound=True) if row.name == record.name else row for row in rows]

    async def find_moves(self, limit: int) -> list[OrderClock]:
        return [clock for _, clock in sorted(self.tables.clocks.items()) if clock.is_move_due][:limit]

    async def find_stale(self, clock: OrderClock, limit: int) -> list[Kept]:
        stale = [
            record
            for record in self.tables.records
            if (record.name.seller_id, record.name.order_id) == (clock.seller_id, clock.order_id)
            and record.expires_at > clock.expires_at
        ]
        ordered = sorted(stale, key=lambda record: (record.name.field_set, record.erase_day))
        return [self.tables.kept(record) for record in ordered[:limit]]

    async def move(self, clock: OrderClock, *, stale: Sequence[Record], fresh: Sequence[Record]) -> None:
        stored = self.tables.hold(clock)
        self.tables.check_keys(fresh)
        moved = replace(stored, revision=stored.revision + 1, is_move_due=clock.is_move_due)
        self.tables.clocks[clock.seller_id, clock.order_id] = moved
        for record in stale:
            self.tables.remove(record.name, record.erase_day)
        for record in fresh:
            self.tables.partitions[record.erase_day].append(record)

    async def oldest_fetched_at(self) -> datetime | None:
        return min((record.fetched_at for record in self.tables.records), default=None)

    async def purge_clocks(self, before: datetime, limit: int) -> int:
        ended = sorted(
            (clock.expires_at, key) for key, clock in self.tables.clocks.items() if clock.expires_at < before
        )[:limit]
        for _, key in ended:
            del self.tables.clocks[key]
        return len(ended)


class FakeDataKeyStore:
    """Fits `DataKeyRows`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    async def find_data_key(self, seller_id: str, erase_day: date) -> DataKey | None:
        place = (seller_id, erase_day)
        own = [key for key in self.tables.data_keys.values() if (key.seller_id, key.erase_day) == place]
        return own[0] if own else None

    async def add_data_key(self, data_key: DataKey) -> DataKey:
        self.tables.demand_open(data_key.seller_id, data_key.erase_day)
        stored = await self.find_data_key(data_key.seller_id, data_key.erase_day)
        if stored is None:
            self.tables.data_keys[data_key.key_id] = data_key
        return stored or data_key

    async def is_open(self, subject: Subject) -> bool:
        return self.tables.is_open(subject)

    async def open_subject(self, probe: Probe, at: datetime) -> None:  # noqa: ARG002 - nothing here asks when
        if self.tables.is_open(probe.subject):
            return
        self.tables.subjects[str(probe.subject)] = SubjectRow(probe)
        if probe.subject.day is not None:
            self.tables.partitions[probe.subject.day] = []


class FakeErasureStore:
    """Fits `Erasures` and the verifier's `Traces`."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables

    async def find_due(self, now: datetime, limit: int) -> list[Subject]:
        subjects = [Subject.parse(text) for text in sorted(self.tables.subjects)]
        return [subject for subject in subjects if self._is_due(subject, now)][:limit]

    async def close(self, erasure: Erasure) -> Erasure:
        subject = erasure.subject
        row = self.tables.subjects.setdefault(str(subject), SubjectRow())
        last = self.tables.last_erasure(subject)
        if last is not None and (last.stage is not Stage.REPORTED or subject.day is not None):
            return last
        row.closed_at = erasure.closed_at
        records = self._records(subject)
        stored = replace(
            erasure,
            records=len(records),
            data_keys=len(self._data_keys(subject)),
            oldest_expires_at=min((record.expires_at for record in records), default=None),
        )
        self.tables.erasures[stored.erasure_id] = stored
        return stored

    async def drop(self, subject: Subject) -> None:
        for data_key in self._data_keys(subject):
            del self.tables.data_keys[data_key.key_id]
        if subject.day is not None:
            self.tables.partitions.pop(subject.day, None)
            return
        for rows in self.tables.partitions.values():
            rows[:] = [record for record in rows if record.name.seller_id != subject.seller_id]
        for key in [key for key in self.tables.clocks if key[0] == subject.seller_id]:
            del self.tables.clocks[key]

    async def add_receipt(self, receipt: Receipt) -> Receipt:
        stored = self.tables.receipts.setdefault(receipt.erasure_id, receipt)
        erasure = self.tables.erasures[receipt.erasure_id]
        if erasure.stage is Stage.CLOSED:
            self.tables.erasures[receipt.erasure_id] = replace(erasure, stage=Stage.PROVEN)
        return stored

    async def find_receipt(self, erasure_id: str) -> Receipt:
        return self.tables.receipts[erasure_id]

    async def finish(self, erasure_id: str) -> None:
        erasure = self.tables.erasures[erasure_id]
        self.tables.erasures[erasure_id] = replace(erasure, stage=Stage.REPORTED)

    async def list_receipts(self, limit: int) -> list[Receipt]:
        receipts = self.tables.receipts.values()
        newest_first = sorted(receipts, key=lambda each: (each.signed_at, each.receipt_id), reverse=True)
        return newest_first[:limit]

    async def is_known(self, subject: Subject) -> bool:
        return self.tables.subject(subject) is not None

    async def find_probe(self, subject: Subject) -> Probe | None:
        row = self.tables.subject(subject)
        return row.probe if row else None

    async def count_rows(self, subject: Subject) -> int | None:
        rows = len(self._records(subject)) + len(self._data_keys(subject))
        if rows == 0 and subject.day is not None and subject.day not in self.tables.partitions:
            return None
        return rows

    def _is_due(self, subject: Subject, now: datetime) -> bool:
        row = self.tables.subjects[str(subject)]
        has_begun = subject.day is not None and begins_at(subject.day) <= now
        return (has_begun and row.closed_at is None) or self.tables.is_unfinished(subject)

    def _records(self, subject: Subject) -> list[Record]:
        return [
            record
            for record in self.tables.records
            if record.erase_day == subject.day or record.name.seller_id == subject.seller_id
        ]

    def _data_keys(self, subject: Subject) -> list[DataKey]:
        return [
            data_key
            for data_key in self.tables.data_keys.values()
            if data_key.erase_day == subject.day or data_key.seller_id == subject.seller_id
        ]


def _lateness(erasure: Erasure) -> tuple[bool, datetime, str]:
    return erasure.stage is not Stage.REPORTED, erasure.closed_at, erasure.erasure_id
