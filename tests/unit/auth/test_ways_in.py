"""What a person signs in with changes on record, or not at all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House
from fakes.passkey_device import PasskeyDevice
from services.auth.model.audit import Kind, Phase
from services.auth.model.refusals import AuditUnavailable
from tests.unit.auth.accounts import link
from tests.unit.auth.holders import set_password
from tests.unit.auth.passkeys import fresh, register

Change = Callable[[House, Secret[str]], Awaitable[object]]


@dataclass(frozen=True)
class Way:
    """One way in: how a person adds it, and removes it again."""

    name: str
    add: Change
    remove: Change


async def add_passkey(house: House, token: Secret[str]) -> None:
    await register(house, token, PasskeyDevice(seed="spare"), "Spare")


async def remove_passkey(house: House, token: Secret[str]) -> None:
    own = (await house.use.people.ways_in.list_own(token)).passkeys
    (spare,) = [one.passkey.passkey_id for one in own if one.name == "Spare"]
    await house.use.people.passkeys.remove(token, spare)


async def remove_password(house: House, token: Secret[str]) -> None:
    await house.use.people.password_changes.remove(token)


async def unlink(house: House, token: Secret[str]) -> None:
    await house.use.people.provider.unlink(token)


WAYS = (
    Way("passkey", add_passkey, remove_passkey),
    Way("password", set_password, remove_password),
    Way("provider", link, unlink),
)


def told(house: House, kind: Kind) -> list[tuple[Phase, str, str]]:
    """Return the last two records of a kind: what became of it, and which way in was meant."""
    records = [event for event in house.audit.events.values() if event.kind is kind][-2:]
    return [(record.phase, record.result, record.details["way"]) for record in records]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_a_way_in_comes_and_goes_on_record_R01(way: Way) -> None:
    house = House()
    person = await house.person()
    for kind, change in ((Kind.CREDENTIAL_ADDED, way.add), (Kind.CREDENTIAL_REMOVED, way.remove)):
        await change(house, await fresh(house, person))
        assert told(house, kind) == [(Phase.INTENT, "", way.name), (Phase.OUTCOME, "done", way.name)]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_no_way_in_comes_or_goes_while_the_audit_log_is_down_R02(way: Way) -> None:
    house = House()
    person = await house.person()
    for change in (way.add, way.remove):
        token = await fresh(house, person)
        before = await house.use.people.ways_in.list_own(token)
        house.audit.is_down = True
        with pytest.raises(AuditUnavailable):
            await change(house, token)
        house.audit.is_down = False
        assert await house.use.people.ways_in.list_own(token) == before
        await change(house, token)
