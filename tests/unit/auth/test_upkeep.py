"""Periodic work, one run at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House
from fakes.auth_store import FakeStore
from services.auth.model.audit import Kind, Phase
from services.auth.model.consents import Consent, Ending
from services.auth.model.devices import Device
from services.auth.model.refusals import (
    AuthorizationUnavailable,
    ConsentRevoked,
    DeviceRevoked,
    TokenExpired,
    TokenInvalid,
)
from services.auth.model.restricted import Restriction

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")


async def test_what_is_over_is_purged_and_what_is_alive_stays() -> None:
    house = House()
    person = await house.person()
    await house.connect(person)
    desktop = await house.bound(person)
    house.pass_(timedelta(seconds=1))
    await house.refresh(desktop)
    assert await house.use.upkeep.purge() == 0
    house.pass_(timedelta(days=8))
    assert await house.use.upkeep.purge() > 0
    tables = house.tables
    left = (tables.invitations, tables.sessions, tables.states, tables.codes)
    assert [len(table) for table in left] == [0] * 4
    kept = (tables.refresh_tokens, tables.devices, tables.consents, tables.access_tokens)
    assert [len(table) for table in kept] == [2, 1, 1, 1]
    with pytest.raises(TokenInvalid):
        await house.use.tokens.introspect(desktop.tokens.access_token)


async def test_a_desktop_that_slept_for_weeks_hears_that_its_token_has_ended() -> None:
    """One library keeps its token until it hears just that, however long ago it got it."""
    house = House()
    device_id, refresh_token = await house.compat(await house.person())
    tokens = await house.use.tokens.refresh_compat(device_id, refresh_token)
    house.pass_(timedelta(minutes=5))
    handle = await house.use.tokens.restrict(tokens.access_token, (ADDRESS,))
    house.pass_(timedelta(days=30))
    await house.use.upkeep.purge()
    with pytest.raises(TokenExpired) as told:
        await house.use.tokens.introspect(tokens.access_token)
    assert told.value.code == "token_expired"
    with pytest.raises(TokenInvalid):
        await house.use.tokens.introspect(handle)


async def test_a_purge_is_bounded() -> None:
    house = House()
    person = await house.person()
    for _ in range(3):
        await house.begin(person)
    house.pass_(timedelta(days=2))
    store = house.use.upkeep
    assert await store.purge() == 6
    assert await store.purge() == 0


async def test_amazon_is_asked_again_before_a_refused_seller_is_called_revoked_R08() -> None:
    house = House()
    person = await house.person()
    connected = await house.connect(person)
    desktop = await house.bound(person)
    house.amazon.refresh_tokens.clear()
    with pytest.raises(AuthorizationUnavailable):
        await house.lend(desktop.device_id)
    assert await house.use.upkeep.confirm_refusals() == 0
    house.pass_(timedelta(seconds=121))
    assert await house.use.upkeep.confirm_refusals() == 1
    assert house.tables.consents[connected.consent.consent_id].ending is Ending.REFUSED
    assert house.amazon.calls["refresh"] == 2
    assert await house.use.upkeep.confirm_refusals() == 0


async def test_the_second_time_amazon_is_shown_the_token_as_it_is_stored_by_then_R08() -> None:
    house = House()
    person = await house.person()
    connected = await house.connect(person)
    desktop = await house.bound(person)
    house.amazon.refresh_tokens.clear()
    with pytest.raises(AuthorizationUnavailable):
        await house.lend(desktop.device_id)
    refused = house.tables.consents[connected.consent.consent_id]
    house.amazon.refresh_tokens.add("Atzr|newer")
    newer = await house.vault.seal(refused.next_refresh_token_place, Secret("Atzr|newer"))
    house.tables.consents[refused.consent_id] = replace(
        refused, refresh_token_sealed=newer, refresh_version=refused.refresh_version + 1
    )
    house.pass_(timedelta(seconds=121))
    assert await house.use.upkeep.confirm_refusals() == 1
    kept = house.tables.consents[refused.consent_id]
    assert (kept.ended_at, kept.refused_at) == (None, None)


async def test_a_refusal_that_somebody_else_settled_keeps_nobody_from_the_lease_R08() -> None:
    house = House()
    connected = await house.connect(await house.person())
    asked = house.amazon.calls["refresh"]
    await house.use.upkeep._refresher.confirm(connected.consent)
    assert house.amazon.calls["refresh"] == asked
    store = house.store_type(house.clock, house.tables)
    assert await store.acquire(connected.consent.consent_id, 60.0) is not None


async def test_grants_idle_for_90_days_are_disabled_and_reported_T18() -> None:
    house = House()
    person = await house.person()
    connected = await house.connect(person)
    desktop = await house.bound(person)
    house.pass_(timedelta(days=90))
    assert await house.use.upkeep.retire_idle() == 0
    house.pass_(timedelta(seconds=1))
    assert await house.use.upkeep.retire_idle() == 2
    ended = house.tables.consents[connected.consent.consent_id]
    assert (ended.ending, ended.refresh_token_sealed) == (Ending.IDLE, None)
    assert ended.status(house.clock.now()) == "idle"
    with pytest.raises(DeviceRevoked):
        await house.refresh(desktop)
    told = {"consent_id": ended.consent_id, "region": ended.region, "reason": "idle"}
    assert house.audit.details(Kind.CONSENT_REVOKED) == [told] * 2
    told = {"device_id": desktop.device_id, "reason": "idle"}
    assert house.audit.details(Kind.DEVICE_REVOKED) == [told] * 2
    assert [house.signals.counts["ended", what, "idle"] for what in ("consent", "device")] == [1, 1]


class BusyStore(FakeStore):
    """Everything that it lists as idle is used just afterwards, while the audit log hears of the first."""

    async def list_idle(self, used_before: datetime, rows_max: int) -> Sequence[Consent]:
        idle = await super().list_idle(used_before, rows_max)
        for one in idle:
            self.tables.consents[one.consent_id] = replace(one, used_at=self._clock.now())
        return idle

    async def list_idle_devices(self, used_before: datetime, rows_max: int) -> Sequence[Device]:
        idle = await super().list_idle_devices(used_before, rows_max)
        for one in idle:
            self.tables.devices[one.device_id] = replace(one, used_at=self._clock.now())
        return idle


async def test_what_is_used_again_before_it_is_retired_stays_T18() -> None:
    house = House(store_type=BusyStore)
    person = await house.person()
    await house.connect(person)
    desktop = await house.bound(person)
    house.pass_(timedelta(days=91))
    assert await house.use.upkeep.retire_idle() == 0
    await house.refresh(desktop)
    await house.lend(desktop.device_id)
    for kind in (Kind.CONSENT_REVOKED, Kind.DEVICE_REVOKED):
        assert house.audit.told(kind) == [(Phase.INTENT, ""), (Phase.OUTCOME, "not_done")]
    assert not any(what == "ended" for what, *_ in house.signals.counts)


async def test_a_used_grant_is_not_idle_T18() -> None:
    house = House()
    person = await house.person()
    await house.connect(person)
    device_id, refresh_token = await house.compat(person)
    for _ in range(4):
        house.pass_(timedelta(days=60))
        await house.use.tokens.refresh_compat(device_id, refresh_token)
        await house.lend(device_id)
        assert await house.use.upkeep.retire_idle() == 0


async def test_an_ended_consent_stays_ended() -> None:
    house = House()
    person = await house.person()
    await house.connect(person)
    desktop = await house.bound(person)
    house.pass_(timedelta(days=91))
    await house.use.upkeep.retire_idle()
    other = await house.bound(await house.colleague(person.seller_id), key="second")
    assert desktop.device_id != other.device_id
    with pytest.raises(ConsentRevoked):
        await house.lend(other.device_id)
