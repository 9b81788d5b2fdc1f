"""Calls about consents that begin at Amazon, that are renewed, and that end."""

from chassis.secrecy import Secret
from services.auth.model.handovers import Answer
from services.auth.rpc import messages
from services.auth.service import UseCases
from wire.auth.v1 import auth_pb2, consents_pb2, consents_pb2_grpc


class ConsentCalls(consents_pb2_grpc.ConsentServiceServicer):
    """What the portal needs beside the beginning and the completion of a consent."""

    def __init__(self, use_cases: UseCases) -> None:
        self._handovers = use_cases.handovers
        self._consents = use_cases.consents

    async def JudgeHandover(  # noqa: N802 - the contract's name
        self, request: consents_pb2.JudgeHandoverRequest, _context: messages.Context
    ) -> consents_pb2.Handover:
        """Say what could be connected where Amazon wants the browser back."""
        session_token = Secret(request.session_token) if request.session_token else None
        judged = await self._handovers.judge(session_token, request.amazon_callback_uri)
        return consents_pb2.Handover(
            account_kind=messages.ACCOUNT_KINDS[judged.account_kind],
            marketplace_ids=judged.marketplace_ids,
            marketplace_id=judged.marketplace_id,
        )

    async def AnswerHandover(  # noqa: N802 - the contract's name
        self, request: consents_pb2.AnswerHandoverRequest, _context: messages.Context
    ) -> consents_pb2.AnswerHandoverResponse:
        """Say where the browser goes back to, after the person said yes."""
        answer = Answer(
            amazon_callback_uri=request.amazon_callback_uri,
            amazon_state=request.amazon_state,
            selling_partner_id=request.selling_partner_id,
            is_beta=request.is_beta,
            account_kind=messages.account_kind_asked(request.account_kind),
            marketplace_id=request.marketplace_id,
        )
        url = await self._handovers.answer(Secret(request.session_token), answer)
        return consents_pb2.AnswerHandoverResponse(answer_url=url.reveal())

    async def RenewConsent(  # noqa: N802 - the contract's name
        self, request: consents_pb2.RenewConsentRequest, _context: messages.Context
    ) -> auth_pb2.BeginConsentResponse:
        """Say where the seller consents once more."""
        url = await self._consents.renew(Secret(request.session_token), request.consent_id)
        return auth_pb2.BeginConsentResponse(consent_url=url.reveal())

    async def DisconnectConsent(  # noqa: N802 - the contract's name
        self, request: consents_pb2.DisconnectConsentRequest, _context: messages.Context
    ) -> consents_pb2.DisconnectConsentResponse:
        """End one of the seller's consents."""
        await self._consents.disconnect(Secret(request.session_token), request.consent_id)
        return consents_pb2.DisconnectConsentResponse()
