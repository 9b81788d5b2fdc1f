"""What auth's storage does for one leaves what it holds for others as it is, on the fake and on Postgres.

Two parties are settled in alike: a seller with people, a consent and desktops, and an application with its
leases. What is done is done for the first; no row that came with the second may change.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

import chassis.db
from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model import reminders
from services.auth.model.consents import Application, Consent, Ending, Region, State
from services.auth.model.device_facts import DeviceFacts
from services.auth.model.device_grants import Decision, DeviceGrant
from services.auth.model.devices import Code
from services.auth.model.grantless import Scope, SealedGrantless
from services.auth.model.lending import Refreshed
from services.auth.model.passkeys import Passkey, PasskeyUse
from services.auth.model.passwords import FAILURES_MAX, Login
from services.auth.model.people import Session, User
from services.auth.model.rewrapping import KeyKind, KeyOwner, Outcome, Rewrapping
from services.auth.model.roles import Role
from services.auth.model.rotation import RotationLease
from services.auth.model.tokens import Enrolment, NewAccess, Rotation
from services.auth.model.turns import Pace
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract import auth_rows
from tests.contract.people_store import (
    DAY,
    AnyStore,
    arrived,
    digest,
    enrolment_of,
    invitation_of,
    new_id,
    owner,
    passkey_of,
    renewal_of,
    seller,
    session_of,
    spent,
    with_passkey,
    with_password,
)

LONG_S = 3_600.0
KEY = "k" * 43
PACE = Pace(rate_per_s=1 / LONG_S, burst=3)
Rows = Callable[[], Awaitable[set[str]]]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Storage, and all rows that it holds."""

    store: AnyStore
    rows: Rows


@pytest.fixture
async def fake_stage() -> Stage:
    store = FakeStore(FakeClock())

    async def rows() -> set[str]:
        found: set[str] = set()
        for name, table in vars(store.tables).items():
            items = table.items() if isinstance(table, dict) else enumerate(table)
            found.update(f"{name} {key} {row}" for key, row in items)
        return found

    return Stage(store=store, rows=rows)


@pytest.fixture
async def real_stage(pool_for: PoolFor, owner: chassis.db.Connection) -> Stage:
    tables = await owner.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'auth' AND tablename <> 'migrations'"
    )
    every = " UNION ALL ".join(
        f"SELECT '{row['tablename']} ' || to_jsonb(t)::text AS text FROM auth.{row['tablename']} t"
        for row in tables
    )

    async def rows() -> set[str]:
        return {row["text"] for row in await owner.fetch(every)}

    return Stage(store=Store(await pool_for("auth")), rows=rows)


@pytest.fixture(params=["fake_stage", "real_stage"])
def stage(request: pytest.FixtureRequest) -> Stage:
    stage: Stage = request.getfixturevalue(request.param)
    return stage


@dataclass(frozen=True, kw_only=True)
class Party:
    """One of each thing that storage holds for somebody."""

    application: Application
    seller_id: str
    user: User
    colleague: User
    session: Session
    other_session: Session
    passkey: Passkey
    login: Login
    account: bytes
    subject: bytes
    state: State
    consent: Consent
    fence: int
    enrolment: Enrolment
    access: NewAccess
    code: Code
    grant: DeviceGrant
    undecided: DeviceGrant
    rotation: RotationLease
    rewrapping: Rewrapping


async def settled_in(store: AnyStore, number: int) -> Party:
    """Return a party with an application of its own."""
    application = Application(application_id=f"application {number}", client_id="client", is_draft=True)
    await store.register_application(application, START)
    seller_id = await seller(store)
    user, session = await arrived(store, seller_id, Role.OWNER)
    colleague, _ = await owner(store, seller_id)
    account = digest()
    await store.link_account(account, START, renewal_of(session))
    passkey, login = await with_passkey(store, user), await with_password(store, user)
    session, other_session = [
        await store.sign_in_with_passkey(_use(passkey, count), spent(), session_of(user)) for count in (1, 2)
    ]
    subject = digest()
    await store.count_attempt(subject, FAILURES_MAX, START)
    await store.count_attempt(login.email_digest, FAILURES_MAX, START)
    consent, fence = await _connected(store, seller_id, application)
    enrolment = replace(enrolment_of(user), access=auth_rows.access())
    await store.enrol(enrolment)
    access = auth_rows.access()
    await store.issue_access(enrolment.device.device_id, access)
    code = auth_rows.code(user)
    await store.keep_code(code)
    state = replace(auth_rows.state(seller_id), application_id=application.application_id)
    await store.begin_consent(state)
    undecided, grant = await _begun(store), await _begun(store)
    await store.decide_device_grant(grant.user_code_digest, _yes(user), START)
    await store.poll_device_grant(grant.device_code_digest, "desktop", KEY)
    rotation = await store.hold_rotation(application.application_id, LONG_S)
    assert rotation is not None
    lease = await store.acquire_grantless(application.application_id, Scope.NOTIFICATIONS, LONG_S)
    assert lease is not None
    await store.settle_grantless(_grantless(application, lease.fence))
    await store.take_turns(application.application_id, PACE, count=1, patience_s=0.0)
    await store.begin_round(new_id(), KeyOwner(kind=KeyKind.SELLER, owner_id=seller_id), START)
    rewrapping = await store.claim_rewrapping(LONG_S)
    assert rewrapping is not None
    return Party(
        application=application,
        seller_id=seller_id,
        user=user,
        colleague=colleague,
        session=session,
        other_session=other_session,
        passkey=passkey,
        login=login,
        account=account,
        subject=subject,
        state=state,
        consent=consent,
        fence=fence,
        enrolment=enrolment,
        access=access,
        code=code,
        grant=grant,
        undecided=undecided,
        rotation=rotation,
        rewrapping=rewrapping,
    )


def _use(passkey: Passkey, count: int) -> PasskeyUse:
    return PasskeyUse(passkey_id=passkey.passkey_id, sign_count=count, used_at=START)


async def _connected(store: AnyStore, seller_id: str, application: Application) -> tuple[Consent, int]:
    """Return a consent whose shared token was lent, and the fence of the lease that is held on it."""
    made = replace(auth_rows.consent(seller_id), application_id=application.application_id)
    made = replace(made, consent_id=new_id())
    await store.record_consent(made, digest())
    first = await store.acquire(made.consent_id, 0.0)
    assert first is not None
    assert await store.settle(made.consent_id, first.fence, auth_rows.refreshed(made, first.fence))
    await store.note_lent(made.consent_id, START)
    for mark_days in (30, 7):
        await store.keep_reminder(reminders.reminder(made, mark_days, made.expires_at - mark_days * DAY))
    held = await store.acquire(made.consent_id, LONG_S)
    assert held is not None
    return made, held.fence


async def _begun(store: AnyStore) -> DeviceGrant:
    grant = DeviceGrant(
        device_code_digest=digest(),
        user_code_digest=digest(),
        device_id=new_id(),
        client_id="desktop",
        key_thumbprint="",
        scopes=("orders",),
        facts=DeviceFacts(),
        expires_at=START + DAY,
    )
    await store.keep_device_grant(grant, START)
    return grant


def _yes(user: User) -> Decision:
    return Decision(
        is_approved=True, seller_id=user.seller_id, user_id=user.user_id, name_sealed="sealed name"
    )


def _grantless(application: Application, fence: int) -> SealedGrantless:
    return SealedGrantless(
        application_id=application.application_id,
        scope=Scope.NOTIFICATIONS,
        token_sealed=f"sealed token {fence}",
        expires_at=START + DAY,
        fence=fence,
    )


Deeds = AsyncIterator[Awaitable[object]]


async def failures(store: AnyStore, own: Party) -> Deeds:
    yield store.count_attempt(own.subject, FAILURES_MAX, START)
    yield store.uncount_attempt(own.subject)
    yield store.forget_failures(own.subject)


async def signing_in(store: AnyStore, own: Party) -> Deeds:
    yield store.sign_in_with_passkey(_use(own.passkey, 3), spent(), session_of(own.user))
    step = own.login.totp_step + 1
    yield store.sign_in_with_password(own.login, step, session_of(own.user))
    yield store.sign_in_with_account(own.account, session_of(own.user))
    yield store.end_session(own.other_session.session_id)


async def ways_in(store: AnyStore, own: Party) -> Deeds:
    user_id, session_id = own.user.user_id, own.session.session_id
    yield store.replace_hash(own.login, "sealed anew")
    next_login = replace(own.login, version=own.login.version + 10)
    yield store.set_password(next_login, spent(), session_id=session_id, renewal=None)
    yield store.add_passkey(passkey_of(own.user), spent(), None)
    yield store.remove_passkey(own.passkey, session_id, is_provider_offered=False)
    yield store.remove_password(user_id, session_id, is_provider_offered=False)
    yield store.unlink_account(user_id, session_id)


async def belonging(store: AnyStore, own: Party) -> Deeds:
    yield store.change_role(own.colleague.user_id, Role.MEMBER)
    yield store.invite_again(invitation_of(own.colleague))
    yield store.remove_user(own.user.user_id, START, keeps_owner=False)


async def letting_in(store: AnyStore, own: Party) -> Deeds:
    yield store.burn_code(own.code.code_digest, START)
    again = replace(own.code, code_digest=digest(), device_id=new_id())
    yield store.keep_code(again)
    yield store.enrol_by_code(again.code_digest, enrolment_of(own.user), START)
    yield store.decide_device_grant(own.undecided.user_code_digest, _yes(own.user), START)
    yield store.poll_device_grant(own.grant.device_code_digest, "desktop", KEY)
    yield store.enrol_by_device_grant(own.grant.device_code_digest, enrolment_of(own.user), b"nonce")


async def desktops(store: AnyStore, own: Party) -> Deeds:
    device_id = own.enrolment.device.device_id
    rotation = Rotation(
        token_digest=own.enrolment.refresh_digest,
        nonce=b"nonce",
        successor_digest=digest(),
        access=auth_rows.access(START + DAY),
        app_version="5.0.0",
    )
    yield store.rotate(rotation)
    yield store.issue_access(device_id, auth_rows.access(START + 2 * DAY))
    yield store.drop_access_token(own.access.token_digest)
    yield store.set_scopes(device_id, ("orders", "pii"))
    yield store.withhold_scopes(device_id, ("pii",))
    yield store.revoke_device(device_id, START)


def _brought(own: Party) -> Refreshed:
    return auth_rows.refreshed(own.consent, own.fence, "sealed next token")


async def refreshing(store: AnyStore, own: Party) -> Deeds:
    consent_id = own.consent.consent_id
    yield store.note_refusal(consent_id, own.fence, START)
    yield store.put_off(consent_id, own.fence, START + DAY)
    yield store.note_lent(consent_id, START + DAY)
    yield store.forget_access(consent_id, own.fence - 1, 0.0)
    yield store.release(consent_id, own.fence)
    yield store.settle(consent_id, own.fence, _brought(own))
    yield store.acquire(consent_id, LONG_S)


async def consenting(store: AnyStore, own: Party) -> Deeds:
    yield store.use_state(own.state.state_digest, START)
    told = reminders.reminder(own.consent, 30, START)
    yield store.settle_reminder(told, START)
    newer = replace(own.consent, consent_id=new_id(), granted_at=START + DAY)
    yield store.record_consent(newer, digest())
    yield store.end_consent(newer.consent_id, Ending.DISCONNECTED, START)


async def looking_after_an_application(store: AnyStore, own: Party) -> Deeds:
    application_id, scope = own.application.application_id, Scope.NOTIFICATIONS
    yield store.note_asked(own.rotation, START)
    yield store.note_rotation_refused(own.rotation, "refused", START)
    yield store.note_told(own.rotation, "secret", 30)
    yield store.release_rotation(own.rotation)
    yield store.forget_grantless(application_id, scope, fence=1, age_s_min=0.0)
    yield store.acquire_grantless(application_id, scope, LONG_S)
    yield store.release_grantless(application_id, scope, 2)
    yield store.settle_grantless(_grantless(own.application, 2))
    yield store.take_turns(application_id, PACE, count=1, patience_s=LONG_S)
    yield store.hold_turns(application_id, LONG_S)
    yield store.begin_refusal(application_id)
    yield store.end_refusal(application_id)


async def rewrapping(store: AnyStore, own: Party) -> Deeds:
    key = own.rewrapping.owner
    yield store.note_beginning(own.rewrapping, 1)
    yield store.note_rotation(own.rewrapping, 2)
    for value in await store.list_older(key, 2, ""):
        yield store.replace_sealed(key, value, f"vault:v2:{value.sealed}")
    yield store.note_page(own.rewrapping, 3, LONG_S)
    yield store.end_pass(own.rewrapping, 0)
    yield store.close_rewrapping(own.rewrapping, Outcome.DONE, START)


async def leaving(store: AnyStore, own: Party) -> Deeds:
    closed = await store.close_seller(own.seller_id, START)
    yield store.keep_offboarding(replace(closed, key_destroyed_at=START))


ERRANDS = (
    failures,
    signing_in,
    ways_in,
    belonging,
    letting_in,
    desktops,
    refreshing,
    consenting,
    looking_after_an_application,
    rewrapping,
    leaving,
)


@pytest.mark.parametrize("errand", ERRANDS)
async def test_what_is_done_for_one_changes_nothing_that_is_anothers_T07(
    stage: Stage, errand: Callable[[AnyStore, Party], Deeds]
) -> None:
    own = await settled_in(stage.store, 1)
    before = await stage.rows()
    await settled_in(stage.store, 2)
    others = await stage.rows() - before
    was = await stage.rows()
    async for deed in errand(stage.store, own):
        await deed
        assert others - await stage.rows() == set()
    assert await stage.rows() != was


async def test_nobody_is_told_of_what_is_anothers_T07(stage: Stage) -> None:
    store = stage.store
    for own in [await settled_in(store, number) for number in (1, 2)]:
        user_id, device_id = own.user.user_id, own.enrolment.device.device_id
        assert [one.passkey_id for one in await store.list_passkeys(user_id)] == [own.passkey.passkey_id]
        assert [one.version for one in await store.list_hashes(user_id)] == [own.login.version]
        assert await store.find_linked(own.account) == own.user.person
        assert {one.user.user_id for one in await store.list_members(own.seller_id)} == {
            user_id,
            own.colleague.user_id,
        }
        assert [one.device_id for one in await store.list_devices(own.seller_id)] == [device_id]
        assert (await store.find_access_token(own.access.token_digest)).device.device_id == device_id
        assert (await store.find_refresh_token(own.enrolment.refresh_digest)).device.device_id == device_id
        assert [one.consent_id for one in await store.list_consents(own.seller_id)] == [
            own.consent.consent_id
        ]
        standing = await store.find_standing(device_id, Region.EU)
        assert standing.consent is not None
        assert standing.consent.consent_id == own.consent.consent_id
        summary = await store.find_summary(own.seller_id, START)
        known = await store.find_known_seller(own.seller_id)
        for counted in (summary, known):
            assert (counted.seller.seller_id, counted.active_consents, counted.active_devices) == (
                own.seller_id,
                1,
                1,
            )
        assert summary.next_consent_ends_at == own.consent.expires_at
        shared = await store.find_grantless(own.application.application_id, Scope.NOTIFICATIONS)
        assert shared == _grantless(own.application, 1)
