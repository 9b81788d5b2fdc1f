"""Invitations and sessions."""

from datetime import timedelta

import pytest

from chassis.secrecy import Secret
from fakes.auth_house import House
from services.auth.model.audit import Kind, Phase
from services.auth.model.refusals import (
    AuditUnavailable,
    InvalidName,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
)


async def test_an_invitation_opens_a_session_with_names() -> None:
    house = House()
    person = await house.person("Blue Kettle Ltd", "Ana Example")
    signed_in = await house.use.sessions.find(person.session_token)
    assert (signed_in.seller_name, signed_in.user_name) == ("Blue Kettle Ltd", "Ana Example")
    assert signed_in.session.seller_id == person.seller_id
    assert signed_in.session.expires_at - house.clock.now() == timedelta(hours=12)


async def test_an_invitation_is_good_once() -> None:
    house = House()
    person = await house.person()
    invitation = (await house.invite(person.seller_id)).invitation
    await house.use.sessions.redeem_invitation(invitation)
    with pytest.raises(InvitationInvalid):
        await house.use.sessions.redeem_invitation(invitation)


async def test_an_invitation_ends_after_24_hours() -> None:
    house = House()
    person = await house.person()
    invited = await house.invite(person.seller_id)
    assert invited.expires_at - house.clock.now() == timedelta(hours=24)
    house.pass_(timedelta(hours=24))
    with pytest.raises(InvitationInvalid):
        await house.use.sessions.redeem_invitation(invited.invitation)


@pytest.mark.parametrize("text", ["", "sp_in_", "sp_in_" + "A" * 43, "sp_se_" + "A" * 43, "\x00" * 49])
async def test_every_other_invitation_gets_one_answer_T11(text: str) -> None:
    with pytest.raises(InvitationInvalid) as refusal:
        await House().use.sessions.redeem_invitation(Secret(text))
    assert str(refusal.value) == InvitationInvalid.text


async def test_a_session_ends_after_12_hours() -> None:
    house = House()
    person = await house.person()
    house.pass_(timedelta(hours=12) - timedelta(seconds=1))
    await house.use.sessions.find(person.session_token)
    house.pass_(timedelta(seconds=1))
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(person.session_token)


async def test_an_ended_session_is_over_and_ends_again_without_fuss() -> None:
    house = House()
    person = await house.person()
    await house.use.sessions.end(person.session_token)
    await house.use.sessions.end(person.session_token)
    with pytest.raises(SessionInvalid):
        await house.use.sessions.find(person.session_token)
    assert house.audit.told(Kind.SESSION_ENDED) == [(Phase.INTENT, ""), (Phase.OUTCOME, "done")]


async def test_without_audit_log_no_session_begins_and_the_invitation_stays_good_R02() -> None:
    house = House()
    person = await house.person()
    invitation = (await house.invite(person.seller_id)).invitation
    house.audit.is_down = True
    with pytest.raises(AuditUnavailable):
        await house.use.sessions.redeem_invitation(invitation)
    house.audit.is_down = False
    await house.use.sessions.redeem_invitation(invitation)


async def test_nobody_is_invited_to_a_seller_that_is_not_there() -> None:
    house = House()
    for seller_id in ("0190b2f0-0000-7000-8000-000000000000", "nobody", ""):
        with pytest.raises(SellerNotFound):
            await house.invite(seller_id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "tab\there", "zero\x00", "rtl\u202e"])
async def test_names_that_cannot_be_shown_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        await House().use.admin.create_seller(name)


async def test_names_do_not_show_in_what_is_logged_T28() -> None:
    house = House()
    person = await house.person("Blue Kettle Ltd", "Ana Example")
    shown = repr(await house.use.sessions.find(person.session_token)) + repr(person)
    assert "Kettle" not in shown
    assert "Ana" not in shown
    assert "sp_se_" not in shown
