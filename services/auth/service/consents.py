"""Connecting a seller's account: Amazon's website authorization workflow.

begin, renew: a state, bound to session and seller -> Amazon's consent page
complete: state used up -> code exchanged at once -> refresh token sealed, older one destroyed
disconnect: refresh token destroyed, devices told

Consents that begin at Amazon come in by `handovers` and are completed here like all others.
"""

from collections.abc import Sequence

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import Deed, Kind
from services.auth.model.consent_refusals import ConsentNotFound
from services.auth.model.consents import (
    CONSENT_LIFE,
    AccountKind,
    Callback,
    Consent,
    Ending,
    OpenConsent,
    State,
    refresh_token_place,
    selling_partner_place,
)
from services.auth.model.marketplaces import ConsentPages
from services.auth.model.people import Session
from services.auth.model.refusals import (
    ConsentCodeRefused,
    GrantRefused,
    InvalidState,
    SellingPartnerTaken,
    UpstreamInvalid,
)
from services.auth.model.roles import Right
from services.auth.service.ledger import Ledger
from services.auth.service.lockout import Lockout
from services.auth.service.mint import SELLING_PARTNER, STATE, Mint
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Refresher
from services.auth.service.sessions import SessionService, actor
from services.auth.service.states import Choice, States


class ConsentService:
    """Consents as sellers see them."""

    def __init__(
        self,
        ports: Ports,
        mint: Mint,
        ledger: Ledger,
        *,
        sessions: SessionService,
        refresher: Refresher,
        pages: ConsentPages,
    ) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions
        self._refresher = refresher
        self._pages = pages
        self._states = States(ports, mint)
        self._lockout = Lockout(ports.clock)

    async def begin(
        self, session_token: Secret[str], marketplace_id: str, kind: AccountKind = AccountKind.SELLER
    ) -> Secret[str]:
        """Return the address of the consent page that this session's user should visit.

        Raises:
            SessionInvalid, RightMissing, UnknownMarketplace, ApplicationMissing
            VendorCentralUnknown: nobody knows where vendors of this marketplace consent.
        """
        session = await self._sessions.require(session_token, right=Right.CONNECT)
        return await self._begin(session, marketplace_id, kind)

    async def renew(self, session_token: Secret[str], consent_id: str) -> Secret[str]:
        """Return the consent page where an account of this seller's is connected once more.

        The older refresh token is destroyed when the new consent is there; the same account must come back.

        Raises:
            SessionInvalid, RightMissing, UnknownMarketplace, ApplicationMissing, VendorCentralUnknown
            ConsentNotFound: absent, or another seller's (T-07).
        """
        session = await self._sessions.require(session_token, right=Right.CONNECT)
        consent = await self._find_own(session, consent_id)
        partner_id = await self._vault.open(consent.selling_partner_place, consent.selling_partner_sealed)
        digest = await self._mint.digest(SELLING_PARTNER, partner_id)
        return await self._begin(session, consent.marketplace_id, consent.account_kind, partner_digest=digest)

    async def disconnect(self, session_token: Secret[str], consent_id: str) -> None:
        """End a consent of this seller's and destroy its refresh token at once; one that has ended stays so.

        Raises:
            SessionInvalid, RightMissing
            ConsentNotFound: absent, or another seller's (T-07).
        """
        session = await self._sessions.require(session_token, right=Right.CONNECT)
        consent = await self._find_own(session, consent_id)
        if consent.ended_at is None:
            await self._refresher.end(consent, Ending.DISCONNECTED, actor(session))

    async def complete(self, session_token: Secret[str], callback: Callback) -> OpenConsent:
        """Return the consent that Amazon's redirect brought back to the session that began it.

        Raises:
            SessionInvalid: no session.
            InvalidState: the state is not this session's to use now, or not for this account (T-08).
            SellingPartnerTaken: the account is another seller's.
            ConsentCodeRefused: Amazon does not accept the code.
            TooManyFailures: this session guesses states (T-11).
        """
        session = await self._sessions.require(session_token, right=Right.CONNECT)
        async with self._lockout.judging(session.session_id, InvalidState, SellingPartnerTaken):
            state, partner_digest = await self._judge(session, callback)
        consent_id = self._mint.new_id()
        async with self._ledger.effect(_completed(session, state, consent_id)):
            refresh_token = await self._exchange(state, callback)
            partner_id = Secret(callback.selling_partner_id)
            consent = await self._sealed(
                state, consent_id, partner_id=partner_id, refresh_token=refresh_token
            )
            await self._store.record_consent(consent, partner_digest)
        return await self._opened(consent)

    async def list_all(self, session_token: Secret[str]) -> Sequence[OpenConsent]:
        """Return the seller's consents, newest first, at most CONSENTS_LISTED_MAX.

        Raises:
            SessionInvalid: no session.
        """
        session = await self._sessions.require(session_token, right=Right.VIEW)
        return [await self._opened(consent) for consent in await self._store.list_consents(session.seller_id)]

    async def _begin(
        self,
        session: Session,
        marketplace_id: str,
        kind: AccountKind,
        *,
        partner_digest: bytes | None = None,
    ) -> Secret[str]:
        choice = Choice(
            marketplace=self._pages.find(marketplace_id),
            application=await self._store.find_application(),
            account_kind=kind,
            selling_partner_digest=partner_digest,
        )
        choice.marketplace.host(kind)
        state = await self._states.begin(session, choice)
        url = self._pages.url(choice.marketplace, kind, choice.application, state=state.reveal())
        return Secret(url)

    async def _find_own(self, session: Session, consent_id: str) -> Consent:
        if not words.is_id(consent_id):
            raise ConsentNotFound
        return await self._store.find_own_consent(session.seller_id, consent_id)

    async def _judge(self, session: Session, callback: Callback) -> tuple[State, bytes]:
        """Return what a session began and the digest of its account; a refusal is told to the audit log."""
        try:
            state = await self._use_state(session, callback)
            return state, await self._free_partner(state, callback)
        except (InvalidState, SellingPartnerTaken) as error:
            await self._ledger.refusal(_refused(session, error))
            raise

    async def _use_state(self, session: Session, callback: Callback) -> State:
        callback.check()
        if not words.SHA256_FORM.fullmatch(callback.state):
            raise InvalidState
        digest = await self._mint.digest(STATE, Secret(callback.state))
        now = self._clock.now()
        state = await self._store.use_state(digest, now)
        state.check(session_id=session.session_id, seller_id=session.seller_id, now=now)
        return state

    async def _free_partner(self, state: State, callback: Callback) -> bytes:
        digest = await self._mint.digest(SELLING_PARTNER, Secret(callback.selling_partner_id))
        state.check_account(digest)
        await self._store.check_selling_partner(digest, state.seller_id)
        return digest

    async def _exchange(self, state: State, callback: Callback) -> Secret[str]:
        try:
            grant = await self._refresher.exchange_code(
                state.application_id, callback.code, self._pages.redirect_uri
            )
        except GrantRefused as error:
            raise ConsentCodeRefused from error
        if grant.refresh_token is None:
            raise UpstreamInvalid
        return grant.refresh_token

    async def _sealed(
        self, state: State, consent_id: str, *, partner_id: Secret[str], refresh_token: Secret[str]
    ) -> Consent:
        now = self._clock.now()
        partner_place = selling_partner_place(state.seller_id, consent_id)
        token_place = refresh_token_place(state.seller_id, consent_id, 1)
        return Consent(
            consent_id=consent_id,
            seller_id=state.seller_id,
            region=state.region,
            marketplace_id=state.marketplace_id,
            account_kind=state.account_kind,
            application_id=state.application_id,
            selling_partner_sealed=await self._vault.seal(partner_place, partner_id),
            refresh_token_sealed=await self._vault.seal(token_place, refresh_token),
            granted_at=now,
            expires_at=now + CONSENT_LIFE,
            used_at=now,
        )

    async def _opened(self, consent: Consent) -> OpenConsent:
        partner_id = await self._vault.open(consent.selling_partner_place, consent.selling_partner_sealed)
        status = consent.status(self._clock.now())
        return OpenConsent(consent=consent, selling_partner_id=partner_id.reveal(), status=status)


def _completed(session: Session, state: State, consent_id: str) -> Deed:
    return Deed(
        kind=Kind.CONSENT_COMPLETED,
        actor=actor(session),
        seller_id=session.seller_id,
        details={
            "consent_id": consent_id,
            "region": state.region,
            "marketplace_id": state.marketplace_id,
            "application_id": state.application_id,
        },
    )


def _refused(session: Session, error: SallyportError) -> Deed:
    return Deed(
        kind=Kind.CONSENT_REFUSED,
        actor=actor(session),
        seller_id=session.seller_id,
        result=error.code,
    )
