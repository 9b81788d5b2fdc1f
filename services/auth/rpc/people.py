"""Calls about people: sessions and consents."""

from chassis.secrecy import Secret
from services.auth.model.consents import Callback
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2


class PeopleCalls:
    """What the portal needs."""

    def __init__(self, use_cases: UseCases) -> None:
        self._sessions = use_cases.sessions
        self._consents = use_cases.consents

    async def RedeemInvitation(  # noqa: N802 - the contract's name
        self, request: auth_pb2.RedeemInvitationRequest, _context: messages.Context
    ) -> auth_pb2.RedeemInvitationResponse:
        """Open a session for an invitation."""
        token, signed_in = await self._sessions.redeem_invitation(Secret(request.invitation))
        return auth_pb2.RedeemInvitationResponse(
            session_token=token.reveal(), session=messages.session(signed_in)
        )

    async def FindSession(  # noqa: N802 - the contract's name
        self, request: auth_pb2.FindSessionRequest, _context: messages.Context
    ) -> auth_pb2.Session:
        """Say whose session this is."""
        return messages.session(await self._sessions.find(Secret(request.session_token)))

    async def EndSession(  # noqa: N802 - the contract's name
        self, request: auth_pb2.EndSessionRequest, _context: messages.Context
    ) -> auth_pb2.EndSessionResponse:
        """End a session."""
        await self._sessions.end(Secret(request.session_token))
        return auth_pb2.EndSessionResponse()

    async def BeginConsent(  # noqa: N802 - the contract's name
        self, request: auth_pb2.BeginConsentRequest, _context: messages.Context
    ) -> auth_pb2.BeginConsentResponse:
        """Say where the seller consents."""
        kind = messages.account_kind_asked(request.account_kind)
        url = await self._consents.begin(Secret(request.session_token), request.marketplace_id, kind)
        return auth_pb2.BeginConsentResponse(consent_url=url.reveal())

    async def CompleteConsent(  # noqa: N802 - the contract's name
        self, request: auth_pb2.CompleteConsentRequest, _context: messages.Context
    ) -> auth_pb2.Consent:
        """Take what Amazon's redirect brought."""
        callback = Callback(
            state=request.state,
            selling_partner_id=request.selling_partner_id,
            code=Secret(request.code),
        )
        return messages.consent(await self._consents.complete(Secret(request.session_token), callback))

    async def ListConsents(  # noqa: N802 - the contract's name
        self, request: auth_pb2.ListConsentsRequest, _context: messages.Context
    ) -> auth_pb2.ListConsentsResponse:
        """Show the seller's consents."""
        consents = await self._consents.list_all(Secret(request.session_token))
        return auth_pb2.ListConsentsResponse(consents=map(messages.consent, consents))
