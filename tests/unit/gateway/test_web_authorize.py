"""A desktop asks in the browser, the person decides."""

import base64
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from services.gateway.web import cookies
from tests.unit.gateway.doors import ORIGIN, Heard, House, Person
from tests.unit.gateway.people import SIGN_IN, set_up_password

REDIRECT = "http://127.0.0.1:49152/callback"
REQUEST = {
    "response_type": "code",
    "client_id": "desktop",
    "redirect_uri": REDIRECT,
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "scope": "orders",
    "state": "af0ifjsldkj",
}
APPROVE, DENY = "/oauth/authorize", "/oauth/authorize/deny"


def path(**changes: str | None) -> str:
    parameters = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
    return f"{APPROVE}?{urlencode(parameters)}"


def answer_of(heard: Heard) -> tuple[str, dict[str, list[str]]]:
    assert heard.status == 303
    where, _, query = heard.headers["Location"].partition("?")
    return where, parse_qs(query)


async def test_an_approved_desktop_gets_its_code_by_redirect(house: House, person: Person) -> None:
    page = await person.get(path())
    assert "Order Desk" in page.text
    assert "Blue Lamp Trading" in page.text
    where, answer = answer_of(await person.post(APPROVE, {**page.hidden(APPROVE), "device_name": "Laptop"}))
    (code,) = house.auth.codes
    assert where == REDIRECT
    assert answer == {"code": [code], "state": ["af0ifjsldkj"], "iss": [ORIGIN]}


async def test_a_desktop_that_is_not_allowed_hears_so(house: House, person: Person) -> None:
    page = await person.get(path())
    where, answer = answer_of(await person.post(DENY, page.hidden(DENY)))
    assert where == REDIRECT
    assert answer == {"error": ["access_denied"], "state": ["af0ifjsldkj"], "iss": [ORIGIN]}
    assert not house.auth.codes


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [(REDIRECT, "http://127.0.0.1:49152"), ("http://[::1]:49152/callback", "http:")],
)
async def test_the_page_may_end_at_the_desktop_and_nowhere_else(
    person: Person, redirect_uri: str, source: str
) -> None:
    page = await person.get(path(redirect_uri=redirect_uri))
    assert page.headers["Content-Security-Policy"].endswith(f"form-action 'self' {source}")


async def test_the_person_reads_what_the_desktop_asks_for(person: Person) -> None:
    assert "names and addresses" not in (await person.get(path())).text
    assert "names and addresses" in (await person.get(path(scope="orders pii"))).text


async def test_a_person_without_session_goes_on_after_signing_in(house: House) -> None:
    person = Person(house)
    led = await person.get(path())
    assert (led.status, led.headers["Location"]) == (303, SIGN_IN)
    await person.enter(house.auth.invite())
    done = await set_up_password(person)
    assert done.headers["Location"] == path()
    assert cookies.ERRAND not in person.jar
    assert "Allow this desktop?" in (await person.get(done.headers["Location"])).text


@pytest.mark.parametrize(
    "errand",
    ["!!!", "", "L3BvcnRhbA0KWDog", "\u00e9", "A" * 5_000]
    + [
        base64.urlsafe_b64encode(target.encode()).decode()
        for target in (
            "//evil.example/",
            "https://evil.example/oauth/authorize",
            "/portal/sign-out",
            "/oauth/authorize/deny?x",
            "/oauth/authorize\r\nX: y",
            "/consent/login@evil.example",
        )
    ],
)
async def test_a_tampered_errand_leads_to_the_portal(house: House, errand: str) -> None:
    person = Person(house)
    person.jar[cookies.ERRAND] = errand
    await person.enter(house.auth.invite())
    done = await set_up_password(person)
    assert done.headers["Location"] == "/portal?notice=password"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://localhost:8080/callback"},
        {"redirect_uri": "http://127.0.0.1:8080@evil.example/"},
        {"redirect_uri": None},
        {"client_id": "other"},
        {"client_id": None},
        {"state": "a" * 513},
    ],
)
async def test_a_request_of_nobody_knows_whom_is_answered_by_a_page_T04(
    person: Person, changes: dict[str, str | None]
) -> None:
    page = await person.get(path(**changes))
    assert page.status == 400
    assert "Location" not in page.headers
    assert "evil.example" not in page.text


async def test_a_parameter_given_twice_is_refused_T10(person: Person) -> None:
    page = await person.get(path() + "&redirect_uri=https%3A%2F%2Fevil.example")
    assert page.status == 400
    assert "Location" not in page.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
async def test_other_mistakes_are_told_to_the_desktop_T04(
    person: Person, changes: dict[str, str | None], error: str
) -> None:
    where, answer = answer_of(await person.get(path(**changes)))
    assert where == REDIRECT
    assert (answer["error"], answer["iss"]) == ([error], [ORIGIN])


@pytest.mark.parametrize("place", [APPROVE, DENY])
async def test_what_is_decided_is_judged_again_T04(house: House, person: Person, place: str) -> None:
    fields = (await person.get(path())).hidden(place)
    changed = {**fields, "redirect_uri": "https://evil.example/", "device_name": "Laptop"}
    refused = await person.post(place, changed)
    assert refused.status == 400
    assert "Location" not in refused.headers
    assert not house.auth.codes


@pytest.mark.parametrize("place", [APPROVE, DENY])
async def test_a_decision_without_its_token_is_refused_T04(house: House, person: Person, place: str) -> None:
    fields = {**(await person.get(path())).hidden(place), "device_name": "Laptop", "form_token": "guess"}
    assert (await person.post(place, fields)).status == 403
    assert not house.auth.codes


async def test_a_decision_from_another_site_is_refused_T04(house: House, person: Person) -> None:
    fields = {**(await person.get(path())).hidden(APPROVE), "device_name": "Laptop"}
    refused = await person.post(APPROVE, fields, **{"Sec-Fetch-Site": "cross-site"})
    assert refused.status == 403
    assert not house.auth.codes


async def test_the_deny_form_approves_nothing(house: House, person: Person) -> None:
    fields = {**(await person.get(path())).hidden(DENY), "device_name": "Laptop"}
    assert (await person.post(APPROVE, fields)).status == 403
    assert not house.auth.codes


async def test_a_desktop_without_a_name_is_refused(house: House, person: Person) -> None:
    fields = (await person.get(path())).hidden(APPROVE)
    refused = await person.post(APPROVE, fields)
    assert refused.status == 400
    assert "device_name_refused" in refused.text
    assert not house.auth.codes


async def test_a_secret_of_amazons_in_a_request_is_refused_T06(house: House, person: Person) -> None:
    refused = await person.get(path(state="Atzr|IwEBIA"))
    assert refused.status == 422
    assert "Atzr" not in refused.text
    assert len(house.audit.events) == 1


async def test_state_cannot_break_out_of_the_page_T30(person: Person) -> None:
    page = await person.get(path(state='"><script>alert(1)</script>'))
    assert page.status == 200
    assert "<script" not in page.text


async def test_the_answer_keeps_the_requests_state_whole(person: Person) -> None:
    page = await person.get(path(state="a b&c=d%20+?#/é".encode("ascii", "ignore").decode()))
    fields = {name: re.sub("&amp;", "&", value) for name, value in page.hidden(APPROVE).items()}
    heard = await person.post(APPROVE, {**fields, "device_name": "Laptop"})
    assert parse_qs(urlsplit(heard.headers["Location"]).query)["state"] == ["a b&c=d%20+?#/"]
