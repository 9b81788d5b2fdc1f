"""The vendor's staff: sellers, their devices, and the table of who has access to what."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.secrecy import Secret
from services.auth.model import roles as of_auth
from services.gateway.model import roles
from services.gateway.model.roles import Role
from services.gateway.web import cookies, forms, navigation, sheets
from tests.unit.gateway.doors import House, Person

SELLERS, REVIEW = "/portal/sellers", "/portal/access-review"


def seller_id(house: House) -> str:
    return next(each.like.seller_id for each in house.people.known.values() if each.like.seller_id)


async def enrol(person: Person, name: str = "Till") -> str:
    home = await person.get("/portal")
    await person.post(
        "/portal/devices", {"form_token": home.form_token("/portal/devices"), "device_name": name}
    )
    (desktops,) = person.house.auth.desktops.values()
    return desktops[0].device_id


def test_what_the_pages_offer_is_what_auth_allows() -> None:
    theirs = {role.value: {right.value for right in rights} for role, rights in of_auth.RIGHTS.items()}
    ours = {role.value: {right.value for right in rights} for role, rights in roles.RIGHTS.items()}
    assert ours == theirs
    assert [role.is_staff for role in roles.Role] == [role.is_staff for role in of_auth.Role]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.SECURITY, Role.AUDITOR])
async def test_staff_begin_at_the_sellers(house: House, role: Role) -> None:
    someone = await Person(house).come_in(role)
    led = await someone.get("/portal")
    assert (led.status, led.headers["Location"]) == (303, SELLERS)
    assert "There is no seller yet." in (await someone.get(SELLERS)).text


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_is_led_to_the_places_of_their_role_and_each_opens(house: House, role: Role) -> None:
    someone = await Person(house).come_in(role)
    page = await someone.get(navigation.SECURITY)
    for place in navigation.PLACES:
        is_shown = f'<a href="{place.path}"' in page.text.partition("<main")[0].partition("<nav")[2]
        assert is_shown == (place.right in roles.RIGHTS[role])
        if is_shown:
            assert (await someone.get(place.path)).status == 200


async def test_a_seller_s_people_see_no_other_seller_T07(house: House, person: Person) -> None:
    for path in (SELLERS, f"{SELLERS}/{seller_id(house)}"):
        assert (await person.get(path)).status == 403
    token = forms.token(Secret(person.jar[cookies.SESSION]), REVIEW)
    assert (await person.post(REVIEW, {"form_token": token})).status == 403


async def test_sellers_come_page_by_page(house: House) -> None:
    house.sellers.page_rows_max = 2
    for _ in range(5):
        await Person(house).come_in()
    helper = await Person(house).come_in(Role.SUPPORT)
    seen, path = 0, SELLERS
    for _ in range(3):
        page = await helper.get(path)
        seen += page.text.count("Blue Lamp Trading</a>")
        more = re.search(r'class="next" href="([^"]+)"', page.text)
        path = more[1] if more else ""
    assert (seen, path) == (5, "")
    assert "From the beginning" in page.text


async def test_a_seller_is_shown_with_devices_and_people(house: House, person: Person) -> None:
    await enrol(person)
    helper = await Person(house).come_in(Role.SUPPORT)
    assert "1 desktop<" in (await helper.get(SELLERS)).text.replace("</span>", "<")
    page = await helper.get(f"{SELLERS}/{seller_id(house)}")
    assert "Till" in page.text
    assert "Anna Berg" in page.text
    assert (await helper.get(f"{SELLERS}/00000000-0000-7000-8000-ffffffffffff")).status == 404


async def test_support_revokes_a_device_and_says_why(house: House, person: Person) -> None:
    device_id = await enrol(person)
    helper = await Person(house).come_in(Role.SUPPORT)
    path = f"{SELLERS}/{seller_id(house)}"
    action = f"{path}/devices/{device_id}/revoke"
    token = (await helper.get(path)).form_token(action)
    assert (await helper.post(action, {"form_token": token})).status == 400
    done = await helper.post(action, {"form_token": token, "reason": "stolen"})
    assert (done.status, done.headers["Location"]) == (303, f"{path}?notice=revoked")
    assert ">revoked</span>" in (await helper.get(path)).text


async def test_an_auditor_is_offered_nothing_to_change(house: House, person: Person) -> None:
    device_id = await enrol(person)
    auditor = await Person(house).come_in(Role.AUDITOR)
    path = f"{SELLERS}/{seller_id(house)}"
    assert "<form" not in (await auditor.get(path)).text.partition("<main")[2]
    action = f"{path}/devices/{device_id}/revoke"
    token = forms.token(Secret(auditor.jar[cookies.SESSION]), action)
    refused = await auditor.post(action, {"form_token": token, "reason": "stolen"})
    assert refused.status == 403


async def test_the_access_review_is_a_table_of_everybody(house: House, person: Person) -> None:
    assert person.jar
    auditor = await Person(house).come_in(Role.AUDITOR)
    page = await auditor.get(REVIEW)
    table = await auditor.post(REVIEW, {"form_token": page.form_token(REVIEW)})
    assert table.status == 200
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == 'attachment; filename="access-review-2026-11-22.csv"'
    assert table.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"))))
    assert [(row["user"], row["role"]) for row in rows] == [("Anna Berg", "owner"), ("Anna Berg", "auditor")]


async def test_support_takes_no_access_review(house: House) -> None:
    helper = await Person(house).come_in(Role.SUPPORT)
    refused = await helper.post(
        REVIEW, {"form_token": forms.token(Secret(helper.jar[cookies.SESSION]), REVIEW)}
    )
    assert refused.status == 403
    assert "right_missing" in refused.text


# Not surrogates: what comes over gRPC has none.
CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.builds(
        str.__add__,
        st.sampled_from(list("=+-@\t\r ")),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    ),
)


@given(cells=st.lists(CELLS, min_size=1, max_size=5))
def test_no_cell_is_a_formula_and_none_breaks_out_of_its_place_T30(cells: list[str]) -> None:
    written = sheets.line(cells).decode("utf-8", "replace")
    (read,) = list(csv.reader(io.StringIO(written, newline="")))
    assert len(read) == len(cells)
    assert written.endswith("\r\n")
    for cell, kept in zip(read, cells, strict=True):
        assert not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert cell in {kept, f"'{kept}"}
