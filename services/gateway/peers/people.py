"""What people ask auth: sessions, consents and devices."""

from collections.abc import Sequence
from datetime import UTC

import chassis.rpc
from chassis.secrecy import Secret
from services.gateway.model.calls import Profile, Region
from services.gateway.model.consents import AccountKind
from services.gateway.model.native import Approval, AuthorizationRequest
from services.gateway.model.people import CompatCredentials, Consent, ConsentAnswer, Desktop, Visit
from services.gateway.peers import messages, sessions
from services.gateway.peers.consents import ACCOUNT_KINDS, account_kind
from wire.auth.v1 import auth_pb2, auth_pb2_grpc

_REGIONS_TOLD = {
    auth_pb2.REGION_NA: Region.NA,
    auth_pb2.REGION_EU: Region.EU,
    auth_pb2.REGION_FE: Region.FE,
}
_PROFILES_TOLD = {auth_pb2.PROFILE_BOUND: Profile.BOUND, auth_pb2.PROFILE_COMPAT: Profile.COMPAT}

# auth exchanges the code at Amazon meanwhile.
CONSENT_S_MAX = 15.0


class PeopleClient:
    """Fits `service.People`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(auth_pb2_grpc.AuthServiceStub)

    async def redeem_invitation(self, invitation: Secret[str]) -> Visit:
        """Return a visit with a new session."""
        request = auth_pb2.RedeemInvitationRequest(invitation=invitation.reveal())
        redeemed = await self._auth.RedeemInvitation(request)
        return sessions.visit(Secret(redeemed.session_token), redeemed.session)

    async def find_session(self, session_token: Secret[str]) -> Visit:
        """Return the visit that a token stands for."""
        request = auth_pb2.FindSessionRequest(session_token=session_token.reveal())
        return sessions.visit(session_token, await self._auth.FindSession(request))

    async def end_session(self, visit: Visit) -> None:
        """End a session."""
        await self._auth.EndSession(auth_pb2.EndSessionRequest(session_token=_token(visit)))

    async def begin_consent(self, visit: Visit, marketplace_id: str, kind: AccountKind) -> str:
        """Return the address of Amazon's consent page."""
        request = auth_pb2.BeginConsentRequest(
            session_token=_token(visit), marketplace_id=marketplace_id, account_kind=ACCOUNT_KINDS[kind]
        )
        return (await self._auth.BeginConsent(request)).consent_url

    async def complete_consent(self, visit: Visit, answer: ConsentAnswer) -> Consent:
        """Return the consent that Amazon's answer makes."""
        request = auth_pb2.CompleteConsentRequest(
            session_token=_token(visit),
            state=answer.state.reveal(),
            selling_partner_id=answer.selling_partner_id,
            code=answer.code.reveal(),
        )
        return consent(await self._auth.CompleteConsent(request, timeout=CONSENT_S_MAX))

    async def list_consents(self, visit: Visit) -> Sequence[Consent]:
        """Return the seller's consents, newest first."""
        told = await self._auth.ListConsents(auth_pb2.ListConsentsRequest(session_token=_token(visit)))
        return tuple(consent(each) for each in told.consents)

    async def list_desktops(self, visit: Visit) -> Sequence[Desktop]:
        """Return the seller's devices, newest first."""
        told = await self._auth.ListDevices(auth_pb2.ListDevicesRequest(session_token=_token(visit)))
        return tuple(desktop(each) for each in told.devices)

    async def enrol_compat_device(self, visit: Visit, name: str) -> CompatCredentials:
        """Return a new device's credentials."""
        request = auth_pb2.EnrolCompatDeviceRequest(session_token=_token(visit), device_name=name)
        enrolled = await self._auth.EnrolCompatDevice(request)
        return CompatCredentials(enrolled.device_id, Secret(enrolled.refresh_token))

    async def revoke_device(self, visit: Visit, device_id: str) -> None:
        """End a device's access for good."""
        request = auth_pb2.RevokeDeviceRequest(session_token=_token(visit), device_id=device_id)
        await self._auth.RevokeDevice(request)

    async def authorize_device(
        self, visit: Visit, request: AuthorizationRequest, approval: Approval
    ) -> Secret[str]:
        """Return a code that the desktop turns into tokens."""
        asked = auth_pb2.AuthorizeDeviceRequest(
            session_token=_token(visit),
            client_id=request.client_id,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            scopes=request.scopes,
            device_name=approval.device_name,
            facts=messages.facts(request.facts),
            key_thumbprint=request.key_thumbprint,
            withheld_scopes=approval.withheld_scopes,
        )
        return Secret((await self._auth.AuthorizeDevice(asked)).code)


def _token(visit: Visit) -> str:
    return visit.session_token.reveal()


def consent(told: auth_pb2.Consent) -> Consent:
    """Return a consent as auth tells of it."""
    return Consent(
        consent_id=told.consent_id,
        region=_REGIONS_TOLD[told.region],
        selling_partner_id=told.selling_partner_id,
        marketplace_id=told.marketplace_id,
        account_kind=account_kind(told.account_kind),
        granted_at=told.granted_at.ToDatetime(tzinfo=UTC),
        expires_at=told.expires_at.ToDatetime(tzinfo=UTC),
        status=told.status,
    )


def desktop(told: auth_pb2.Device) -> Desktop:
    """Return a device as auth tells of it."""
    return Desktop(
        device_id=told.device_id,
        name=told.name,
        profile=_PROFILES_TOLD[told.profile],
        scopes=frozenset(told.scopes),
        enrolled_at=told.enrolled_at.ToDatetime(tzinfo=UTC),
        is_revoked=told.is_revoked,
        facts=messages.facts_told(told.facts),
        used_at=told.used_at.ToDatetime(tzinfo=UTC),
        withheld_scopes=frozenset(told.withheld_scopes),
        user_id=told.user_id,
    )
