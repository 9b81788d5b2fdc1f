"""A person's own ways to sign in: set up after an invitation, added, changed, removed."""

import json
import re

import pytest

from chassis.secrecy import Secret
from services.gateway.web import cookies
from tests.unit.gateway.doors import House, Person
from tests.unit.gateway.people import (
    EMAIL,
    PASSWORD,
    SECURITY,
    SIGN_IN,
    answer_ceremony,
    code,
    register_passkey,
    set_up_password,
)

BEGIN = f"{SECURITY}/password/begin"


@pytest.fixture
async def newcomer(house: House) -> Person:
    """Somebody who just followed an invitation."""
    newcomer = Person(house)
    await newcomer.enter(house.auth.invite())
    return newcomer


async def test_whoever_sets_up_a_password_gets_a_new_session_and_goes_in(newcomer: Person) -> None:
    before = newcomer.jar[cookies.SESSION]
    done = await set_up_password(newcomer)
    assert (done.status, done.headers["Location"]) == (303, "/portal?notice=password")
    assert newcomer.jar[cookies.SESSION] != before
    home = await newcomer.get("/portal?notice=password")
    assert "Password and authenticator app are set up." in home.text


async def test_whoever_registers_a_passkey_gets_a_new_session_and_goes_in(newcomer: Person) -> None:
    before = newcomer.jar[cookies.SESSION]
    done = await register_passkey(newcomer)
    assert (done.status, done.headers["Location"]) == (303, "/portal?notice=passkey")
    assert newcomer.jar[cookies.SESSION] != before
    page = await newcomer.get(SECURITY)
    assert "Phone" in page.text
    assert "not used yet" in page.text


async def test_the_app_s_key_is_a_picture_and_a_text_and_nothing_from_elsewhere(newcomer: Person) -> None:
    security = await newcomer.get(SECURITY)
    page = await newcomer.post(BEGIN, {"form_token": security.form_token(BEGIN)})
    assert page.status == 200
    uri = page.hidden(f"{SECURITY}/password")["otpauth_uri"].replace("&amp;", "&")
    secret = re.search(r"secret=([A-Z2-7]+)", uri)
    assert secret is not None
    shown = re.search(r'<code class="copy">([^<]+)</code>', page.text)
    assert shown is not None
    assert shown[1].replace(" ", "") == secret[1]
    assert "<svg" in page.text
    assert " style=" not in page.text
    assert "http" not in re.sub(r"otpauth://\S+", "", page.text)
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"code": "000000"}, 400, "authenticator app is not right"),
        ({"password": "short", "password_again": "short"}, 400, "at least 12 characters"),
        ({"password_again": "Correct-Horse-8-Battery"}, 400, "not the same"),
    ],
)
async def test_a_mistake_is_told_beside_the_same_picture_and_costs_no_second_scan(
    newcomer: Person, changes: dict[str, str], status: int, text: str
) -> None:
    refused = await set_up_password(newcomer, **changes)
    assert refused.status == status
    assert text in refused.text
    assert f'value="{EMAIL}"' in refused.text
    assert PASSWORD not in refused.text
    done = f"{SECURITY}/password"
    typed = {"email": EMAIL, "password": PASSWORD, "password_again": PASSWORD, "code": code(newcomer.house)}
    again = await newcomer.post(done, {**refused.hidden(done), **typed})
    assert again.status == 303


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "otpauth://hotp/x", "", "otpauth://totp/" + "x" * 2_000]
)
async def test_a_picture_is_made_of_nothing_but_an_app_s_key_T30(newcomer: Person, uri: str) -> None:
    refused = await set_up_password(newcomer, otpauth_uri=uri)
    assert refused.status == 400
    assert "<svg" not in refused.text


async def test_a_passkey_that_answers_another_question_is_refused(newcomer: Person) -> None:
    action = f"{SECURITY}/passkeys"
    page = await newcomer.get(SECURITY)
    form = {
        "form_token": page.form_token(action),
        "ceremony": "made-up",
        "credential": "{}",
        "passkey_name": "Phone",
    }
    refused = await newcomer.post(action, form)
    assert refused.status == 400
    assert "Begin again." in refused.text


async def test_a_ceremony_asks_for_what_the_page_s_own_form_may_ask(newcomer: Person) -> None:
    action = f"{SECURITY}/passkeys"
    page = await newcomer.get(SECURITY)
    wrong = await newcomer.post(f"{action}/begin", {"form_token": page.form_token(action)})
    assert wrong.status == 403
    right = await newcomer.post(f"{action}/begin", {"form_token": page.begin_token(action)})
    options = json.loads(json.loads(right.body)["options"])
    assert right.headers["Content-Type"].startswith("application/json")
    assert options["user"]["displayName"] == "Anna Berg"


async def test_only_pages_with_passkeys_may_run_our_one_script(newcomer: Person) -> None:
    with_script = [await newcomer.get(SECURITY), await newcomer.get(SIGN_IN)]
    await set_up_password(newcomer)
    without = [await newcomer.get(path) for path in ("/portal", "/portal/connect", "/portal/team")]
    for page in with_script:
        policy = page.headers["Content-Security-Policy"]
        assert "script-src 'self'; connect-src 'self';" in policy
        assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/portal/passkeys.js" defer>']
        assert not re.search(r'\son[a-z]+="', page.text)
    for page in without:
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert "<script" not in page.text


async def test_one_of_two_ways_is_removed_and_the_last_one_is_not(newcomer: Person) -> None:
    await register_passkey(newcomer)
    remove = f"{SECURITY}/passkeys/pk-1/remove"
    refused = await newcomer.post(remove, {"form_token": (await newcomer.get(SECURITY)).form_token(remove)})
    assert refused.status == 409
    assert "only way in" in refused.text

    await set_up_password(newcomer)
    removed = await newcomer.post(remove, {"form_token": (await newcomer.get(SECURITY)).form_token(remove)})
    assert (removed.status, removed.headers["Location"]) == (303, f"{SECURITY}?notice=ended_way")
    assert "Phone" not in (await newcomer.get(SECURITY)).text


async def test_a_password_is_changed_by_who_knows_it_and_removed(newcomer: Person) -> None:
    await register_passkey(newcomer)
    await set_up_password(newcomer)
    wrong = await set_up_password(
        newcomer, current_password="Wrong-Horse-7-Battery", code=code(newcomer.house, 1)
    )
    assert wrong.status == 400
    assert "current password is not right" in wrong.text
    right = await set_up_password(newcomer, current_password=PASSWORD, code=code(newcomer.house, 1))
    assert right.headers["Location"] == f"{SECURITY}?notice=password"
    page = await newcomer.get(SECURITY)
    assert EMAIL in page.text
    remove = f"{SECURITY}/password/remove"
    await newcomer.post(remove, {"form_token": page.form_token(remove)})
    assert EMAIL not in (await newcomer.get(SECURITY)).text


async def test_a_linked_account_at_the_provider_is_unlinked(house: House, person: Person) -> None:
    await register_passkey(person)
    link, unlink = f"{SECURITY}/provider", f"{SECURITY}/provider/unlink"
    page = await person.get(SECURITY)
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https:")
    sent = await person.post(link, {"form_token": page.form_token(link)})
    state = sent.headers["Location"].partition("state=")[2]
    await person.get(f"/portal/sign-in/provider?state={state}&code=anna-at-lamplight")
    linked = await person.get(SECURITY)
    await person.post(unlink, {"form_token": linked.form_token(unlink)})
    assert "Link an account" in (await person.get(SECURITY)).text
    assert [known.subject for known in house.people.known.values()] == [""]


async def test_long_after_signing_in_changes_ask_to_sign_in_again_and_go_on(
    house: House, person: Person
) -> None:
    fresh = await person.get(SECURITY)
    house.clock.pass_(16 * 60)
    late = await person.post(BEGIN, {"form_token": fresh.form_token(BEGIN)})
    assert (late.status, late.headers["Location"]) == (303, f"{SIGN_IN}?notice=again")
    assert cookies.ERRAND in person.jar

    page = await person.get(SECURITY)
    assert f'href="{SECURITY}/again"' in page.text
    assert "form_token" not in page.text.partition("<main")[2]
    led = await person.get(f"{SECURITY}/again")
    assert led.headers["Location"] == f"{SIGN_IN}?notice=again"


async def test_a_passkey_is_added_under_the_name_that_its_person_gives(house: House, person: Person) -> None:
    action = f"{SECURITY}/passkeys"
    name = "<b>Anna's key</b>"
    await answer_ceremony(person, SECURITY, action, passkey_id="pk-9", passkey_name=f"  {name} ")
    page = await person.get(SECURITY)
    assert "<b>Anna" not in page.text
    ((known,),) = [tuple(each.passkeys.values()) for each in house.people.known.values()]
    assert known.name == name


async def test_whoever_comes_with_a_password_past_its_age_is_asked_for_a_new_one(
    house: House, newcomer: Person
) -> None:
    await set_up_password(newcomer)
    visit = await house.auth.find_session(Secret(newcomer.jar[cookies.SESSION]))
    aged = house.auth.open_session(visit.session, needs_credential=True)
    newcomer.jar[cookies.SESSION] = aged.session_token.reveal()
    assert (await newcomer.get("/portal")).headers["Location"] == SECURITY
    assert "past its age" in (await newcomer.get(SECURITY)).text
    renewed = await set_up_password(newcomer, current_password=PASSWORD, code=code(house, 1))
    assert renewed.headers["Location"] == "/portal?notice=password"


async def test_what_was_typed_is_nowhere_in_what_is_told_of_it(house: House, newcomer: Person) -> None:
    await set_up_password(newcomer)
    assert PASSWORD not in repr(house.audit.events)
    assert EMAIL not in repr(house.audit.events)
