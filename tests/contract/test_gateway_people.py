"""What the gateway's pages rely on in auth's people: on the fakes, over gRPC, and on auth itself."""

import base64
from collections.abc import AsyncIterator, Awaitable
from urllib.parse import parse_qs, urlsplit

import pytest

import chassis.crypto.otp
import chassis.errors
from chassis.secrecy import Secret
from fakes import gateway_people_server
from fakes.clock import FakeClock
from fakes.gateway_auth import FakeAuth
from fakes.gateway_people import FakePeople
from fakes.passkey_device import PasskeyDevice
from services.gateway.model.credentials import (
    SIGN_IN_AGAIN,
    CeremonyAnswer,
    Enrolment,
    NewPassword,
    PasswordLogin,
    ProviderAnswer,
)
from services.gateway.model.people import Visit
from services.gateway.model.roles import Role
from services.gateway.peers.entry import EntryClient
from tests.contract.gateway_channel import gateway_channel
from tests.contract.people_world import World, open_world

EMAIL, PASSWORD = "ada@lovelace.example", "Correct-Horse-7-Battery"
BROWSER, OTHER_BROWSER = (
    Secret("a-secret-of-this-browser-0123456789"),
    Secret("another-browsers-0123456789012345"),
)


@pytest.fixture(params=["fake", "wire", "auth"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with open_world(request.param) as opened:
        yield opened


def code(world: World, enrolment: Enrolment, steps_ahead: int = 0) -> Secret[str]:
    """Return what an app with the enrolment's secret shows now, or some steps later."""
    query = parse_qs(urlsplit(enrolment.otpauth_uri.reveal()).query)
    text = query["secret"][0]
    secret = Secret(base64.b32decode(text + "=" * (-len(text) % 8)))
    step = int(world.clock.now().timestamp()) // chassis.crypto.otp.STEP_S
    return Secret(chassis.crypto.otp.code(secret, step + steps_ahead))


def wish(
    enrolment: Enrolment, shown: Secret[str], *, password: str = PASSWORD, current: str = ""
) -> NewPassword:
    return NewPassword(
        enrolment=enrolment.enrolment,
        email=EMAIL,
        password=Secret(password),
        code=shown,
        current=Secret(current),
    )


def login(shown: Secret[str], *, email: str = EMAIL, password: str = PASSWORD) -> PasswordLogin:
    return PasswordLogin(email, Secret(password), shown, "203.0.113.7")


async def set_up(world: World, visit: Visit) -> tuple[Visit, Enrolment]:
    """Return the visit after a password was set up, and the app's enrolment."""
    enrolment = await world.keeper.begin_password(visit)
    return await world.keeper.set_password(visit, wish(enrolment, code(world, enrolment))), enrolment


async def register(world: World, visit: Visit, device: PasskeyDevice) -> Visit:
    ceremony = await world.keeper.begin_passkey_registration(visit)
    answer = CeremonyAnswer(ceremony.ceremony, device.create(ceremony.options_json))
    return await world.keeper.register_passkey(visit, answer, "Phone")


async def enter(world: World, device: PasskeyDevice) -> Visit:
    ceremony = await world.ways.begin_passkey_sign_in()
    answer = CeremonyAnswer(ceremony.ceremony, device.get(ceremony.options_json))
    return await world.ways.sign_in_with_passkey(answer)


async def settled(world: World, role: Role = Role.OWNER) -> Visit:
    visit = await world.newcomer(role)
    return await register(world, visit, PasskeyDevice(seed=visit.session.user_id))


async def colleague(world: World, owner: Visit, role: Role = Role.MEMBER, name: str = "Ben Ahl") -> Visit:
    invitation = await world.members.invite_member(owner, name, role)
    visit = await world.people.redeem_invitation(invitation.invitation)
    return await register(world, visit, PasskeyDevice(seed=name))


async def refusal_of(asking: Awaitable[object]) -> chassis.errors.SallyportError:
    with pytest.raises(chassis.errors.SallyportError) as refusal:
        await asking
    return refusal.value


async def test_somebody_invited_may_set_up_a_way_to_sign_in_and_nothing_else(world: World) -> None:
    visit = await world.newcomer()
    assert visit.session.needs_credential
    assert visit.session.role is Role.OWNER
    for asking in (world.people.list_consents(visit), world.members.list_members(visit)):
        assert (await refusal_of(asking)).code == "credential_required"
    held = await world.keeper.list_credentials(visit)
    assert (held.passkeys, held.has_password, held.is_provider_linked) == ((), False, False)


async def test_a_new_way_to_sign_in_replaces_the_session_that_needed_one(world: World) -> None:
    before = await world.newcomer()
    after, _ = await set_up(world, before)
    assert after.session_token != before.session_token
    assert not after.session.needs_credential
    assert (await world.people.find_session(after.session_token)).session.user_id == before.session.user_id
    assert isinstance(
        await refusal_of(world.people.find_session(before.session_token)), chassis.errors.Unauthenticated
    )


async def test_a_second_way_leaves_the_session_as_it_is(world: World) -> None:
    visit = await settled(world)
    after, _ = await set_up(world, visit)
    assert after == visit
    held = await world.keeper.list_credentials(visit)
    assert (held.has_password, held.email, len(held.passkeys)) == (True, EMAIL, 1)
    assert held.password_expires_at is not None
    assert held.password_expires_at > world.clock.now()


async def test_a_password_signs_in_with_a_code_that_works_once(world: World) -> None:
    _, enrolment = await set_up(world, await world.newcomer())
    shown = code(world, enrolment, 1)
    visit = await world.ways.sign_in_with_password(login(shown))
    assert not visit.session.needs_credential
    assert (await refusal_of(world.ways.sign_in_with_password(login(shown)))).code == "sign_in_refused"


async def test_whatever_is_wrong_with_a_password_sign_in_is_one_refusal_T11(world: World) -> None:
    _, enrolment = await set_up(world, await world.newcomer())
    shown = code(world, enrolment, 1)
    wrong = (
        login(shown, email="nobody@example.com"),
        login(shown, email="no address"),
        login(shown, password="Wrong-Horse-7-Battery"),
        login(Secret("000000")),
        login(Secret("")),
    )
    refusals = [await refusal_of(world.ways.sign_in_with_password(attempt)) for attempt in wrong]
    assert {(refusal.code, refusal.http_status) for refusal in refusals} == {("sign_in_refused", 401)}


async def test_where_somebody_comes_from_and_which_provider_vouches_reach_auth_T11() -> None:
    """Auth bounds failures by the one, and takes answers of one issuer only."""
    people = FakePeople(FakeAuth(FakeClock()))
    vouched = ProviderAnswer(Secret("state"), Secret("code"), "https://provider.example")
    async with gateway_channel([gateway_people_server.service(people)]) as channel:
        ways = EntryClient(channel)
        await refusal_of(ways.sign_in_with_password(login(Secret("000000"))))
        await refusal_of(ways.complete_provider_sign_in(BROWSER, vouched))
    assert people.shown == [login(Secret("000000")), vouched]


async def test_a_password_is_set_by_who_has_the_app_and_knows_the_one_before(world: World) -> None:
    visit = await world.newcomer()
    enrolment = await world.keeper.begin_password(visit)
    assert (
        await refusal_of(world.keeper.set_password(visit, wish(enrolment, Secret("000000"))))
    ).code == "code_wrong"
    weak = wish(enrolment, code(world, enrolment), password="short")
    assert (await refusal_of(world.keeper.set_password(visit, weak))).code == "password_refused"
    visit, _ = await set_up(world, visit)
    again = await world.keeper.begin_password(visit)
    unknowing = wish(again, code(world, again, 1), password="Another-Horse-7-Battery", current="wrong")
    assert (await refusal_of(world.keeper.set_password(visit, unknowing))).code == "current_password_wrong"


async def test_a_passkey_signs_in_and_its_use_is_known(world: World) -> None:
    device = PasskeyDevice()
    visit = await register(world, await world.newcomer(), device)
    ceremony = await world.ways.begin_passkey_sign_in()
    answer = CeremonyAnswer(ceremony.ceremony, device.get(ceremony.options_json))
    entered = await world.ways.sign_in_with_passkey(answer)
    assert entered.session.user_id == visit.session.user_id
    assert (await refusal_of(world.ways.sign_in_with_passkey(answer))).code == "sign_in_refused"
    (passkey,) = (await world.keeper.list_credentials(entered)).passkeys
    assert passkey.name == "Phone"
    assert passkey.used_at is not None


async def test_a_passkey_of_nobody_is_refused_T11(world: World) -> None:
    device, stranger = PasskeyDevice(), PasskeyDevice(seed="stranger")
    registration = await world.keeper.begin_passkey_registration(await world.newcomer())
    stranger.create(registration.options_json)
    await register(world, await world.newcomer(), device)
    ceremony = await world.ways.begin_passkey_sign_in()
    answer = CeremonyAnswer(ceremony.ceremony, stranger.get(ceremony.options_json))
    assert (await refusal_of(world.ways.sign_in_with_passkey(answer))).code == "sign_in_refused"


async def test_the_last_way_to_sign_in_stays(world: World) -> None:
    visit = await settled(world)
    (passkey,) = (await world.keeper.list_credentials(visit)).passkeys
    last = await refusal_of(world.keeper.remove_passkey(visit, passkey.passkey_id))
    assert last.code == "last_credential"
    visit, _ = await set_up(world, visit)
    await world.keeper.remove_passkey(visit, passkey.passkey_id)
    assert (await world.keeper.list_credentials(visit)).passkeys == ()
    last = await refusal_of(world.keeper.remove_password(visit))
    assert last.code == "last_credential"
    gone = await refusal_of(world.keeper.remove_passkey(visit, passkey.passkey_id))
    assert isinstance(gone, chassis.errors.NotFound)


async def test_an_account_at_the_provider_is_linked_signs_in_and_is_unlinked(world: World) -> None:
    visit = await settled(world)
    begun = await world.ways.begin_provider_sign_in(BROWSER, visit)
    linked = await world.ways.complete_provider_sign_in(BROWSER, answer(world, begun))
    assert linked.session.user_id == visit.session.user_id
    begun = await world.ways.begin_provider_sign_in(BROWSER, None)
    entered = await world.ways.complete_provider_sign_in(BROWSER, answer(world, begun))
    assert entered.session.user_id == visit.session.user_id
    assert (await world.keeper.list_credentials(entered)).is_provider_linked
    await world.keeper.unlink_provider(entered)
    assert not (await world.keeper.list_credentials(entered)).is_provider_linked


async def test_what_one_browser_began_at_the_provider_no_other_completes_T04(world: World) -> None:
    begun = await world.ways.begin_provider_sign_in(BROWSER, await settled(world))
    mixed_up = world.ways.complete_provider_sign_in(OTHER_BROWSER, answer(world, begun))
    assert (await refusal_of(mixed_up)).code == "sign_in_refused"


def answer(world: World, url: str, subject: str = "ada") -> ProviderAnswer:
    state = parse_qs(urlsplit(url).query)["state"][0]
    return ProviderAnswer(Secret(state), Secret(world.know(subject)), "https://provider.example")


async def test_long_after_signing_in_credentials_are_not_changed(world: World) -> None:
    visit = await settled(world)
    held = await world.keeper.list_credentials(visit)
    world.clock.pass_((held.changeable_until - world.clock.now()).total_seconds() + 1)
    for asking in (world.keeper.begin_password(visit), world.keeper.begin_passkey_registration(visit)):
        refusal = await refusal_of(asking)
        assert (refusal.code, refusal.http_status) == (SIGN_IN_AGAIN, 403)


async def test_people_are_listed_oldest_first_with_what_they_sign_in_with(world: World) -> None:
    owner = await settled(world)
    world.clock.pass_(60)
    await world.members.invite_member(owner, "Ben Ahl", Role.MEMBER)
    anna, ben = await world.members.list_members(owner)
    assert (anna.user_id, anna.role, anna.credentials) == (owner.session.user_id, Role.OWNER, ("passkey",))
    assert (ben.name, ben.role, ben.credentials, ben.signed_in_at) == ("Ben Ahl", Role.MEMBER, (), None)


async def test_what_has_been_lies_before_now_and_what_ends_lies_after_it(world: World) -> None:
    """A moment that has lost its time zone on the way compares with none of ours."""
    device = PasskeyDevice()
    await register(world, await world.newcomer(), device)
    owner = await enter(world, device)
    world.clock.pass_(60)
    invitation = await world.members.invite_member(owner, "Ben Ahl", Role.MEMBER)
    anna, _ = await world.members.list_members(owner)
    (passkey,) = (await world.keeper.list_credentials(owner)).passkeys
    assert anna.signed_in_at is not None
    has_been = (anna.invited_at, anna.signed_in_at, passkey.registered_at)
    ends = (owner.session.expires_at, invitation.expires_at)
    assert max(has_been) <= world.clock.now() < min(ends)


async def test_a_member_sees_people_and_changes_none(world: World) -> None:
    owner = await settled(world)
    member = await colleague(world, owner)
    assert len(await world.members.list_members(member)) == 2
    for asking in (
        world.members.invite_member(member, "Eve", Role.OWNER),
        world.members.change_role(member, owner.session.user_id, Role.MEMBER),
        world.members.remove_member(member, owner.session.user_id),
    ):
        assert (await refusal_of(asking)).code == "right_missing"


async def test_a_member_decides_on_the_devices_that_they_let_in_only(world: World) -> None:
    owner = await settled(world)
    member = await colleague(world, owner)
    for visit in (owner, member):
        await world.people.enrol_compat_device(visit, "Till")
    desktops = {each.user_id: each for each in await world.people.list_desktops(member)}
    theirs, own = desktops[owner.session.user_id], desktops[member.session.user_id]
    assert (member.session.may_change(theirs), member.session.may_change(own)) == (False, True)
    refused = await refusal_of(world.people.revoke_device(member, theirs.device_id))
    assert refused.code == "right_missing"
    await world.people.revoke_device(member, own.device_id)
    assert owner.session.may_change(theirs)


async def test_a_role_changes_in_the_session_that_is_open(world: World) -> None:
    owner = await settled(world)
    member = await colleague(world, owner)
    await world.members.change_role(owner, member.session.user_id, Role.OWNER)
    assert (await world.people.find_session(member.session_token)).session.role is Role.OWNER


async def test_somebody_removed_is_out_at_once(world: World) -> None:
    owner = await settled(world)
    member = await colleague(world, owner)
    await world.people.enrol_compat_device(member, "Till")
    removal = await world.members.remove_member(owner, member.session.user_id)
    assert (removal.sessions_ended, removal.devices_revoked) == (1, 1)
    (till,) = await world.people.list_desktops(owner)
    assert till.is_revoked
    assert isinstance(
        await refusal_of(world.people.find_session(member.session_token)), chassis.errors.Unauthenticated
    )
    assert len(await world.members.list_members(owner)) == 1


async def test_the_last_owner_stays(world: World) -> None:
    owner = await settled(world)
    await colleague(world, owner)
    for asking in (
        world.members.remove_member(owner, owner.session.user_id),
        world.members.change_role(owner, owner.session.user_id, Role.MEMBER),
    ):
        assert (await refusal_of(asking)).code == "last_owner"


async def test_whoever_lost_everything_is_invited_again_and_the_old_ways_end(world: World) -> None:
    owner = await settled(world)
    member = await colleague(world, owner)
    everybody = await world.members.list_members(owner)
    (ben,) = [each for each in everybody if each.user_id == member.session.user_id]
    invitation = await world.members.invite_again(owner, ben)
    assert isinstance(
        await refusal_of(world.people.find_session(member.session_token)), chassis.errors.Unauthenticated
    )
    again = await world.people.redeem_invitation(invitation.invitation)
    assert (again.session.user_id, again.session.needs_credential) == (ben.user_id, True)
    assert (await world.keeper.list_credentials(again)).passkeys == ()


async def test_people_of_another_seller_are_as_absent_as_nobody_T07(world: World) -> None:
    owner, stranger = await settled(world), await settled(world)
    refusals = []
    for user_id in (owner.session.user_id, "00000000-0000-7000-8000-00000000ffff"):
        for asking in (
            world.members.change_role(stranger, user_id, Role.MEMBER),
            world.members.remove_member(stranger, user_id),
        ):
            refusal = await refusal_of(asking)
            refusals.append((refusal.code, refusal.text, refusal.http_status))
    assert len(set(refusals)) == 1
    assert refusals[0][2] == 404


async def test_staff_see_sellers_by_id_and_look_into_one(world: World) -> None:
    for _ in range(2):
        await settled(world)
    support = await settled(world, Role.SUPPORT)
    assert (support.session.seller_id, support.session.seller_name) == ("", "")
    page = await world.sellers.list_sellers(support, "")
    first, second = page.sellers
    assert (first.seller_id < second.seller_id, page.has_more) == (True, False)
    assert (await world.sellers.list_sellers(support, first.seller_id)).sellers == (second,)
    assert (first.name, first.active_devices, first.next_consent_ends_at) == ("Blue Lamp Trading", 0, None)
    view = await world.sellers.view_seller(support, first.seller_id)
    assert view.seller == first
    assert [member.role for member in view.members] == [Role.OWNER]
    absent = await refusal_of(world.sellers.view_seller(support, "00000000-0000-7000-8000-00000000ffff"))
    assert isinstance(absent, chassis.errors.NotFound)


async def test_support_revokes_a_device_with_a_reason_and_an_auditor_does_not(world: World) -> None:
    owner = await settled(world)
    device_id = (await world.people.enrol_compat_device(owner, "Till")).device_id
    auditor, support = await settled(world, Role.AUDITOR), await settled(world, Role.SUPPORT)
    seller_id = owner.session.seller_id
    revoke = world.sellers.revoke_seller_device
    refused = await refusal_of(revoke(auditor, seller_id, device_id, reason="stolen"))
    assert refused.code == "right_missing"
    silent = await refusal_of(revoke(support, seller_id, device_id, reason=""))
    assert isinstance(silent, chassis.errors.InvalidInput)
    await revoke(support, seller_id, device_id, reason="stolen")
    (desktop,) = (await world.sellers.view_seller(support, seller_id)).desktops
    assert desktop.is_revoked


async def test_a_seller_s_owner_sees_no_sellers(world: World) -> None:
    owner = await settled(world)
    for asking in (
        world.sellers.list_sellers(owner, ""),
        world.sellers.view_seller(owner, owner.session.seller_id),
        anext(world.sellers.review_access(owner)),
    ):
        assert (await refusal_of(asking)).code == "right_missing"


async def test_the_access_review_names_everybody_with_role_and_ways_in(world: World) -> None:
    owner = await settled(world)
    await world.members.invite_member(owner, "Ben Ahl", Role.MEMBER)
    auditor = await settled(world, Role.AUDITOR)
    rows = [row async for row in world.sellers.review_access(auditor)]
    told = {(row.seller_name, row.user_name, row.role, row.credentials) for row in rows}
    assert told == {
        ("Blue Lamp Trading", "Anna Berg", Role.OWNER, ("passkey",)),
        ("Blue Lamp Trading", "Ben Ahl", Role.MEMBER, ()),
        ("", "Anna Berg", Role.AUDITOR, ("passkey",)),
    }
