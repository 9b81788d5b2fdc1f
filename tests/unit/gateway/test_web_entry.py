"""Coming in and leaving, over a real socket: invitation, password, passkey, provider, and where it leads."""

import base64
import json
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from services.gateway.web import cookies
from services.gateway.web.entry import _source
from services.gateway.web.render import Renderer
from tests.unit.gateway.doors import ORIGIN, House, Person
from tests.unit.gateway.people import (
    EMAIL,
    PASSWORD,
    SECURITY,
    SIGN_IN,
    code,
    register_passkey,
    set_up_password,
    sign_in,
    sign_in_by_passkey,
    sign_out,
)

PROVIDER = f"{SIGN_IN}/provider"
REFUSAL = "That did not work. Check what you entered, and try again."


@pytest.fixture
async def anna(house: House) -> Person:
    """Somebody who came in by invitation, set up a password, and left."""
    anna = Person(house)
    await anna.enter(house.auth.invite())
    await set_up_password(anna)
    await sign_out(anna)
    return anna


async def test_an_invitation_opens_once_and_only_the_page_that_sets_up_a_way_to_sign_in(house: House) -> None:
    invitation = house.auth.invite()
    person = Person(house)
    entered = await person.enter(invitation)
    assert (entered.status, entered.headers["Location"]) == (303, SECURITY)
    for path in ("/portal", "/portal/connect", "/portal/team"):
        heard = await person.get(path)
        assert (heard.status, heard.headers["Location"]) == (303, SECURITY)
    assert "Set up your sign-in" in (await person.get(SECURITY)).text

    again = Person(house)
    refused = await again.enter(invitation)
    assert refused.status == 401
    assert "invitation_invalid" in refused.text
    assert cookies.SESSION not in again.jar


async def test_looking_at_an_invitation_does_not_use_it_up(house: House) -> None:
    """Mail scanners follow links."""
    invitation = house.auth.invite()
    await Person(house).get(f"/portal/enter/{invitation}")
    assert invitation in house.auth.invitations


async def test_the_session_cookie_is_for_this_host_over_tls_and_unseen_by_scripts(house: House) -> None:
    entered = await Person(house).enter(house.auth.invite())
    (session,) = [cookie for cookie in entered.cookies() if cookie.startswith(cookies.SESSION)]
    assert session.startswith("__Host-")
    parts = {part.strip() for part in session.split(";")[1:]}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


@pytest.mark.parametrize("path", ["invitation", SIGN_IN])
async def test_a_sign_in_form_of_another_browser_is_refused_T04(house: House, path: str) -> None:
    path = f"/portal/enter/{house.auth.invite()}" if path == "invitation" else path
    attackers_page = await Person(house).get(path)
    victim = Person(house)
    without_cookie = await victim.post(path, {"form_token": attackers_page.form_token(path)})
    await victim.get(path)
    with_own_cookie = await victim.post(path, {"form_token": attackers_page.form_token(path)})
    assert (without_cookie.status, with_own_cookie.status) == (403, 403)
    assert cookies.SESSION not in victim.jar


async def test_a_sign_in_form_from_another_site_is_refused_T04(anna: Person) -> None:
    page = await anna.get(SIGN_IN)
    form = {"form_token": page.form_token(SIGN_IN), "email": EMAIL, "password": PASSWORD}
    refused = await anna.post(SIGN_IN, form, **{"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 403


async def test_nobody_is_led_to_the_sign_in_page(house: House) -> None:
    person = Person(house)
    led = await person.get("/portal")
    assert (led.status, led.headers["Location"]) == (303, SIGN_IN)
    page = await person.get(SIGN_IN)
    assert page.status == 200
    assert "invitation link" in page.text


async def test_an_ended_session_is_nobody_and_hears_so(house: House, person: Person) -> None:
    house.clock.pass_(12 * 3600)
    led = await person.get("/portal")
    assert led.headers["Location"] == f"{SIGN_IN}?notice=ended"
    assert "Your session has ended." in (await person.get(led.headers["Location"])).text


async def test_a_password_with_a_code_signs_in_without_scripts(anna: Person) -> None:
    entered = await sign_in(anna)
    assert (entered.status, entered.headers["Location"]) == (303, "/portal?notice=welcome")
    assert "Blue Lamp Trading" in (await anna.get("/portal?notice=welcome")).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@example.com"},
        {"password": "Wrong-Horse-7-Battery"},
        {"code": "000000"},
        {"email": ""},
    ],
)
async def test_whatever_was_wrong_the_page_says_the_same_T11(anna: Person, wrong: dict[str, str]) -> None:
    refused = await sign_in(anna, **wrong)
    assert refused.status == 401
    assert REFUSAL in refused.text
    assert cookies.SESSION not in anna.jar
    assert PASSWORD not in refused.text
    assert "Wrong-Horse" not in refused.text


async def test_a_page_that_came_back_with_a_problem_says_so_first_in_its_title(anna: Person) -> None:
    assert "<title>Sign in · " in (await anna.get(SIGN_IN)).text
    assert "<title>Not done: Sign in · " in (await sign_in(anna, code="000000")).text


async def test_refusals_of_a_known_and_an_unknown_person_are_the_same_page_T11(
    house: House, anna: Person
) -> None:
    stranger = Person(house)
    known = await sign_in(anna, password="Wrong-Horse-7-Battery")
    unknown = await sign_in(stranger, email="nobody@example.com")
    pages = []
    for heard, person, email in ((known, anna, EMAIL), (unknown, stranger, "nobody@example.com")):
        text = heard.text.replace(email, "")
        for action in (SIGN_IN, f"{SIGN_IN}/passkey", PROVIDER):
            text = text.replace(heard.form_token(action), "")
        pages.append(text.replace(heard.begin_token(f"{SIGN_IN}/passkey"), ""))
        assert cookies.SESSION not in person.jar
    assert pages[0] == pages[1]


async def test_a_code_works_once(house: House, anna: Person) -> None:
    first = code(house, 1)
    await sign_in(anna, code=first)
    await sign_out(anna)
    assert (await sign_in(anna, code=first)).status == 401


async def test_a_lock_is_told_with_its_time_T11(house: House, anna: Person) -> None:
    house.people.is_locked = True
    refused = await sign_in(anna)
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) == 900
    assert "Sign in" in refused.text


async def test_an_outage_is_told_as_one(house: House, anna: Person) -> None:
    house.auth.is_down = True
    assert (await anna.get(SIGN_IN)).status == 200
    refused = await sign_in(anna)
    assert refused.status == 503
    assert "Retry-After" in refused.headers


async def test_a_passkey_signs_in(house: House) -> None:
    person = Person(house)
    await person.enter(house.auth.invite())
    await register_passkey(person)
    await sign_out(person)
    entered = await sign_in_by_passkey(person)
    assert (entered.status, entered.headers["Location"]) == (303, "/portal?notice=welcome")
    assert cookies.SESSION in person.jar


async def test_an_unknown_passkey_is_refused_on_the_page_T11(house: House) -> None:
    person = Person(house)
    refused = await sign_in_by_passkey(person, "pk-unknown")
    assert refused.status == 401
    assert REFUSAL in refused.text
    assert cookies.SESSION not in person.jar


async def test_a_script_hears_of_a_refusal_as_a_problem_document(house: House) -> None:
    refused = await Person(house).post(f"{SIGN_IN}/passkey/begin", {"form_token": "guess"})
    assert refused.status == 403
    assert json.loads(refused.body)["code"] == "form_refused"


async def test_the_identity_provider_is_asked_in_this_browser_only_T04(house: House) -> None:
    anna, victim = Person(house), Person(house)
    await anna.come_in()
    await _link(anna, "anna-at-lamplight")
    await sign_out(anna)

    state = await _begin_provider(anna)
    mixed_up = await victim.get(f"{PROVIDER}?state={state}&code=anna-at-lamplight")
    assert mixed_up.status == 401
    assert cookies.SESSION not in victim.jar
    entered = await anna.get(
        f"{PROVIDER}?state={state}&code=anna-at-lamplight&iss=https%3A%2F%2Fprovider.example",
        **{"Sec-Fetch-Site": "cross-site"},
    )
    assert (entered.status, entered.headers["Location"]) == (303, "/portal?notice=welcome")
    late = await Person(house).get(f"{PROVIDER}?state={state}&code=anna-at-lamplight")
    assert late.status == 401


async def test_without_a_provider_none_is_offered_and_no_form_may_end_elsewhere() -> None:
    renderer = Renderer(vendor_name="Lamplight", desktop_name="Order Desk")
    page = renderer.page(
        "sign_in",
        form_secret=Secret("s" * 44),
        form_targets=renderer.provider_targets,
        notice=None,
        problem=None,
        email="",
        will_continue=False,
    )
    assert PROVIDER not in (page.text or "")
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self'")


async def test_whoever_the_provider_does_not_let_through_is_told(house: House) -> None:
    person = Person(house)
    state = await _begin_provider(person)
    for answer in (f"state={state}&error=access_denied", "", f"state={state}&code=nobody-here"):
        refused = await person.get(f"{PROVIDER}?{answer}")
        assert refused.status == 401
        assert REFUSAL in refused.text


async def _begin_provider(person: Person) -> str:
    page = await person.get(SIGN_IN)
    sent = await person.post(PROVIDER, {"form_token": page.form_token(PROVIDER)})
    assert sent.headers["Location"].startswith("https://provider.example/authorize?state=")
    return sent.headers["Location"].partition("state=")[2]


async def _link(person: Person, subject: str) -> None:
    action = f"{SECURITY}/provider"
    page = await person.get(SECURITY)
    sent = await person.post(action, {"form_token": page.form_token(action)})
    state = sent.headers["Location"].partition("state=")[2]
    linked = await person.get(f"{PROVIDER}?state={state}&code={subject}")
    assert linked.status == 303


async def test_signing_out_ends_the_session(house: House, person: Person) -> None:
    left = await sign_out(person)
    assert (left.status, left.headers["Location"]) == (303, f"{SIGN_IN}?notice=left")
    assert cookies.SESSION not in person.jar
    assert not house.auth.sessions


async def test_who_was_headed_somewhere_goes_on_after_setting_up_and_signing_in(house: House) -> None:
    person = Person(house)
    led = await person.get("/portal/connect?marketplace=A1PA6795UKMFR9")
    assert led.headers["Location"] == SIGN_IN
    assert "goes on by itself" in (await person.get(SIGN_IN)).text
    await person.enter(house.auth.invite())
    done = await set_up_password(person)
    assert done.headers["Location"] == "/portal/connect?marketplace=A1PA6795UKMFR9"
    assert cookies.ERRAND not in person.jar


async def test_what_was_sent_without_a_session_is_not_gone_on_with(house: House) -> None:
    person = Person(house)
    led = await person.post("/portal/connect", {"marketplace_id": "A1PA6795UKMFR9"})
    assert led.headers["Location"] == SIGN_IN
    assert cookies.ERRAND not in person.jar


TARGETS = st.one_of(
    st.text(max_size=60),
    st.builds(str.__add__, st.sampled_from(sorted(cookies.ERRAND_PATHS)), st.text(max_size=40)),
    st.sampled_from(
        ["//evil.example/", "/\\evil.example", "https://evil.example", "/oauth/authorize/../..//evil.example"]
    ),
)


@given(target=TARGETS)
def test_an_errand_never_leads_away_T04(target: str) -> None:
    followed = cookies.read_errand(base64.urlsafe_b64encode(target.encode()).decode())
    if followed:
        parts = urlsplit(urljoin(ORIGIN, followed))
        assert f"{parts.scheme}://{parts.netloc}" == ORIGIN
        assert parts.path in cookies.ERRAND_PATHS
        assert followed.isascii()
        assert followed.isprintable()


@given(kept=st.text(max_size=60))
def test_a_tampered_cookie_leads_nowhere_or_to_an_own_path_T04(kept: str) -> None:
    followed = cookies.read_errand(kept)
    assert followed.partition("?")[0] in cookies.ERRAND_PATHS | {""}


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        (None, ""),
        ("/run/socket", ""),
    ],
)
def test_a_source_is_an_address_or_the_network_that_somebody_has(remote: str | None, source: str) -> None:
    assert _source(remote) == source
