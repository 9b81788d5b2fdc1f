"""Consents that Amazon hands over, renewals and ends, as the gateway sees them, in memory."""

from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import chassis.errors
from fakes.gateway_auth import APPLICATION_ID, FakeAuth, start_of_consent
from services.gateway.model.consents import AccountKind, Choice, Handover, Judged
from services.gateway.model.people import Consent, Visit
from services.gateway.model.roles import Right

CONFIRM_PATH = f"/apps/authorize/confirm/{APPLICATION_ID}"
US_URI = f"https://sellercentral.amazon.com{CONFIRM_PATH}"
EUROPE_URI = f"https://sellercentral-europe.amazon.com{CONFIRM_PATH}"
VENDOR_URI = f"https://vendorcentral.amazon.de{CONFIRM_PATH}"
US, UK, DE = "ATVPDKIKX0DER", "A1F83G8C2ARO7P", "A1PA6795UKMFR9"
KNOWN = {
    US_URI: (AccountKind.SELLER, (US,)),
    EUROPE_URI: (AccountKind.SELLER, (UK, DE)),
    VENDOR_URI: (AccountKind.VENDOR, (DE,)),
}


class HandoverRefused(chassis.errors.InvalidInput):
    code = "handover_refused"
    text = "This does not come from Amazon as it should."


class ConsentUnknown(chassis.errors.NotFound):
    code = "not_found"
    text = "There is no such connection."


@dataclass
class FakeConsents:
    """Fits the gateway's ConsentKeeper."""

    auth: FakeAuth
    chosen: dict[str, str] = field(default_factory=dict)

    async def judge_handover(self, visit: Visit | None, amazon_callback_uri: str) -> Judged:
        self.auth.check_up()
        if visit is not None:
            self.auth.require(visit, Right.CONNECT)
        if amazon_callback_uri not in KNOWN:
            raise HandoverRefused
        kind, marketplace_ids = KNOWN[amazon_callback_uri]
        chosen = self.auth.begun(visit) if visit is not None else ""
        return Judged(
            account_kind=kind,
            marketplace_ids=marketplace_ids,
            marketplace_id=chosen if chosen in marketplace_ids else "",
        )

    async def answer_handover(self, visit: Visit, handover: Handover, choice: Choice) -> str:
        judged = await self.judge_handover(visit, handover.amazon_callback_uri)
        if (choice.account_kind, choice.marketplace_id in judged.marketplace_ids) != (
            judged.account_kind,
            True,
        ):
            raise chassis.errors.InvalidInput("There is no such marketplace.")
        state = self.auth.begin(
            visit, choice.marketplace_id, choice.account_kind, selling_partner_id=handover.selling_partner_id
        )
        query = {"amazon_state": handover.amazon_state, "state": state}
        if handover.is_beta:
            query["version"] = "beta"
        return f"{handover.amazon_callback_uri}?{urlencode(query)}"

    async def renew_consent(self, visit: Visit, consent_id: str) -> str:
        consent = self._own(visit, consent_id)
        state = self.auth.begin(
            visit, consent.marketplace_id, consent.account_kind, selling_partner_id=consent.selling_partner_id
        )
        return start_of_consent(state)

    async def disconnect_consent(self, visit: Visit, consent_id: str) -> None:
        ended = self._own(visit, consent_id)
        mine = self.auth.consents[visit.session.seller_id]
        mine[mine.index(ended)] = replace(ended, status="disconnected")

    def _own(self, visit: Visit, consent_id: str) -> Consent:
        seller_id = self.auth.require(visit, Right.CONNECT).seller_id
        for consent in self.auth.consents.get(seller_id, ()):
            if consent.consent_id == consent_id:
                return consent
        raise ConsentUnknown
