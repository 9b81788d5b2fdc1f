"""Passkeys: registered by a device, answered once, counted, removed; and everything else refused alike."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.auth_house import House, Person
from fakes.passkey_device import ES256, Key, PasskeyDevice
from services.auth.model.audit import Kind, Phase
from services.auth.model.passkeys import CREDENTIAL_CHARS_MAX, PASSKEYS_MAX, counts_on
from services.auth.model.people_refusals import (
    CeremonyOver,
    LastCredential,
    PasskeyKnown,
    PasskeyNotFound,
    PasskeyRefused,
    PasskeysFull,
    SignInAgain,
    SignInRefused,
)
from services.auth.model.refusals import InvalidName, SessionInvalid
from services.auth.passkeys import Passkeys
from tests.unit.auth.passkeys import register, sign_in

NOT_FOR_US: list[dict[str, Any]] = [
    {"is_verified": False},
    {"origin": "https://gateway.example.evil.example"},
    {"origin": "http://gateway.example"},
    {"origin": "https://gateway.example:8443"},
    {"rp_id": "evil.example"},
    {"is_framed": True},
]


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def person(house: House) -> Person:
    return await house.person()


async def test_a_passkey_alone_opens_a_session(house: House, person: Person) -> None:
    token, signed_in = await sign_in(house, person.device)
    assert signed_in.session.user_id == person.user_id
    assert not signed_in.session.needs_credential
    assert (await house.use.sessions.find(token)).user_name == "Ana Example"
    (passkey,) = (await house.use.people.ways_in.list_own(token)).passkeys
    assert (passkey.name, passkey.passkey.used_at) == ("Phone", house.clock.now())


async def test_a_passkey_on_a_p256_key_works_as_well(house: House, person: Person) -> None:
    device = PasskeyDevice(seed="another", algorithm=ES256)
    await register(house, person.session_token, device)
    _, signed_in = await sign_in(house, device)
    assert signed_in.session.user_id == person.user_id


async def test_what_the_browser_is_asked_names_nobody(house: House, person: Person) -> None:
    _, options_json = await house.use.people.passkeys.begin_sign_in()
    options = json.loads(options_json)
    assert (options["rpId"], options["allowCredentials"]) == ("gateway.example", [])
    assert options["userVerification"] == "required"
    _, options_json = await house.use.people.passkeys.begin_registration(person.session_token)
    options = json.loads(options_json)
    handle = base64.urlsafe_b64decode(options["user"]["id"] + "==")
    assert handle.hex() == person.user_id.replace("-", "")
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert [one["id"] for one in options["excludeCredentials"]] == [_id(person.device)]


async def test_an_answer_opens_one_session_T11(house: House, person: Person) -> None:
    ceremony, options = await house.use.people.passkeys.begin_sign_in()
    answer = person.device.get(options)
    await house.use.people.passkeys.sign_in(ceremony.text, answer)
    for replica in (house.use, house.replica()):
        with pytest.raises(SignInRefused):
            await replica.people.passkeys.sign_in(ceremony.text, answer)
        with pytest.raises(SignInRefused):
            await replica.people.passkeys.sign_in(ceremony.text, person.device.get(options))


async def test_an_answer_is_good_for_five_minutes(house: House, person: Person) -> None:
    ceremony, options = await house.use.people.passkeys.begin_sign_in()
    house.pass_(timedelta(minutes=5))
    with pytest.raises(SignInRefused):
        await house.use.people.passkeys.sign_in(ceremony.text, person.device.get(options))


async def test_an_answer_that_goes_on_for_ever_is_not_read_R23(house: House, person: Person) -> None:
    ceremony, options = await house.use.people.passkeys.begin_sign_in()
    answer = json.loads(person.device.get(options)) | {"more": "x" * CREDENTIAL_CHARS_MAX}
    with pytest.raises(SignInRefused):
        await house.use.people.passkeys.sign_in(ceremony.text, json.dumps(answer))


async def test_a_ceremony_cannot_be_given_a_later_end(house: House, person: Person) -> None:
    ceremony, options = await house.use.people.passkeys.begin_sign_in()
    chance, _, end = ceremony.text.partition(".")
    later = f"{chance}.{int(end) + 3600}"
    with pytest.raises(SignInRefused):
        await house.use.people.passkeys.sign_in(later, person.device.get(options))


@pytest.mark.parametrize("change", NOT_FOR_US)
async def test_an_answer_that_is_not_for_us_gets_the_one_refusal_T11(
    house: House, person: Person, change: dict[str, Any]
) -> None:
    with pytest.raises(SignInRefused) as refusal:
        await sign_in(house, replace(person.device, **change))
    assert str(refusal.value) == SignInRefused.text
    assert house.audit.told(Kind.SIGN_IN_REFUSED) == [(Phase.FACT, "passkey_mismatch")]


async def test_a_passkey_of_nobody_gets_the_same_refusal_and_leaves_no_record_T11(
    house: House, person: Person
) -> None:
    stranger = PasskeyDevice(seed="stranger")
    _, options = await house.use.people.passkeys.begin_registration(person.session_token)
    stranger.create(options)
    with pytest.raises(SignInRefused) as refusal:
        await sign_in(house, stranger)
    assert str(refusal.value) == SignInRefused.text
    assert house.audit.told(Kind.SIGN_IN_REFUSED) == []
    assert house.signals.counts["refused", Kind.SIGN_IN_REFUSED, "passkey_unknown"] == 1


async def test_a_passkey_that_names_another_person_is_refused(house: House, person: Person) -> None:
    other = await house.colleague(person.seller_id)
    person.device.keys[0].user_handle = other.device.keys[0].user_handle
    with pytest.raises(SignInRefused):
        await sign_in(house, person.device)


async def test_a_copied_passkey_is_noticed_by_its_count(house: House, person: Person) -> None:
    copy = person.device.copy()
    await sign_in(house, person.device)
    await sign_in(house, person.device)
    with pytest.raises(SignInRefused):
        await sign_in(house, copy)
    assert house.audit.told(Kind.SIGN_IN_REFUSED) == [(Phase.FACT, "passkey_copied")]
    assert house.signals.counts["refused", Kind.SIGN_IN_REFUSED, "passkey_copied"] == 1


async def test_a_passkey_that_does_not_count_goes_on_working(house: House, person: Person) -> None:
    device = PasskeyDevice(seed="synced", counts=False)
    await register(house, person.session_token, device)
    for _ in range(2):
        _, opened = await sign_in(house, device)
        assert opened.session.user_id == person.user_id


@given(st.lists(st.integers(0, 5), max_size=12))
def test_a_count_never_falls_and_once_begun_always_grows(shown: list[int]) -> None:
    kept, taken = 0, [0]
    for count in shown:
        if counts_on(kept, count):
            kept = count
            taken.append(count)
    counted = [count for count in taken if count]
    assert taken == sorted(taken)
    assert counted == sorted(set(counted))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_no_bytes_make_the_verifier_stumble_T10(data: st.DataObject) -> None:
    passkeys, device = Passkeys("https://gateway.example"), PasskeyDevice()
    options = passkeys.registration_options(b"c" * 32, user_handle=b"u" * 16, person_name="Ana", known=[])
    answer = json.loads(device.create(options))
    part = data.draw(st.sampled_from(["clientDataJSON", "attestationObject"]))
    answer["response"][part] = _mangled(answer["response"][part], data)
    with suppress(PasskeyRefused):
        passkeys.attested(json.dumps(answer), b"c" * 32)
    answer = json.loads(device.get(passkeys.sign_in_options(b"c" * 32)))
    part = data.draw(st.sampled_from(sorted(answer["response"])))
    answer["response"][part] = _mangled(answer["response"][part], data)
    with suppress(SignInRefused):
        passkeys.claimed(json.dumps(answer))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": 1}', "[" * 5_000, "x" * 20_000])
async def test_what_is_no_answer_is_refused_T10(house: House, person: Person, text: str) -> None:
    ceremony, _ = await house.use.people.passkeys.begin_sign_in()
    with pytest.raises(SignInRefused):
        await house.use.people.passkeys.sign_in(ceremony.text, text)
    ceremony, _ = await house.use.people.passkeys.begin_registration(person.session_token)
    with pytest.raises(PasskeyRefused):
        await house.use.people.passkeys.register(
            person.session_token, ceremony.text, credential_json=text, name="Key"
        )


@pytest.mark.parametrize("change", NOT_FOR_US)
async def test_a_passkey_whose_answer_is_not_for_us_is_not_registered(
    house: House, person: Person, change: dict[str, Any]
) -> None:
    with pytest.raises(PasskeyRefused):
        await register(house, person.session_token, PasskeyDevice(seed="weak", **change))
    assert len((await house.use.people.ways_in.list_own(person.session_token)).passkeys) == 1


class LongNamed(PasskeyDevice):
    """Names its passkeys at more length than WebAuthn has for it."""

    def _chance(self, number: int, what: str) -> bytes:
        return super()._chance(number, what).ljust(1_024, b"x")


class LongKeyed(PasskeyDevice):
    """Says more about its keys than anybody asked."""

    def _public(self, key: Key) -> dict[int, Any]:
        return {**super()._public(key), -9: bytes(2_048)}


@pytest.mark.parametrize("kind", [LongNamed, LongKeyed])
async def test_a_passkey_that_fills_the_table_is_not_registered_R23(
    house: House, person: Person, kind: type[PasskeyDevice]
) -> None:
    with pytest.raises(PasskeyRefused):
        await register(house, person.session_token, kind(seed="long"))


async def test_a_registration_belongs_to_the_session_that_began_it(house: House, person: Person) -> None:
    colleague = await house.colleague(person.seller_id)
    ceremony, options = await house.use.people.passkeys.begin_registration(person.session_token)
    answer = PasskeyDevice(seed="theirs").create(options)
    with pytest.raises(PasskeyRefused):
        await house.use.people.passkeys.register(
            colleague.session_token, ceremony.text, credential_json=answer, name="Key"
        )


async def test_a_registration_is_completed_once(house: House, person: Person) -> None:
    ceremony, options = await house.use.people.passkeys.begin_registration(person.session_token)
    for seed, refusal in (("one", None), ("two", CeremonyOver)):
        answer = PasskeyDevice(seed=seed).create(options)
        work = house.use.people.passkeys.register(
            person.session_token, ceremony.text, credential_json=answer, name="Key"
        )
        if refusal is None:
            await work
        else:
            with pytest.raises(refusal):
                await work


async def test_a_passkey_is_registered_once(house: House, person: Person) -> None:
    device = PasskeyDevice(seed="again")
    await register(house, person.session_token, device)
    twin = PasskeyDevice(seed="again")
    with pytest.raises(PasskeyKnown):
        await register(house, person.session_token, twin)


async def test_a_person_has_ten_passkeys_at_most(house: House, person: Person) -> None:
    for number in range(PASSKEYS_MAX - 1):
        await register(house, person.session_token, PasskeyDevice(seed=f"{number}"))
    with pytest.raises(PasskeysFull):
        await house.use.people.passkeys.begin_registration(person.session_token)
    assert len((await house.use.people.ways_in.list_own(person.session_token)).passkeys) == 10


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "line\nbreak"])
async def test_a_passkeys_name_can_be_shown(house: House, person: Person, name: str) -> None:
    with pytest.raises(InvalidName):
        await register(house, person.session_token, PasskeyDevice(seed="named"), name)


async def test_a_removed_passkey_opens_nothing_and_ends_the_other_sessions(
    house: House, person: Person
) -> None:
    spare = PasskeyDevice(seed="spare")
    spare_id = await register(house, person.session_token, spare, "Old laptop")
    elsewhere, _ = await sign_in(house, spare)
    await house.use.people.passkeys.remove(person.session_token, spare_id)
    with pytest.raises(SignInRefused):
        await sign_in(house, spare)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(elsewhere)
    await house.use.sessions.find(person.session_token)
    assert house.audit.details(Kind.CREDENTIAL_REMOVED)[0]["passkey_id"] == spare_id


async def test_the_last_way_in_is_not_removed(house: House, person: Person) -> None:
    (own,) = (await house.use.people.ways_in.list_own(person.session_token)).passkeys
    with pytest.raises(LastCredential):
        await house.use.people.passkeys.remove(person.session_token, own.passkey.passkey_id)
    await sign_in(house, person.device)


async def test_a_colleagues_passkey_is_absent_T07(house: House, person: Person) -> None:
    colleague = await house.colleague(person.seller_id)
    (own,) = (await house.use.people.ways_in.list_own(person.session_token)).passkeys
    for passkey_id in (own.passkey.passkey_id, "0190b2f0-0000-7000-8000-000000000000", "none"):
        with pytest.raises(PasskeyNotFound):
            await house.use.people.passkeys.remove(colleague.session_token, passkey_id)


async def test_what_one_signs_in_with_is_changed_soon_after_signing_in(house: House, person: Person) -> None:
    house.pass_(timedelta(minutes=15))
    with pytest.raises(SignInAgain):
        await house.use.people.passkeys.begin_registration(person.session_token)
    with pytest.raises(SignInAgain):
        await house.use.people.passkeys.remove(person.session_token, "any")
    token, _ = await sign_in(house, person.device)
    await house.use.people.passkeys.begin_registration(token)


async def test_a_copy_of_the_first_sessions_token_is_worth_nothing_once_there_is_a_passkey(
    house: House, person: Person
) -> None:
    invited = await house.invite(person.seller_id)
    first, signed_in = await house.use.sessions.redeem_invitation(invited.invitation)
    assert signed_in.session.needs_credential
    ceremony, options = await house.use.people.passkeys.begin_registration(first)
    _, opened = await house.use.people.passkeys.register(
        first, ceremony.text, credential_json=PasskeyDevice(seed="new").create(options), name="Phone"
    )
    assert opened is not None
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(first)
    assert not (await house.use.sessions.find(opened[0])).session.needs_credential


def _id(device: PasskeyDevice) -> str:
    return base64.urlsafe_b64encode(device.keys[0].credential_id).rstrip(b"=").decode()


def _mangled(text: str, data: st.DataObject) -> str:
    """Return base64url of bytes that differ somewhere, are cut, or go on."""
    whole = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    place = data.draw(st.integers(0, len(whole) - 1))
    match data.draw(st.sampled_from(["flip", "cut", "grow"])):
        case "flip":
            whole[place] ^= data.draw(st.integers(1, 255))
        case "cut":
            del whole[place:]
        case _:
            whole[place:place] = data.draw(st.binary(min_size=1, max_size=64))
    return base64.urlsafe_b64encode(bytes(whole)).rstrip(b"=").decode()
