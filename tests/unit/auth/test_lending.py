"""Lending Amazon's tokens: from memory, from another replica, from Amazon."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from fakes.auth_house import DE, US, House, loan
from fakes.auth_store import FakeStore
from services.auth.model import lending
from services.auth.model.audit import Kind, Phase
from services.auth.model.consents import Ending, Region
from services.auth.model.lending import Lease, Refreshed
from services.auth.model.refusals import (
    ApplicationRefused,
    AuditUnavailable,
    AuthorizationUnavailable,
    ConsentExpired,
    ConsentMissing,
    ConsentRevoked,
    DeviceNotFound,
    DeviceRevoked,
    InvalidRestriction,
    RestrictionRefused,
    UpstreamInvalid,
)
from services.auth.model.restricted import Restriction
from tests.unit.auth.shop import Shop

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")
ORDERS = Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo",))


async def test_a_token_is_fetched_once_and_then_remembered() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    assert await shop.lend() == first
    assert shop.refreshes == 1
    assert first.expires_at - shop.house.clock.now() == timedelta(hours=1)


async def test_a_borrower_is_told_how_long_a_token_is_left_and_never_less_than_nothing() -> None:
    shop = await Shop.open()
    lent, left_s = await shop.lend(), shop.house.use.lending.left_s
    assert left_s(lent) == 3600
    shop.house.pass_(timedelta(minutes=10, milliseconds=1))
    assert left_s(lent) == 2999
    shop.house.pass_(timedelta(hours=1))
    assert left_s(lent) == 0


async def test_waiters_share_one_refresh_R10() -> None:
    shop = await Shop.open()
    shop.house.amazon.takes_s = 2.0
    lent = await asyncio.gather(*(shop.lend() for _ in range(20)))
    assert len({one.token.reveal() for one in lent}) == 1
    assert shop.refreshes == 1


async def test_replicas_share_one_refresh_R09() -> None:
    shop = await Shop.open()
    shop.house.amazon.takes_s = 2.0
    replicas = [shop.house.replica() for _ in range(4)]
    lent = await asyncio.gather(
        *(use.lending.lend(loan(shop.device_id)) for use in replicas for _ in range(5))
    )
    assert len({one.token.reveal() for one in lent}) == 1
    assert (shop.refreshes, shop.house.amazon.in_flight_max) == (1, 1)


async def test_a_restarted_process_finds_the_shared_token() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    shop.house.use = shop.house.replica()
    assert await shop.lend() == first
    assert shop.refreshes == 1


async def test_a_dead_holders_lease_is_taken_over_within_30_seconds_R09() -> None:
    shop = await Shop.open()
    consent_id = next(iter(shop.house.tables.leases))
    shop.house.tables.leases[consent_id].held_until_s = shop.house.clock.monotonic_s() + lending.LEASE_S
    began_s = shop.house.clock.monotonic_s()
    await shop.lend()
    assert shop.refreshes == 1
    assert shop.house.clock.monotonic_s() - began_s < 30


class LateStore(FakeStore):
    """Gives leases at once, and tells of them late."""

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        lease = await super().acquire(consent_id, lease_s)
        await self._clock.sleep(lending.ASK_S_MAX + 0.1)
        return lease


async def test_a_lease_that_was_told_of_late_is_not_used_R09() -> None:
    shop = await Shop.open(House(store_type=LateStore))
    with pytest.raises(AuthorizationUnavailable):
        await shop.lend()
    assert shop.refreshes == 0


async def test_a_holder_that_comes_late_cannot_overwrite_R09() -> None:
    shop = await Shop.open()
    house = shop.house

    def somebody_takes_over() -> None:
        lease = next(iter(house.tables.leases.values()))
        lease.fence += 1
        lease.held_until_s = None
        house.amazon.meanwhile = None

    house.amazon.meanwhile = somebody_takes_over
    lent = await shop.lend()
    assert shop.refreshes == 2
    assert house.signals.counts["refreshed", "lease_lost"] == 1
    shared = next(iter(house.tables.leases.values())).access
    assert shared is not None
    assert await house.vault.open(shared.place, shared.token_sealed) == lent.token


async def test_a_new_refresh_token_is_durable_before_its_access_token_is_used_R09() -> None:
    shop = await Shop.open()
    shop.house.amazon.rotates = True
    await shop.lend()
    consent = next(iter(shop.house.tables.consents.values()))
    assert consent.refresh_version == 2
    assert consent.refresh_token_sealed is not None
    kept = await shop.house.vault.open(consent.refresh_token_place, consent.refresh_token_sealed)
    assert kept.reveal() in shop.house.amazon.refresh_tokens
    shop.house.pass_(timedelta(hours=1))
    await shop.lend()
    assert next(iter(shop.house.tables.consents.values())).refresh_version == 3


async def test_a_refresh_that_names_no_refresh_token_leaves_the_present_one() -> None:
    shop = await Shop.open()
    shop.house.amazon.names_refresh_tokens = False
    for _ in range(3):
        await shop.lend()
        shop.house.pass_(timedelta(hours=1))
    assert shop.refreshes == 3
    assert next(iter(shop.house.tables.consents.values())).refresh_version == 1


class AwayStore(FakeStore):
    """Is away while the next outcomes of refreshes should be written."""

    away = 0

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        if AwayStore.away > 0:
            AwayStore.away -= 1
            raise Unavailable
        return await super().settle(consent_id, fence, refreshed)


async def test_storage_gets_a_few_moments_to_keep_what_amazon_granted_R05() -> None:
    shop = await Shop.open(House(store_type=AwayStore))
    AwayStore.away = lending.SETTLE_ATTEMPTS_MAX - 1
    began_s = shop.house.clock.monotonic_s()
    await shop.lend()
    assert shop.refreshes == 1
    paused_s = (lending.SETTLE_ATTEMPTS_MAX - 1) * lending.SETTLE_PAUSE_S
    assert shop.house.clock.monotonic_s() - began_s >= paused_s
    shop.house.pass_(timedelta(hours=1))
    AwayStore.away = lending.SETTLE_ATTEMPTS_MAX
    with pytest.raises(Unavailable):
        await shop.lend()
    assert (AwayStore.away, shop.refreshes) == (0, 2)


async def test_a_good_token_goes_on_serving_while_lwa_is_away_R08() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    shop.house.pass_(timedelta(minutes=56))
    shop.house.amazon.faults.extend(AuthorizationUnavailable() for _ in range(100))
    assert await shop.house.use.upkeep.renew_ahead() == 1
    assert await shop.lend() == first
    assert shop.refreshes == 1 + 2
    shop.house.pass_(timedelta(minutes=4))
    with pytest.raises(AuthorizationUnavailable) as refusal:
        await shop.lend()
    assert refusal.value.code == "authorization_service_unavailable"


async def test_the_last_minute_of_a_token_is_not_used() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    shop.house.amazon.faults.extend(AuthorizationUnavailable() for _ in range(100))
    shop.house.pass_(timedelta(minutes=59))
    assert not first.is_usable(shop.house.clock.now())
    with pytest.raises(AuthorizationUnavailable):
        await shop.lend()


async def test_callers_share_a_failure_for_a_moment_R10() -> None:
    shop = await Shop.open()
    shop.house.amazon.faults.extend(AuthorizationUnavailable() for _ in range(100))
    answers = await asyncio.gather(*(shop.lend() for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {AuthorizationUnavailable}
    assert shop.refreshes == 2
    shop.house.amazon.faults.clear()
    shop.house.pass_(timedelta(seconds=5))
    await shop.lend()


async def test_one_throttled_refresh_is_tried_again_R28() -> None:
    shop = await Shop.open()
    shop.house.amazon.faults.append(AuthorizationUnavailable())
    await shop.lend()
    assert shop.refreshes == 2


async def test_a_time_that_lwa_named_is_waited_for_R10() -> None:
    shop = await Shop.open()
    shop.house.amazon.faults.append(AuthorizationUnavailable(retry_after_s=30.0))
    with pytest.raises(AuthorizationUnavailable) as refusal:
        await shop.lend()
    assert (shop.refreshes, refusal.value.retry_after_s) == (1, 30.0)


async def test_a_refusal_revokes_only_when_repeated_after_minutes_R08() -> None:
    shop = await Shop.open()
    shop.house.amazon.refresh_tokens.clear()
    with pytest.raises(AuthorizationUnavailable) as doubt:
        await shop.lend()
    assert doubt.value.retry_after_s == 120
    shop.house.pass_(timedelta(seconds=60))
    with pytest.raises(AuthorizationUnavailable) as doubt:
        await shop.lend()
    assert doubt.value.retry_after_s == 60
    assert shop.refreshes == 1
    shop.house.pass_(timedelta(seconds=60))
    with pytest.raises(ConsentRevoked):
        await shop.lend()
    ended = next(iter(shop.house.tables.consents.values()))
    assert (ended.ending, ended.refresh_token_sealed) == (Ending.REFUSED, None)
    assert shop.house.audit.told(Kind.CONSENT_REVOKED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    with pytest.raises(ConsentRevoked):
        await shop.lend()
    assert shop.refreshes == 2


async def test_a_false_alarm_is_forgotten_R08() -> None:
    shop = await Shop.open()
    alive = set(shop.house.amazon.refresh_tokens)
    shop.house.amazon.refresh_tokens.clear()
    with pytest.raises(AuthorizationUnavailable):
        await shop.lend()
    shop.house.amazon.refresh_tokens |= alive
    shop.house.pass_(timedelta(seconds=120))
    await shop.lend()
    assert next(iter(shop.house.tables.consents.values())).refused_at is None


async def test_a_new_consent_ends_all_doubt_R08() -> None:
    shop = await Shop.open()
    shop.house.amazon.refresh_tokens.clear()
    with pytest.raises(AuthorizationUnavailable):
        await shop.lend()
    await shop.house.connect(shop.person, US, "A1")
    await shop.lend()


async def test_a_refused_application_is_nobodys_revocation() -> None:
    shop = await Shop.open()
    shop.house.amazon.secret = "amzn1.oa2-cs.v1.renewed"
    for _ in range(2):
        with pytest.raises(ApplicationRefused):
            await shop.lend()
        shop.house.pass_(timedelta(minutes=3))
    assert next(iter(shop.house.tables.consents.values())).refused_at is None
    await shop.house.register()
    await shop.lend()


async def test_a_moved_refresh_token_is_quarantined_T16() -> None:
    shop = await Shop.open()
    other = await shop.house.connect(shop.person, DE, "A1")
    tables = shop.house.tables
    own = next(one for one in tables.consents.values() if one.region is Region.NA)
    stolen = tables.consents[other.consent.consent_id].refresh_token_sealed
    tables.consents[own.consent_id] = replace(own, refresh_token_sealed=stolen)
    with pytest.raises(Exception, match="integrity") as refusal:
        await shop.lend()
    assert getattr(refusal.value, "code", "") == "integrity_failure"
    assert tables.consents[own.consent_id].ending is Ending.QUARANTINED
    assert tables.consents[own.consent_id].refresh_token_sealed == stolen
    assert shop.house.signals.counts["ended", "consent", "quarantined"] == 1
    with pytest.raises(ConsentRevoked):
        await shop.lend()
    assert shop.refreshes == 0


async def test_a_shared_token_rolled_back_to_an_older_fence_does_not_open_T16() -> None:
    shop = await Shop.open()
    await shop.lend()
    row = next(iter(shop.house.tables.leases.values()))
    assert row.access is not None
    row.access = replace(row.access, fence=row.access.fence + 1)
    with pytest.raises(Exception, match="integrity"):
        await shop.house.replica().lending.lend(loan(shop.device_id))


async def test_only_an_active_device_of_a_connected_seller_borrows_T19() -> None:
    shop = await Shop.open()
    with pytest.raises(ConsentMissing):
        await shop.lend(region=Region.FE)
    for device_id in ("0190b2f0-0000-7000-8000-000000000000", "none", ""):
        with pytest.raises(DeviceNotFound):
            await shop.house.lend(device_id)
    await shop.lend()
    await shop.house.use.devices.revoke(shop.person.session_token, shop.device_id)
    with pytest.raises(DeviceRevoked):
        await shop.lend()


async def test_a_seller_never_borrows_anothers_token_T19() -> None:
    house = House()
    mine, other = await Shop.open(house), await Shop.open(house, partner_id="A2")
    assert (await mine.lend()).token != (await other.lend()).token
    assert house.amazon.calls["refresh"] == 2


async def test_a_consent_older_than_a_year_lends_nothing() -> None:
    shop = await Shop.open()
    shop.house.pass_(timedelta(days=365))
    with pytest.raises(ConsentExpired):
        await shop.lend()


async def test_each_refresh_is_told_to_the_audit_log_before_it_happens() -> None:
    shop = await Shop.open()
    await shop.lend()
    await shop.lend(ADDRESS)
    assert shop.house.audit.told(Kind.AMAZON_TOKEN_REQUESTED) == [(Phase.FACT, "")]
    assert shop.house.audit.details(Kind.AMAZON_TOKEN_REQUESTED)[0]["purpose"] == "access"
    shop.house.pass_(timedelta(hours=1))
    shop.house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await shop.lend()
    assert shop.refreshes == 1


async def test_while_the_key_service_is_away_nothing_is_refreshed_R06() -> None:
    shop = await Shop.open()
    shop.house.vault.is_down = True
    with pytest.raises(Exception, match="key service") as refusal:
        await shop.lend()
    assert getattr(refusal.value, "code", "") == "key_service_unavailable"
    assert shop.refreshes == 0


async def test_a_restricted_token_is_kept_for_its_operation_and_elements() -> None:
    shop = await Shop.open()
    await shop.allow_buyers()
    address = await shop.lend(ADDRESS)
    orders = await shop.lend(ORDERS)
    assert await shop.lend(ADDRESS) == address
    assert address.token != orders.token
    assert shop.house.amazon.calls["restrict na"] == 2
    shop.house.pass_(timedelta(minutes=59))
    assert await shop.lend(ADDRESS) != address


async def test_waiters_share_one_restricted_token_R10() -> None:
    shop = await Shop.open()
    lent = await asyncio.gather(*(shop.lend(ADDRESS) for _ in range(20)))
    assert len({one.token.reveal() for one in lent}) == 1
    assert shop.house.amazon.calls["restrict na"] == 1


async def test_a_missing_role_is_the_operations_trouble_only() -> None:
    shop = await Shop.open()
    shop.house.amazon.roles_missing = True
    with pytest.raises(RestrictionRefused):
        await shop.lend(ADDRESS)
    await shop.lend()


async def test_an_answer_that_cannot_be_used_is_not_tried_again_T29() -> None:
    shop = await Shop.open()
    shop.house.amazon.faults.append(UpstreamInvalid())
    with pytest.raises(UpstreamInvalid):
        await shop.lend()
    assert shop.refreshes == 1


@pytest.mark.parametrize(
    "restriction",
    [
        Restriction(method="PATCH", path="/orders/v0/orders"),
        Restriction(method="GET", path="orders/v0"),
        Restriction(method="GET", path="/orders"),
        Restriction(method="GET", path="/orders/v0/../tokens"),
        Restriction(method="GET", path="/orders/v0/orders?x=1"),
        Restriction(method="GET", path="//evil.example/orders"),
        Restriction(method="GET", path="/orders/v0/\r\nx"),
        Restriction(method="GET", path="/orders/v0/" + "x" * 512),
        Restriction(method="GET", path="/orders/v0/orders", data_elements=("everything",)),
    ],
)
async def test_what_amazon_would_not_know_is_not_asked_T05(restriction: Restriction) -> None:
    shop = await Shop.open()
    with pytest.raises(InvalidRestriction):
        await shop.lend(restriction)
    assert shop.house.amazon.calls == {"exchange": 1}
