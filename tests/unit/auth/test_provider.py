"""Coming in through the vendor's identity provider: this browser's own sign-in, once, by a linked account."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from services.auth.model.audit import Kind, Phase
from services.auth.model.people_refusals import (
    AccountTaken,
    LastCredential,
    ProviderMissing,
    SecondFactorMissing,
    SignInAgain,
    SignInRefused,
)
from services.auth.model.refusals import SessionInvalid
from tests.unit.auth.accounts import BROWSER, answer, begin, link, sign_in
from tests.unit.auth.passkeys import sign_in as sign_in_with_passkey

OTHER_BROWSER = Secret("a secret of another browser, as long")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def person(house: House) -> Person:
    return await house.person()


async def test_a_linked_account_opens_a_session(house: House, person: Person) -> None:
    await link(house, person.session_token)
    _, signed_in = await sign_in(house)
    assert signed_in.session.user_id == person.user_id
    assert not signed_in.session.needs_credential
    assert house.audit.details(Kind.SESSION_STARTED)[-1]["way"] == "provider"


async def test_linking_replaces_the_session_and_lengthens_nothing(house: House, person: Person) -> None:
    house.pass_(timedelta(minutes=10))
    token, signed_in = await link(house, person.session_token)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(person.session_token)
    found = await house.use.sessions.find(token)
    assert found.session.expires_at - house.clock.now() == timedelta(hours=12) - timedelta(minutes=10)
    assert (await house.use.people.ways_in.list_own(token)).is_linked
    assert signed_in.session.user_id == person.user_id


async def test_an_account_that_nobody_linked_opens_nothing_whatever_its_address(house: House) -> None:
    await house.person()
    with pytest.raises(SignInRefused):
        await sign_in(house, "ana@blue-kettle.example")
    assert house.audit.told(Kind.SIGN_IN_REFUSED) == [(Phase.FACT, "account_unknown")]
    assert len(house.tables.users) == 1


async def test_an_invited_person_comes_in_by_linking_alone(house: House, person: Person) -> None:
    invited = await house.invite(person.seller_id)
    first, _ = await house.use.sessions.redeem_invitation(invited.invitation)
    state = await begin(house, first)
    token, signed_in = await house.use.people.provider.complete(BROWSER, answer(house, state, "ben"))
    assert not signed_in.session.needs_credential
    assert signed_in.session.expires_at - house.clock.now() == timedelta(hours=12)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(first)
    await house.use.sessions.find(token)


async def test_a_state_is_good_once_on_all_replicas_T08(house: House, person: Person) -> None:
    await link(house, person.session_token)
    state = await begin(house)
    await house.use.people.provider.complete(BROWSER, answer(house, state))
    for replica in (house.use, house.replica()):
        with pytest.raises(SignInRefused):
            await replica.people.provider.complete(BROWSER, answer(house, state))


async def test_a_state_is_the_browsers_that_began_it_T08(house: House, person: Person) -> None:
    await link(house, person.session_token)
    state = await begin(house)
    with pytest.raises(SignInRefused):
        await house.use.people.provider.complete(OTHER_BROWSER, answer(house, state))
    await house.use.people.provider.complete(BROWSER, answer(house, state))


async def test_a_state_ends_after_ten_minutes(house: House, person: Person) -> None:
    await link(house, person.session_token)
    state = await begin(house)
    house.pass_(timedelta(minutes=10))
    with pytest.raises(SignInRefused):
        await house.use.people.provider.complete(BROWSER, answer(house, state))


async def test_a_sign_ins_state_does_not_link_and_a_links_state_is_its_sessions(
    house: House, person: Person
) -> None:
    """An attacker who lets a victim complete the attacker's own sign-in, or swaps the session in a state."""
    colleague = await house.colleague(person.seller_id)
    victim = (await house.use.sessions.find(colleague.session_token)).session.session_id
    plain, linking = await begin(house), await begin(house, person.session_token)
    own = (await house.use.sessions.find(person.session_token)).session.session_id
    for forged in (
        plain.replace("..", f".{victim}."),
        linking.replace(own, victim),
        linking.replace(own, ""),
        linking + "A",
        "",
        "." * 3,
        "x" * 5_000,
    ):
        with pytest.raises(SignInRefused):
            await house.use.people.provider.complete(BROWSER, answer(house, forged))
    assert not house.tables.links


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_a_state_that_was_changed_anywhere_is_refused_T08(data: st.DataObject) -> None:
    house = House()
    state = await begin(house)
    place = data.draw(st.integers(0, len(state) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.\n").filter(lambda char: char != state[place]))
    changed = state[:place] + other + state[place + 1 :]
    with pytest.raises(SignInRefused):
        await house.use.people.provider.complete(BROWSER, answer(house, changed))


@pytest.mark.parametrize("secret", ["", "short", "x" * 257])
async def test_a_browser_without_a_secret_of_its_own_begins_nothing(house: House, secret: str) -> None:
    with pytest.raises(SignInRefused):
        await house.use.people.provider.begin(Secret(secret), None)


async def test_an_account_stands_for_one_person_and_a_person_for_one_account(
    house: House, person: Person
) -> None:
    colleague = await house.colleague(person.seller_id)
    token, _ = await link(house, person.session_token)
    with pytest.raises(AccountTaken):
        await link(house, colleague.session_token, "ana")
    state = await begin(house, token)
    with pytest.raises(AccountTaken):
        await house.use.people.provider.complete(BROWSER, answer(house, state, "another"))


async def test_an_ended_or_stale_session_links_nothing(house: House, person: Person) -> None:
    state = await begin(house, person.session_token)
    await house.use.sessions.end(person.session_token)
    with pytest.raises(SessionInvalid):
        await house.use.people.provider.complete(BROWSER, answer(house, state))
    token, _ = await sign_in_with_passkey(house, person.device)
    house.pass_(timedelta(minutes=6))
    state = await begin(house, token)
    house.pass_(timedelta(minutes=9))
    with pytest.raises(SignInAgain):
        await house.use.people.provider.complete(BROWSER, answer(house, state))
    with pytest.raises(SignInAgain):
        await begin(house, token)
    assert not house.tables.links


async def test_a_sign_in_without_a_second_factor_is_told_apart_and_recorded(
    house: House, person: Person
) -> None:
    await link(house, person.session_token)
    state = await begin(house)
    house.provider.refusal = SecondFactorMissing()
    with pytest.raises(SecondFactorMissing):
        await house.use.people.provider.complete(BROWSER, answer(house, state))
    assert house.audit.told(Kind.SIGN_IN_REFUSED) == [(Phase.FACT, "second_factor_missing")]


async def test_an_unlinked_account_opens_nothing(house: House, person: Person) -> None:
    token, _ = await link(house, person.session_token)
    elsewhere, _ = await sign_in(house)
    await house.use.people.provider.unlink(token)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(elsewhere)
    with pytest.raises(SignInRefused):
        await sign_in(house)


async def test_the_last_way_in_is_not_removed_and_a_provider_counts_while_it_is_offered(
    house: House, person: Person
) -> None:
    token, _ = await link(house, person.session_token)
    (own,) = (await house.use.people.ways_in.list_own(token)).passkeys
    house.provider.is_offered = False
    with pytest.raises(LastCredential):
        await house.use.people.passkeys.remove(token, own.passkey.passkey_id)
    house.provider.is_offered = True
    await house.use.people.passkeys.remove(token, own.passkey.passkey_id)
    with pytest.raises(LastCredential):
        await house.use.people.provider.unlink(token)


async def test_no_account_is_kept_in_the_open_T15(house: House, person: Person) -> None:
    await link(house, person.session_token, "a-very-special-subject")
    assert "a-very-special-subject" not in repr(house.tables)


async def test_where_there_is_no_provider_nobody_is_sent_to_one(house: House) -> None:
    house.provider.is_offered = False
    with pytest.raises(ProviderMissing):
        await begin(house)
