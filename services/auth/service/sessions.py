"""How people come in: an invitation once, then a session that a browser holds."""

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.people import SESSION_LIFE, NewSession, Session, SignedIn
from services.auth.model.refusals import InvitationInvalid, SessionInvalid
from services.auth.model.roles import Right
from services.auth.service.ledger import Ledger
from services.auth.service.mint import INVITATION, SESSION, Mint
from services.auth.service.ports import Ports


class SessionService:
    """Sessions and the invitations that open them."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger) -> None:
        self._people = ports.store
        self._sealer = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger

    async def redeem_invitation(self, invitation: Secret[str]) -> tuple[Secret[str], SignedIn]:
        """Return a new session's token, and the session, for an invitation that is good once.

        Raises:
            InvitationInvalid: unknown, used or too old.
        """
        if not words.is_token(invitation.reveal(), words.INVITATION_PREFIX):
            raise InvitationInvalid
        digest = await self._mint.digest(INVITATION, invitation)
        invited = await self._people.find_invited(digest)
        minted = await self._mint.new(SESSION)
        opening = NewSession(
            session_id=self._mint.new_id(),
            token_digest=minted.digest,
            user_id=invited.user_id,
            expires_at=self._clock.now() + SESSION_LIFE,
        )
        deed = Deed(
            kind=Kind.SESSION_STARTED,
            actor=Actor(kind="user", actor_id=invited.user_id),
            seller_id=invited.seller_id,
            details={"session_id": opening.session_id},
        )
        async with self._ledger.effect(deed):
            session = await self._people.redeem_invitation(digest, opening, self._clock.now())
        return minted.token, await self._named(session)

    async def find(self, session_token: Secret[str]) -> SignedIn:
        """Return the session behind a token with its names.

        Raises:
            SessionInvalid: unknown, ended or over.
        """
        return await self._named(await self._present(session_token))

    async def require(self, session_token: Secret[str], *, right: Right) -> Session:
        """Return the session behind a token, if it may be used now and its person holds the right.

        Raises:
            SessionInvalid: unknown, ended or over.
            CredentialRequired: an invitation opened it, and nothing to sign in with is set up yet.
            RightMissing: the person's role does not hold the right.
        """
        session = await self._present(session_token)
        session.check_right(right)
        return session

    async def end(self, session_token: Secret[str]) -> None:
        """End a session; one that is over already is fine."""
        try:
            session = await self._present(session_token)
        except SessionInvalid:
            return
        deed = Deed(
            kind=Kind.SESSION_ENDED,
            actor=actor(session),
            seller_id=session.seller_id,
            details={"session_id": session.session_id},
        )
        async with self._ledger.effect(deed):
            await self._people.end_session(session.session_id)

    async def _present(self, session_token: Secret[str]) -> Session:
        if not words.is_token(session_token.reveal(), words.SESSION_PREFIX):
            raise SessionInvalid
        session = await self._people.find_session(await self._mint.digest(SESSION, session_token))
        session.check(self._clock.now())
        return session

    async def _named(self, session: Session) -> SignedIn:
        seller_name = await self._sealer.open(session.seller_name_place, session.seller_name_sealed)
        user_name = await self._sealer.open(session.user_name_place, session.user_name_sealed)
        return SignedIn(session=session, seller_name=seller_name.reveal(), user_name=user_name.reveal())


def actor(session: Session) -> Actor:
    """Return the person behind a session, for the audit log."""
    return Actor(kind="user", actor_id=session.user_id)
