"""kill -9 at any step: a fresh process goes on, and repeating a step is harmless (R-12)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from fakes.auth_house import (
    CLIENT_ID,
    US,
    Crash,
    Desktop,
    Fuse,
    House,
    Person,
    Waiting,
    loan,
    redemption,
    thumbprint,
)
from services.auth.model.audit import Phase
from services.auth.service import UseCases

STEPS_MAX = 200


async def crash_at_every_step(
    prepare: Callable[[House], Awaitable[None]],
    attempt: Callable[[House, UseCases], Awaitable[object]],
    after: Callable[[House], Awaitable[None]],
) -> int:
    """Let `attempt` die at its first step, then its second, ...; each time `after` must succeed."""
    for step in range(1, STEPS_MAX):
        house = House()
        await prepare(house)
        try:
            await attempt(house, house.replica(Fuse(step)))
        except Crash:
            house.use = house.replica()
            await after(house)
        else:
            return step
    raise AssertionError("the attempt never came to its end")


async def test_connecting_survives_a_crash_at_any_step_R12() -> None:
    people: list[Person] = []

    async def prepare(house: House) -> None:
        people.append(await house.person())
        await house.connect(people[-1], US, "A1")

    async def attempt(house: House, use: UseCases) -> None:
        callback = house.callback(await house.begin(people[-1]), "A1")
        await use.consents.complete(people[-1].session_token, callback)

    async def after(house: House) -> None:
        await house.connect(people[-1], US, "A1")
        active = [one for one in house.tables.consents.values() if one.ended_at is None]
        assert len(active) == 1
        kept = [one for one in house.tables.consents.values() if one.refresh_token_sealed is not None]
        assert kept == active
        no_effect_without_intent(house)

    assert await crash_at_every_step(prepare, attempt, after) > 10


async def test_refreshing_survives_a_crash_at_any_step_and_is_never_doubled_R09_R12() -> None:
    desktops: list[Desktop] = []

    async def prepare(house: House) -> None:
        person = await house.person()
        await house.connect(person)
        desktops.append(await house.bound(person))
        house.amazon.rotates = True

    async def attempt(_house: House, use: UseCases) -> None:
        await use.lending.lend(loan(desktops[-1].device_id))

    async def after(house: House) -> None:
        began_s = house.clock.monotonic_s()
        lent = await asyncio.gather(*(house.lend(desktops[-1].device_id) for _ in range(3)))
        assert len({one.token.reveal() for one in lent}) == 1
        assert house.amazon.in_flight_max == 1
        assert house.clock.monotonic_s() - began_s < 30
        house.pass_(timedelta(hours=1))
        await house.lend(desktops[-1].device_id)

    assert await crash_at_every_step(prepare, attempt, after) > 10


async def test_enrolling_survives_a_crash_at_any_step_R12() -> None:
    people: list[Person] = []

    async def prepare(house: House) -> None:
        people.append(await house.person())

    async def attempt(house: House, use: UseCases) -> None:
        await use.enrolment.exchange(redemption(await house.authorize(people[-1])))

    async def after(house: House) -> None:
        desktop = await house.bound(people[-1], key="second")
        await house.refresh(desktop)
        no_effect_without_intent(house)

    assert await crash_at_every_step(prepare, attempt, after) > 5


async def test_a_rotation_whose_answer_was_lost_can_be_asked_for_again_R12() -> None:
    desktops: list[Desktop] = []

    async def prepare(house: House) -> None:
        desktops.append(await house.bound(await house.person()))

    async def attempt(_house: House, use: UseCases) -> None:
        tokens = desktops[-1].tokens
        await use.tokens.refresh_bound("desktop", tokens.refresh_token, desktops[-1].key)

    async def after(house: House) -> None:
        second = await house.refresh(desktops[-1])
        house.pass_(timedelta(minutes=1))
        await house.refresh(desktops[-1], second.refresh_token)

    assert await crash_at_every_step(prepare, attempt, after) > 5


async def test_letting_a_desktop_in_survives_a_crash_at_any_step_R12() -> None:
    people: list[Person] = []
    waiting: list[Waiting] = []

    async def prepare(house: House) -> None:
        people.append(await house.person())
        waiting.append(await house.begin_grant())

    async def attempt(_house: House, use: UseCases) -> None:
        await use.device_grants.approve(
            people[-1].session_token, waiting[-1].user_code, "Packing table", withheld_scopes=()
        )
        await use.device_grants.redeem(CLIENT_ID, waiting[-1].device_code, thumbprint("first"))

    async def after(house: House) -> None:
        await house.approve_grant(people[-1], waiting[-1])
        tokens = await house.redeem_grant(waiting[-1])
        assert await house.redeem_grant(waiting[-1]) == tokens
        seen = await house.use.tokens.introspect(tokens.access_token)
        assert [seen.access.device.device_id] == list(house.tables.devices)
        no_effect_without_intent(house)

    assert await crash_at_every_step(prepare, attempt, after) > 15


async def test_giving_tokens_up_survives_a_crash_at_any_step_R12() -> None:
    desktops: list[Desktop] = []

    async def prepare(house: House) -> None:
        desktops.append(await house.bound(await house.person()))

    async def give_up(use: UseCases) -> None:
        for token in (desktops[-1].tokens.access_token, desktops[-1].tokens.refresh_token):
            await use.own_tokens.revoke(CLIENT_ID, token)

    async def attempt(_house: House, use: UseCases) -> None:
        await give_up(use)

    async def after(house: House) -> None:
        await give_up(house.use)
        assert house.tables.devices[desktops[-1].device_id].revoked_at is not None
        assert not house.tables.access_tokens
        no_effect_without_intent(house)

    assert await crash_at_every_step(prepare, attempt, after) > 8


async def test_a_revocation_that_was_under_way_is_finished_by_asking_again_R12() -> None:
    people: list[Person] = []
    desktops: list[Desktop] = []

    async def prepare(house: House) -> None:
        people.append(await house.person())
        desktops.append(await house.bound(people[-1]))

    async def attempt(_house: House, use: UseCases) -> None:
        await use.devices.revoke(people[-1].session_token, desktops[-1].device_id)

    async def after(house: House) -> None:
        await house.use.devices.revoke(people[-1].session_token, desktops[-1].device_id)
        assert house.tables.devices[desktops[-1].device_id].revoked_at is not None
        no_effect_without_intent(house)

    assert await crash_at_every_step(prepare, attempt, after) > 3


@pytest.mark.parametrize("step", range(1, 9))
async def test_registering_an_application_can_be_repeated_R12(step: int) -> None:
    house = House()
    whole, house.use = house.use, house.replica(Fuse(step))
    with pytest.raises(Crash):
        await house.register()
    house.use = whole
    await house.register()
    await house.connect(await house.person())


def no_effect_without_intent(house: House) -> None:
    """Every consent and device in the tables has an intent in the audit log (R-01)."""
    told = {
        event.details.get("consent_id") or event.details.get("device_id")
        for event in house.audit.events.values()
        if event.phase is Phase.INTENT
    }
    assert told >= house.tables.consents.keys() | house.tables.devices.keys()
