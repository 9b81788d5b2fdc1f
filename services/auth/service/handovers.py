"""Consents that begin at Amazon: on its Appstore, or with a stop at the log-in URI in the website workflow.

judge: Amazon's address -> what could be connected there, for the page that asks the person
answer: the person said yes -> a state, bound to session, seller and the account shown -> back to Amazon

What comes back from there is completed by `consents`, like every other consent. Nothing happens without the
person's yes: whoever lures somebody to the log-in URI with an account of their own connects nothing (T-08).
"""

from dataclasses import dataclass

from chassis.secrecy import Secret
from services.auth.model import handovers
from services.auth.model.audit import Deed, Kind
from services.auth.model.consent_refusals import HandoverRefused
from services.auth.model.consents import AccountKind
from services.auth.model.handovers import Answer, Handover
from services.auth.model.marketplaces import ConsentPages
from services.auth.model.people import Session
from services.auth.model.roles import Right
from services.auth.service.ledger import Ledger
from services.auth.service.mint import SELLING_PARTNER, Mint
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor
from services.auth.service.states import Choice, States


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What could be connected.

    Attributes:
        marketplace_ids: to choose from, in the table's order, at least one.
        marketplace_id: the one that the session chose before it went to Amazon; empty when it did not.
    """

    account_kind: AccountKind
    marketplace_ids: tuple[str, ...]
    marketplace_id: str


class HandoverService:
    """Sellers whom Amazon sends."""

    def __init__(
        self, ports: Ports, mint: Mint, ledger: Ledger, *, sessions: SessionService, pages: ConsentPages
    ) -> None:
        self._store = ports.store
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions
        self._pages = pages
        self._states = States(ports, mint)

    async def judge(self, session_token: Secret[str] | None, amazon_callback_uri: str) -> Judged:
        """Return what could be connected at an address; without a session, only whether it is Amazon's.

        Raises:
            HandoverRefused: it is not Amazon's address for our application (an open redirect).
            SessionInvalid, RightMissing, ApplicationMissing
        """
        session = None
        if session_token is not None:
            session = await self._sessions.require(session_token, right=Right.CONNECT)
        handover = handovers.judge(amazon_callback_uri, await self._store.find_application(), self._pages)
        return await self._judged(handover, session)

    async def answer(self, session_token: Secret[str], answer: Answer) -> Secret[str]:
        """Return where the browser goes back to, with a state for exactly this account.

        Raises:
            HandoverRefused: the address is not Amazon's, or a value is out of form.
            UnknownMarketplace: the address does not stand for the chosen one.
            SessionInvalid, RightMissing, ApplicationMissing
        """
        session = await self._sessions.require(session_token, right=Right.CONNECT)
        application = await self._store.find_application()
        try:
            answer.check()
            handover = handovers.judge(answer.amazon_callback_uri, application, self._pages)
        except HandoverRefused as error:
            await self._ledger.refusal(_refused(session, error))
            raise
        choice = Choice(
            application=application,
            marketplace=handover.find(answer.marketplace_id, answer.account_kind),
            account_kind=answer.account_kind,
            selling_partner_digest=await self._mint.digest(
                SELLING_PARTNER, Secret(answer.selling_partner_id)
            ),
        )
        state = await self._states.begin(session, choice)
        redirect_uri = self._pages.redirect_uri
        url = handovers.answer_url(answer, application, state=state.reveal(), redirect_uri=redirect_uri)
        return Secret(url)

    async def _judged(self, handover: Handover, session: Session | None) -> Judged:
        begun = None
        if session is not None:
            begun = await self._store.find_begun(session.session_id, self._clock.now())
        kind = handover.kind(begun.account_kind if begun is not None else None)
        marketplace_ids = tuple(row.marketplace_id for row in handover.marketplaces[kind])
        is_chosen = (
            begun is not None and begun.account_kind is kind and begun.marketplace_id in marketplace_ids
        )
        return Judged(
            account_kind=kind,
            marketplace_ids=marketplace_ids,
            marketplace_id=begun.marketplace_id if begun is not None and is_chosen else "",
        )


def _refused(session: Session, error: HandoverRefused) -> Deed:
    return Deed(
        kind=Kind.CONSENT_REFUSED, actor=actor(session), seller_id=session.seller_id, result=error.code
    )
