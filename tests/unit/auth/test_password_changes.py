"""Setting, changing and removing one's own password: shown the present one, kept by the rules, once."""

from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from services.auth.model.passwords import (
    FAILURES_MAX,
    PASSWORD_AGE_MAX,
    PASSWORD_AGE_MIN,
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
from services.auth.model.refusals import SessionInvalid, TooManyFailures
from services.auth.model.roles import Right
from tests.unit.auth.holders import EMAIL, Holder, app_code, enrolled, set_password
from tests.unit.auth.passkeys import fresh

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


async def test_showing_the_present_password_forgets_the_failures_before_it(
    house: House, person: Person, holder: Holder
) -> None:
    house.pass_(PASSWORD_AGE_MIN)
    token = await fresh(house, person)
    for _ in range(2):
        for _ in range(FAILURES_MAX - 1):
            with pytest.raises(CurrentPasswordWrong):
                await set_password(house, token, ANOTHER, current="Wrong guess 77!")
        with pytest.raises(PasswordReused):
            await set_password(house, token, holder.password, current=holder.password)


async def test_a_present_password_that_could_not_be_judged_is_no_failure(
    house: House, person: Person, holder: Holder
) -> None:
    house.pass_(PASSWORD_AGE_MIN)
    token = await fresh(house, person)
    house.hasher.is_busy = True
    for _ in range(FAILURES_MAX):
        with pytest.raises(SignInBusy):
            await set_password(house, token, ANOTHER, current=holder.password)
    house.hasher.is_busy = False
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
