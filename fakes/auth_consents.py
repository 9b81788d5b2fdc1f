"""Auth's consents in memory. Every method is one step, as a transaction is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_tables import FakePart, LeaseRow
from services.auth.model.consent_refusals import ConsentNotFound
from services.auth.model.consents import CONSENTS_LISTED_MAX, Consent, Ending, Region, State
from services.auth.model.refusals import ConsentMissing, InvalidState, SellingPartnerTaken


class FakeConsentStore(FakePart):
    """What sellers granted."""

    async def begin_consent(self, state: State) -> None:
        self.tables.states[state.state_digest] = state
        self._keep(state.state_digest)

    async def use_state(self, digest: bytes, now: datetime) -> State:
        state = self.tables.states.get(digest)
        if state is None:
            raise InvalidState
        self.tables.states[digest] = replace(state, used_at=state.used_at or now)
        return replace(state, age_s=self._age_s(digest))

    async def find_begun(self, session_id: str, now: datetime) -> State | None:
        begun = [
            state
            for state in self.tables.states.values()
            if state.session_id == session_id and state.used_at is None and state.expires_at > now
        ]
        return max(begun, key=lambda state: state.expires_at, default=None)

    async def check_selling_partner(self, digest: bytes, seller_id: str) -> None:
        if self.tables.partners.get(digest, seller_id) != seller_id:
            raise SellingPartnerTaken

    async def record_consent(self, consent: Consent, selling_partner_digest: bytes) -> None:
        self._hold_seller(consent.seller_id)
        await self.check_selling_partner(selling_partner_digest, consent.seller_id)
        self.tables.partners[selling_partner_digest] = consent.seller_id
        for older in self._active():
            if (older.seller_id, older.region) == (consent.seller_id, consent.region):
                self._end(older, Ending.REPLACED, consent.granted_at)
        self.tables.consents[consent.consent_id] = consent
        self.tables.leases[consent.consent_id] = LeaseRow()
        self._tell_all(consent.seller_id)

    async def find_consent(self, seller_id: str, region: Region) -> Consent:
        found = [
            consent
            for consent in self.tables.consents.values()
            if (consent.seller_id, consent.region) == (seller_id, region)
        ]
        if not found:
            raise ConsentMissing
        return max(found, key=lambda consent: (consent.ended_at is None, consent.granted_at))

    async def find_own_consent(self, seller_id: str, consent_id: str) -> Consent:
        self._check_id(consent_id)
        consent = self.tables.consents.get(consent_id)
        if consent is None or consent.seller_id != seller_id:
            raise ConsentNotFound
        return consent

    async def list_consents(self, seller_id: str) -> Sequence[Consent]:
        found = [
            consent
            for consent in self.tables.consents.values()
            if consent.seller_id == seller_id and consent.ending is not Ending.REPLACED
        ]
        found.sort(key=lambda consent: consent.granted_at, reverse=True)
        return found[:CONSENTS_LISTED_MAX]

    async def list_doubtful(self, refused_before: datetime, rows_max: int) -> Sequence[Consent]:
        found = [
            (consent.refused_at, consent)
            for consent in self._active()
            if consent.refused_at is not None and consent.refused_at < refused_before
        ]
        return [consent for _, consent in sorted(found, key=lambda row: row[0])][:rows_max]

    async def list_idle(self, used_before: datetime, rows_max: int) -> Sequence[Consent]:
        found = [consent for consent in self._active() if consent.used_at < used_before]
        return sorted(found, key=lambda consent: consent.used_at)[:rows_max]

    async def end_consent(
        self, consent_id: str, ending: Ending, now: datetime, *, used_before: datetime | None = None
    ) -> bool:
        consent = self.tables.consents.get(consent_id)
        if consent is None or consent.ended_at is not None:
            return False
        if used_before is not None and consent.used_at >= used_before:
            return False
        self._end(consent, ending, now)
        self._tell_all(consent.seller_id)
        return True

    def _active(self) -> list[Consent]:
        return [consent for consent in self.tables.consents.values() if consent.ended_at is None]

    def _end(self, consent: Consent, ending: Ending, now: datetime) -> None:
        sealed = consent.refresh_token_sealed if ending is Ending.QUARANTINED else None
        ended = replace(consent, ended_at=now, ending=ending, refresh_token_sealed=sealed)
        self.tables.consents[consent.consent_id] = ended
        del self.tables.leases[consent.consent_id]
