"""Key rotation: everything sealed anew, nothing lost whoever writes or dies meanwhile, the old closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from fakes.auth_house import Crash, Fuse, House
from fakes.auth_store import FakeStore
from fakes.auth_vault import key_version
from services.auth.model.audit import Phase
from services.auth.model.key_refusals import KeyMissing, KeyUnderWay, RoundMissing
from services.auth.model.rewrapping import (
    KEY_AGE_MAX,
    KEY_AGE_ROTATED,
    LEASE_S,
    SETTLING_S,
    KeyKind,
    KeyOwner,
    Rewrapping,
    SealedValue,
)
from services.auth.service.rewrapping import WORK_S_MAX

NOBODY = "0190b2f0-0000-7000-8000-00000000000f"


@pytest.fixture
def house() -> House:
    return House()


def owner_of(seller_id: str) -> KeyOwner:
    return KeyOwner(kind=KeyKind.SELLER, owner_id=seller_id)


async def settled_seller(house: House) -> KeyOwner:
    """Return a seller with something in every table that the fake keeps sealed values in."""
    person = await house.person()
    await house.connect(person)
    desktop = await house.bound(person)
    await house.lend(desktop.device_id)
    return owner_of(person.seller_id)


async def sealed_values(house: House, owner: KeyOwner) -> Sequence[SealedValue]:
    return await FakeStore(house.clock, house.tables).list_older(owner, 10**9, "")


async def opened(house: House, owner: KeyOwner) -> dict[str, str]:
    """Return every value of an owner in the open."""
    return {
        value.column: (await house.vault.open(value.place, value.sealed)).reveal()
        for value in await sealed_values(house, owner)
    }


async def finish(house: House) -> None:
    """Let the jobs do all that there is to do, settling included."""
    await house.use.keys.work()
    house.clock.pass_(SETTLING_S)
    await house.use.keys.work()


async def test_a_rotated_keys_values_are_all_sealed_anew_and_the_same(house: House) -> None:
    owner = await settled_seller(house)
    before = await opened(house, owner)
    assert len(before) == 8
    begun = await house.use.keys.begin(owner)
    assert (begun.keys, begun.keys_under_way) == (1, 0)
    assert await house.use.keys.work() == 1
    assert {key_version(value.sealed) for value in await sealed_values(house, owner)} == {2}
    assert await opened(house, owner) == before
    progress = await house.use.keys.watch(begun.round_id)
    assert (progress.values, progress.values_done, progress.values_damaged) == (8, 8, 0)
    assert (progress.keys_rewrapped, progress.is_closed, progress.closes_in_s) == (1, False, SETTLING_S)


async def test_what_an_old_dump_holds_does_not_open_once_old_versions_are_closed_T16(house: House) -> None:
    owner = await settled_seller(house)
    dump = await sealed_values(house, owner)
    begun = await house.use.keys.begin(owner)
    await house.use.keys.work()
    for value in dump:
        await house.vault.open(value.place, value.sealed)
    await finish(house)
    assert (await house.use.keys.watch(begun.round_id)).is_closed
    for value in dump:
        with pytest.raises(Unavailable) as refusal:
            await house.vault.open(value.place, value.sealed)
        assert refusal.value.code == "integrity_failure"
    assert len(await opened(house, owner)) == 8


async def test_every_step_of_a_rotation_is_on_record(house: House) -> None:
    owner = await settled_seller(house)
    await house.use.keys.begin(owner)
    await finish(house)
    done = [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    for kind in ("auth.keys.rotation_asked", "auth.key.rotated", "auth.key.versions_closed"):
        assert house.audit.told(kind) == done
    assert house.audit.details("auth.key.versions_closed")[0] == {"key_kind": "seller", "version": "2"}


async def test_all_keys_are_taken_up_together_and_each_has_an_end(house: House) -> None:
    owners = [await settled_seller(house) for _ in range(3)]
    begun = await house.use.keys.begin(None)
    # The application has a key too.
    assert begun.keys == 4
    await finish(house)
    progress = await house.use.keys.watch(begun.round_id)
    assert (progress.keys_closed, progress.values_done) == (4, 24)
    assert [len(await opened(house, owner)) for owner in owners] == [8, 8, 8]


async def test_a_key_that_is_under_way_is_not_taken_up_twice(house: House) -> None:
    owner = await settled_seller(house)
    await house.use.keys.begin(owner)
    with pytest.raises(KeyUnderWay):
        await house.use.keys.begin(owner)
    everything = await house.use.keys.begin(None)
    assert (everything.keys, everything.keys_under_way) == (1, 1)


@pytest.mark.parametrize("owner_id", [NOBODY, "no id", ""])
async def test_a_key_that_nobody_has_is_not_rotated(house: House, owner_id: str) -> None:
    with pytest.raises(KeyMissing):
        await house.use.keys.begin(owner_of(owner_id))


async def test_an_unknown_round_is_not_watched(house: House) -> None:
    with pytest.raises(RoundMissing):
        await house.use.keys.watch(NOBODY)


async def test_nobody_waits_for_a_key_that_was_destroyed_meanwhile_T18(house: House) -> None:
    owner = await settled_seller(house)
    begun = await house.use.keys.begin(owner)
    house.vault.keys.discard(owner.owner_id)
    await house.use.keys.work()
    assert (await house.use.keys.watch(begun.round_id)).is_closed
    assert house.audit.told("auth.key.rotated") == []
    house.pass_(KEY_AGE_MAX - KEY_AGE_ROTATED)
    assert await house.use.keys.begin_aged() == 0


async def test_a_value_that_does_not_open_is_left_and_alarmed_about_T16(house: House) -> None:
    owner, other = await settled_seller(house), await settled_seller(house)
    users = house.tables.users
    mine = next(user for user in users.values() if user.seller_id == owner.owner_id)
    theirs = next(user for user in users.values() if user.seller_id == other.owner_id)
    users[mine.user_id] = replace(mine, name_sealed=theirs.name_sealed)
    begun = await house.use.keys.begin(owner)
    await finish(house)
    progress = await house.use.keys.watch(begun.round_id)
    assert (progress.values_done, progress.values_damaged, progress.is_closed) == (7, 1, True)
    assert users[mine.user_id].name_sealed == theirs.name_sealed
    assert house.signals.counts["sealed_damaged",] == 1


class Writer(FakeStore):
    """Somebody else writes every value anew just before it is replaced."""

    house: House

    async def replace_sealed(self, owner: KeyOwner, value: SealedValue, sealed: str) -> bool:
        theirs = await self.house.vault.seal(value.place, Secret(f"newer {value.column}"))
        await super().replace_sealed(owner, value, theirs)
        return await super().replace_sealed(owner, value, sealed)


async def test_whoever_writes_while_a_key_is_rotated_is_never_overwritten_R12() -> None:
    house = House(store_type=Writer)
    Writer.house = house
    owner = await settled_seller(house)
    await house.use.keys.begin(owner)
    await finish(house)
    assert all(text == f"newer {column}" for column, text in (await opened(house, owner)).items())


class Late(FakeStore):
    """What was sealed under the old version is written after everything was sealed anew."""

    late: list[tuple[KeyOwner, SealedValue]]

    async def end_pass(self, rewrapping: object, damaged: int) -> None:
        await super().end_pass(rewrapping, damaged)  # type: ignore[arg-type]
        while self.late:
            owner, old = self.late.pop()
            (now,) = [value for value in await self.list_older(owner, 10**9, "") if value.place == old.place]
            await self.replace_sealed(owner, now, old.sealed)


async def test_a_late_write_under_the_old_version_is_found_before_it_is_closed_R12() -> None:
    house = House(store_type=Late)
    Late.late = []
    owner = await settled_seller(house)
    old = next(
        one for one in await sealed_values(house, owner) if one.column == "consents.refresh_token_sealed"
    )
    Late.late.append((owner, old))
    before = await opened(house, owner)
    begun = await house.use.keys.begin(owner)
    await finish(house)
    assert not (await house.use.keys.watch(begun.round_id)).is_closed
    house.clock.pass_(SETTLING_S)
    await house.use.keys.work()
    assert (await house.use.keys.watch(begun.round_id)).is_closed
    assert await opened(house, owner) == before


class Slow(FakeStore):
    """Takes longer over one page than a round has."""

    house: House

    async def note_page(self, rewrapping: Rewrapping, done: int, lease_s: float) -> None:
        await super().note_page(rewrapping, done, lease_s)
        self.house.clock.pass_(WORK_S_MAX + 1.0)


async def test_a_round_whose_time_is_over_holds_no_key_back_R12() -> None:
    house = House(store_type=Slow)
    Slow.house = house
    for _ in range(2):
        await house.use.keys.begin(await settled_seller(house))
    assert await house.use.keys.work() == 1
    now_s = house.clock.monotonic_s()
    assert not [row for row in house.tables.rewrappings if (row.held_until_s or 0.0) > now_s]
    assert await house.replica().keys.work() == 1


async def _rotate_with(fuse: Fuse) -> tuple[House, KeyOwner, dict[str, str]]:
    """Rotate a key in a process that dies at its fuse, then in one that lives."""
    house = House()
    owner = await settled_seller(house)
    before = await opened(house, owner)
    begun = await house.use.keys.begin(owner)
    mortal = house.replica(fuse).keys
    for _ in range(3):
        try:
            await mortal.work()
        except Crash:
            break
        house.clock.pass_(SETTLING_S)
    house.clock.pass_(LEASE_S)
    await finish(house)
    await finish(house)
    assert (await house.use.keys.watch(begun.round_id)).is_closed
    return house, owner, before


async def _steps() -> int:
    fuse = Fuse()
    await _rotate_with(fuse)
    return fuse.steps


async def test_a_process_killed_anywhere_in_a_rotation_leaves_nothing_undone_R12() -> None:
    steps = await _steps()
    assert steps > 60
    for step in range(1, steps + 1):
        house, owner, before = await _rotate_with(Fuse(step))
        assert await opened(house, owner) == before, step
        newest = house.vault.newest[owner.owner_id] + 1
        assert newest in {2, 3}, step
        assert {key_version(value.sealed) for value in await sealed_values(house, owner)} <= {2, 3}, step


async def test_a_key_service_that_goes_away_is_waited_for_R06(house: House) -> None:
    owner = await settled_seller(house)
    before = await opened(house, owner)
    begun = await house.use.keys.begin(owner)
    house.vault.is_down = True
    with pytest.raises(Unavailable):
        await house.use.keys.work()
    house.vault.is_down = False
    assert await house.use.keys.work() == 0
    house.clock.pass_(LEASE_S)
    await finish(house)
    assert (await house.use.keys.watch(begun.round_id)).is_closed
    assert await opened(house, owner) == before


def test_keys_are_rotated_a_month_before_they_are_a_year_old() -> None:
    # Source: DPP-1.4c, 12 months.
    assert timedelta(days=365) == KEY_AGE_MAX
    assert timedelta(days=335) == KEY_AGE_ROTATED


async def test_old_keys_are_rotated_by_themselves_and_their_age_is_shown(house: House) -> None:
    owner = await settled_seller(house)
    assert await house.use.keys.begin_aged() == 0
    house.pass_(KEY_AGE_ROTATED + timedelta(seconds=1))
    assert await house.use.keys.begin_aged() == 2
    assert house.signals.oldest_key_s > KEY_AGE_ROTATED.total_seconds()
    await finish(house)
    assert await house.use.keys.begin_aged() == 0
    assert house.signals.oldest_key_s < 2 * SETTLING_S
    ages = await house.use.keys.find_ages()
    assert (ages.keys, ages.aged, ages.under_way) == (2, 0, 0)
    assert len(await opened(house, owner)) == 8
