"""The people beside oneself: who sees them, who invites, changes and removes."""

import re

import pytest

from chassis.secrecy import Secret
from services.gateway.model.roles import Role
from services.gateway.web import cookies, forms
from tests.unit.gateway.doors import ORIGIN, Heard, House, Person
from tests.unit.gateway.people import register_passkey

TEAM = "/portal/team"
LINK = re.compile(rf"{re.escape(ORIGIN)}(/portal/enter/[A-Za-z0-9_-]+)")


async def invite(person: Person, name: str = "Ben Ahl", role: str = "member") -> Heard:
    page = await person.get(TEAM)
    form = {"form_token": page.form_token(f"{TEAM}/invite"), "member_name": name, "role": role}
    return await person.post(f"{TEAM}/invite", form)


async def follow(house: House, page: Heard) -> Person:
    """Return whoever followed the link on a page and set something up."""
    link = LINK.search(page.text)
    assert link is not None
    newcomer = Person(house)
    await newcomer.enter(link[1].rpartition("/")[2])
    await register_passkey(newcomer, f"pk-{link[1][-6:]}")
    return newcomer


def user_id(house: House, name: str) -> str:
    return next(each.like.user_id for each in house.people.known.values() if each.like.user_name == name)


async def test_an_owner_invites_somebody_by_a_link_that_is_shown_once(house: House, person: Person) -> None:
    page = await invite(person, "  Ben Ahl ")
    assert page.status == 200
    assert "An invitation for Ben Ahl" in page.text
    assert "23 Nov 2026" in page.text
    assert len(LINK.findall(page.text)) == 1
    team = await person.get(TEAM)
    assert not LINK.search(team.text)
    assert "Ben Ahl" in team.text
    before = team.text.count(">invited</span>")

    ben = await follow(house, page)
    assert "Blue Lamp Trading" in (await ben.get("/portal")).text
    assert (await person.get(TEAM)).text.count(">invited</span>") == before - 1


async def test_a_member_sees_the_people_and_nothing_to_change(house: House, person: Person) -> None:
    ben = await follow(house, await invite(person))
    team = await ben.get(TEAM)
    assert "Anna Berg" in team.text
    assert "Ben Ahl" in team.text
    assert "Manage" not in team.text
    assert f"{TEAM}/invite" not in team.text
    one = await ben.get(f"{TEAM}/{user_id(house, 'Anna Berg')}")
    assert "<form" not in one.text.partition("<main")[2]


async def test_a_member_is_offered_to_revoke_their_own_desktops_only(house: House, person: Person) -> None:
    ben = await follow(house, await invite(person))
    for someone, name in ((person, "Anna's till"), (ben, "Ben's till")):
        home = await someone.get("/portal")
        form = {"form_token": home.form_token("/portal/devices"), "device_name": name}
        await someone.post("/portal/devices", form)
    revokes = [len(re.findall(r"/revoke\"", (await each.get("/portal")).text)) for each in (person, ben)]
    assert revokes == [2, 1]


@pytest.mark.parametrize("deed", ["invite", "role", "remove"])
async def test_what_a_member_may_not_do_is_refused_also_when_asked_without_a_page(
    house: House, person: Person, deed: str
) -> None:
    ben = await follow(house, await invite(person))
    anna_id = user_id(house, "Anna Berg")
    path = f"{TEAM}/invite" if deed == "invite" else f"{TEAM}/{anna_id}/{deed}"
    token = forms.token(Secret(ben.jar[cookies.SESSION]), path)
    refused = await ben.post(path, {"form_token": token, "member_name": "Eve", "role": "owner"})
    assert refused.status == 403
    assert "right_missing" in refused.text
    assert len(house.people.known) == 2


async def test_a_role_changes_at_once(house: House, person: Person) -> None:
    ben = await follow(house, await invite(person))
    path = f"{TEAM}/{user_id(house, 'Ben Ahl')}"
    page = await person.get(path)
    assert 'value="member" required checked' in page.text
    form = {"form_token": page.form_token(f"{path}/role"), "role": "owner"}
    changed = await person.post(f"{path}/role", form)
    assert changed.headers["Location"] == f"{TEAM}?notice=role"
    assert "Invite somebody" in (await ben.get(TEAM)).text


@pytest.mark.parametrize("role", ["support", "security", "king", ""])
async def test_a_role_that_is_not_a_seller_s_is_refused(house: House, person: Person, role: str) -> None:
    refused = await invite(person, role=role)
    assert refused.status == 400
    assert len(house.people.known) == 1


async def test_somebody_removed_is_out_at_once(house: House, person: Person) -> None:
    ben = await follow(house, await invite(person))
    path = f"{TEAM}/{user_id(house, 'Ben Ahl')}"
    page = await person.get(path)
    assert "Remove Ben Ahl" in page.text
    done = await person.post(f"{path}/remove", {"form_token": page.form_token(f"{path}/remove")})
    assert done.headers["Location"] == f"{TEAM}?notice=removed"
    assert (await ben.get("/portal")).headers["Location"].startswith("/portal/sign-in")
    assert "Ben Ahl" not in (await person.get(TEAM)).text


async def test_the_last_owner_stays(house: House, person: Person) -> None:
    path = f"{TEAM}/{user_id(house, 'Anna Berg')}"
    page = await person.get(path)
    for deed in ("remove", "role"):
        form = {"form_token": page.form_token(f"{path}/{deed}"), "role": "member"}
        refused = await person.post(f"{path}/{deed}", form)
        assert refused.status == 409
        assert "last_owner" in refused.text


async def test_whoever_lost_everything_is_invited_again_and_the_old_ways_end(
    house: House, person: Person
) -> None:
    ben = await follow(house, await invite(person))
    path = f"{TEAM}/{user_id(house, 'Ben Ahl')}"
    page = await person.get(path)
    again = await person.post(f"{path}/invite", {"form_token": page.form_token(f"{path}/invite")})
    assert (await ben.get("/portal")).status == 303
    await follow(house, again)
    assert (await person.get(TEAM)).text.count("Ben Ahl</strong>") == 1


async def test_people_of_another_seller_are_as_absent_as_nobody_T07(house: House, person: Person) -> None:
    anna_id = (await house.auth.find_session(Secret(person.jar[cookies.SESSION]))).session.user_id
    stranger = await Person(house).come_in()
    answers = []
    for there in (anna_id, anna_id[:-1] + "f"):
        for deed in ("role", "remove", "invite"):
            path = f"{TEAM}/{there}/{deed}"
            token = forms.token(Secret(stranger.jar[cookies.SESSION]), path)
            heard = await stranger.post(path, {"form_token": token, "role": "member"})
            answers.append((deed, heard.status, heard.text.replace(heard.headers["X-Request-Id"], "")))
        heard = await stranger.get(f"{TEAM}/{there}")
        answers.append(("see", heard.status, heard.text.replace(heard.headers["X-Request-Id"], "")))
    assert answers[:4] == answers[4:]
    assert {status for _, status, _ in answers} == {404}


async def test_the_staff_s_team_is_the_staff(house: House) -> None:
    chief = await Person(house).come_in(Role.SECURITY)
    page = await chief.get(TEAM)
    assert 'value="auditor"' in page.text
    assert 'value="owner"' not in page.text
    await invite(chief, "Otto Audit", "auditor")
    assert (await invite(chief, "Eve", "owner")).status == 400
    assert "Otto Audit" in (await chief.get(TEAM)).text


async def test_a_name_is_shown_as_text_T30(person: Person) -> None:
    page = await invite(person, "<img src=x onerror=alert(1)>")
    team = await person.get(TEAM)
    for text in (page.text, team.text):
        assert "<img src=x" not in text
        assert "&lt;img src=x" in text
