"""The fake auth behind its gRPC contract: what the gateway's clients of auth talk to in tests."""

from typing import TYPE_CHECKING, Any

import grpc.aio

import chassis.rpc
from chassis.secrecy import Secret
from fakes.gateway_auth import FakeAuth
from services.gateway.model.calls import Profile, Region
from services.gateway.model.consents import AccountKind
from services.gateway.model.device_facts import DeviceFacts
from services.gateway.model.native import Approval, AuthorizationRequest, CodeGrant, RefreshGrant, TokenSet
from services.gateway.model.people import Consent, ConsentAnswer, Desktop, Visit
from services.gateway.model.roles import Role
from wire.auth.v1 import auth_pb2, auth_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]

REGIONS = {Region.NA: auth_pb2.REGION_NA, Region.EU: auth_pb2.REGION_EU, Region.FE: auth_pb2.REGION_FE}
ROLES = {
    Role.OWNER: auth_pb2.ROLE_OWNER,
    Role.MEMBER: auth_pb2.ROLE_MEMBER,
    Role.SUPPORT: auth_pb2.ROLE_SUPPORT,
    Role.SECURITY: auth_pb2.ROLE_SECURITY,
    Role.AUDITOR: auth_pb2.ROLE_AUDITOR,
}
KINDS = {
    AccountKind.SELLER: auth_pb2.ACCOUNT_KIND_SELLER,
    AccountKind.VENDOR: auth_pb2.ACCOUNT_KIND_VENDOR,
}
KINDS_ASKED = {told: kind for kind, told in KINDS.items()}
PROFILES = {Profile.BOUND: auth_pb2.PROFILE_BOUND, Profile.COMPAT: auth_pb2.PROFILE_COMPAT}


class FakeAuthServer(auth_pb2_grpc.AuthServiceServicer):
    """Serves a FakeAuth; the methods of the forwarding path are not served."""

    def __init__(self, auth: FakeAuth) -> None:
        self._auth = auth

    async def RedeemInvitation(
        self, request: auth_pb2.RedeemInvitationRequest, _context: "Context"
    ) -> auth_pb2.RedeemInvitationResponse:
        visit = await self._auth.redeem_invitation(Secret(request.invitation))
        return auth_pb2.RedeemInvitationResponse(
            session_token=visit.session_token.reveal(), session=session(visit)
        )

    async def FindSession(
        self, request: auth_pb2.FindSessionRequest, _context: "Context"
    ) -> auth_pb2.Session:
        return session(await self._visit(request.session_token))

    async def EndSession(
        self, request: auth_pb2.EndSessionRequest, _context: "Context"
    ) -> auth_pb2.EndSessionResponse:
        await self._auth.end_session(await self._visit(request.session_token))
        return auth_pb2.EndSessionResponse()

    async def BeginConsent(
        self, request: auth_pb2.BeginConsentRequest, _context: "Context"
    ) -> auth_pb2.BeginConsentResponse:
        visit = await self._visit(request.session_token)
        kind = KINDS_ASKED[request.account_kind]
        url = await self._auth.begin_consent(visit, request.marketplace_id, kind)
        return auth_pb2.BeginConsentResponse(consent_url=url)

    async def CompleteConsent(
        self, request: auth_pb2.CompleteConsentRequest, _context: "Context"
    ) -> auth_pb2.Consent:
        answer = ConsentAnswer(Secret(request.state), request.selling_partner_id, Secret(request.code))
        return consent(await self._auth.complete_consent(await self._visit(request.session_token), answer))

    async def ListConsents(
        self, request: auth_pb2.ListConsentsRequest, _context: "Context"
    ) -> auth_pb2.ListConsentsResponse:
        consents = await self._auth.list_consents(await self._visit(request.session_token))
        return auth_pb2.ListConsentsResponse(consents=[consent(each) for each in consents])

    async def AuthorizeDevice(
        self, request: auth_pb2.AuthorizeDeviceRequest, _context: "Context"
    ) -> auth_pb2.AuthorizeDeviceResponse:
        asked = AuthorizationRequest(
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scopes=tuple(request.scopes),
            state="",
            facts=facts_told(request.facts),
            key_thumbprint=request.key_thumbprint,
        )
        visit = await self._visit(request.session_token)
        approval = Approval(request.device_name, tuple(request.withheld_scopes))
        code = await self._auth.authorize_device(visit, asked, approval)
        return auth_pb2.AuthorizeDeviceResponse(code=code.reveal())

    async def ExchangeCode(
        self, request: auth_pb2.ExchangeCodeRequest, _context: "Context"
    ) -> auth_pb2.TokenSet:
        grant = CodeGrant(
            client_id=request.client_id,
            code=Secret(request.code),
            code_verifier=Secret(request.code_verifier),
            redirect_uri=request.redirect_uri,
        )
        return token_set(await self._auth.exchange_code(grant, request.key_thumbprint))

    async def RefreshBound(
        self, request: auth_pb2.RefreshBoundRequest, _context: "Context"
    ) -> auth_pb2.TokenSet:
        grant = RefreshGrant(
            client_id=request.client_id,
            refresh_token=Secret(request.refresh_token),
            app_version=request.app_version,
        )
        return token_set(await self._auth.refresh_bound(grant, request.key_thumbprint))

    async def RefreshCompat(
        self, request: auth_pb2.RefreshCompatRequest, _context: "Context"
    ) -> auth_pb2.TokenSet:
        return token_set(await self._auth.refresh_compat(request.device_id, Secret(request.refresh_token)))

    async def EnrolCompatDevice(
        self, request: auth_pb2.EnrolCompatDeviceRequest, _context: "Context"
    ) -> auth_pb2.EnrolCompatDeviceResponse:
        visit = await self._visit(request.session_token)
        given = await self._auth.enrol_compat_device(visit, request.device_name)
        return auth_pb2.EnrolCompatDeviceResponse(
            device_id=given.device_id, refresh_token=given.refresh_token.reveal()
        )

    async def ListDevices(
        self, request: auth_pb2.ListDevicesRequest, _context: "Context"
    ) -> auth_pb2.ListDevicesResponse:
        desktops = await self._auth.list_desktops(await self._visit(request.session_token))
        return auth_pb2.ListDevicesResponse(devices=[device(each) for each in desktops])

    async def RevokeDevice(
        self, request: auth_pb2.RevokeDeviceRequest, _context: "Context"
    ) -> auth_pb2.RevokeDeviceResponse:
        await self._auth.revoke_device(await self._visit(request.session_token), request.device_id)
        return auth_pb2.RevokeDeviceResponse()

    async def _visit(self, session_token: str) -> Visit:
        return await self._auth.find_session(Secret(session_token))


def facts_told(told: auth_pb2.DeviceFacts) -> DeviceFacts:
    """Return what a desktop says about itself."""
    return DeviceFacts(told.platform, told.app_version, told.key_storage)


def service(auth: FakeAuth) -> chassis.rpc.Service:
    """Return what a `chassis.rpc.Server` serves; every row lets the gateway in."""
    descriptor = auth_pb2.DESCRIPTOR.services_by_name["AuthService"]
    row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=5.0, event="auth.fake.asked")
    return chassis.rpc.Service(
        descriptor=descriptor,
        add=auth_pb2_grpc.add_AuthServiceServicer_to_server,
        servicer=FakeAuthServer(auth),  # type: ignore[abstract] # four methods are the forwarding path's
        methods={method.name: row for method in descriptor.methods},
    )


def session(visit: Visit) -> auth_pb2.Session:
    """Return a visit's session as auth tells of it."""
    own = visit.session
    told = auth_pb2.Session(
        session_id=own.session_id,
        user_id=own.user_id,
        seller_id=own.seller_id,
        seller_name=own.seller_name,
        user_name=own.user_name,
        role=ROLES[own.role],
        needs_credential=own.needs_credential,
    )
    told.expires_at.FromDatetime(own.expires_at)
    return told


def consent(given: Consent) -> auth_pb2.Consent:
    """Return a consent as auth tells of it."""
    told = auth_pb2.Consent(
        consent_id=given.consent_id,
        region=REGIONS[given.region],
        selling_partner_id=given.selling_partner_id,
        marketplace_id=given.marketplace_id,
        status=given.status,
        account_kind=KINDS[given.account_kind],
    )
    told.granted_at.FromDatetime(given.granted_at)
    told.expires_at.FromDatetime(given.expires_at)
    return told


def device(desktop: Desktop) -> auth_pb2.Device:
    """Return a device as auth tells of it."""
    told = auth_pb2.Device(
        device_id=desktop.device_id,
        name=desktop.name,
        profile=PROFILES[desktop.profile],
        scopes=sorted(desktop.scopes),
        is_revoked=desktop.is_revoked,
        facts=facts(desktop.facts),
        withheld_scopes=sorted(desktop.withheld_scopes),
        user_id=desktop.user_id,
    )
    told.enrolled_at.FromDatetime(desktop.enrolled_at)
    told.used_at.FromDatetime(desktop.used_at)
    return told


def facts(known: DeviceFacts) -> auth_pb2.DeviceFacts:
    """Return what a desktop said about itself."""
    return auth_pb2.DeviceFacts(
        platform=known.platform, app_version=known.app_version, key_storage=known.key_storage
    )


def token_set(tokens: TokenSet) -> auth_pb2.TokenSet:
    """Return what a device is handed."""
    return auth_pb2.TokenSet(
        access_token=tokens.access_token.reveal(),
        refresh_token=tokens.refresh_token.reveal(),
        expires_in_s=tokens.expires_in_s,
        scopes=tokens.scopes,
    )
