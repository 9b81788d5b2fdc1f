"""What auth's storage promises about those who come in while somebody leaves, on the fake and on Postgres."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chassis.errors import Unavailable
from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.device_facts import DeviceFacts
from services.auth.model.device_grants import Decision, DeviceGrant
from services.auth.model.passkeys import PasskeyUse
from services.auth.model.people import User
from services.auth.model.refusals import SessionInvalid
from services.auth.model.roles import Role
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract.auth_rows import code
from tests.contract.people_store import (
    DAY,
    AnyStore,
    arrived,
    digest,
    enrolment_of,
    invitation_of,
    invited,
    new_id,
    passkey_of,
    renewal_of,
    seller,
    session_of,
    spent,
    with_passkey,
    with_password,
)

ROUNDS = 5
KEY = "k" * 43
ComeIn = Callable[[], Awaitable[object]]
Way = Callable[[AnyStore, User], Awaitable[ComeIn]]


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("auth"))


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    if request.param == "fake":
        return FakeStore(FakeClock())
    store: Store = request.getfixturevalue("real_store")
    return store


async def linked(store: AnyStore) -> tuple[User, bytes]:
    """Return somebody with a passkey, for whom an account stands too."""
    user, session = await arrived(store)
    account = digest()
    await store.link_account(account, START, renewal_of(session))
    await with_passkey(store, user)
    return user, account


async def is_open(store: AnyStore, token_digest: bytes) -> bool:
    try:
        await store.find_session(token_digest)
    except SessionInvalid:
        return False
    return True


@pytest.mark.parametrize("ending", ["unlinked", "invited again"])
async def test_no_session_outlives_the_link_that_opened_it(store: AnyStore, ending: str) -> None:
    for _ in range(ROUNDS):
        user, account = await linked(store)
        opening = session_of(user)
        await asyncio.gather(
            store.sign_in_with_account(account, opening),
            store.unlink_account(user.user_id, new_id())
            if ending == "unlinked"
            else store.invite_again(invitation_of(user)),
            return_exceptions=True,
        )
        assert not await store.is_linked(user.user_id)
        assert not await is_open(store, opening.token_digest)


# Ways in, each made ready for somebody; what is returned lets them in.


async def _by_passkey(store: AnyStore, user: User) -> ComeIn:
    passkey = await with_passkey(store, user)
    use = PasskeyUse(passkey_id=passkey.passkey_id, sign_count=1, used_at=START)
    return lambda: store.sign_in_with_passkey(use, spent(), session_of(user))


async def _by_password(store: AnyStore, user: User) -> ComeIn:
    login = await with_password(store, user)
    return lambda: store.sign_in_with_password(login, login.totp_step + 1, session_of(user))


async def _by_invitation(store: AnyStore, user: User) -> ComeIn:
    invitation = invitation_of(user)
    await store.invite_again(invitation)
    return lambda: store.redeem_invitation(invitation.invitation_digest, session_of(user), START)


async def _by_code(store: AnyStore, user: User) -> ComeIn:
    kept = code(user)
    await store.keep_code(kept)
    return lambda: store.enrol_by_code(kept.code_digest, enrolment_of(user), START)


async def _by_device_grant(store: AnyStore, user: User) -> ComeIn:
    grant = DeviceGrant(
        device_code_digest=digest(),
        user_code_digest=digest(),
        device_id=new_id(),
        client_id="desktop",
        key_thumbprint=KEY,
        scopes=("orders",),
        facts=DeviceFacts(),
        expires_at=START + DAY,
    )
    await store.keep_device_grant(grant, START)
    decision = Decision(is_approved=True, seller_id=user.seller_id, user_id=user.user_id)
    await store.decide_device_grant(grant.user_code_digest, decision, START)
    return lambda: store.enrol_by_device_grant(grant.device_code_digest, enrolment_of(user), b"nonce")


async def _by_another_passkey(store: AnyStore, user: User) -> ComeIn:
    invitation = invitation_of(user)
    await store.invite_again(invitation)
    session = await store.redeem_invitation(invitation.invitation_digest, session_of(user), START)
    return lambda: store.add_passkey(passkey_of(user), spent(), renewal_of(session))


WAYS = (_by_passkey, _by_password, _by_invitation, _by_code, _by_device_grant, _by_another_passkey)


@pytest.mark.parametrize("leaver", ["person", "seller"])
@pytest.mark.parametrize("way", WAYS)
async def test_whoever_comes_in_and_who_leaves_wait_for_each_other(
    store: AnyStore, way: Way, leaver: str
) -> None:
    """And never both for the other, which storage would end by sending one of them away."""
    for _ in range(ROUNDS):
        user, _ = await invited(store, await seller(store), Role.OWNER)
        come_in = await way(store, user)
        leaving = (
            store.remove_user(user.user_id, START, keeps_owner=False)
            if leaver == "person"
            else store.close_seller(user.seller_id, START)
        )
        answers = await asyncio.gather(come_in(), leaving, return_exceptions=True)
        assert [answer for answer in answers if isinstance(answer, Unavailable)] == []


async def test_of_a_passkeys_last_use_and_its_removal_the_removal_counts(store: AnyStore) -> None:
    for _ in range(ROUNDS):
        user, _ = await arrived(store)
        passkey = await with_passkey(store, user)
        await with_passkey(store, user)
        use = PasskeyUse(passkey_id=passkey.passkey_id, sign_count=1, used_at=START)
        opening = session_of(user)
        answers = await asyncio.gather(
            store.sign_in_with_passkey(use, spent(), opening),
            store.remove_passkey(passkey, new_id(), is_provider_offered=False),
            return_exceptions=True,
        )
        assert [answer for answer in answers if isinstance(answer, Unavailable)] == []
        assert not await is_open(store, opening.token_digest)
