from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from simulator.applications import Application
from simulator.exchange import Answer
from tests.unit.simulator.rig import APPLICATION, PLAIN, REDIRECT_URI, Rig

PATH = "/apps/authorize/consent"


def page(
    rig: Rig, application: Application = APPLICATION, host: str = "localhost:8443", **query: str
) -> Answer:
    fields = {"application_id": application.application_id, "state": "s1"} | query
    return rig.send("GET", PATH, list(fields.items()), headers={"host": host})


def press(rig: Rig, seller: int = 0, **fields: str) -> Answer:
    sent = {"application_id": APPLICATION.application_id, "seller_id": rig.sellers[seller].seller_id} | fields
    return rig.send("POST", PATH, headers={"host": "localhost:8443"}, body=urlencode(sent).encode())


def query_of(answer: Answer) -> dict[str, str]:
    location = answer.header("Location")
    assert location is not None
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def test_the_page_offers_every_seller_and_tells_no_referrer() -> None:
    rig = Rig()
    answer = page(rig)
    assert answer.status == 200
    assert all(seller.seller_id in answer.body.decode() for seller in rig.sellers)
    assert answer.header("Referrer-Policy") == "no-referrer"


def test_the_page_of_a_regions_host_offers_that_regions_sellers_only() -> None:
    rig = Rig()
    host = "sellercentral-europe.amazon.com"
    body = page(rig, host=host).body.decode()
    assert [seller.region for seller in rig.sellers if seller.seller_id in body] == ["eu"]
    form = {"application_id": APPLICATION.application_id, "state": "s", "seller_id": rig.sellers[0].seller_id}
    assert rig.send("POST", PATH, headers={"host": host}, body=urlencode(form).encode()).status == 400


def test_confirm_sends_the_browser_to_the_first_redirect_uri_with_state_seller_and_code() -> None:
    rig = Rig()
    answer = press(rig, state="my state &?")
    assert answer.status == 302
    assert str(answer.header("Location")).startswith(f"{REDIRECT_URI}?")
    assert query_of(answer).keys() == {"state", "selling_partner_id", "spapi_oauth_code"}
    assert query_of(answer)["state"] == "my state &?"
    assert query_of(answer)["selling_partner_id"] == rig.sellers[0].seller_id


def test_a_registered_redirect_uri_keeps_its_own_query() -> None:
    answer = press(Rig(), state="s", redirect_uri=APPLICATION.redirect_uris[1])
    assert query_of(answer)["kept"] == "1"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unregistered_redirect_uri_gets_the_page_MD5101_and_no_redirect(method: str) -> None:
    rig = Rig()
    evil = "https://vendor.example/consent/callback/../evil"
    answer = page(rig, redirect_uri=evil) if method == "GET" else press(rig, state="s", redirect_uri=evil)
    assert (answer.status, answer.header("Location")) == (400, None)
    assert "MD5101" in answer.body.decode()


def test_a_redirect_uri_with_a_fragment_gets_the_page_MD5110() -> None:
    assert "MD5110" in page(Rig(), redirect_uri=f"{REDIRECT_URI}#part").body.decode()


def test_a_draft_needs_version_beta() -> None:
    rig = Rig()
    assert "MD1000" in page(rig, PLAIN).body.decode()
    assert page(rig, PLAIN, version="beta").status == 200


def test_an_unknown_application_gets_the_page_MD1000() -> None:
    assert "MD1000" in page(Rig(), application_id="amzn1.sellerapps.app.none").body.decode()


def test_a_missing_state_is_an_error_unless_the_application_has_a_log_in_uri() -> None:
    rig = Rig()
    assert page(rig, PLAIN, version="beta", state="").status == 400
    assert page(rig, APPLICATION, state="").status == 200


def test_what_came_in_the_address_is_escaped_on_the_page() -> None:
    body = page(Rig(), state='"><script>alert(1)</script>').body.decode()
    assert "<script>" not in body
    assert "&quot;&gt;&lt;script&gt;" in body


def test_a_consent_that_starts_on_the_appstore_goes_through_the_log_in_uri_and_back() -> None:
    rig = Rig()
    away = press(rig, version="beta")
    sent = query_of(away)
    assert str(away.header("Location")).startswith(f"{APPLICATION.log_in_uri}?")
    assert sent["selling_partner_id"] == rig.sellers[0].seller_id
    assert sent["version"] == "beta"
    back = urlsplit(sent["amazon_callback_uri"])
    assert (back.scheme, back.netloc) == ("https", "localhost:8443")
    assert back.path == f"/apps/authorize/confirm/{APPLICATION.application_id}"
    confirmed = rig.send("GET", back.path, [("amazon_state", sent["amazon_state"]), ("state", "mine")])
    assert confirmed.status == 302
    assert query_of(confirmed)["state"] == "mine"
    assert query_of(confirmed)["selling_partner_id"] == rig.sellers[0].seller_id


def test_an_application_that_logs_in_always_is_not_handed_the_first_state() -> None:
    rig = Rig(applications=[replace(APPLICATION, logs_in_always=True)])
    sent = query_of(press(rig, state="first"))
    assert sent.keys() == {"amazon_callback_uri", "amazon_state", "selling_partner_id"}
    back = urlsplit(sent["amazon_callback_uri"]).path
    confirmed = rig.send("GET", back, [("amazon_state", sent["amazon_state"]), ("state", "second")])
    assert query_of(confirmed)["state"] == "second"


def test_vendor_central_is_a_consent_page_too() -> None:
    rig = Rig()
    body = page(rig, host="vendorcentral.amazon.de").body.decode()
    assert [seller.region for seller in rig.sellers if seller.seller_id in body] == ["eu"]


def test_an_amazon_state_that_is_late_foreign_or_changed_is_refused() -> None:
    rig = Rig()
    state = query_of(press(rig))["amazon_state"]
    path = f"/apps/authorize/confirm/{APPLICATION.application_id}"
    changed = state[:-3] + ("AAA" if not state.endswith("AAA") else "BBB")
    other = f"/apps/authorize/confirm/{PLAIN.application_id}"
    assert rig.send("GET", path, [("amazon_state", changed), ("state", "s")]).status == 400
    assert rig.send("GET", other, [("amazon_state", state), ("state", "s")]).status == 400
    assert rig.send("GET", path, [("amazon_state", state)]).status == 400
    rig.clock.advance(minutes=31)
    assert rig.send("GET", path, [("amazon_state", state), ("state", "s")]).status == 400


def test_an_unknown_seller_or_page_is_refused() -> None:
    rig = Rig()
    assert press(rig, state="s", seller_id="A0000000000000").status == 400
    assert rig.send("GET", "/apps/authorize/elsewhere").status == 404
    assert rig.send("POST", PATH, body=b"\xff").status == 400
