"""Who may do what: every role at every call that a person starts, and a session that may do nothing yet."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest

import services.auth.rpc
from chassis.errors import SallyportError
from chassis.secrecy import Secret
from fakes.auth_house import House, Person
from services.auth.model.people_refusals import CredentialRequired, RightMissing
from services.auth.model.roles import RIGHTS, Right, Role
from services.auth.service import UseCases

# Every call that a session's token comes with, and the right that it asks for; None: any session will do.
ASKED: Mapping[str, Right | None] = {
    "AuthService/FindSession": None,
    "AuthService/EndSession": None,
    "AuthService/BeginConsent": Right.CONNECT,
    "AuthService/CompleteConsent": Right.CONNECT,
    "AuthService/ListConsents": Right.VIEW,
    "AuthService/AuthorizeDevice": Right.ENROL_DEVICE,
    "AuthService/EnrolCompatDevice": Right.ENROL_DEVICE,
    "AuthService/ListDevices": Right.VIEW,
    "AuthService/RevokeDevice": Right.REVOKE_OWN_DEVICE,
    "AuthorizationService/FindDeviceGrant": Right.ENROL_DEVICE,
    "AuthorizationService/DecideDeviceGrant": Right.ENROL_DEVICE,
    "AuthorizationService/WithholdScopes": Right.REVOKE_OWN_DEVICE,
    "ConsentService/JudgeHandover": Right.CONNECT,
    "ConsentService/AnswerHandover": Right.CONNECT,
    "ConsentService/RenewConsent": Right.CONNECT,
    "ConsentService/DisconnectConsent": Right.CONNECT,
    "PeopleService/BeginProviderSignIn": Right.KEEP_CREDENTIALS,
    "PeopleService/ListCredentials": Right.KEEP_CREDENTIALS,
    "PeopleService/BeginPasskeyRegistration": Right.KEEP_CREDENTIALS,
    "PeopleService/RegisterPasskey": Right.KEEP_CREDENTIALS,
    "PeopleService/RemovePasskey": Right.KEEP_CREDENTIALS,
    "PeopleService/BeginPassword": Right.KEEP_CREDENTIALS,
    "PeopleService/SetPassword": Right.KEEP_CREDENTIALS,
    "PeopleService/RemovePassword": Right.KEEP_CREDENTIALS,
    "PeopleService/UnlinkProvider": Right.KEEP_CREDENTIALS,
    "PeopleService/ListMembers": Right.VIEW_PEOPLE,
    "PeopleService/InviteMember": Right.MANAGE_PEOPLE,
    "PeopleService/ChangeRole": Right.MANAGE_PEOPLE,
    "PeopleService/RemoveMember": Right.MANAGE_PEOPLE,
    "PeopleService/ListSellers": Right.VIEW_SELLERS,
    "PeopleService/ViewSeller": Right.VIEW_SELLERS,
    "PeopleService/RevokeSellerDevice": Right.REVOKE_SELLER_DEVICE,
    "PeopleService/ReviewAccess": Right.REVIEW_ACCESS,
}

Call = Callable[[Secret[str]], Awaitable[object]]


def calls(use: UseCases) -> Iterator[tuple[str, Call]]:
    """Yield every call that a session's token comes with; all else in its request is left out."""
    for service in services.auth.rpc.services(use):
        for method in service.descriptor.methods:
            if "session_token" in method.input_type.fields_by_name:
                yield f"{service.descriptor.name}/{method.name}", _call(service, method)


def _call(service: Any, method: Any) -> Call:
    async def call(token: Secret[str]) -> object:
        request = method.input_type._concrete_class(session_token=token.reveal())
        answer = getattr(service.servicer, method.name)(request, None)
        return [row async for row in answer] if method.server_streaming else await answer

    return call


@pytest.fixture
async def house() -> House:
    house = House()
    await house.register()
    return house


async def somebody(house: House, role: Role) -> Person:
    if role.is_staff:
        return await house.staff(role)
    return await house.colleague(await house.use.admin.create_seller("Blue Kettle Ltd"), role=role)


async def refusals(use: UseCases, token: Secret[str]) -> dict[str, type[Exception] | None]:
    """Return how each call refuses this session; None when it does not, or for another reason."""
    found: dict[str, type[Exception] | None] = {}
    for name, call in calls(use):
        if name == "AuthService/EndSession":
            continue
        found[name] = None
        try:
            await call(token)
        except (RightMissing, CredentialRequired) as error:
            found[name] = type(error)
        except SallyportError:
            # It was let in, and its request was empty.
            continue
    return found


def test_every_call_with_a_session_has_its_row() -> None:
    assert {name for name, _ in calls(House().use)} == set(ASKED)


@pytest.mark.parametrize("role", Role)
async def test_a_role_does_what_its_rights_say_and_nothing_else(house: House, role: Role) -> None:
    person = await somebody(house, role)
    found = await refusals(house.use, person.session_token)
    assert found == {name: None if ASKED[name] in {None, *RIGHTS[role]} else RightMissing for name in found}


@pytest.mark.parametrize("role", Role)
async def test_an_invitation_opens_nothing_but_the_way_to_a_credential(house: House, role: Role) -> None:
    seller_id = "" if role.is_staff else await house.use.admin.create_seller("Blue Kettle Ltd")
    invited = await house.invite(seller_id, role=role)
    token, signed_in = await house.use.sessions.redeem_invitation(invited.invitation)
    assert signed_in.session.needs_credential
    found = await refusals(house.use, token)
    free = {None, Right.KEEP_CREDENTIALS}
    assert found == {name: None if ASKED[name] in free else CredentialRequired for name in found}


def test_every_right_is_asked_for_and_every_role_has_its_row() -> None:
    assert {right for right in ASKED.values() if right} | {Right.REVOKE_ANY_DEVICE} == set(Right)
    assert set(RIGHTS) == set(Role)


def test_no_role_of_one_side_holds_a_right_of_the_other() -> None:
    of_sellers = RIGHTS[Role.OWNER] | RIGHTS[Role.MEMBER]
    of_staff = RIGHTS[Role.SUPPORT] | RIGHTS[Role.SECURITY] | RIGHTS[Role.AUDITOR]
    both = {Right.KEEP_CREDENTIALS, Right.VIEW_PEOPLE, Right.MANAGE_PEOPLE}
    assert of_sellers & of_staff == both
    assert RIGHTS[Role.AUDITOR] <= {
        Right.KEEP_CREDENTIALS,
        Right.VIEW_PEOPLE,
        Right.VIEW_SELLERS,
        Right.REVIEW_ACCESS,
    }


def test_nothing_asks_for_a_session_without_a_right() -> None:
    parameter = inspect.signature(House().use.sessions.require).parameters["right"]
    assert parameter.default is inspect.Parameter.empty


async def test_a_member_ends_own_devices_and_an_owner_everybodys(house: House) -> None:
    owner = await somebody(house, Role.OWNER)
    member = await house.colleague(owner.seller_id, role=Role.MEMBER)
    own, colleagues = await house.bound(member, "one"), await house.bound(owner, "two")
    await house.use.devices.revoke(member.session_token, own.device_id)
    with pytest.raises(RightMissing):
        await house.use.devices.revoke(member.session_token, colleagues.device_id)
    another = await house.bound(member, "three")
    await house.use.devices.revoke(owner.session_token, another.device_id)


async def test_a_member_narrows_own_devices_and_an_owner_everybodys(house: House) -> None:
    owner = await somebody(house, Role.OWNER)
    member = await house.colleague(owner.seller_id, role=Role.MEMBER)
    own, colleagues = await house.bound(member, "one"), await house.bound(owner, "two")
    withhold = house.use.devices.withhold
    await withhold(member.session_token, own.device_id, ("pii", "pii"))
    with pytest.raises(RightMissing):
        await withhold(member.session_token, colleagues.device_id, ("pii",))
    another = await house.bound(member, "three")
    await withhold(owner.session_token, another.device_id, ("pii",))
    listed = await house.use.devices.list_all(owner.session_token)
    narrowed = {one.device.device_id: one.device.withheld_scopes for one in listed}
    assert narrowed == {own.device_id: ("pii",), colleagues.device_id: (), another.device_id: ("pii",)}


async def test_a_changed_role_counts_at_once_in_sessions_that_are_open(house: House) -> None:
    owner = await somebody(house, Role.OWNER)
    member = await house.colleague(owner.seller_id, role=Role.MEMBER)
    await house.use.people.members.change_role(owner.session_token, member.user_id, Role.OWNER)
    await house.use.consents.begin(member.session_token, "A2EUQ1WTGCTBG2")
    await house.use.people.members.change_role(member.session_token, owner.user_id, Role.MEMBER)
    with pytest.raises(RightMissing):
        await house.use.consents.begin(owner.session_token, "A2EUQ1WTGCTBG2")
