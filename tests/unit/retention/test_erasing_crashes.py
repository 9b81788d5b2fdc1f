"""kill -9 between any two steps, then a restart: the same end (R-12).

Each test lets the process die before and after every call of every port in turn, until a run gets through.
"""

from collections.abc import Awaitable, Callable

from fakes.retention_house import CONSOLE, DAY, SELLER, Crash, Fuse, House
from services.retention.model.audit import Kind, Phase, Result
from services.retention.model.erasures import Stage, Subject
from services.retention.model.orders import OrderState

STEPS_MAX = 200

Scene = Callable[[], Awaitable[House]]
Act = Callable[[House], Awaitable[object]]
Check = Callable[[House], Awaitable[None]]


async def crash_everywhere(set_up: Scene, act: Act, check: Check) -> int:
    """Run the check after a crash at each step of the act; return how many there were."""
    for step in range(1, STEPS_MAX):
        house = await set_up()
        house.restart(Fuse(step))
        try:
            await act(house)
        except Crash:
            house.restart()
            await check(house)
        else:
            return step - 1
    raise AssertionError("the act has no end")


async def sealed_house() -> House:
    house = House()
    await house.observe()
    await house.seal()
    return house


async def test_erasing_a_day_goes_on_after_a_crash_at_any_step_R12() -> None:
    async def due_house() -> House:
        house = await sealed_house()
        house.pass_(31 * DAY)
        return house

    async def check(house: House) -> None:
        day = next(Subject.parse(text) for text in house.tables.subjects if text.startswith("day:"))
        await house.use.erasing.erase_due(CONSOLE)
        assert day not in house.keys.living
        assert (house.tables.partitions, house.tables.data_keys) == ({}, {})
        assert_proven_once(house, day, Kind.DAY_ERASED)

    steps = await crash_everywhere(due_house, lambda house: house.use.erasing.erase_due(CONSOLE), check)
    # find, close, intent, destroy, drop, four looks of the verifier, receipt, outcome, finish: before and
    # after each; and before the verifier's attempt to unwrap, which fails.
    assert steps == 2 * 12 + 1


async def test_erasing_a_seller_goes_on_after_a_crash_at_any_step_R12() -> None:
    async def check(house: House) -> None:
        was_begun = bool(house.tables.erasures)
        await house.use.erasing.erase_due(CONSOLE)
        if not was_begun:
            await house.use.erasing.erase_seller(SELLER, CONSOLE)
        assert Subject.of_seller(SELLER) not in house.keys.living
        assert (house.tables.records, house.tables.data_keys, house.tables.clocks) == ([], {}, {})
        assert_proven_once(house, Subject.of_seller(SELLER), Kind.SELLER_ERASED)

    steps = await crash_everywhere(
        sealed_house, lambda house: house.use.erasing.erase_seller(SELLER, CONSOLE), check
    )
    assert steps == 2 * 11 + 1


async def test_sealing_again_after_a_crash_at_any_step_leaves_one_record_R12() -> None:
    async def observed_house() -> House:
        house = House()
        await house.observe()
        return house

    async def check(house: House) -> None:
        await house.seal()
        assert len(house.tables.records) == 1
        assert await house.open()

    assert await crash_everywhere(observed_house, lambda house: house.seal(), check) > 20


async def test_a_move_goes_on_after_a_crash_at_any_step_R12() -> None:
    async def ship(house: House) -> None:
        await house.observe(OrderState.SHIPPED, shipped_at=house.now - 6 * DAY)

    async def check(house: House) -> None:
        await ship(house)
        await house.use.clocks.move_due(CONSOLE)
        assert [record.expires_at for record in house.tables.records] == [house.now + 24 * DAY]
        assert not next(iter(house.tables.clocks.values())).is_move_due
        assert await house.open()

    assert await crash_everywhere(sealed_house, ship, check) > 20


def assert_proven_once(house: House, subject: Subject, kind: Kind) -> None:
    (receipt,) = house.tables.receipts.values()
    assert receipt.subject == subject
    (erasure,) = house.tables.erasures.values()
    assert erasure.stage is Stage.REPORTED
    told = [(event.phase, event.result) for event in house.audit.of(kind)]
    assert told == [(Phase.INTENT, ""), (Phase.OUTCOME, Result.DONE)]
