"""The portal's home over a real socket: connecting, desktops, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from services.gateway.model import people
from services.gateway.web import cookies, forms
from tests.unit.gateway.doors import ORIGIN, House, Person

SECRET_SHAPES = ["Atzr|IwEBIA", "Atza|IwEBIA", "amzn1.oa2-cs.v1.abc", "Atz.sprdt|abc"]
STRANGE_HEADERS = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


async def test_the_root_leads_to_the_portal(house: House) -> None:
    answer = await Person(house).get("/")
    assert (answer.status, answer.headers["Location"]) == (303, "/portal")


async def test_pages_let_no_script_run_and_no_one_frame_them(person: Person) -> None:
    page = await person.get("/portal")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self'")
    assert "<script" not in page.text
    assert " style=" not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "max-age" in page.headers["Strict-Transport-Security"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/portal/portal.css", "text/css"),
        ("/portal/mark.svg", "image/svg+xml"),
        ("/portal/passkeys.js", "text/javascript"),
    ],
)
async def test_the_pages_assets_are_served(house: House, path: str, kind: str) -> None:
    answer = await Person(house).get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == kind
    assert "max-age" in answer.headers["Cache-Control"]


async def test_what_people_typed_is_shown_as_text_T30(person: Person) -> None:
    home = await person.get("/portal")
    name = "<img src=x onerror=alert(1)>"
    await person.post(
        "/portal/devices", {"form_token": home.form_token("/portal/devices"), "device_name": name}
    )
    shown = (await person.get("/portal")).text
    assert "<img src=x" not in shown
    assert "&lt;img src=x" in shown


async def test_connecting_leads_to_amazon_and_back(house: House, person: Person) -> None:
    page = await person.get("/portal/connect?marketplace=A1PA6795UKMFR9")
    assert '<option value="A1PA6795UKMFR9" selected>Germany</option>' in page.text
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": "A1PA6795UKMFR9"}
    sent = await person.post("/portal/connect", form)
    assert sent.status == 303
    assert sent.headers["Location"].startswith("https://sellercentral.amazon.com/apps/authorize/consent?")

    (state,) = house.auth.states
    answer = f"/consent/callback?state={state}&selling_partner_id=A2SP&spapi_oauth_code=ANxyz"
    back = await person.get(answer, **{"Sec-Fetch-Site": "cross-site"})
    assert (back.status, back.headers["Location"]) == (303, "/portal?notice=connected")
    home = (await person.get("/portal?notice=connected")).text
    assert "The Amazon account is connected." in home
    assert "until 22 Nov 2027" in home


async def test_the_connection_page_may_end_at_amazon(person: Person) -> None:
    page = await person.get("/portal/connect")
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https:")


async def test_an_unknown_marketplace_is_refused(person: Person) -> None:
    page = await person.get("/portal/connect")
    token = page.form_token("/portal/connect")
    for marketplace_id in ("XX", ""):
        form = {"form_token": token, "marketplace_id": marketplace_id}
        assert (await person.post("/portal/connect", form)).status == 400


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=&selling_partner_id=A2SP&spapi_oauth_code=ANxyz",
        "selling_partner_id=A2SP&spapi_oauth_code=ANxyz",
        "state={state}&spapi_oauth_code=ANxyz",
        "state={state}&selling_partner_id=A2SP",
        "state={state}&state={state}&selling_partner_id=A2SP&spapi_oauth_code=ANxyz",
        "state=sp_st_guessed&selling_partner_id=A2SP&spapi_oauth_code=ANxyz",
        "state=%ff&selling_partner_id=A2SP&spapi_oauth_code=ANxyz",
    ],
)
async def test_an_answer_that_is_not_to_our_question_is_refused_T08(
    house: House, person: Person, query: str
) -> None:
    page = await person.get("/portal/connect")
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": "ATVPDKIKX0DER"}
    await person.post("/portal/connect", form)
    (state,) = house.auth.states
    refused = await person.get("/consent/callback?" + query.format(state=state))
    assert refused.status == 400
    assert refused.headers["Referrer-Policy"] == "no-referrer"
    assert "ANxyz" not in refused.text
    assert not house.auth.consents


async def test_a_state_works_once_and_for_its_own_session_T08(house: House, person: Person) -> None:
    page = await person.get("/portal/connect")
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": "ATVPDKIKX0DER"}
    await person.post("/portal/connect", form)
    (state,) = house.auth.states
    answer = f"/consent/callback?state={state}&selling_partner_id=A2SP&spapi_oauth_code=ANxyz"
    other = Person(house)
    await other.come_in()
    mixed_up = await other.get(answer)
    late = await person.get(answer)
    assert (mixed_up.status, late.status) == (400, 400)
    assert "invalid_state" in mixed_up.text


async def test_a_consent_near_its_end_says_so(house: House, person: Person) -> None:
    page = await person.get("/portal/connect")
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": "ATVPDKIKX0DER"}
    await person.post("/portal/connect", form)
    (state,) = house.auth.states
    await person.get(f"/consent/callback?state={state}&selling_partner_id=A2SP&spapi_oauth_code=ANxyz")
    (consents,) = house.auth.consents.values()
    for left, status, word in [
        (timedelta(days=31), "active", "active"),
        (timedelta(days=30), "active", "renew soon"),
        (timedelta(0), "active", "expired"),
        (timedelta(days=200), "revoked", "revoked"),
        (timedelta(days=200), "idle", "idle"),
    ]:
        consents[0] = replace(consents[0], expires_at=house.clock.now() + left, status=status)
        assert f">{word}</span>" in (await person.get("/portal")).text


async def test_a_program_is_enrolled_and_its_token_shown_once(house: House, person: Person) -> None:
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/devices"), "device_name": "  Warehouse PC "}
    page = await person.post("/portal/devices", form)
    assert page.status == 200
    (refresh_token,) = house.auth.compat
    assert page.text.count(refresh_token) == 1
    assert f"{ORIGIN}/auth/o2/token" in page.text
    assert "Warehouse PC is enrolled" in page.text
    assert refresh_token not in (await person.get("/portal")).text


@pytest.mark.parametrize("name", ["", "   ", "n" * 65, "a\nb", "\u202eevil"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(people.DeviceNameRefused):
        people.device_name(name)


async def test_a_revoked_desktop_stays_listed_without_its_button(house: House, person: Person) -> None:
    path = await _enrol(house, person)
    done = await person.post(path, {"form_token": (await person.get("/portal")).form_token(path)})
    assert (done.status, done.headers["Location"]) == (303, "/portal?notice=revoked")
    home = (await person.get("/portal")).text
    assert ">revoked</span>" in home
    assert path not in home


async def test_a_foreign_desktop_is_as_absent_as_none_T07(house: House, person: Person) -> None:
    path, stranger = await _enrol(house, person), Person(house)
    await stranger.come_in()
    session = Secret(stranger.jar[cookies.SESSION])
    answers = []
    for place in (path, path.replace("/devices/", "/devices/f")):
        answer = await stranger.post(place, {"form_token": forms.token(session, place)})
        answers.append((answer.status, answer.text.replace(answer.headers["X-Request-Id"], "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert not any(desktop.is_revoked for (desktop,) in house.auth.desktops.values())


async def test_a_form_of_another_persons_page_is_refused(house: House, person: Person) -> None:
    path, stranger = await _enrol(house, person), Person(house)
    await stranger.come_in()
    stolen = (await person.get("/portal")).form_token(path)
    assert (await stranger.post(path, {"form_token": stolen})).status == 403


async def _enrol(house: House, person: Person) -> str:
    """Enrol a desktop and return the path of the form that revokes it."""
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/devices"), "device_name": "Till"}
    await person.post("/portal/devices", form)
    ((desktop,),) = house.auth.desktops.values()
    return f"/portal/devices/{desktop.device_id}/revoke"


@pytest.mark.parametrize("headers", STRANGE_HEADERS)
async def test_a_form_from_elsewhere_is_refused_T04(
    house: House, person: Person, headers: dict[str, str]
) -> None:
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/devices"), "device_name": "Till"}
    assert (await person.post("/portal/devices", form, **headers)).status == 403
    assert not house.auth.desktops


async def test_a_browser_that_does_not_say_where_a_form_comes_from_is_refused(
    house: House, person: Person
) -> None:
    home = await person.get("/portal")
    kept = "; ".join(f"{name}={value}" for name, value in person.jar.items())
    form = {"form_token": home.form_token("/portal/devices"), "device_name": "Till"}
    silent = await house.ask("POST", "/portal/devices", data=form, headers={"Cookie": kept})
    older = await house.ask("POST", "/portal/devices", data=form, headers={"Cookie": kept, "Origin": ORIGIN})
    assert (silent.status, older.status) == (403, 200)


@pytest.mark.parametrize("form_token", [None, "", "wrong", "caf\u00e9"])
async def test_a_form_without_its_token_is_refused_T04(
    house: House, person: Person, form_token: str | None
) -> None:
    form = {"device_name": "Till"} | ({} if form_token is None else {"form_token": form_token})
    assert (await person.post("/portal/devices", form)).status == 403
    assert not house.auth.desktops


async def test_a_forms_token_is_good_for_its_own_action_only(house: House, person: Person) -> None:
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/sign-out"), "device_name": "Till"}
    assert (await person.post("/portal/devices", form)).status == 403
    assert not house.auth.desktops


@pytest.mark.parametrize("secret", SECRET_SHAPES)
async def test_amazons_secrets_are_refused_and_kept_nowhere_T06(
    house: House, person: Person, secret: str
) -> None:
    home = await person.get("/portal")
    form = {"form_token": home.form_token("/portal/devices"), "device_name": f"my {secret}"}
    refused = await person.post("/portal/devices", form)
    assert refused.status == 422
    assert "credentials_not_accepted" in refused.text
    assert secret not in refused.text
    assert not house.auth.desktops
    (event,) = house.audit.events
    assert (event.kind, event.phase, event.result) == (
        "gateway.credentials.refused",
        "fact",
        "credentials_not_accepted",
    )
    assert event.request_id == refused.headers["X-Request-Id"]
    assert secret not in repr(event)


async def test_a_large_form_is_refused_T09(person: Person) -> None:
    assert (await person.post("/portal/connect", {"marketplace_id": "x" * 20_000})).status == 413


async def test_a_page_says_when_auth_is_down(house: House, person: Person) -> None:
    house.auth.is_down = True
    page = await person.get("/portal")
    assert page.status == 503
    assert int(page.headers["Retry-After"]) >= 1
    assert "store_unavailable" in page.text


@pytest.mark.parametrize(
    "path", ["/portal/", "/portal/nothing", "/portal/devices/x/revoke", "/portal/enter/a.b"]
)
async def test_an_unknown_page_is_not_found(house: House, path: str) -> None:
    for method in ("GET", "POST"):
        answer = await house.ask(method, path)
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("text/html")
