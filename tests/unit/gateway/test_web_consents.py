"""Connections over a real socket: handed over by Amazon, renewed, disconnected; and what is refused."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from chassis.secrecy import Secret
from fakes.gateway_consents import DE, EUROPE_URI, US, US_URI, VENDOR_URI
from services.gateway.model.roles import Role
from services.gateway.web import cookies, forms
from tests.unit.gateway.doors import House, Person

LOG_IN = "/consent/login"
# What browsers send with a form of a page that tells nobody where it is.
QUIET = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
SENT = {"amazon_callback_uri": US_URI, "amazon_state": "amzn-state-1", "selling_partner_id": "A2SP"}


def login(**changes: str) -> str:
    """Return the log-in URI as Amazon opens it."""
    return f"{LOG_IN}?{urlencode({**SENT, **changes})}"


async def connected(house: House, person: Person, marketplace_id: str = US, partner_id: str = "A2SP") -> str:
    """Connect an account and return the consent's id."""
    page = await person.get("/portal/connect")
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": marketplace_id}
    await person.post("/portal/connect", form)
    state = list(house.auth.states)[-1]
    await person.get(
        f"/consent/callback?state={state}&selling_partner_id={partner_id}&spapi_oauth_code=ANxyz"
    )
    (consents,) = house.auth.consents.values()
    return consents[0].consent_id


async def test_a_seller_from_the_appstore_says_yes_and_goes_back_to_amazon(
    house: House, person: Person
) -> None:
    page = await person.get(login(), **{"Sec-Fetch-Site": "cross-site"})
    assert page.status == 200
    assert "<code>A2SP</code>" in page.text
    assert "Blue Lamp Trading" in page.text
    assert not house.auth.states, "nothing begins before the person says yes"
    back = await person.post(LOG_IN, page.hidden(LOG_IN), **QUIET)
    assert back.status == 303
    (state,) = house.auth.states
    assert back.headers["Location"] == f"{US_URI}?amazon_state=amzn-state-1&state={state}"
    answer = f"/consent/callback?state={state}&selling_partner_id=A2SP&spapi_oauth_code=ANxyz"
    done = await person.get(answer, **{"Sec-Fetch-Site": "cross-site"})
    assert done.headers["Location"] == "/portal?notice=connected"
    assert ">active</span>" in (await person.get("/portal")).text


async def test_somebody_who_is_not_signed_in_is_led_there_and_comes_back(house: House) -> None:
    visitor = Person(house)
    led = await visitor.get(login(), **{"Sec-Fetch-Site": "cross-site"})
    assert (led.status, led.headers["Location"]) == (303, "/portal/sign-in")
    assert led.headers["Referrer-Policy"] == "no-referrer"
    assert cookies.ERRAND in visitor.jar
    await visitor.come_in()
    await visitor.get(login())
    assert cookies.ERRAND not in visitor.jar


async def test_a_strangers_address_is_refused_before_anybody_is_led_anywhere_T08(house: House) -> None:
    visitor = Person(house)
    refused = await visitor.get(login(amazon_callback_uri="https://evil.example/apps/authorize/confirm/x"))
    assert refused.status == 400
    assert "handover_refused" in refused.text
    assert "evil.example" not in refused.text
    assert cookies.ERRAND not in visitor.jar


@pytest.mark.parametrize("missing", sorted(SENT))
async def test_a_handover_without_what_amazon_always_sends_is_refused_T10(
    person: Person, missing: str
) -> None:
    assert (await person.get(login(**{missing: ""}))).status == 400


async def test_the_page_and_the_way_back_tell_nobody_where_the_browser_was(person: Person) -> None:
    page = await person.get(login())
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Content-Security-Policy"].endswith("form-action 'self' https:")
    back = await person.post(LOG_IN, page.hidden(LOG_IN), **QUIET)
    assert back.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "same-site", "Origin": "null"},
        {"Sec-Fetch-Site": "none", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    ],
)
async def test_a_yes_from_another_site_is_refused_T08(
    house: House, person: Person, headers: dict[str, str]
) -> None:
    page = await person.get(login())
    assert (await person.post(LOG_IN, page.hidden(LOG_IN), **headers)).status == 403
    assert not house.auth.states


async def test_a_yes_of_another_persons_page_is_refused_T08(house: House, person: Person) -> None:
    victim = await Person(house).come_in()
    stolen = (await person.get(login())).hidden(LOG_IN)
    assert (await victim.post(LOG_IN, stolen, **QUIET)).status == 403
    assert not house.auth.states


async def test_where_the_address_leaves_a_choice_the_person_chooses(person: Person) -> None:
    page = await person.get(login(amazon_callback_uri=EUROPE_URI))
    assert "Choose a marketplace" in page.text
    assert re.findall(r'<option value="(A[^"]+)"', page.text) == ["A1F83G8C2ARO7P", DE]
    fields = page.hidden(LOG_IN)
    assert (await person.post(LOG_IN, fields, **QUIET)).status == 400
    assert (await person.post(LOG_IN, {**fields, "marketplace_id": US}, **QUIET)).status == 400
    chosen = await person.post(LOG_IN, {**fields, "marketplace_id": DE}, **QUIET)
    assert chosen.headers["Location"].startswith(f"{EUROPE_URI}?")


async def test_what_was_chosen_before_amazon_is_chosen_already(person: Person) -> None:
    page = await person.get("/portal/connect")
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": DE}
    await person.post("/portal/connect", form)
    handed = await person.get(login(amazon_callback_uri=EUROPE_URI))
    assert f'<option value="{DE}" selected>' in handed.text


async def test_a_vendors_account_and_a_draft_are_carried_through(person: Person) -> None:
    page = await person.get(login(amazon_callback_uri=VENDOR_URI, version="beta"))
    assert "Vendor Central account" in page.text
    fields = page.hidden(LOG_IN)
    assert (fields["account_kind"], fields["version"], fields["marketplace_id"]) == ("vendor", "beta", DE)
    back = await person.post(LOG_IN, fields, **QUIET)
    assert back.headers["Location"].endswith("&version=beta")


@pytest.mark.parametrize("kind", ["reseller", "x" * 100])
async def test_a_kind_of_account_that_there_is_not_is_refused_T10(person: Person, kind: str) -> None:
    page = await person.get(login())
    assert (await person.post(LOG_IN, {**page.hidden(LOG_IN), "account_kind": kind}, **QUIET)).status == 400


async def test_the_page_says_which_connection_is_replaced_and_which_renewed(
    house: House, person: Person
) -> None:
    await connected(house, person, US, "A1OLD")
    assert "is connected to the account <code>A1OLD</code>" in (await person.get(login())).text
    assert "This renews the connection" in (await person.get(login(selling_partner_id="A1OLD"))).text
    assert "is connected to" not in (await person.get(login(amazon_callback_uri=VENDOR_URI))).text


async def test_what_amazon_sent_is_shown_as_text_T30(person: Person) -> None:
    page = await person.get(login(amazon_state='"><script>alert(1)</script>', selling_partner_id="<b>"))
    assert "<script" not in page.text
    assert "<b>" not in page.text
    assert html.unescape(page.hidden(LOG_IN)["amazon_state"]) == '"><script>alert(1)</script>'


async def test_a_vendor_begins_at_vendor_central(house: House, person: Person) -> None:
    page = await person.get("/portal/connect?kind=vendor")
    assert re.search(r'value="vendor" checked', page.text)
    form = {"form_token": page.form_token("/portal/connect"), "marketplace_id": DE, "account_kind": "vendor"}
    await person.post("/portal/connect", form)
    (begun,) = house.auth.states.values()
    assert begun.split(" ")[2] == "vendor"


async def test_one_press_renews_at_amazon(house: House, person: Person) -> None:
    path = f"/portal/consents/{await connected(house, person)}/renew"
    home = await person.get("/portal")
    sent = await person.post(path, {"form_token": home.form_token(path)})
    assert sent.status == 303
    assert sent.headers["Location"].startswith("https://sellercentral.amazon.com/apps/authorize/consent?")
    assert home.headers["Content-Security-Policy"].endswith("form-action 'self' https:")


async def test_one_press_and_a_yes_disconnect(house: House, person: Person) -> None:
    path = f"/portal/consents/{await connected(house, person)}/disconnect"
    home = await person.get("/portal")
    done = await person.post(path, {"form_token": home.form_token(path)})
    assert done.headers["Location"] == "/portal?notice=disconnected"
    after = (await person.get("/portal?notice=disconnected")).text
    assert ">disconnected</span>" in after
    assert "Connect again" in after
    assert path not in after


@pytest.mark.parametrize("deed", ["renew", "disconnect"])
async def test_a_foreign_connection_is_as_absent_as_none_T07(house: House, person: Person, deed: str) -> None:
    path = f"/portal/consents/{await connected(house, person)}/{deed}"
    stranger = await Person(house).come_in()
    session, answers = Secret(stranger.jar[cookies.SESSION]), []
    for place in (path, path.replace("/consents/", "/consents/f")):
        answer = await stranger.post(place, {"form_token": forms.token(session, place)})
        answers.append((answer.status, answer.text.replace(answer.headers["X-Request-Id"], "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("deed", ["renew", "disconnect"])
async def test_a_press_from_another_site_does_nothing_T04(house: House, person: Person, deed: str) -> None:
    path = f"/portal/consents/{await connected(house, person)}/{deed}"
    form = {"form_token": (await person.get("/portal")).form_token(path)}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, QUIET):
        assert (await person.post(path, form, **headers)).status == 403
    assert ">active</span>" in (await person.get("/portal")).text


async def test_who_may_not_connect_sees_connections_and_no_buttons(house: House) -> None:
    member = await Person(house).come_in(role=Role.MEMBER)
    home = await member.get("/portal")
    assert "Connect an account" not in home.text
    assert (await member.get("/portal/connect")).headers["Location"] == "/portal"
    assert (await member.get(login())).status == 403


async def test_days_that_are_left_are_shown_and_soon_said_aloud(house: House, person: Person) -> None:
    await connected(house, person)
    (consents,) = house.auth.consents.values()
    for left, shown, is_said in [
        (timedelta(days=365), "365 days left", False),
        (timedelta(days=31), "31 days left", False),
        (timedelta(days=29, seconds=1), "30 days left", True),
        (timedelta(hours=3), "1 day left", True),
    ]:
        consents[0] = replace(consents[0], expires_at=house.clock.now() + left)
        home = (await person.get("/portal")).text
        assert shown in home
        assert ("or calls to Amazon stop then" in home) == is_said


async def test_of_each_region_only_the_connection_that_counts_is_listed(house: House, person: Person) -> None:
    first = await connected(house, person)
    (consents,) = house.auth.consents.values()
    consents[0] = replace(consents[0], status="revoked")
    second = await connected(house, person)
    home = (await person.get("/portal")).text
    assert first not in home
    assert second in home
    assert ">revoked</span>" not in home
