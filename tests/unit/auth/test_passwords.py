"""Signing in with a password and an app, both in one step, and how guessing ends."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chassis.crypto.otp
from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from services.auth.model.audit import SELF, Kind, Phase
from services.auth.model.passwords import (
    FAILURES_MAX,
    LOCKED,
    SOURCE_FAILURES_MAX,
    PasswordAttempt,
)
from services.auth.model.people_refusals import (
    SignInBusy,
    SignInRefused,
)
from services.auth.model.refusals import AuditUnavailable, TooManyFailures
from services.auth.model.rewrapping import SETTLING_S, KeyKind, KeyOwner
from services.auth.model.roles import Role
from services.auth.model.sealing import STAFF
from tests.unit.auth.holders import EMAIL, Holder, set_password
from tests.unit.auth.passkeys import sign_in

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
    _, opened = await holder.sign_in(password="Cafe\u0301 cre\u0300me 7 fois!", email=f" {EMAIL.upper()} ")
    assert opened.session.user_id == person.user_id


async def test_a_code_may_be_typed_as_the_app_shows_it(person: Person, holder: Holder) -> None:
    holder.house.pass_(timedelta(seconds=30))
    code = holder.code
    _, opened = await holder.house.use.people.passwords.sign_in(
        PasswordAttempt(
            email=EMAIL, password=Secret(holder.password), code=Secret(f" {code[:3]} {code[3:]} ")
        )
    )
    assert opened.session.user_id == person.user_id


async def test_the_audit_log_hears_what_did_not_match_and_the_caller_does_not_T11(holder: Holder) -> None:
    heard = set()
    for wrong in ({"email": "nobody@blue-kettle.example"}, {"password": ANOTHER}, {"code": "000000"}):
        with pytest.raises(SignInRefused) as refusal:
            await holder.sign_in(**wrong)
        heard.add(str(refusal.value))
    assert len(heard) == 1
    told = [why for _, why in holder.house.audit.told(Kind.SIGN_IN_REFUSED)]
    assert told == ["address_unknown", "password_mismatch", "code_mismatch"]
    who = [event.actor for event in holder.house.audit.events.values() if event.kind == Kind.SIGN_IN_REFUSED]
    assert [(actor.kind, bool(actor.actor_id)) for actor in who[1:]] == [("user", True)] * 2
    assert who[0] == SELF


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
    await sign_in(holder.house, person.device)


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
        _, opened = await holder.sign_in(source="192.0.2.0/24")
        assert not opened.session.needs_credential


async def test_what_could_not_be_judged_is_no_failure(holder: Holder) -> None:
    await holder.sign_in()
    holder.house.hasher.is_busy = True
    for _ in range(FAILURES_MAX + 1):
        with pytest.raises(SignInBusy):
            await holder.sign_in(source="192.0.2.0/24")
    holder.house.hasher.is_busy = False
    await holder.sign_in(source="192.0.2.0/24")


async def test_whoever_gives_up_waiting_has_not_failed(holder: Holder) -> None:
    for _ in range(FAILURES_MAX + 1):
        holder.house.hasher.gate = asyncio.Event()
        waiting = asyncio.create_task(holder.sign_in())
        await holder.house.hasher.waited.wait()
        holder.house.hasher.waited.clear()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    holder.house.hasher.gate = None
    await holder.sign_in()


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
