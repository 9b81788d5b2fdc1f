"""The fake consents behind their gRPC contract: what the gateway's client of them talks to in tests."""

from typing import TYPE_CHECKING, Any

import grpc.aio

import chassis.rpc
from chassis.secrecy import Secret
from fakes.gateway_auth_server import KINDS, KINDS_ASKED
from fakes.gateway_consents import FakeConsents
from services.gateway.model.consents import Choice, Handover
from services.gateway.model.people import Visit
from wire.auth.v1 import auth_pb2, consents_pb2, consents_pb2_grpc

if TYPE_CHECKING:
    Context = grpc.aio.ServicerContext[Any, Any]


class FakeConsentsServer(consents_pb2_grpc.ConsentServiceServicer):
    """Serves a FakeConsents."""

    def __init__(self, consents: FakeConsents) -> None:
        self._consents = consents

    async def JudgeHandover(
        self, request: consents_pb2.JudgeHandoverRequest, _context: "Context"
    ) -> consents_pb2.Handover:
        visit = await self._visit(request.session_token) if request.session_token else None
        judged = await self._consents.judge_handover(visit, request.amazon_callback_uri)
        return consents_pb2.Handover(
            account_kind=KINDS[judged.account_kind],
            marketplace_ids=judged.marketplace_ids,
            marketplace_id=judged.marketplace_id,
        )

    async def AnswerHandover(
        self, request: consents_pb2.AnswerHandoverRequest, _context: "Context"
    ) -> consents_pb2.AnswerHandoverResponse:
        handover = Handover(
            amazon_callback_uri=request.amazon_callback_uri,
            amazon_state=request.amazon_state,
            selling_partner_id=request.selling_partner_id,
            is_beta=request.is_beta,
        )
        choice = Choice(KINDS_ASKED[request.account_kind], request.marketplace_id)
        url = await self._consents.answer_handover(await self._visit(request.session_token), handover, choice)
        return consents_pb2.AnswerHandoverResponse(answer_url=url)

    async def RenewConsent(
        self, request: consents_pb2.RenewConsentRequest, _context: "Context"
    ) -> auth_pb2.BeginConsentResponse:
        visit = await self._visit(request.session_token)
        url = await self._consents.renew_consent(visit, request.consent_id)
        return auth_pb2.BeginConsentResponse(consent_url=url)

    async def DisconnectConsent(
        self, request: consents_pb2.DisconnectConsentRequest, _context: "Context"
    ) -> consents_pb2.DisconnectConsentResponse:
        await self._consents.disconnect_consent(await self._visit(request.session_token), request.consent_id)
        return consents_pb2.DisconnectConsentResponse()

    async def _visit(self, session_token: str) -> Visit:
        return await self._consents.auth.find_session(Secret(session_token))


def service(consents: FakeConsents) -> chassis.rpc.Service:
    """Return what a `chassis.rpc.Server` serves; every row lets the gateway in."""
    descriptor = consents_pb2.DESCRIPTOR.services_by_name["ConsentService"]
    row = chassis.rpc.Method(callers=frozenset({"gateway"}), deadline_s=5.0, event="auth.fake.asked")
    return chassis.rpc.Service(
        descriptor=descriptor,
        add=consents_pb2_grpc.add_ConsentServiceServicer_to_server,
        servicer=FakeConsentsServer(consents),
        methods={method.name: row for method in descriptor.methods},
    )
