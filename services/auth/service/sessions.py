"""The sessions that browsers hold: how one begins, what it may do, what takes its place, how it ends."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.people import (
    SESSION_LIFE,
    SETUP_LIFE,
    NewSession,
    Person,
    Renewal,
    Session,
    SignedIn,
)
from services.auth.model.refusals import InvitationInvalid, SessionInvalid
from services.auth.model.roles import Right
from services.auth.model.sealing import STAFF
from services.auth.service.ledger import Ledger
from services.auth.service.mint import INVITATION, SESSION, Mint
from services.auth.service.ports import Ports

INVITED = "invitation"

Opened: TypeAlias = tuple[Secret[str], SignedIn]
"""A new session's token, for the browser alone, and the session with its names."""


class SessionService:
    """Sessions and the invitations that open them."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger) -> None:
        self._people = ports.store
        self._sealer = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger

    async def redeem_invitation(self, invitation: Secret[str]) -> Opened:
        """Return a session, in which a way in can be set up, for an invitation that is good once.

        Raises:
            InvitationInvalid: unknown, used or too old.
        """
        if not words.is_token(invitation.reveal(), words.INVITATION_PREFIX):
            raise InvitationInvalid
        digest = await self._mint.digest(INVITATION, invitation)
        invited = await self._people.find_invited(digest)
        return await self.open(
            invited.person,
            INVITED,
            lambda opening: self._people.redeem_invitation(digest, opening, self._clock.now()),
            needs_credential=True,
        )

    async def open(
        self,
        person: Person,
        way: str,
        begin: Callable[[NewSession], Awaitable[Session]],
        *,
        needs_credential: bool = False,
    ) -> Opened:
        """Return a session that storage begins for a person.

        Args:
            person: who comes in.
            way: how: an invitation, or one of the ways in.
            begin: keeps the session, and uses up what opens it, in one step.
            needs_credential: see `NewSession`.

        Raises:
            AuditUnavailable, and whatever `begin` refuses with.
        """
        life = SETUP_LIFE if needs_credential else SESSION_LIFE
        token, opening = await self._draft(person.user_id, life, needs_credential=needs_credential)
        details = {"session_id": opening.session_id, "way": way}
        deed = Deed(
            kind=Kind.SESSION_STARTED,
            actor=Actor(kind="user", actor_id=person.user_id),
            seller_id=person.seller_id,
            details=details,
        )
        async with self._ledger.effect(deed):
            session = await begin(opening)
        return token, await self.named(session)

    async def renewal(self, session: Session) -> tuple[Secret[str], Renewal]:
        """Return a session that may do everything, to take the place of one, with its token.

        It lives as long as the old one would have, unless that one needed a credential.
        """
        life = SESSION_LIFE if session.needs_credential else session.expires_at - self._clock.now()
        token, opening = await self._draft(session.user_id, life)
        return token, Renewal(ended_session_id=session.session_id, session=opening)

    async def find(self, session_token: Secret[str]) -> SignedIn:
        """Return the session behind a token with its names.

        Raises:
            SessionInvalid: unknown, ended or over.
        """
        return await self.named(await self._present(session_token))

    async def require(self, session_token: Secret[str], *, right: Right) -> Session:
        """Return the session behind a token, if it may be used now and its person holds the right.

        Raises:
            SessionInvalid: unknown, ended or over.
            CredentialRequired: nothing is set up yet to sign in with.
            RightMissing: the person's role does not hold the right.
        """
        session = await self._present(session_token)
        session.check_right(right)
        return session

    async def require_fresh(self, session_token: Secret[str]) -> Session:
        """Return the session behind a token, if its person may change what they sign in with.

        Raises:
            SessionInvalid: unknown, ended or over.
            SignInAgain: they signed in too long ago.
        """
        session = await self.require(session_token, right=Right.KEEP_CREDENTIALS)
        session.check_fresh(self._clock.now())
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

    async def named(self, session: Session) -> SignedIn:
        """Return a session with its names in the open; the staff's seller has none."""
        seller_name = Secret("")
        if session.seller_id != STAFF:
            seller_name = await self._sealer.open(session.seller_name_place, session.seller_name_sealed)
        user_name = await self._sealer.open(session.user_name_place, session.user_name_sealed)
        return SignedIn(session=session, seller_name=seller_name.reveal(), user_name=user_name.reveal())

    async def _present(self, session_token: Secret[str]) -> Session:
        if not words.is_token(session_token.reveal(), words.SESSION_PREFIX):
            raise SessionInvalid
        session = await self._people.find_session(await self._mint.digest(SESSION, session_token))
        session.check(self._clock.now())
        return session

    async def _draft(
        self, user_id: str, life: timedelta, *, needs_credential: bool = False
    ) -> tuple[Secret[str], NewSession]:
        minted, now = await self._mint.new(SESSION), self._clock.now()
        opening = NewSession(
            session_id=self._mint.new_id(),
            token_digest=minted.digest,
            user_id=user_id,
            opened_at=now,
            expires_at=now + life,
            needs_credential=needs_credential,
        )
        return minted.token, opening


def actor(session: Session) -> Actor:
    """Return the person behind a session, for the audit log."""
    return Actor(kind="user", actor_id=session.user_id)
