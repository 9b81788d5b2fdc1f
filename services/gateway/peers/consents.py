"""What people ask auth about consents: those that Amazon hands over, renewal, and the end."""

import chassis.rpc
from services.gateway.model.consents import AccountKind, Choice, Handover, Judged
from services.gateway.model.people import Visit
from wire.auth.v1 import auth_pb2, consents_pb2, consents_pb2_grpc

ACCOUNT_KINDS = {
    AccountKind.SELLER: auth_pb2.ACCOUNT_KIND_SELLER,
    AccountKind.VENDOR: auth_pb2.ACCOUNT_KIND_VENDOR,
}
ACCOUNT_KINDS_TOLD = {told: kind for kind, told in ACCOUNT_KINDS.items()}


class ConsentsClient:
    """Fits `service.ConsentKeeper`."""

    def __init__(self, channel: chassis.rpc.Channel) -> None:
        self._auth = channel.stub(consents_pb2_grpc.ConsentServiceStub)

    async def judge_handover(self, visit: Visit | None, amazon_callback_uri: str) -> Judged:
        """Return what could be connected at an address; without a visit only the address is judged."""
        request = consents_pb2.JudgeHandoverRequest(
            session_token=_token(visit) if visit else "", amazon_callback_uri=amazon_callback_uri
        )
        told = await self._auth.JudgeHandover(request)
        return Judged(
            account_kind=account_kind(told.account_kind),
            marketplace_ids=tuple(told.marketplace_ids),
            marketplace_id=told.marketplace_id,
        )

    async def answer_handover(self, visit: Visit, handover: Handover, choice: Choice) -> str:
        """Return where at Amazon the browser goes back to."""
        request = consents_pb2.AnswerHandoverRequest(
            session_token=_token(visit),
            amazon_callback_uri=handover.amazon_callback_uri,
            amazon_state=handover.amazon_state,
            selling_partner_id=handover.selling_partner_id,
            is_beta=handover.is_beta,
            marketplace_id=choice.marketplace_id,
            account_kind=ACCOUNT_KINDS[choice.account_kind],
        )
        return (await self._auth.AnswerHandover(request)).answer_url

    async def renew_consent(self, visit: Visit, consent_id: str) -> str:
        """Return the address of Amazon's consent page for the same account once more."""
        request = consents_pb2.RenewConsentRequest(session_token=_token(visit), consent_id=consent_id)
        return (await self._auth.RenewConsent(request)).consent_url

    async def disconnect_consent(self, visit: Visit, consent_id: str) -> None:
        """End a consent."""
        request = consents_pb2.DisconnectConsentRequest(session_token=_token(visit), consent_id=consent_id)
        await self._auth.DisconnectConsent(request)


def account_kind(told: auth_pb2.AccountKind) -> AccountKind:
    """Return a kind of account as auth tells of it; an older auth knows sellers only."""
    return ACCOUNT_KINDS_TOLD.get(told, AccountKind.SELLER)


def _token(visit: Visit) -> str:
    return visit.session_token.reveal()
