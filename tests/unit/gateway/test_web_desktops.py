"""A person lets a desktop in that shows a code, and takes a scope away from one."""

import re

import pytest

import chassis.errors
from services.gateway.model.calls import Profile
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import Approval
from services.gateway.web import cookies
from tests.unit.gateway.doors import Heard, House, Person, visit_of
from tests.unit.gateway.people import SIGN_IN

ALLOW, DENY = "/device/allow", "/device/deny"
FACTS = DeviceFacts("windows", "4.2.0", "file")


async def begin(house: House, *scopes: str) -> str:
    """Return the user code of a desktop that waits."""
    begun = await house.apps.begin("desktop", scopes or ("orders",), FACTS, key_thumbprint="")
    return begun.user_code


async def asked(person: Person, user_code: str) -> Heard:
    entry = await person.get("/device")
    return await person.post("/device", {**entry.hidden("/device"), "user_code": user_code})


async def test_a_person_types_the_code_compares_it_and_lets_the_desktop_in(
    house: House, person: Person
) -> None:
    user_code = await begin(house)
    page = await asked(person, user_code)
    assert page.status == 200
    for shown in (user_code, "Order Desk", "Blue Lamp Trading", "Windows, version 4.2.0, key kept in a file"):
        assert shown in page.text
    done = await person.post(ALLOW, {**page.hidden(ALLOW), "device_name": "Packing table"})
    assert (done.status, "Packing table is let in" in done.text) == (200, True)
    ((desktop,),) = house.auth.desktops.values()
    assert (desktop.name, desktop.facts) == ("Packing table", FACTS)


async def test_a_person_does_not_let_a_desktop_in(house: House, person: Person) -> None:
    page = await asked(person, await begin(house))
    done = await person.post(DENY, page.hidden(DENY))
    assert "not let in" in done.text
    (row,) = house.authorization.rows.values()
    assert row.is_denied
    assert not house.auth.desktops


async def test_the_link_with_the_code_asks_and_does_nothing_by_itself(house: House, person: Person) -> None:
    user_code = await begin(house)
    page = await person.get(f"/device?user_code={user_code}")
    assert f">{user_code}<" in page.text
    assert "somebody send you this code" in page.text
    assert not house.auth.desktops


async def test_nobody_is_let_in_from_a_page_of_another_site(house: House, person: Person) -> None:
    page = await asked(person, await begin(house))
    fields = {**page.hidden(ALLOW), "device_name": "Packing table"}
    heard = await person.post(ALLOW, fields, **{"Sec-Fetch-Site": "cross-site"})
    assert heard.status == 403
    assert (await person.post(ALLOW, {**fields, "form_token": "x"})).status == 403
    assert not house.auth.desktops


async def test_a_box_that_is_not_ticked_withholds_for_good(house: House, person: Person) -> None:
    for number, ticked in enumerate(({"allow_pii": "yes"}, {})):
        page = await asked(person, await begin(house, "orders", "pii"))
        assert 'type="checkbox" name="allow_pii" value="yes" checked' in page.text
        await person.post(ALLOW, {**page.hidden(ALLOW), **ticked, "device_name": f"Desktop {number}"})
    (seller,) = house.auth.desktops.values()
    assert [sorted(desktop.withheld_scopes) for desktop in seller] == [["pii"], []]


async def test_what_is_not_asked_for_needs_no_tick(house: House, person: Person) -> None:
    page = await asked(person, await begin(house))
    assert "checkbox" not in page.text
    await person.post(ALLOW, {**page.hidden(ALLOW), "device_name": "Desktop"})
    ((desktop,),) = house.auth.desktops.values()
    assert not desktop.withheld_scopes


async def test_a_wrong_code_is_asked_for_again_T11(person: Person) -> None:
    heard = await asked(person, "WRNG-CODE")
    assert heard.status == 400
    assert 'role="alert"' in heard.text
    assert heard.form_token("/device")
    assert "WRNG-CODE" not in heard.text


async def test_a_person_who_guesses_is_told_to_wait_T11(house: House, person: Person) -> None:
    house.authorization.fault = chassis.errors.LimitExceeded(retry_after_s=900)
    heard = await asked(person, "BCDF-GHJK")
    assert (heard.status, heard.headers["Retry-After"]) == (429, "900")


async def test_a_name_is_needed(house: House, person: Person) -> None:
    page = await asked(person, await begin(house))
    assert (await person.post(ALLOW, page.hidden(ALLOW))).status == 400
    assert not house.auth.desktops


async def test_whoever_is_not_signed_in_goes_on_afterwards(house: House) -> None:
    stranger = Person(house)
    heard = await stranger.get("/device?user_code=BCDF-GHJK")
    assert (heard.status, heard.headers["Location"]) == (303, SIGN_IN)
    assert cookies.ERRAND in stranger.jar
    for path in ("/device", ALLOW, DENY):
        heard = await stranger.post(path, {"user_code": "BCDF-GHJK", "form_token": "x"})
        assert heard.status in {303, 403}
    assert not house.auth.desktops


@pytest.mark.parametrize("path", ["/device", "/device?user_code=BCDF-GHJK"])
async def test_the_pages_run_no_script_and_are_in_no_frame(person: Person, path: str) -> None:
    policy = (await person.get(path)).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_what_strangers_write_is_shown_as_text_T30(house: House, person: Person) -> None:
    page = await asked(person, await begin(house))
    name = '<script>alert("1")</script>'
    done = await person.post(ALLOW, {**page.hidden(ALLOW), "device_name": name})
    assert name not in done.text
    assert "&lt;script&gt;" in done.text


async def test_buyers_data_is_withheld_from_the_portal(house: House, person: Person) -> None:
    visit = await visit_of(house, person)
    device_id = house.auth.enrol(visit, Approval("Laptop"), Profile.BOUND, facts=FACTS)
    action = f"/portal/devices/{device_id}/withhold"
    home = await person.get("/portal")
    assert "Windows, version 4.2.0" in home.text
    heard = await person.post(action, home.hidden(action))
    assert (heard.status, heard.headers["Location"]) == (303, "/portal?notice=withheld")
    home = await person.get(heard.headers["Location"])
    assert "buyers&#39; data withheld" in home.text or "buyers' data withheld" in home.text
    assert not re.search(rf'action="{action}"', home.text)
    assert (await person.post(action, {"form_token": "x"})).status == 403
