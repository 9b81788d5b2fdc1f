"""Sealing, opening, moving and erasing on real Postgres and OpenBao."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

import chassis.crypto.sign
import chassis.db
import chassis.errors
import sallyport.engines.openbao
import sallyport.engines.postgres
import sallyport.provision.database
import sallyport.provision.ground
from fakes.retention_house import CONSOLE, DAY, PLAINTEXT, Crash, Fuse
from services.retention.model.audit import Kind, Phase, Result
from services.retention.model.erasures import Subject
from services.retention.model.errors import Expired, NothingKept, RecordUnsound
from services.retention.model.orders import OrderState, begins_at
from tests.integration.retention.real_house import RealHouse

STEPS_MAX = 100


async def open_paths(house: RealHouse, subject: Subject) -> set[str]:
    findings = await house.use.verifier.inspect(subject)
    return {found.path for found in findings if not found.is_unreachable}


async def test_a_record_is_opened_until_its_day_begins_and_then_proven_gone_R18_R19(
    sealed_house: RealHouse,
) -> None:
    house, day = sealed_house, await sealed_house.only_day()
    assert await open_paths(house, day) == {"key", "partition", "record", "cache"}
    assert day.day is not None
    house.clock.set_now(begins_at(day.day) - timedelta(seconds=1))
    assert await house.open() == PLAINTEXT
    house.clock.set_now(begins_at(day.day))
    with pytest.raises(Expired):
        await house.open()
    (receipt,) = await house.use.erasing.erase_due(CONSOLE)
    assert chassis.crypto.sign.verify(receipt.public_key_pem, receipt.statement, receipt.signature)
    assert not await house.keys.exists(day)
    assert await open_paths(house, day) == set()
    house.restart()
    with pytest.raises(Expired):
        await house.open()


async def test_a_sellers_data_is_proven_gone_and_the_seller_may_come_back_T18(
    sealed_house: RealHouse,
) -> None:
    house, seller = sealed_house, Subject.of_seller(sealed_house.seller)
    receipt = await house.use.erasing.erase_seller(house.seller, CONSOLE)
    assert chassis.crypto.sign.verify(receipt.public_key_pem, receipt.statement, receipt.signature)
    assert await open_paths(house, seller) == set()
    with pytest.raises(NothingKept):
        await house.open()
    await house.observe()
    await house.seal(plaintext=b"new")
    assert await house.open() == b"new"


async def test_records_move_to_an_earlier_day(sealed_house: RealHouse) -> None:
    house = sealed_house
    late = await house.only_day()
    house.clock.pass_(5 * DAY.total_seconds())
    await house.observe(OrderState.SHIPPED, shipped_at=house.clock.now() - 6 * DAY)
    assert await house.open() == PLAINTEXT
    house.clock.pass_(24 * DAY.total_seconds())
    with pytest.raises(Expired):
        await house.open()
    receipts = await house.use.erasing.erase_due(CONSOLE)
    assert [receipt.subject.day for receipt in receipts] == [late.day - DAY]  # type: ignore[operator]


async def test_runs_at_the_same_time_prove_a_day_once(sealed_house: RealHouse) -> None:
    house = sealed_house
    house.clock.pass_(31 * DAY.total_seconds())
    replicas = [house.restart() for _ in range(3)]
    runs = await asyncio.gather(*(replica.erasing.erase_due(CONSOLE) for replica in replicas))
    (receipt,) = await house.use.erasing.list_receipts()
    assert {each for run in runs for each in run} == {receipt}
    assert len(house.audit.of(Kind.DAY_ERASED)) == 2


async def test_seals_and_observations_at_the_same_time_lose_nothing(house: RealHouse) -> None:
    replicas = [house.restart() for _ in range(2)]
    names = [replace(house.name, field_set=f"set-{number}") for number in range(8)]
    await house.observe()
    sealed = (
        replicas[number % 2].safe.seal(
            name, str(number).encode(), fetched_at=house.clock.now(), origin=CONSOLE
        )
        for number, name in enumerate(names)
    )
    await asyncio.gather(*sealed)
    assert [await house.open(name) for name in names] == [b"%d" % number for number in range(8)]


async def test_erasing_goes_on_after_a_crash_at_any_step_R12(house: RealHouse) -> None:
    for step in range(1, STEPS_MAX):
        house.audit.events.clear()
        await house.observe()
        await house.seal()
        house.clock.pass_(31 * DAY.total_seconds())
        try:
            await house.restart(Fuse(step)).erasing.erase_due(CONSOLE)
        except Crash:
            house.restart()
            await house.use.erasing.erase_due(CONSOLE)
            told = [(event.phase, event.result) for event in house.audit.of(Kind.DAY_ERASED)]
            assert told == [(Phase.INTENT, ""), (Phase.OUTCOME, Result.DONE)]
            (receipt, *earlier) = await house.use.erasing.list_receipts()
            assert len(earlier) == step - 1
            assert await open_paths(house, receipt.subject) == set()
        else:
            assert step > 20
            return
    raise AssertionError("erasing has no end")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE retention.records SET order_id = 'moved'",
        "UPDATE retention.records SET field_set = 'moved'",
        "UPDATE retention.records SET expires_at = expires_at + interval '1 day'",
        "UPDATE retention.records SET fetched_at = fetched_at + interval '1 day'",
        "UPDATE retention.records SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
        "UPDATE retention.data_keys SET wrapped = overlay(wrapped placing 'AAAA' from 40)",
    ],
)
async def test_changed_rows_do_not_open_T16(
    sealed_house: RealHouse, ground: sallyport.provision.ground.Ground, change: str
) -> None:
    house = sealed_house
    house.restart()
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=house.database
    ) as owner:
        await owner.execute(change)
        await owner.execute(
            """
            INSERT INTO retention.order_clocks
            SELECT seller_id, 'moved', unshipped_at, left_at, expires_at, revision, is_move_due
            FROM retention.order_clocks
            """
        )
        row = await owner.fetchrow("SELECT order_id, field_set FROM retention.records")
    assert row is not None
    name = replace(house.name, order_id=row["order_id"], field_set=row["field_set"])
    with pytest.raises(RecordUnsound) as refusal:
        await house.open(name)
    assert refusal.value.code == "integrity_failure"
    assert house.signals.counts["unsound"] == 1


async def test_ciphertext_moved_to_another_day_does_not_open_T16(
    sealed_house: RealHouse, ground: sallyport.provision.ground.Ground
) -> None:
    house = sealed_house
    other = replace(house.name, order_id="later")
    house.clock.pass_(3 * DAY.total_seconds())
    await house.observe(order_id=other.order_id)
    await house.seal(other)
    house.restart()
    async with sallyport.provision.database.signed_in(
        ground.postgres,
        ground.openbao,
        role=sallyport.provision.OWNER,
        database=house.database,
    ) as owner:
        await owner.execute(
            """
            UPDATE retention.records r
            SET erase_day = l.erase_day, key_id = l.key_id, expires_at = l.expires_at
            FROM retention.records l WHERE l.order_id = 'later' AND r.order_id = $1
            """,
            house.name.order_id,
        )
        await owner.execute("UPDATE retention.order_clocks SET expires_at = expires_at + interval '9 days'")
    with pytest.raises(RecordUnsound):
        await house.open()


async def test_a_sealed_vault_stops_reads_and_writes_until_it_is_unsealed_R06(
    sealed_house: RealHouse, openbao: sallyport.engines.openbao.OpenBao
) -> None:
    house = sealed_house
    house.restart()
    await openbao.seal()
    try:
        for call in (house.open, house.seal, house.use.upkeep.check):
            with pytest.raises(chassis.errors.Unavailable) as refusal:
                await call()
            assert refusal.value.code == "key_service_unavailable"
        house.clock.pass_(31 * DAY.total_seconds())
        with pytest.raises(chassis.errors.Unavailable):
            await house.use.erasing.erase_due(CONSOLE)
        with pytest.raises(chassis.errors.Unavailable):
            await house.use.verifier.inspect(await house.only_day())
    finally:
        await openbao.start()
    assert len(await house.use.erasing.erase_due(CONSOLE)) == 1


async def test_a_killed_postgres_stops_the_safe_until_it_is_back_R05(
    sealed_house: RealHouse, postgres: sallyport.engines.postgres.Postgres
) -> None:
    house = sealed_house
    postgres.server.kill()
    await postgres.wait()
    # What the server began ends a moment after it, and would still answer until then.
    while await house.is_well():
        await house.clock.sleep(0)
    try:
        for call in (house.open, house.seal):
            with pytest.raises(chassis.errors.Unavailable) as refusal:
                await call()
            assert refusal.value.code == "store_unavailable"
    finally:
        await postgres.start()
    while not await house.is_well():
        await house.clock.sleep(0)
    assert await house.open() == PLAINTEXT
