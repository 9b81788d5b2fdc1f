"""What auth's storage promises about passkeys, passwords and linked accounts, on the fake and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.auth_store import FakeStore
from fakes.clock import START, FakeClock
from services.auth.model.passkeys import PASSKEYS_MAX, PasskeyUse
from services.auth.model.passwords import FAILURES_MAX, LOCKED, PASSWORDS_REMEMBERED
from services.auth.model.people import PROVIDER, Person, Session, User
from services.auth.model.people_refusals import (
    AccountTaken,
    CeremonyOver,
    EmailTaken,
    LastCredential,
    MemberNotFound,
    PasskeyKnown,
    PasskeysFull,
    SignInRefused,
)
from services.auth.model.refusals import SessionInvalid
from services.auth.store import Store
from tests.conftest import PoolFor
from tests.contract.people_store import (
    SECOND,
    AnyStore,
    arrived,
    digest,
    login_of,
    new_id,
    passkey_of,
    renewal_of,
    session_of,
    spent,
    with_passkey,
    with_password,
)


@pytest.fixture
async def real_store(pool_for: PoolFor) -> Store:
    return Store(await pool_for("auth"))


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest) -> AnyStore:
    if request.param == "fake":
        return FakeStore(FakeClock())
    store: Store = request.getfixturevalue("real_store")
    return store


def use_of(passkey_id: str, sign_count: int) -> PasskeyUse:
    return PasskeyUse(passkey_id=passkey_id, sign_count=sign_count, used_at=START + SECOND)


async def opened(store: AnyStore, user: User) -> Session:
    """Return another session of somebody's, which a passkey opened."""
    passkey = await with_passkey(store, user)
    return await store.sign_in_with_passkey(use_of(passkey.passkey_id, 0), spent(), session_of(user))


# Passkeys


async def test_a_passkey_is_found_as_it_was_kept(store: AnyStore) -> None:
    user, _ = await arrived(store)
    older = await with_passkey(store, user)
    newer = await with_passkey(store, user, START + SECOND)
    assert await store.find_passkey(older.credential_id) == older
    assert await store.list_passkeys(user.user_id) == [newer, older]
    with pytest.raises(SignInRefused):
        await store.find_passkey(digest())


async def test_a_passkey_is_kept_once_and_a_refused_one_spends_nothing(store: AnyStore) -> None:
    user, _ = await arrived(store)
    known, used = await with_passkey(store, user), spent()
    with pytest.raises(PasskeyKnown):
        await store.add_passkey(replace(passkey_of(user), credential_id=known.credential_id), used, None)
    await store.add_passkey(passkey_of(user), used, None)
    with pytest.raises(CeremonyOver):
        await store.add_passkey(passkey_of(user), used, None)
    with pytest.raises(MemberNotFound):
        await store.add_passkey(
            replace(passkey_of(user), person=Person(user_id=new_id(), seller_id="")), spent(), None
        )


async def test_a_person_has_so_many_passkeys_at_most(store: AnyStore) -> None:
    user, _ = await arrived(store)
    answers = await asyncio.gather(
        *(store.add_passkey(passkey_of(user), spent(), None) for _ in range(PASSKEYS_MAX + 2)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if answer is not None] == [PasskeysFull] * 2


async def test_a_use_of_a_passkey_is_counted_with_the_session_it_opens(store: AnyStore) -> None:
    user, _ = await arrived(store)
    passkey = await with_passkey(store, user)
    opening = session_of(user, opened_at=START + SECOND)
    session = await store.sign_in_with_passkey(use_of(passkey.passkey_id, 7), spent(), opening)
    assert (session.session_id, session.needs_credential) == (opening.session_id, False)
    (known,) = await store.list_passkeys(user.user_id)
    assert (known.sign_count, known.used_at) == (7, START + SECOND)
    assert (await store.find_member(user.user_id)).signed_in_at == START + SECOND
    for count in (0, 6, 7):
        with pytest.raises(SignInRefused):
            await store.sign_in_with_passkey(use_of(passkey.passkey_id, count), spent(), session_of(user))
    with pytest.raises(SignInRefused):
        await store.sign_in_with_passkey(use_of(new_id(), 8), spent(), session_of(user))


async def test_of_two_uses_with_one_count_one_is_a_copy(store: AnyStore) -> None:
    user, _ = await arrived(store)
    passkey = await with_passkey(store, user)
    answers = await asyncio.gather(
        *(
            store.sign_in_with_passkey(use_of(passkey.passkey_id, 3), spent(), session_of(user))
            for _ in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, SignInRefused) for answer in answers) == 3


async def test_an_authenticator_that_does_not_count_goes_on_and_an_answer_opens_one_session(
    store: AnyStore,
) -> None:
    user, _ = await arrived(store)
    passkey = await with_passkey(store, user)
    used = spent()
    await store.sign_in_with_passkey(use_of(passkey.passkey_id, 0), used, session_of(user))
    await store.sign_in_with_passkey(use_of(passkey.passkey_id, 0), spent(), session_of(user))
    with pytest.raises(SignInRefused):
        await store.sign_in_with_passkey(use_of(passkey.passkey_id, 0), used, session_of(user))


async def test_of_the_last_two_ways_in_one_stays(store: AnyStore) -> None:
    user, _ = await arrived(store)
    keys = [await with_passkey(store, user) for _ in range(2)]
    answers = await asyncio.gather(
        *(store.remove_passkey(key, new_id(), is_provider_offered=True) for key in keys),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, LastCredential) for answer in answers) == 1
    assert len(await store.list_passkeys(user.user_id)) == 1


async def test_removing_a_passkey_ends_the_other_sessions(store: AnyStore) -> None:
    user, own = await arrived(store)
    passkey = await with_passkey(store, user)
    await with_passkey(store, user)
    other = await store.sign_in_with_passkey(use_of(passkey.passkey_id, 1), spent(), session_of(user))
    await store.remove_passkey(passkey, own.session_id, is_provider_offered=False)
    await store.find_session_by_id(own.session_id)
    with pytest.raises(SessionInvalid):
        await store.find_session_by_id(other.session_id)


# Passwords


async def test_a_login_is_found_by_address_and_by_person(store: AnyStore) -> None:
    user, _ = await arrived(store)
    login = await with_password(store, user)
    assert await store.find_login(login.email_digest) == login
    assert await store.find_own_login(user.user_id) == login
    assert await store.find_login(digest()) is None
    assert await store.find_own_login(new_id()) is None


async def test_a_password_takes_the_place_of_the_former_one(store: AnyStore) -> None:
    user, _ = await arrived(store)
    first = await with_password(store, user)
    session = await opened(store, user)
    second = login_of(user, 2, first.email_digest)
    renewal = renewal_of(session)
    elsewhere = await opened(store, user)
    renewed = await store.set_password(second, spent(), session_id=session.session_id, renewal=renewal)
    assert renewed is not None
    assert await store.find_login(first.email_digest) == second
    assert [old.version for old in await store.list_hashes(user.user_id)] == [2, 1]
    await store.find_session_by_id(renewed.session_id)
    for ended in (session, elsewhere):
        with pytest.raises(SessionInvalid):
            await store.find_session_by_id(ended.session_id)


async def test_of_two_passwords_set_at_once_one_counts(store: AnyStore) -> None:
    user, _ = await arrived(store)
    await with_password(store, user)
    answers = await asyncio.gather(
        *(
            store.set_password(login_of(user, 2), spent(), session_id=new_id(), renewal=None)
            for _ in range(3)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, CeremonyOver) for answer in answers) == 2


async def test_an_address_is_one_persons(store: AnyStore) -> None:
    (ana, _), (ben, _) = await arrived(store), await arrived(store)
    taken, used = await with_password(store, ana), spent()
    with pytest.raises(EmailTaken):
        await store.set_password(
            login_of(ben, 1, taken.email_digest), used, session_id=new_id(), renewal=None
        )
    assert await store.list_hashes(ben.user_id) == []
    await store.set_password(login_of(ben), used, session_id=new_id(), renewal=None)


async def test_the_last_hashes_are_remembered_and_no_older_ones(store: AnyStore) -> None:
    user, _ = await arrived(store)
    for version in range(1, PASSWORDS_REMEMBERED + 4):
        await store.set_password(login_of(user, version), spent(), session_id=new_id(), renewal=None)
    versions = [old.version for old in await store.list_hashes(user.user_id)]
    assert versions == list(range(PASSWORDS_REMEMBERED + 3, 3, -1))


async def test_a_hash_is_made_anew_where_it_was(store: AnyStore) -> None:
    user, _ = await arrived(store)
    login = await with_password(store, user)
    await store.replace_hash(login, "sealed anew")
    await store.replace_hash(login, "sealed too late")
    found = await store.find_own_login(user.user_id)
    assert found == replace(login, hash_sealed="sealed anew")


async def test_a_step_opens_one_session_and_older_ones_none(store: AnyStore) -> None:
    user, _ = await arrived(store)
    login = await with_password(store, user)
    answers = await asyncio.gather(
        *(store.sign_in_with_password(login, 101, session_of(user)) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, SignInRefused) for answer in answers) == 3
    for step in (99, 100, 101):
        with pytest.raises(SignInRefused):
            await store.sign_in_with_password(login, step, session_of(user))
    with pytest.raises(SignInRefused):
        await store.sign_in_with_password(replace(login, version=2), 102, session_of(user))
    await store.sign_in_with_password(login, 102, session_of(user))


async def test_a_removed_password_lets_nobody_in_but_is_remembered(store: AnyStore) -> None:
    user, _ = await arrived(store)
    login = await with_password(store, user)
    own = await store.sign_in_with_password(login, 101, session_of(user))
    with pytest.raises(LastCredential):
        await store.remove_password(user.user_id, own.session_id, is_provider_offered=True)
    await with_passkey(store, user)
    other = await opened(store, user)
    await store.remove_password(user.user_id, own.session_id, is_provider_offered=True)
    assert await store.find_login(login.email_digest) is None
    assert len(await store.list_hashes(user.user_id)) == 1
    with pytest.raises(SignInRefused):
        await store.sign_in_with_password(login, 102, session_of(user))
    with pytest.raises(SessionInvalid):
        await store.find_session_by_id(other.session_id)


# Failures


async def test_of_many_attempts_at_once_ten_are_judged_T11(store: AnyStore) -> None:
    subject = digest()
    attempts = await asyncio.gather(
        *(store.count_attempt(subject, FAILURES_MAX, START) for _ in range(FAILURES_MAX + 5))
    )
    assert sorted(one.failures.failures for one in attempts if not one.is_locked) == list(range(1, 11))
    assert sum(one.is_locked for one in attempts) == 5


async def test_failures_are_taken_back_one_by_one_or_forgotten(store: AnyStore) -> None:
    subject = digest()
    await store.uncount_attempt(subject)
    for _ in range(FAILURES_MAX):
        await store.count_attempt(subject, FAILURES_MAX, START)
    await store.uncount_attempt(subject)
    assert not (await store.count_attempt(subject, FAILURES_MAX, START)).is_locked
    assert (await store.count_attempt(subject, FAILURES_MAX, START)).is_locked
    await store.forget_failures(subject)
    assert (await store.count_attempt(subject, FAILURES_MAX, START)).failures.failures == 1


async def test_attempts_are_counted_while_a_right_one_has_them_forgotten(store: AnyStore) -> None:
    for _ in range(20):
        subject = digest()
        await store.count_attempt(subject, FAILURES_MAX, START)
        forgetting = [asyncio.create_task(store.forget_failures(subject)) for _ in range(3)]
        attempts = await asyncio.gather(
            *(store.count_attempt(subject, FAILURES_MAX, START) for _ in range(3))
        )
        await asyncio.gather(*forgetting)
        assert {one.failures.failures for one in attempts} <= {1, 2, 3, 4}


Steps = list[tuple[str, int]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["count", "count", "count", "uncount", "forget"]), st.integers(0, 2_000)),
        max_size=30,
    )
)
async def test_postgres_counts_failures_as_the_fake_does(real_store: Store, steps: Steps) -> None:
    fake, subject, now = FakeStore(FakeClock()), digest(), START
    for step, pause_s in steps:
        now += timedelta(seconds=pause_s)
        if step == "count":
            counted = await real_store.count_attempt(subject, 3, now)
            assert counted == await fake.count_attempt(subject, 3, now)
            continue
        for one in (real_store, fake):
            await (one.uncount_attempt(subject) if step == "uncount" else one.forget_failures(subject))


async def test_attempts_taken_back_give_nobody_more_tries_T11(store: AnyStore) -> None:
    subject = digest()
    await store.count_attempt(subject, FAILURES_MAX, START)
    for _ in range(3):
        await store.uncount_attempt(subject)
    for _ in range(FAILURES_MAX):
        assert not (await store.count_attempt(subject, FAILURES_MAX, START)).is_locked
    assert (await store.count_attempt(subject, FAILURES_MAX, START)).is_locked


async def test_a_lock_ends_by_itself(store: AnyStore) -> None:
    subject = digest()
    for _ in range(FAILURES_MAX):
        await store.count_attempt(subject, FAILURES_MAX, START)
    late = await store.count_attempt(subject, FAILURES_MAX, START + LOCKED - SECOND)
    assert (late.is_locked, late.failures.locked_s(START + LOCKED - SECOND)) == (True, 1.0)
    assert not (await store.count_attempt(subject, FAILURES_MAX, START + LOCKED)).is_locked


# Accounts at the identity provider


async def test_an_account_stands_for_one_person(store: AnyStore) -> None:
    (ana, session), (_, other) = await arrived(store), await arrived(store)
    account, renewal = digest(), renewal_of(session)
    assert not await store.is_linked(ana.user_id)
    await store.link_account(account, START, renewal)
    assert await store.is_linked(ana.user_id)
    assert await store.find_linked(account) == ana.person
    with pytest.raises(AccountTaken):
        await store.link_account(account, START, renewal_of(other))
    renewed = await store.find_session_by_id(renewal.session.session_id)
    with pytest.raises(AccountTaken):
        await store.link_account(digest(), START, renewal_of(renewed))
    await store.find_session_by_id(other.session_id)
    with pytest.raises(SignInRefused):
        await store.find_linked(digest())


async def test_a_linked_account_opens_its_persons_sessions(store: AnyStore) -> None:
    ana, session = await arrived(store)
    account = digest()
    await store.link_account(account, START, renewal_of(session))
    opened = await store.sign_in_with_account(account, session_of(ana))
    ben, _ = await arrived(store)
    for digest_, user in ((account, ben), (digest(), ana)):
        with pytest.raises(SignInRefused):
            await store.sign_in_with_account(digest_, session_of(user))
    with pytest.raises(LastCredential):
        await store.unlink_account(ana.user_id, opened.session_id)
    await with_passkey(store, ana)
    await store.unlink_account(ana.user_id, opened.session_id)
    assert not await store.is_linked(ana.user_id)


async def test_an_account_counts_as_a_way_in_while_the_provider_is_offered(store: AnyStore) -> None:
    ana, session = await arrived(store)
    passkey = await with_passkey(store, ana)
    await store.link_account(digest(), START, renewal_of(session))
    with pytest.raises(LastCredential):
        await store.remove_passkey(passkey, new_id(), is_provider_offered=False)
    await store.remove_passkey(passkey, new_id(), is_provider_offered=True)
    assert (await store.find_member(ana.user_id)).credentials == (PROVIDER,)
