"""The fake people behind their gRPC contract: what the gateway's clients talk to in tests."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc.aio

import chassis.errors
import chassis.rpc
from chassis.secrecy import Secret
from fakes import gateway_auth_server as told
from fakes.gateway_people import FakePeople
from fakes.gateway_sellers import FakeSellers
from services.gateway.model.credentials import (
    Ceremony,
    CeremonyAnswer,
    NewPassword,
    PasswordLogin,
    ProviderAnswer,
)
from services.gateway.model.members import Invitation, Member, SellerSummary
from services.gateway.model.people import Visit
from wire.auth.v1 import people_pb2, people_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

ROLES_ASKED = {number: role for role, number in told.ROLES.items()}


class FakePeopleServer(people_pb2_grpc.PeopleServiceServicer):
    """Serves a FakePeople and the sellers that it knows."""

    def __init__(self, people: FakePeople) -> None:
        self._people = people
        self._sellers = FakeSellers(people)

    async def BeginPasskeySignIn(
        self, _request: people_pb2.BeginPasskeySignInRequest, _context: "Context"
    ) -> people_pb2.PasskeyCeremony:
        return _ceremony(await self._people.begin_passkey_sign_in())

    async def SignInWithPasskey(
        self, request: people_pb2.SignInWithPasskeyRequest, _context: "Context"
    ) -> people_pb2.SignedIn:
        answer = CeremonyAnswer(request.ceremony, request.credential_json)
        return _signed_in(await self._people.sign_in_with_passkey(answer))

    async def SignInWithPassword(
        self, request: people_pb2.SignInWithPasswordRequest, _context: "Context"
    ) -> people_pb2.SignedIn:
        login = PasswordLogin(request.email, Secret(request.password), Secret(request.code), request.source)
        return _signed_in(await self._people.sign_in_with_password(login))

    async def BeginProviderSignIn(
        self, request: people_pb2.BeginProviderSignInRequest, _context: "Context"
    ) -> people_pb2.BeginProviderSignInResponse:
        visit = await self._visit(request.session_token) if request.session_token else None
        url = await self._people.begin_provider_sign_in(Secret(request.browser_secret), visit)
        return people_pb2.BeginProviderSignInResponse(authorization_url=url)

    async def CompleteProviderSignIn(
        self, request: people_pb2.CompleteProviderSignInRequest, _context: "Context"
    ) -> people_pb2.SignedIn:
        answer = ProviderAnswer(Secret(request.state), Secret(request.code), request.issuer)
        secret = Secret(request.browser_secret)
        return _signed_in(await self._people.complete_provider_sign_in(secret, answer))

    async def ListCredentials(
        self, request: people_pb2.ListCredentialsRequest, _context: "Context"
    ) -> people_pb2.ListCredentialsResponse:
        held = await self._people.list_credentials(await self._visit(request.session_token))
        response = people_pb2.ListCredentialsResponse(
            has_password=held.has_password,
            email=held.email,
            is_provider_linked=held.is_provider_linked,
            is_provider_offered=held.is_provider_offered,
        )
        for each in held.passkeys:
            passkey = response.passkeys.add(passkey_id=each.passkey_id, name=each.name)
            _date(passkey.registered_at, each.registered_at)
            _date(passkey.used_at, each.used_at)
        _date(response.password_expires_at, held.password_expires_at)
        _date(response.changeable_until, held.changeable_until)
        return response

    async def BeginPasskeyRegistration(
        self, request: people_pb2.BeginPasskeyRegistrationRequest, _context: "Context"
    ) -> people_pb2.PasskeyCeremony:
        visit = await self._visit(request.session_token)
        return _ceremony(await self._people.begin_passkey_registration(visit))

    async def RegisterPasskey(
        self, request: people_pb2.RegisterPasskeyRequest, _context: "Context"
    ) -> people_pb2.RegisterPasskeyResponse:
        visit = await self._visit(request.session_token)
        answer = CeremonyAnswer(request.ceremony, request.credential_json)
        after = await self._people.register_passkey(visit, answer, request.name)
        return people_pb2.RegisterPasskeyResponse(signed_in=_replaced(visit, after))

    async def RemovePasskey(
        self, request: people_pb2.RemovePasskeyRequest, _context: "Context"
    ) -> people_pb2.RemovePasskeyResponse:
        await self._people.remove_passkey(await self._visit(request.session_token), request.passkey_id)
        return people_pb2.RemovePasskeyResponse()

    async def BeginPassword(
        self, request: people_pb2.BeginPasswordRequest, _context: "Context"
    ) -> people_pb2.BeginPasswordResponse:
        begun = await self._people.begin_password(await self._visit(request.session_token))
        return people_pb2.BeginPasswordResponse(
            enrolment=begun.enrolment, otpauth_uri=begun.otpauth_uri.reveal()
        )

    async def SetPassword(
        self, request: people_pb2.SetPasswordRequest, _context: "Context"
    ) -> people_pb2.SetPasswordResponse:
        visit = await self._visit(request.session_token)
        password = NewPassword(
            enrolment=request.enrolment,
            email=request.email,
            password=Secret(request.password),
            code=Secret(request.code),
            current=Secret(request.current_password),
        )
        after = await self._people.set_password(visit, password)
        return people_pb2.SetPasswordResponse(signed_in=_replaced(visit, after))

    async def RemovePassword(
        self, request: people_pb2.RemovePasswordRequest, _context: "Context"
    ) -> people_pb2.RemovePasswordResponse:
        await self._people.remove_password(await self._visit(request.session_token))
        return people_pb2.RemovePasswordResponse()

    async def UnlinkProvider(
        self, request: people_pb2.UnlinkProviderRequest, _context: "Context"
    ) -> people_pb2.UnlinkProviderResponse:
        await self._people.unlink_provider(await self._visit(request.session_token))
        return people_pb2.UnlinkProviderResponse()

    async def ListMembers(
        self, request: people_pb2.ListMembersRequest, _context: "Context"
    ) -> people_pb2.ListMembersResponse:
        members = await self._people.list_members(await self._visit(request.session_token))
        return people_pb2.ListMembersResponse(members=[_member(each) for each in members])

    async def InviteMember(
        self, request: people_pb2.InviteMemberRequest, _context: "Context"
    ) -> people_pb2.InviteMemberResponse:
        visit = await self._visit(request.session_token)
        if not request.user_id:
            return _invitation(
                await self._people.invite_member(visit, request.name, ROLES_ASKED[request.role])
            )
        for member in await self._people.list_members(visit):
            if member.user_id == request.user_id:
                return _invitation(await self._people.invite_again(visit, member))
        raise chassis.errors.NotFound

    async def ChangeRole(
        self, request: people_pb2.ChangeRoleRequest, _context: "Context"
    ) -> people_pb2.ChangeRoleResponse:
        visit = await self._visit(request.session_token)
        await self._people.change_role(visit, request.user_id, ROLES_ASKED[request.role])
        return people_pb2.ChangeRoleResponse()

    async def RemoveMember(
        self, request: people_pb2.RemoveMemberRequest, _context: "Context"
    ) -> people_pb2.RemoveMemberResponse:
        removal = await self._people.remove_member(await self._visit(request.session_token), request.user_id)
        return people_pb2.RemoveMemberResponse(
            sessions_ended=removal.sessions_ended, devices_revoked=removal.devices_revoked
        )

    async def ListSellers(
        self, request: people_pb2.ListSellersRequest, _context: "Context"
    ) -> people_pb2.ListSellersResponse:
        page = await self._sellers.list_sellers(await self._visit(request.session_token), request.after)
        return people_pb2.ListSellersResponse(
            sellers=[_summary(each) for each in page.sellers], has_more=page.has_more
        )

    async def ViewSeller(
        self, request: people_pb2.ViewSellerRequest, _context: "Context"
    ) -> people_pb2.ViewSellerResponse:
        visit = await self._visit(request.session_token)
        view = await self._sellers.view_seller(visit, request.seller_id)
        return people_pb2.ViewSellerResponse(
            seller=_summary(view.seller),
            consents=[told.consent(each) for each in view.consents],
            devices=[told.device(each) for each in view.desktops],
            members=[_member(each) for each in view.members],
        )

    async def RevokeSellerDevice(
        self, request: people_pb2.RevokeSellerDeviceRequest, _context: "Context"
    ) -> people_pb2.RevokeSellerDeviceResponse:
        await self._sellers.revoke_seller_device(
            await self._visit(request.session_token),
            request.seller_id,
            request.device_id,
            reason=request.reason,
        )
        return people_pb2.RevokeSellerDeviceResponse()

    async def ReviewAccess(
        self, request: people_pb2.ReviewAccessRequest, _context: "Context"
    ) -> AsyncIterator[people_pb2.AccessRow]:
        async for row in self._sellers.review_access(await self._visit(request.session_token)):
            said = people_pb2.AccessRow(
                seller_id=row.seller_id,
                seller_name=row.seller_name,
                user_id=row.user_id,
                user_name=row.user_name,
                role=told.ROLES[row.role],
                credentials=row.credentials,
            )
            _date(said.since, row.since)
            _date(said.used_at, row.used_at)
            yield said

    async def _visit(self, session_token: str) -> Visit:
        return await self._people.auth.find_session(Secret(session_token))


def service(people: FakePeople) -> chassis.rpc.Service:
    """Return what a `chassis.rpc.Server` serves; every row lets the gateway in."""
    descriptor = people_pb2.DESCRIPTOR.services_by_name["PeopleService"]
    row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=5.0, event="auth.fake.asked")
    return chassis.rpc.Service(
        descriptor=descriptor,
        add=people_pb2_grpc.add_PeopleServiceServicer_to_server,
        servicer=FakePeopleServer(people),
        methods={method.name: row for method in descriptor.methods},
    )


def _ceremony(ceremony: Ceremony) -> people_pb2.PasskeyCeremony:
    return people_pb2.PasskeyCeremony(ceremony=ceremony.ceremony, options_json=ceremony.options_json)


def _signed_in(visit: Visit) -> people_pb2.SignedIn:
    return people_pb2.SignedIn(session_token=visit.session_token.reveal(), session=told.session(visit))


def _replaced(before: Visit, after: Visit) -> people_pb2.SignedIn | None:
    return None if after.session_token == before.session_token else _signed_in(after)


def _invitation(invitation: Invitation) -> people_pb2.InviteMemberResponse:
    response = people_pb2.InviteMemberResponse(invitation=invitation.invitation.reveal())
    _date(response.expires_at, invitation.expires_at)
    return response


def _member(member: Member) -> people_pb2.Member:
    said = people_pb2.Member(
        user_id=member.user_id, name=member.name, role=told.ROLES[member.role], credentials=member.credentials
    )
    _date(said.invited_at, member.invited_at)
    _date(said.signed_in_at, member.signed_in_at)
    return said


def _summary(seller: SellerSummary) -> people_pb2.SellerSummary:
    said = people_pb2.SellerSummary(
        seller_id=seller.seller_id,
        name=seller.name,
        active_consents=seller.active_consents,
        active_devices=seller.active_devices,
    )
    _date(said.next_consent_ends_at, seller.next_consent_ends_at)
    return said


def _date(field: Any, moment: datetime | None) -> None:
    if moment is not None:
        field.FromDatetime(moment)
