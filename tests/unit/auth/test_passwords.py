"""Signing in with a password and an app, setting and changing both, and how guessing ends."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chassis.crypto.otp
from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from services.auth.model.audit import Kind, Phase
from services.auth.model.passwords import (
    FAILURES_MAX,
    LOCKED,
    PASSWORD_AGE_MAX,
    PASSWORD_AGE_MIN,
    SOURCE_FAILURES_MAX,
    PasswordAttempt,
    PasswordWish,
)
from services.auth.model.people_refusals import (
    CeremonyOver,
    CodeWrong,
    CredentialRequired,
    CurrentPasswordWrong,
    EmailTaken,
    LastCredential,
    PasswordRefused,
    PasswordReused,
    PasswordTooNew,
    SignInAgain,
    SignInBusy,
    SignInRefused,
)
from services.auth.model.refusals import AuditUnavailable, SessionInvalid, TooManyFailures
from services.auth.model.rewrapping import SETTLING_S, KeyKind, KeyOwner
from services.auth.model.roles import Right, Role
from services.auth.model.sealing import STAFF
from tests.unit.auth.holders import EMAIL, Holder, app_code, enrolled, set_password
from tests.unit.auth.test_passkeys import sign_in as sign_in_with_passkey

ANOTHER = "Quite another 8 words!"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def person(house: House) -> Person:
    return await house.person()


@pytest.fixture
async def holder(house: House, person: Person) -> Holder:
    return (await set_password(house, person.session_token))[0]


async def fresh(house: House, person: Person) -> Secret[str]:
    """Return the token of a session that began just now."""
    return (await sign_in_with_passkey(house, person.device))[0]


async def test_a_password_and_a_code_open_a_session_together(person: Person, holder: Holder) -> None:
    _, signed_in = await holder.sign_in()
    assert signed_in.session.user_id == person.user_id
    assert not signed_in.session.needs_credential
    details = holder.house.audit.details(Kind.SESSION_STARTED)[-1]
    assert (details["way"], details["session_id"]) == ("password", signed_in.session.session_id)


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "Correct horse 7 battery?"},
        {"code": "000000"},
        {"code": ""},
        {"password": ""},
        {"email": "somebody@else.example"},
        {"email": "no address"},
        {"password": "x" * 100_000},
        {"email": "x" * 100_000},
    ],
)
async def test_every_cause_has_one_answer_and_the_same_work_T11(
    holder: Holder, changes: dict[str, str]
) -> None:
    await holder.sign_in()
    before, opened = holder.house.hasher.verified, len(holder.house.tables.sessions)
    with pytest.raises(SignInRefused) as refusal:
        await holder.sign_in(**changes)
    assert str(refusal.value) == SignInRefused.text
    assert refusal.value.code == "sign_in_refused"
    assert holder.house.hasher.verified == before + 1
    assert len(holder.house.tables.sessions) == opened
    assert len(holder.house.audit.told(Kind.SIGN_IN_REFUSED)) == 1


async def test_a_password_is_known_however_the_keyboard_composes_it(house: House, person: Person) -> None:
    holder, _ = await set_password(house, person.session_token, "Café crème 7 fois!")
    await holder.sign_in(password="Cafe\u0301 cre\u0300me 7 fois!", email=f" {EMAIL.upper()} ")


async def test_a_code_may_be_typed_as_the_app_shows_it(holder: Holder) -> None:
    holder.house.pass_(timedelta(seconds=30))
    code = holder.code
    await holder.house.use.people.passwords.sign_in(
        PasswordAttempt(
            email=EMAIL, password=Secret(holder.password), code=Secret(f" {code[:3]} {code[3:]} ")
        )
    )


async def test_a_code_opens_one_session_over_all_replicas(holder: Holder) -> None:
    await holder.sign_in()
    shown = PasswordAttempt(email=EMAIL, password=Secret(holder.password), code=Secret(holder.code))
    for replica in (holder.house.use, holder.house.replica()):
        with pytest.raises(SignInRefused):
            await replica.people.passwords.sign_in(shown)


async def test_the_code_that_set_the_password_opens_nothing(house: House, person: Person) -> None:
    holder, _ = await set_password(house, person.session_token)
    shown = PasswordAttempt(email=EMAIL, password=Secret(holder.password), code=Secret(holder.code))
    with pytest.raises(SignInRefused):
        await house.use.people.passwords.sign_in(shown)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-3, 3)), max_size=8))
async def test_no_step_opens_twice_and_no_older_one_after_a_newer(shows: list[tuple[int, int]]) -> None:
    house = House()
    person = await house.person()
    holder, _ = await set_password(house, person.session_token)
    opened: list[int] = []
    for steps_on, steps_off in shows:
        house.clock.pass_(30 * steps_on)
        present = int(house.clock.now().timestamp()) // 30
        code = chassis.crypto.otp.code(holder.totp, present + steps_off)
        shown = PasswordAttempt(email=EMAIL, password=Secret(holder.password), code=Secret(code))
        try:
            await house.use.people.passwords.sign_in(shown)
        except SignInRefused:
            continue
        opened.append(present + steps_off)
        assert abs(steps_off) <= 1
    assert opened == sorted(set(opened))


async def test_ten_failures_lock_the_address_on_every_replica_and_are_told_once_T11(holder: Holder) -> None:
    house = holder.house
    for number in range(FAILURES_MAX):
        house.use = house.replica()
        with pytest.raises(SignInRefused):
            await holder.sign_in(code=f"{number:06}")
    for _ in range(3):
        before = house.hasher.verified
        with pytest.raises(TooManyFailures) as refusal:
            await house.replica().people.passwords.sign_in(
                PasswordAttempt(email=EMAIL, password=Secret(holder.password), code=Secret(holder.code))
            )
        assert refusal.value.retry_after_s == LOCKED.total_seconds()
        assert house.hasher.verified == before
    assert house.audit.told(Kind.SIGN_IN_LOCKED) == [(Phase.FACT, "too_many_failures")]
    house.pass_(LOCKED)
    await holder.sign_in()


async def test_an_address_of_nobody_is_locked_in_the_same_way_T11(holder: Holder) -> None:
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInRefused):
            await holder.sign_in(email="nobody@blue-kettle.example")
    with pytest.raises(TooManyFailures):
        await holder.sign_in(email="nobody@blue-kettle.example")
    await holder.sign_in()


async def test_a_lock_keeps_nobody_from_their_passkey(person: Person, holder: Holder) -> None:
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInRefused):
            await holder.sign_in(password=ANOTHER)
    await sign_in_with_passkey(holder.house, person.device)


async def test_a_success_forgets_the_failures_before_it(holder: Holder) -> None:
    for _ in range(3):
        for _ in range(FAILURES_MAX - 1):
            with pytest.raises(SignInRefused):
                await holder.sign_in(password=ANOTHER)
        await holder.sign_in()


async def test_a_source_that_guesses_everywhere_is_stopped_and_locks_nobody_T11(holder: Holder) -> None:
    for number in range(SOURCE_FAILURES_MAX):
        with pytest.raises(SignInRefused):
            await holder.sign_in(email=f"guess{number}@blue-kettle.example", source="192.0.2.0/24")
    with pytest.raises(TooManyFailures):
        await holder.sign_in(source="192.0.2.0/24")
    await holder.sign_in(source="198.51.100.0/24")
    await holder.sign_in()


async def test_an_office_full_of_people_who_sign_in_is_no_guesser(holder: Holder) -> None:
    for _ in range(SOURCE_FAILURES_MAX + 1):
        await holder.sign_in(source="192.0.2.0/24")


async def test_what_could_not_be_judged_is_no_failure(holder: Holder) -> None:
    await holder.sign_in()
    holder.house.hasher.is_busy = True
    for _ in range(FAILURES_MAX + 1):
        with pytest.raises(SignInBusy):
            await holder.sign_in(source="192.0.2.0/24")
    holder.house.hasher.is_busy = False
    await holder.sign_in(source="192.0.2.0/24")


async def test_a_hash_made_with_less_work_is_made_anew_at_the_next_sign_in(holder: Holder) -> None:
    before = dict(holder.house.tables.hashes)
    holder.house.hasher.cost = 2
    await holder.sign_in()
    assert holder.house.tables.hashes != before
    await holder.sign_in()
    assert holder.house.audit.told(Kind.SIGN_IN_REFUSED) == []


async def test_nothing_of_a_password_lies_in_the_open_T15(holder: Holder) -> None:
    lying = repr(holder.house.tables.logins) + repr(holder.house.tables.hashes)
    for secret in (EMAIL, holder.password, "fake$1$", holder.totp.reveal().hex()):
        assert secret not in lying


async def test_an_invited_person_comes_in_with_a_password_and_gets_a_session_of_its_own(house: House) -> None:
    person = await house.person()
    invited = await house.invite(person.seller_id, "Ben Other")
    first, _ = await house.use.sessions.redeem_invitation(invited.invitation)
    _, opened = await set_password(house, first, email="ben@blue-kettle.example")
    assert opened is not None
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(first)
    assert not (await house.use.sessions.find(opened[0])).session.needs_credential


async def test_a_password_is_changed_by_whoever_knows_it(
    house: House, person: Person, holder: Holder
) -> None:
    house.pass_(PASSWORD_AGE_MIN)
    elsewhere, _ = await holder.sign_in()
    token = await fresh(house, person)
    changed, opened = await set_password(house, token, ANOTHER, current=holder.password)
    assert opened is None
    await house.use.sessions.find(token)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(elsewhere)
    with pytest.raises(SignInRefused):
        await holder.sign_in()
    await changed.sign_in()


@pytest.mark.parametrize("current", ["", ANOTHER])
async def test_a_password_is_not_changed_without_the_present_one(
    house: House, person: Person, holder: Holder, current: str
) -> None:
    house.pass_(PASSWORD_AGE_MIN)
    token = await fresh(house, person)
    with pytest.raises(CurrentPasswordWrong):
        await set_password(house, token, ANOTHER, current=current)
    await holder.sign_in()


async def test_guessing_the_present_password_ends_as_guessing_at_the_door_does_T11(
    house: House, person: Person, holder: Holder
) -> None:
    house.pass_(PASSWORD_AGE_MIN)
    token = await fresh(house, person)
    for _ in range(FAILURES_MAX):
        with pytest.raises(CurrentPasswordWrong):
            await set_password(house, token, ANOTHER, current="Wrong guess 77!")
    with pytest.raises(TooManyFailures):
        await set_password(house, token, ANOTHER, current=holder.password)


async def test_a_password_is_kept_for_a_day(house: House, person: Person, holder: Holder) -> None:
    with pytest.raises(PasswordTooNew):
        await set_password(house, person.session_token, ANOTHER, current=holder.password)


async def test_the_last_ten_passwords_are_not_used_again(house: House, person: Person) -> None:
    words = [f"Password of day {day:02}!" for day in range(11)]
    current = ""
    for word in words:
        await set_password(house, await fresh(house, person), word, current=current)
        house.pass_(PASSWORD_AGE_MIN)
        current = word
    for word in words[1:]:
        with pytest.raises(PasswordReused):
            await set_password(house, await fresh(house, person), word, current=current)
    await set_password(house, await fresh(house, person), words[0], current=current)


async def test_removing_a_password_forgets_neither_its_age_nor_its_words(
    house: House, person: Person, holder: Holder
) -> None:
    await house.use.people.password_changes.remove(person.session_token)
    with pytest.raises(PasswordTooNew):
        await set_password(house, person.session_token, ANOTHER)
    house.pass_(PASSWORD_AGE_MIN)
    with pytest.raises(PasswordReused):
        await set_password(house, await fresh(house, person), holder.password)


async def test_a_password_past_its_age_lets_in_only_to_replace_it(house: House, person: Person) -> None:
    holder, _ = await set_password(house, person.session_token)
    house.pass_(PASSWORD_AGE_MAX)
    token, signed_in = await holder.sign_in()
    assert signed_in.session.needs_credential
    with pytest.raises(CredentialRequired):
        await house.use.sessions.require(token, right=Right.VIEW)
    _, opened = await set_password(house, token, ANOTHER, current=holder.password)
    assert opened is not None
    await house.use.sessions.require(opened[0], right=Right.VIEW)


async def test_a_new_secret_counts_only_with_a_code_made_with_it(house: House, person: Person) -> None:
    enrolment, totp = await enrolled(house, person.session_token)
    other = Secret(bytes(reversed(totp.reveal())))
    wish = PasswordWish(
        email=EMAIL,
        password=Secret(ANOTHER),
        code=Secret(app_code(house, other)),
        current=Secret(""),
    )
    with pytest.raises(CodeWrong):
        await house.use.people.password_changes.set(person.session_token, enrolment, wish)
    assert (await house.use.people.ways_in.list_own(person.session_token)).password_expires_at is None


async def test_an_enrolment_is_its_persons_and_good_once_for_ten_minutes(
    house: House, person: Person
) -> None:
    colleague = await house.colleague(person.seller_id)
    enrolment, totp = await enrolled(house, person.session_token)

    def wish(email: str = EMAIL) -> PasswordWish:
        return PasswordWish(
            email=email, password=Secret(ANOTHER), code=Secret(app_code(house, totp)), current=Secret("")
        )

    changes = house.use.people.password_changes
    with pytest.raises(CodeWrong):
        await changes.set(colleague.session_token, enrolment, wish("ben@blue-kettle.example"))
    await changes.set(person.session_token, enrolment, wish())
    await changes.remove(person.session_token)
    house.tables.hashes.clear()
    with pytest.raises(CeremonyOver):
        await changes.set(person.session_token, enrolment, wish())
    enrolment, totp = await enrolled(house, person.session_token)
    house.pass_(timedelta(minutes=10))
    with pytest.raises(CeremonyOver):
        await changes.set(person.session_token, enrolment, wish())


async def test_an_address_lets_in_one_person(house: House, person: Person, holder: Holder) -> None:
    colleague = await house.colleague(person.seller_id)
    with pytest.raises(EmailTaken):
        await set_password(house, colleague.session_token, ANOTHER, email=EMAIL.upper())
    await holder.sign_in()


async def test_whoever_tries_out_addresses_is_stopped_T11(
    house: House, person: Person, holder: Holder
) -> None:
    colleague = await house.colleague(person.seller_id)
    for _ in range(10):
        with pytest.raises(EmailTaken):
            await set_password(house, colleague.session_token, ANOTHER)
    with pytest.raises(TooManyFailures):
        await set_password(house, colleague.session_token, ANOTHER, email="free@blue-kettle.example")
    assert holder.email == EMAIL


async def test_a_weak_password_is_refused_before_anything_is_kept(house: House, person: Person) -> None:
    with pytest.raises(PasswordRefused):
        await set_password(house, person.session_token, "Ana Example 77!")
    assert not house.tables.logins


async def test_the_last_way_in_is_not_removed(house: House, person: Person, holder: Holder) -> None:
    (passkey,) = (await house.use.people.ways_in.list_own(person.session_token)).passkeys
    await house.use.people.passkeys.remove(person.session_token, passkey.passkey.passkey_id)
    with pytest.raises(LastCredential):
        await house.use.people.password_changes.remove(person.session_token)
    await holder.sign_in()


async def test_a_person_sees_their_own_ways_in(house: House, person: Person, holder: Holder) -> None:
    own = await house.use.people.ways_in.list_own(person.session_token)
    assert (own.email, own.is_linked, own.is_offered) == (holder.email, False, True)
    assert own.password_expires_at == house.clock.now() + PASSWORD_AGE_MAX
    assert own.changeable_until == house.clock.now() + timedelta(minutes=15)
    assert EMAIL not in repr(own)


async def test_a_stale_session_sets_no_password(house: House, person: Person) -> None:
    house.pass_(timedelta(minutes=15))
    for work in (
        house.use.people.password_changes.begin(person.session_token),
        house.use.people.password_changes.remove(person.session_token),
    ):
        with pytest.raises(SignInAgain):
            await work


async def test_the_decoy_outlives_a_rotation_of_its_key(holder: Holder) -> None:
    house = holder.house
    await house.use.people.members.invite_staff("Sam Example", Role.SECURITY)
    for _ in range(2):
        with pytest.raises(SignInRefused):
            await holder.sign_in(email="nobody@blue-kettle.example")
        await house.use.keys.begin(KeyOwner(kind=KeyKind.STAFF, owner_id=STAFF))
        await house.use.keys.work()
        house.clock.pass_(SETTLING_S)
        await house.use.keys.work()


async def test_a_refusal_does_not_wait_for_the_audit_log_and_its_silence_locks_nobody(holder: Holder) -> None:
    holder.house.audit.is_down = True
    with pytest.raises(SignInRefused):
        await holder.sign_in(password=ANOTHER)
    for _ in range(FAILURES_MAX + 1):
        with pytest.raises(AuditUnavailable):
            await holder.sign_in()
    holder.house.audit.is_down = False
    await holder.sign_in()
