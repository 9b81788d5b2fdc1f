"""What the safe's database promises, on the fake and on Postgres."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.retention.model.audit import Origin
from services.retention.model.erasures import Erasure, Probe, Receipt, Stage, Subject
from services.retention.model.errors import KeyRetired, OrderContended, SubjectClosed
from services.retention.model.orders import OrderClock
from services.retention.model.records import DataKey, Found, Record, RecordName
from services.retention.store import DataKeyStore, ErasureStore, RecordStore
from tests.conftest import PoolFor
from tests.fakes.retention_store import FakeDataKeyStore, FakeErasureStore, FakeRecordStore, Tables

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


@pytest.fixture
def fake_stores() -> Stores:
    tables = Tables()
    return Stores(FakeRecordStore(tables), FakeDataKeyStore(tables), FakeErasureStore(tables))


@pytest.fixture
async def real_stores(pool_for: PoolFor) -> Stores:
    pool = await pool_for("retention")
    return Stores(RecordStore(pool), DataKeyStore(pool), ErasureStore(pool))


@pytest.fixture(params=["fake_stores", "real_stores"])
def stores(request: pytest.FixtureRequest) -> Stores:
    chosen: Stores = request.getfixturevalue(request.param)
    return chosen


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


# Clocks


async def test_clocks_come_back_as_they_were_saved_with_the_next_revision(stores: Stores) -> None:
    left = replace(clock("b"), unshipped_at=None, left_at=NOW, is_move_due=True)
    await stores.records.save_clocks([clock("a"), left])
    known = await stores.records.find_clocks(SELLER, ["b", "absent", "a"])
    assert known == {"a": replace(clock("a"), revision=1), "b": replace(left, revision=1)}
    assert await stores.records.find_clocks(OTHER, ["a", "b"]) == {}


async def test_a_clock_that_changed_meanwhile_is_not_overwritten(stores: Stores) -> None:
    first = await observed(stores, clock())
    await stores.records.save_clocks([replace(first, left_at=NOW)])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([replace(first, left_at=NOW + DAY)])
    assert (await stores.records.find_clocks(SELLER, [NAME.order_id]))[NAME.order_id].left_at == NOW


async def test_a_clock_that_came_meanwhile_is_not_overwritten(stores: Stores) -> None:
    await stores.records.save_clocks([clock()])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([clock()])


async def test_clocks_are_saved_all_or_none(stores: Stores) -> None:
    await stores.records.save_clocks([clock("b")])
    with pytest.raises(OrderContended):
        await stores.records.save_clocks([clock("a"), clock("b"), clock("c")])
    assert set(await stores.records.find_clocks(SELLER, ["a", "b", "c"])) == {"b"}


async def test_clocks_that_ended_long_ago_are_purged_oldest_first(stores: Stores) -> None:
    for days in (3, 1, 2):
        await stores.records.save_clocks([replace(clock(f"{days}"), expires_at=NOW + days * DAY)])
    assert await stores.records.purge_clocks(NOW + 3 * DAY, 1) == 1
    assert set(await stores.records.find_clocks(SELLER, ["1", "2", "3"])) == {"2", "3"}
    assert await stores.records.purge_clocks(NOW + 3 * DAY, 10) == 1
    assert set(await stores.records.find_clocks(SELLER, ["1", "2", "3"])) == {"3"}


# Records


async def test_nothing_is_known_under_a_fresh_name(stores: Stores) -> None:
    assert await stores.records.find(NAME) == Found(None, None)


async def test_a_record_comes_back_as_it_was_put_with_its_key_and_clock(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record()
    assert found.kept.data_key == data_key()
    assert found.clock == replace(known, revision=known.revision + 1)
    assert await stores.records.find(replace(NAME, seller_id=OTHER)) == Found(None, None)
    assert (await stores.records.find(replace(NAME, field_set="other"))).kept is None


async def test_a_record_is_put_in_place_of_the_one_under_another_day(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    known = (await stores.records.find(NAME)).clock
    assert known is not None
    await stores.records.put(record(key=2, day=EARLY), known)
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record(key=2, day=EARLY)
    assert await stores.erasures.count_rows(Subject.of_day(LATE)) == 1


async def test_a_record_decided_by_an_old_clock_is_not_put(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.save_clocks([replace(known, left_at=NOW)])
    with pytest.raises(OrderContended):
        await stores.records.put(record(), known)
    assert (await stores.records.find(NAME)).kept is None


async def test_a_record_under_a_key_that_is_gone_is_not_put(stores: Stores) -> None:
    known = await furnish(stores)
    with pytest.raises(KeyRetired):
        await stores.records.put(record(key=9), known)


@pytest.mark.parametrize("subject", [Subject.of_day(LATE), Subject.of_seller(SELLER)], ids=str)
async def test_a_record_under_a_closed_subject_is_not_put_and_the_old_one_stays(
    stores: Stores, subject: Subject
) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.erasures.close(erasure(subject, 10))
    with pytest.raises(KeyRetired):
        await stores.records.put(record(), replace(known, revision=known.revision + 1))
    assert (await stores.records.find(NAME)).kept is not None


async def test_a_record_set_aside_is_marked(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    await stores.records.set_aside(record())
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == replace(record(), is_unsound=True)


async def test_stale_records_are_moved_in_one_piece(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    fine = replace(NAME, field_set="early")
    await stores.records.put(record(fine, 2, EARLY), replace(known, revision=known.revision + 1))
    earlier = replace(
        known,
        revision=known.revision + 2,
        left_at=NOW,
        expires_at=record(day=EARLY).expires_at,
        is_move_due=True,
    )
    await stores.records.save_clocks([earlier])
    (due,) = await stores.records.find_moves(10)
    (stale,) = await stores.records.find_stale(due, 10)
    assert (stale.record, stale.data_key) == (record(), data_key())
    moved = record(key=2, day=EARLY)
    await stores.records.move(replace(due, is_move_due=False), stale=[stale.record], fresh=[moved])
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == moved
    assert found.clock == replace(due, is_move_due=False, revision=due.revision + 1)
    assert await stores.records.find_moves(10) == []


async def test_a_move_decided_by_an_old_clock_changes_nothing(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    with pytest.raises(OrderContended):
        await stores.records.move(known, stale=[record()], fresh=[])
    assert (await stores.records.find(NAME)).kept is not None


async def test_a_move_to_a_closed_day_changes_nothing(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.erasures.close(erasure(Subject.of_day(EARLY), 10))
    with pytest.raises(KeyRetired):
        await stores.records.move(
            replace(known, revision=known.revision + 1), stale=[record()], fresh=[record(key=2, day=EARLY)]
        )
    found = await stores.records.find(NAME)
    assert found.kept is not None
    assert found.kept.record == record()


async def test_moves_and_stale_records_come_in_bounded_portions(stores: Stores) -> None:
    known = await furnish(stores)
    for number in range(3):
        name = replace(NAME, field_set=f"set-{number}")
        await stores.records.put(record(name), replace(known, revision=known.revision + number))
        await stores.records.save_clocks([replace(clock(f"due-{number}"), is_move_due=True)])
    assert [due.order_id for due in await stores.records.find_moves(2)] == ["due-0", "due-1"]
    stale = await stores.records.find_stale(replace(known, expires_at=NOW), 2)
    assert [kept.record.name.field_set for kept in stale] == ["set-0", "set-1"]


async def test_the_oldest_copy_is_found(stores: Stores) -> None:
    assert await stores.records.oldest_fetched_at() is None
    known = await furnish(stores)
    await stores.records.put(record(), known)
    older = replace(record(replace(NAME, field_set="b"), 2, EARLY), fetched_at=NOW - DAY)
    await stores.records.put(older, replace(known, revision=known.revision + 1))
    assert await stores.records.oldest_fetched_at() == NOW - DAY


# Data keys and subjects


async def test_a_seller_has_one_data_key_a_day_and_the_first_stays(stores: Stores) -> None:
    await furnish(stores)
    assert await stores.data_keys.add_data_key(data_key(7)) == data_key(1)
    assert await stores.data_keys.find_data_key(SELLER, LATE) == data_key(1)
    assert await stores.data_keys.find_data_key(OTHER, LATE) is None


async def test_two_who_make_the_same_key_at_once_get_the_same(stores: Stores) -> None:
    await furnish(stores)
    made = await asyncio.gather(
        *(stores.data_keys.add_data_key(data_key(number, OTHER)) for number in range(20, 28))
    )
    assert len({key.key_id for key in made}) == 1


async def test_a_data_key_needs_its_day_and_seller_to_be_open(stores: Stores) -> None:
    await open_subjects(stores, Subject.of_day(LATE))
    with pytest.raises(SubjectClosed):
        await stores.data_keys.add_data_key(data_key())
    assert await stores.data_keys.find_data_key(SELLER, LATE) is None


async def test_a_subject_is_open_once_it_was_opened(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    assert not await stores.data_keys.is_open(day)
    await stores.data_keys.open_subject(probe(day, "first"), NOW)
    await stores.data_keys.open_subject(probe(day, "second"), NOW)
    assert await stores.data_keys.is_open(day)
    assert await stores.erasures.find_probe(day) == probe(day, "first")


async def test_opening_at_the_same_time_leaves_one_probe(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await asyncio.gather(
        *(stores.data_keys.open_subject(probe(day, f"{number}"), NOW) for number in range(6))
    )
    assert await stores.data_keys.is_open(day)


async def test_a_day_that_was_closed_never_opens_again(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await open_subjects(stores, day)
    await finished(stores, day, 10)
    for call in (stores.data_keys.is_open(day), stores.data_keys.open_subject(probe(day), NOW)):
        with pytest.raises(SubjectClosed):
            await call


async def test_a_seller_opens_again_when_the_erasing_is_finished_and_not_before(stores: Stores) -> None:
    seller = Subject.of_seller(SELLER)
    await open_subjects(stores, seller)
    closed = await stores.erasures.close(erasure(seller, 10))
    with pytest.raises(SubjectClosed):
        await stores.data_keys.is_open(seller)
    with pytest.raises(SubjectClosed):
        await stores.data_keys.open_subject(probe(seller, "new"), NOW)
    await stores.erasures.add_receipt(receipt(closed, 13))
    await stores.erasures.finish(closed.erasure_id)
    assert not await stores.data_keys.is_open(seller)
    await stores.data_keys.open_subject(probe(seller, "new"), NOW)
    assert await stores.data_keys.is_open(seller)
    assert await stores.erasures.find_probe(seller) == probe(seller, "new")


# Erasures


async def test_open_days_are_due_when_they_have_begun_oldest_first(stores: Stores) -> None:
    await furnish(stores)
    midnight = datetime(2026, 12, 22, tzinfo=UTC)
    assert await stores.erasures.find_due(midnight - timedelta(seconds=1), 10) == [Subject.of_day(EARLY)]
    assert await stores.erasures.find_due(midnight, 10) == [Subject.of_day(EARLY), Subject.of_day(LATE)]
    assert await stores.erasures.find_due(midnight, 1) == [Subject.of_day(EARLY)]


async def test_an_unfinished_erasure_is_due_until_it_is_reported(stores: Stores) -> None:
    await furnish(stores)
    seller = Subject.of_seller(SELLER)
    closed = await stores.erasures.close(erasure(seller, 10))
    assert await stores.erasures.find_due(NOW, 10) == [seller]
    await stores.erasures.add_receipt(receipt(closed, 13))
    assert await stores.erasures.find_due(NOW, 10) == [seller]
    await stores.erasures.finish(closed.erasure_id)
    assert await stores.erasures.find_due(NOW, 10) == []


async def test_closing_counts_what_is_kept(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    await stores.records.put(
        record(replace(NAME, field_set="b"), 2, EARLY), replace(known, revision=known.revision + 1)
    )
    day = await stores.erasures.close(erasure(Subject.of_day(LATE), 10))
    assert (day.records, day.data_keys, day.oldest_expires_at) == (1, 1, record().expires_at)
    seller = await stores.erasures.close(erasure(Subject.of_seller(SELLER), 20))
    assert (seller.records, seller.data_keys, seller.oldest_expires_at) == (
        2,
        2,
        record(day=EARLY).expires_at,
    )
    other = await stores.erasures.close(erasure(Subject.of_seller(OTHER), 30))
    assert (other.records, other.data_keys, other.oldest_expires_at) == (0, 0, None)


async def test_closing_again_gives_the_erasure_that_was_begun_R12(stores: Stores) -> None:
    await furnish(stores)
    day = Subject.of_day(LATE)
    first = await stores.erasures.close(erasure(day, 10))
    assert first == replace(erasure(day, 10), data_keys=1)
    assert await stores.erasures.close(erasure(day, 20)) == first
    await stores.erasures.add_receipt(receipt(first, 13))
    assert await stores.erasures.close(erasure(day, 20)) == replace(first, stage=Stage.PROVEN)
    await stores.erasures.finish(first.erasure_id)
    assert await stores.erasures.close(erasure(day, 20)) == replace(first, stage=Stage.REPORTED)


async def test_closing_at_the_same_time_begins_one_erasure(stores: Stores) -> None:
    await furnish(stores)
    day = Subject.of_day(LATE)
    begun = await asyncio.gather(
        *(stores.erasures.close(erasure(day, number)) for number in range(100, 160, 10))
    )
    assert len({each.erasure_id for each in begun}) == 1


async def test_a_seller_can_be_erased_again(stores: Stores) -> None:
    seller = Subject.of_seller(SELLER)
    await open_subjects(stores, seller)
    first = await finished(stores, seller, 10)
    second = await stores.erasures.close(erasure(seller, 20, NOW + DAY))
    assert second.erasure_id != first.erasure_id
    assert second.stage is Stage.CLOSED


async def test_something_never_opened_can_be_closed(stores: Stores) -> None:
    seller = Subject.of_seller("seller-9")
    assert not await stores.erasures.is_known(seller)
    await stores.erasures.close(erasure(seller, 10))
    assert await stores.erasures.is_known(seller)
    assert await stores.erasures.find_probe(seller) is None


async def test_dropping_a_day_leaves_no_partition_and_the_other_days(stores: Stores) -> None:
    known = await furnish(stores)
    await stores.records.put(record(), known)
    early = replace(NAME, field_set="b")
    await stores.records.put(record(early, 2, EARLY), replace(known, revision=known.revision + 1))
    day = Subject.of_day(LATE)
    await stores.erasures.close(erasure(day, 10))
    assert await stores.erasures.count_rows(day) == 2
    for _ in range(2):
        await stores.erasures.drop(day)
        assert await stores.erasures.count_rows(day) is None
    assert (await stores.records.find(NAME)).kept is None
    assert (await stores.records.find(early)).kept is not None
    assert await stores.erasures.find_probe(day) == probe(day)


async def test_dropping_a_seller_leaves_the_other_sellers(stores: Stores) -> None:
    await stores.records.put(record(), await furnish(stores))
    await stores.data_keys.add_data_key(data_key(3, OTHER))
    theirs = replace(NAME, seller_id=OTHER)
    await stores.records.put(record(theirs, 3), await observed(stores, clock(seller_id=OTHER)))
    seller = Subject.of_seller(SELLER)
    await stores.erasures.close(erasure(seller, 10))
    for _ in range(2):
        await stores.erasures.drop(seller)
        assert await stores.erasures.count_rows(seller) == 0
    assert await stores.records.find(NAME) == Found(None, None)
    assert (await stores.records.find(theirs)).kept is not None


async def test_a_day_without_rows_still_has_its_partition(stores: Stores) -> None:
    await open_subjects(stores, Subject.of_day(LATE))
    assert await stores.erasures.count_rows(Subject.of_day(LATE)) == 0
    assert await stores.erasures.count_rows(Subject.of_day(EARLY)) is None


async def test_an_erasure_has_one_receipt_and_the_first_stays(stores: Stores) -> None:
    day = Subject.of_day(LATE)
    await open_subjects(stores, day)
    closed = await stores.erasures.close(erasure(day, 10))
    first = await stores.erasures.add_receipt(receipt(closed, 13))
    assert first == receipt(closed, 13)
    assert await stores.erasures.add_receipt(receipt(closed, 14)) == first
    assert await stores.erasures.find_receipt(closed.erasure_id) == first


async def test_receipts_are_listed_newest_first_and_bounded(stores: Stores) -> None:
    listed = []
    for number in range(3):
        subject = Subject.of_seller(f"seller-{number}")
        closed = await stores.erasures.close(erasure(subject, 10 * number + 10))
        listed.append(
            await stores.erasures.add_receipt(receipt(closed, 10 * number + 13, NOW + number * DAY))
        )
    assert await stores.erasures.list_receipts(2) == [listed[2], listed[1]]
