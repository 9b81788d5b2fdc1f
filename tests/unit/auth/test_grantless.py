"""The application's own tokens: by scope, one refresh per expiry over all replicas."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from fakes.auth_house import APPLICATION, Crash, Fuse, House
from fakes.clock import FakeClock
from services.auth.model import lending
from services.auth.model.audit import Kind
from services.auth.model.grantless import Scope
from services.auth.model.lending import Lent
from services.auth.model.refusals import (
    ApplicationMissing,
    ApplicationRefused,
    AuditUnavailable,
    AuthorizationUnavailable,
)
from tests.unit.auth.shop import alone, together

REPORTABLE = timedelta(seconds=lending.REPORT_AGE_S_MIN)
NOTIFICATIONS = f"grantless {Scope.NOTIFICATIONS}"


async def house() -> House:
    at = House()
    await at.register()
    return at


def digest(lent: Lent) -> bytes:
    return hashlib.sha256(lent.token.reveal().encode()).digest()


async def test_a_grantless_token_is_fetched_once_and_then_shared_R09() -> None:
    at = await house()
    first = await at.use.grantless.token(Scope.NOTIFICATIONS)
    assert await at.use.grantless.token(Scope.NOTIFICATIONS) == first
    assert await at.replica().grantless.token(Scope.NOTIFICATIONS) == first
    assert at.amazon.calls == {NOTIFICATIONS: 1}


async def test_replicas_and_waiters_share_one_refresh_R09_R10() -> None:
    at = await house()
    at.amazon.takes_s = 2.0
    replicas = [at.replica() for _ in range(4)]
    lent = await asyncio.gather(
        *(use.grantless.token(Scope.NOTIFICATIONS) for use in replicas for _ in range(5))
    )
    assert len({one.token.reveal() for one in lent}) == 1
    assert at.amazon.calls == {NOTIFICATIONS: 1}


async def test_each_scope_has_its_own_token() -> None:
    at = await house()
    lent = [await at.use.grantless.token(scope) for scope in Scope]
    assert lent[0].token != lent[1].token
    assert sum(at.amazon.calls.values()) == 2


async def test_it_is_fetched_anew_in_its_last_minute() -> None:
    at = await house()
    first = await at.use.grantless.token(Scope.ROTATION)
    at.pass_(timedelta(minutes=58))
    assert await at.use.grantless.token(Scope.ROTATION) == first
    at.pass_(timedelta(minutes=1))
    assert await at.use.grantless.token(Scope.ROTATION) != first


async def test_a_refused_one_is_forgotten_everywhere_and_fetched_once_R09() -> None:
    at = await house()
    first = await at.use.grantless.token(Scope.NOTIFICATIONS)
    at.pass_(REPORTABLE)
    at.amazon.takes_s = 2.0
    replicas = [at.replica() for _ in range(4)]
    lent = await asyncio.gather(
        *(
            use.lending.lend_grantless("gateway/1", Scope.NOTIFICATIONS, refused_digest=digest(first))
            for use in replicas
            for _ in range(5)
        )
    )
    (token,) = {one.token.reveal() for one in lent}
    assert token != first.token.reveal()
    assert at.amazon.calls == {NOTIFICATIONS: 2}
    assert at.signals.counts["reported", "forgotten"] == 1


async def test_one_that_just_came_is_believed_to_be_good_T19() -> None:
    at = await house()
    first = await at.use.grantless.token(Scope.NOTIFICATIONS)
    at.pass_(REPORTABLE - timedelta(seconds=1))
    assert await at.use.grantless.token(Scope.NOTIFICATIONS, refused_digest=digest(first)) == first
    assert at.signals.counts["reported", "kept"] == 1


async def test_reports_of_others_change_nothing() -> None:
    at = await house()
    lent = {scope: await at.use.grantless.token(scope) for scope in Scope}
    at.pass_(REPORTABLE)
    for refused_digest in (b"x" * 32, b"short", digest(lent[Scope.ROTATION])):
        again = await at.use.grantless.token(Scope.NOTIFICATIONS, refused_digest=refused_digest)
        assert again == lent[Scope.NOTIFICATIONS]
    assert await at.use.grantless.token(Scope.ROTATION) == lent[Scope.ROTATION]


async def test_none_outlives_its_hour_whichever_hosts_clock_is_wrong_R14() -> None:
    at = await house()
    first = await at.use.grantless.token(Scope.NOTIFICATIONS)
    at.pass_(timedelta(minutes=59))
    at.clock.set_now(at.clock.now() - timedelta(minutes=10))
    assert await at.use.grantless.token(Scope.NOTIFICATIONS) != first


async def test_without_an_application_there_is_none() -> None:
    with pytest.raises(ApplicationMissing):
        await House().use.grantless.token(Scope.NOTIFICATIONS)


async def test_faults_are_typed_and_a_refused_application_is_alarmed_about() -> None:
    at = await house()
    at.amazon.faults.extend([AuthorizationUnavailable()] * 2)
    with pytest.raises(AuthorizationUnavailable):
        await at.use.grantless.token(Scope.NOTIFICATIONS)
    at.amazon.secret = "amzn1.oa2-cs.v1.another"
    with pytest.raises(ApplicationRefused):
        await at.use.grantless.token(Scope.NOTIFICATIONS)
    assert at.signals.counts["application_refused",] == 1
    assert all(row.held_until_s is None for row in at.tables.grantless.values())


async def test_amazon_is_not_asked_while_the_audit_log_is_down_R02() -> None:
    at = await house()
    at.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await at.use.grantless.token(Scope.NOTIFICATIONS)
    assert at.amazon.calls == {}
    at.audit.is_down = False
    await at.use.grantless.token(Scope.NOTIFICATIONS)
    details = {"application_id": APPLICATION.application_id, "purpose": Scope.NOTIFICATIONS}
    assert at.audit.details(Kind.AMAZON_TOKEN_REQUESTED) == [details]


async def test_a_shared_token_moved_to_another_scope_does_not_open_T16() -> None:
    at = await house()
    for scope in Scope:
        await at.use.grantless.token(scope)
    rows = at.tables.grantless
    application_id = APPLICATION.application_id
    moved = rows[application_id, Scope.ROTATION].token
    assert moved is not None
    rows[application_id, Scope.NOTIFICATIONS].token = replace(moved, scope=Scope.NOTIFICATIONS)
    with pytest.raises(Exception, match="integrity"):
        await at.use.grantless.token(Scope.NOTIFICATIONS)


async def test_a_fetch_survives_a_crash_at_any_step_and_is_never_doubled_R09_R12() -> None:
    step = 0
    while True:
        step += 1
        at = House(clock=FakeClock())
        await at.register()
        (answer,) = await together(at.clock, at.replica(Fuse(step)).grantless.token(Scope.NOTIFICATIONS))
        if not isinstance(answer, Crash):
            break
        asked, began_s = at.amazon.calls[NOTIFICATIONS], at.clock.monotonic_s()
        lent = await together(
            at.clock, *(at.replica().grantless.token(Scope.NOTIFICATIONS) for _ in range(3))
        )
        assert len({one.token.reveal() for one in lent if not isinstance(one, BaseException)}) == 1
        assert at.amazon.calls[NOTIFICATIONS] - asked <= 1
        assert at.clock.monotonic_s() - began_s <= 30
        assert await alone(at.clock, at.use.grantless.token(Scope.NOTIFICATIONS)) == lent[0]
    assert step > 15
    assert lending.LEASE_S < 30
