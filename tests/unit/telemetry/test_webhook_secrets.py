"""The secrets behind the receiver's signatures: made once, two for a while, and what damage does."""

import base64
from datetime import timedelta
from typing import Any, cast

import pytest

import chassis.vault
from fakes.clock import START, FakeClock
from fakes.entropy import FakeEntropy
from fakes.vault import FakeVault
from services.telemetry.model.webhooks import OVERLAP
from services.telemetry.vault import WEBHOOK_KEYS_REMEMBERED_S, WEBHOOK_PATH, WebhookSecrets

OLD, OLDER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
UNTIL = (START + OVERLAP).isoformat()
MOMENT = timedelta(microseconds=1)


class House:
    """One key service, and as many replicas as one likes."""

    def __init__(self) -> None:
        self.clock, self.kept = FakeClock(), FakeVault()
        self._replicas = 0

    def replica(self) -> WebhookSecrets:
        self._replicas += 1
        vault = cast("chassis.vault.Vault", self.kept)
        return WebhookSecrets(vault, self.clock, FakeEntropy(self._replicas))

    async def keep(self, data: dict[str, Any]) -> None:
        await self.kept.kv_write(WEBHOOK_PATH, data)


@pytest.fixture
def house() -> House:
    return House()


async def keys(secrets: WebhookSecrets, after: timedelta = timedelta()) -> list[bytes]:
    return [key.reveal() for key in await secrets.valid(START + after)]


async def test_all_replicas_sign_with_the_secret_that_the_first_one_made(house: House) -> None:
    one, other = house.replica(), house.replica()
    made = await keys(one)
    assert [len(key) for key in made] == [32]
    assert await keys(other) == made


async def test_the_secret_before_signs_on_for_a_day_and_no_longer(house: House) -> None:
    secrets = house.replica()
    (before,) = await keys(secrets)
    fresh = (await secrets.rotate(START)).reveal()
    assert fresh != before
    for replica in (secrets, house.replica()):
        assert await keys(replica) == [fresh, before]
        assert await keys(replica, timedelta(hours=24) - MOMENT) == [fresh, before]
        assert await keys(replica, timedelta(hours=24)) == [fresh]


async def test_of_two_rotations_only_the_last_secret_before_signs_on(house: House) -> None:
    secrets = house.replica()
    first = (await secrets.rotate(START)).reveal()
    second = (await secrets.rotate(START)).reveal()
    assert await keys(secrets) == [second, first]


async def test_another_replica_takes_a_rotated_secret_up_within_a_minute(house: House) -> None:
    one, other = house.replica(), house.replica()
    before = await keys(other)
    fresh = (await one.rotate(START)).reveal()
    house.clock.pass_(WEBHOOK_KEYS_REMEMBERED_S - 1)
    assert await keys(other) == before
    house.clock.pass_(1)
    assert await keys(other) == [fresh, *before]


async def test_after_a_minute_nothing_is_signed_until_the_key_service_is_back_R06(house: House) -> None:
    secrets = house.replica()
    made = await keys(secrets)
    house.kept.is_available = False
    house.clock.pass_(59)
    assert await keys(secrets) == made
    house.clock.pass_(1)
    with pytest.raises(chassis.vault.KeyServiceUnavailable):
        await keys(secrets)
    house.kept.is_available = True
    assert await keys(secrets) == made


DAMAGED: tuple[dict[str, Any], ...] = (
    {},
    {"secret": 7},
    {"secret": "not base64"},
    {"secret": "AAAA"},
    {"secret": OLD, "previous": OLDER},
    {"secret": OLD, "previous": OLDER, "previous_until": "tomorrow"},
    {"secret": OLD, "previous": OLDER, "previous_until": "2026-11-22T12:00:00"},
    {"secret": OLD, "previous": OLDER, "previous_until": None},
    {"secret": OLD, "previous": "ä", "previous_until": UNTIL},
    {"secret": OLD, "previous": None, "previous_until": UNTIL},
)


@pytest.mark.parametrize("damaged", DAMAGED)
async def test_a_damaged_entry_signs_nothing_and_a_rotation_ends_that(
    house: House, damaged: dict[str, Any]
) -> None:
    await house.keep(damaged)
    secrets = house.replica()
    with pytest.raises(chassis.vault.SecretDamaged):
        await keys(secrets)
    fresh = (await secrets.rotate(START)).reveal()
    signing = await keys(house.replica())
    assert signing[0] == fresh
    assert signing[1:] == ([base64.b64decode(OLD)] if damaged.get("secret") == OLD else [])


async def test_a_damaged_entry_is_read_anew_each_time_so_a_good_version_is_taken_up_at_once(
    house: House,
) -> None:
    secrets = house.replica()
    await house.keep({"secret": "not base64"})
    with pytest.raises(chassis.vault.SecretDamaged):
        await keys(secrets)
    await house.keep({"secret": OLD})
    assert await keys(secrets) == [base64.b64decode(OLD)]


async def test_a_damage_to_what_is_remembered_is_noticed_within_a_minute(house: House) -> None:
    secrets = house.replica()
    (made,) = await keys(secrets)
    await house.keep({})
    house.clock.pass_(WEBHOOK_KEYS_REMEMBERED_S - 1)
    assert await keys(secrets) == [made]
    house.clock.pass_(1)
    for _ in range(2):
        with pytest.raises(chassis.vault.SecretDamaged):
            await keys(secrets)
