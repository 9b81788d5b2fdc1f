"""Who belongs to a seller or to the staff: invited, invited again, changed, and out at once."""

from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House, Person, redemption
from fakes.passkey_device import PasskeyDevice
from services.auth.model.audit import Kind, Phase
from services.auth.model.devices import Revocation
from services.auth.model.people import MEMBERS_MAX
from services.auth.model.people_refusals import (
    LastOwner,
    MemberNotFound,
    MembersFull,
    RoleRefused,
    SignInRefused,
)
from services.auth.model.refusals import (
    DeviceRevoked,
    InvalidGrant,
    InvalidName,
    InvitationInvalid,
    SessionInvalid,
)
from services.auth.model.roles import Role
from services.auth.model.sealing import STAFF
from tests.unit.auth.holders import set_password
from tests.unit.auth.passkeys import sign_in

NOBODY = "0190b2f0-0000-7000-8000-000000000000"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def owner(house: House) -> Person:
    return await house.person()


async def test_owners_see_who_belongs_to_their_seller_oldest_first(house: House, owner: Person) -> None:
    house.pass_(timedelta(minutes=1))
    invited = await house.use.people.members.invite_own(owner.session_token, " Ben Example ", Role.MEMBER)
    await house.person("Another Ltd", "Cleo Elsewhere")
    ana, ben = await house.use.people.members.list_own(owner.session_token)
    assert (ana.name, ana.member.user.role, ana.member.credentials) == ("Ana Example", "owner", ("passkey",))
    assert ana.member.signed_in_at is not None
    assert (ben.name, ben.member.user.user_id) == ("Ben Example", invited.user_id)
    assert (ben.member.credentials, ben.member.signed_in_at) == ((), None)


async def test_the_staff_sees_the_staff(house: House, owner: Person) -> None:
    security = await house.staff()
    auditor = await house.staff(Role.AUDITOR)
    for person in (security, auditor):
        shown = await house.use.people.members.list_own(person.session_token)
        assert {one.member.user.user_id for one in shown} == {security.user_id, auditor.user_id}
    assert owner.user_id not in {one.member.user.user_id for one in shown}


async def test_the_staffs_names_are_sealed_under_a_key_of_the_house_T15(house: House) -> None:
    security = await house.staff()
    user = house.tables.users[security.user_id]
    assert (user.seller_id, user.name_place.seller_id) == (STAFF, STAFF)
    assert "Sam" not in repr(house.tables)
    signed_in = await house.use.sessions.find(security.session_token)
    assert (signed_in.user_name, signed_in.seller_name) == ("Sam Example", "")


@pytest.mark.parametrize("role", [None, Role.SUPPORT, Role.SECURITY, Role.AUDITOR])
async def test_an_owner_gives_no_role_of_the_staffs(house: House, owner: Person, role: Role | None) -> None:
    with pytest.raises(RoleRefused):
        await house.use.people.members.invite_own(owner.session_token, "Ben", role)
    with pytest.raises(RoleRefused):
        await house.use.people.members.change_role(owner.session_token, owner.user_id, role)


@pytest.mark.parametrize("role", [None, Role.OWNER, Role.MEMBER])
async def test_security_gives_no_role_of_the_sellers(house: House, role: Role | None) -> None:
    security = await house.staff()
    with pytest.raises(RoleRefused):
        await house.use.people.members.invite_own(security.session_token, "Ben", role)
    with pytest.raises(RoleRefused):
        await house.use.people.members.invite_staff("Ben", role)


async def test_foreign_and_absent_people_are_the_same_T07(house: House, owner: Person) -> None:
    stranger, security = await house.person("Another Ltd"), await house.staff()
    members = house.use.people.members
    for user_id in (stranger.user_id, security.user_id, NOBODY, "no id", ""):
        texts = set()
        for work in (
            members.change_role(owner.session_token, user_id, Role.MEMBER),
            members.remove_own(owner.session_token, user_id),
            members.invite_own(owner.session_token, "", None, user_id=user_id or NOBODY),
        ):
            with pytest.raises(MemberNotFound) as refusal:
                await work
            texts.add((refusal.value.code, str(refusal.value)))
        assert texts == {("not_found", MemberNotFound.text)}


async def test_security_looks_after_the_staff_and_not_after_sellers(house: House, owner: Person) -> None:
    security, support = await house.staff(), await house.staff(Role.SUPPORT)
    members = house.use.people.members
    await members.change_role(security.session_token, support.user_id, Role.AUDITOR)
    await members.remove_own(security.session_token, support.user_id)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(support.session_token)
    with pytest.raises(MemberNotFound):
        await members.remove_own(security.session_token, owner.user_id)


async def test_whoever_lost_every_credential_is_invited_again_and_the_old_ones_end(
    house: House, owner: Person
) -> None:
    ben = await house.colleague(owner.seller_id)
    holder, _ = await set_password(house, ben.session_token)
    desktop = await house.bound(ben)
    invited = await house.use.people.members.invite_own(owner.session_token, "", None, user_id=ben.user_id)
    assert invited.user_id == ben.user_id
    assert house.audit.told(Kind.USER_INVITED)[-2:] == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]
    assert house.audit.details(Kind.USER_INVITED)[-1] == {"user_id": ben.user_id, "role": "owner"}
    for work in (sign_in(house, ben.device), holder.sign_in()):
        with pytest.raises(SignInRefused):
            await work
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(ben.session_token)
    token, signed_in = await house.use.sessions.redeem_invitation(invited.invitation)
    assert (signed_in.user_name, signed_in.session.role) == ("Ben Example", Role.OWNER)
    assert signed_in.session.needs_credential
    await house.use.tokens.introspect(desktop.tokens.access_token)
    await house.use.sessions.end(token)


async def test_an_invitation_that_was_replaced_opens_nothing(house: House, owner: Person) -> None:
    members = house.use.people.members
    first = await members.invite_own(owner.session_token, "Ben", Role.MEMBER)
    second = await members.invite_own(owner.session_token, "", None, user_id=first.user_id)
    with pytest.raises(InvitationInvalid):
        await house.use.sessions.redeem_invitation(first.invitation)
    await house.use.sessions.redeem_invitation(second.invitation)


async def test_a_leaver_is_out_at_once_everywhere(house: House, owner: Person) -> None:
    ben = await house.colleague(owner.seller_id)
    holder, _ = await set_password(house, ben.session_token)
    desktop = await house.bound(ben)
    code, waiting = await house.authorize(ben), await house.begin_grant()
    await house.approve_grant(ben, waiting)
    other, _ = await sign_in(house, ben.device)
    watcher = house.use.news.watch()
    removal = await house.use.people.members.remove_own(owner.session_token, ben.user_id)
    assert (removal.sessions_ended, removal.device_ids) == (2, (desktop.device_id,))
    assert await watcher.next() == Revocation(device_id=desktop.device_id, seller_id=owner.seller_id)
    for token in (ben.session_token, other):
        with pytest.raises(SessionInvalid):
            await house.use.sessions.find(token)
    with pytest.raises(DeviceRevoked):
        await house.use.tokens.introspect(desktop.tokens.access_token)
    for grant in (house.use.enrolment.exchange(redemption(code)), house.redeem_grant(waiting)):
        with pytest.raises(InvalidGrant):
            await grant
    for work in (sign_in(house, ben.device), holder.sign_in()):
        with pytest.raises(SignInRefused):
            await work


async def test_nothing_is_kept_of_a_leaver_but_an_id(house: House, owner: Person) -> None:
    ben = await house.colleague(owner.seller_id)
    await set_password(house, ben.session_token)
    await house.use.people.members.remove_own(owner.session_token, ben.user_id)
    tables = house.tables
    of_people = (tables.users, tables.passkeys, tables.logins, tables.hashes, tables.links)
    kept = repr((*of_people, tables.invitations, tables.sessions))
    assert ben.user_id not in kept


async def test_every_ending_of_a_leavers_is_on_record(house: House, owner: Person) -> None:
    ben = await house.colleague(owner.seller_id)
    desktop = await house.bound(ben)
    await house.use.people.members.remove_own(owner.session_token, ben.user_id)
    assert house.audit.details(Kind.USER_REMOVED)[0] == {"user_id": ben.user_id, "reason": "leaver"}
    assert house.audit.details(Kind.DEVICE_REVOKED) == [{"device_id": desktop.device_id, "reason": "leaver"}]
    assert house.signals.counts["ended", "device", "leaver"] == 1


async def test_the_last_owner_neither_leaves_nor_steps_down(house: House, owner: Person) -> None:
    members = house.use.people.members
    await members.invite_own(owner.session_token, "Not Here Yet", Role.OWNER)
    with pytest.raises(LastOwner):
        await members.remove_own(owner.session_token, owner.user_id)
    with pytest.raises(LastOwner):
        await members.change_role(owner.session_token, owner.user_id, Role.MEMBER)
    await members.change_role(owner.session_token, owner.user_id, Role.OWNER)
    second = await house.colleague(owner.seller_id)
    await members.change_role(owner.session_token, owner.user_id, Role.MEMBER)
    with pytest.raises(LastOwner):
        await members.remove_own(second.session_token, second.user_id)
    await members.remove_own(second.session_token, owner.user_id)


async def test_the_console_removes_anybody_with_a_reason_the_last_owner_too(
    house: House, owner: Person
) -> None:
    members = house.use.people.members
    with pytest.raises(InvalidName):
        await members.remove_anybody(owner.user_id, reason=" ")
    for user_id in (NOBODY, "no id"):
        with pytest.raises(MemberNotFound):
            await members.remove_anybody(user_id, reason="Left")
    await members.remove_anybody(owner.user_id, reason="Left the company")
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(owner.session_token)
    assert house.audit.details(Kind.USER_REMOVED)[0]["reason"] == "Left the company"
    with pytest.raises(MemberNotFound):
        await members.remove_anybody(owner.user_id, reason="Again")


async def test_a_seller_has_so_many_people_at_most(house: House, owner: Person) -> None:
    members = house.use.people.members
    for number in range(MEMBERS_MAX - 1):
        await members.invite_own(owner.session_token, f"Person {number}", Role.MEMBER)
    with pytest.raises(MembersFull):
        await members.invite_own(owner.session_token, "One more", Role.MEMBER)
    assert len(await members.list_own(owner.session_token)) == MEMBERS_MAX


async def test_two_halves_of_a_set_up_by_a_leaver_lead_nowhere(house: House, owner: Person) -> None:
    invited = await house.invite(owner.seller_id, "Ben")
    token, _ = await house.use.sessions.redeem_invitation(invited.invitation)
    ceremony, options = await house.use.people.passkeys.begin_registration(token)
    await house.use.people.members.remove_own(owner.session_token, invited.user_id)
    with pytest.raises(SessionInvalid):
        await house.use.people.passkeys.register(
            token, ceremony.text, credential_json=PasskeyDevice(seed="b").create(options), name="Phone"
        )


@pytest.mark.parametrize("name", ["", "x" * 65])
async def test_names_that_cannot_be_shown_are_refused(house: House, owner: Person, name: str) -> None:
    with pytest.raises(InvalidName):
        await house.use.people.members.invite_own(owner.session_token, name, Role.MEMBER)


async def test_an_invitation_shows_nothing_of_itself_T28(house: House, owner: Person) -> None:
    invited = await house.use.people.members.invite_own(owner.session_token, "Ben", Role.MEMBER)
    assert "sp_in_" not in repr(invited)
    assert isinstance(invited.invitation, Secret)
