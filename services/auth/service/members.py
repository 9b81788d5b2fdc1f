"""The people of a seller, and the vendor's staff: who they are, who comes, who leaves.

Owners decide for their seller, security for the staff, the console for everybody. Whoever is another
seller's does not exist here (T-07).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import OPERATOR, Actor, Deed, Kind
from services.auth.model.people import (
    INVITATION_LIFE,
    Invitation,
    Member,
    NamedMember,
    Removal,
    User,
    check_side,
    user_name_place,
)
from services.auth.model.people_refusals import MemberNotFound
from services.auth.model.refusals import SellerNotFound
from services.auth.model.roles import Right, Role
from services.auth.model.sealing import STAFF
from services.auth.service.ledger import Ledger
from services.auth.service.mint import INVITATION, Mint
from services.auth.service.names import Names
from services.auth.service.ports import Ports
from services.auth.service.sessions import SessionService, actor

LEAVER = "leaver"


@dataclass(frozen=True, kw_only=True)
class Invited:
    """Somebody invited.

    Attributes:
        invitation: shown once.
    """

    user_id: str
    invitation: Secret[str]
    expires_at: datetime


class MemberService:
    """Who belongs here."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger, *, sessions: SessionService) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._names = Names(ports)
        self._signals = ports.signals
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions

    async def list_own(self, session_token: Secret[str]) -> Sequence[NamedMember]:
        """Return the people of the session's seller, or the staff; oldest first, at most MEMBERS_MAX.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing
        """
        session = await self._sessions.require(session_token, right=Right.VIEW_PEOPLE)
        return await self.list_of(session.seller_id)

    async def invite_own(
        self, session_token: Secret[str], name: str, role: Role | None, *, user_id: str = ""
    ) -> Invited:
        """Invite a colleague, or one who lost every credential once more.

        Args:
            session_token: of who invites.
            name: the colleague's; not looked at together with a user_id.
            role: the colleague's; as name.
            user_id: of whom to invite once more: what they had to sign in with ends. Empty for somebody new.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing, InvalidName, RoleRefused, MembersFull
            MemberNotFound: absent, left, or another seller's (T-07).
        """
        session = await self._sessions.require(session_token, right=Right.MANAGE_PEOPLE)
        return await self._invite(session.seller_id, name, role, user_id=user_id, who=actor(session))

    async def change_role(self, session_token: Secret[str], user_id: str, role: Role | None) -> None:
        """Give a colleague another role, in effect at once.

        Raises:
            SessionInvalid, CredentialRequired, RightMissing, RoleRefused, MemberNotFound
            LastOwner: no other owner could sign in.
        """
        session = await self._sessions.require(session_token, right=Right.MANAGE_PEOPLE)
        given = check_side(role, session.seller_id)
        member = await self._find_own(session.seller_id, user_id)
        deed = _deed(Kind.ROLE_CHANGED, actor(session), member.user, user_id=user_id, role=given)
        async with self._ledger.effect(deed):
            await self._store.change_role(user_id, given)

    async def remove_own(self, session_token: Secret[str], user_id: str) -> Removal:
        """End a colleague's access, or one's own, at once and everywhere (DPP-1.2d).

        Raises:
            SessionInvalid, CredentialRequired, RightMissing, MemberNotFound
            LastOwner: no other owner could sign in.
        """
        session = await self._sessions.require(session_token, right=Right.MANAGE_PEOPLE)
        member = await self._find_own(session.seller_id, user_id)
        return await self._remove(member, actor(session), LEAVER, keeps_owner=True)

    async def invite_staff(self, name: str, role: Role | None, *, user_id: str = "") -> Invited:
        """Invite somebody of the vendor's staff, for the console; all is as with `invite_own`."""
        return await self._invite(STAFF, name, role, user_id=user_id, who=OPERATOR)

    async def invite_user(
        self, seller_id: str, name: str, role: Role | None, *, user_id: str = ""
    ) -> Invited:
        """Invite somebody of a seller, for the console; all is as with `invite_own`.

        Raises:
            SellerNotFound: there is no such seller.
        """
        if not words.is_id(seller_id):
            raise SellerNotFound
        await self._store.find_seller(seller_id)
        return await self._invite(seller_id, name, role, user_id=user_id, who=OPERATOR)

    async def remove_anybody(self, user_id: str, *, reason: str) -> Removal:
        """End anybody's access, the last owner's too, at once and everywhere, for the console.

        Raises:
            InvalidName: the reason is empty or too long.
            MemberNotFound
        """
        why = words.reason(reason)
        if not words.is_id(user_id):
            raise MemberNotFound
        member = await self._store.find_member(user_id)
        return await self._remove(member, OPERATOR, why, keeps_owner=False)

    async def list_of(self, seller_id: str) -> Sequence[NamedMember]:
        """Return the people of a seller, or of the staff; oldest first, at most MEMBERS_MAX."""
        members = await self._store.list_members(seller_id)
        sealed = [(one.user.name_place, one.user.name_sealed) for one in members]
        names = await self._names.open_all(seller_id, sealed)
        return [NamedMember(member=one, name=name) for one, name in zip(members, names, strict=True)]

    async def _invite(
        self, seller_id: str, name: str, role: Role | None, *, user_id: str, who: Actor
    ) -> Invited:
        if user_id:
            return await self._invite_again(await self._find_own(seller_id, user_id), who)
        user_name, given = words.name(name), check_side(role, seller_id)
        user_id, now = self._mint.new_id(), self._clock.now()
        invited, invitation = await self._drafted(user_id)
        name_sealed = await self._vault.seal(user_name_place(seller_id, user_id), Secret(user_name))
        user = User(user_id=user_id, seller_id=seller_id, role=given, name_sealed=name_sealed, created_at=now)
        async with self._ledger.effect(_deed(Kind.USER_INVITED, who, user, user_id=user_id, role=given)):
            await self._store.invite_user(user, invitation)
        return invited

    async def _invite_again(self, member: Member, who: Actor) -> Invited:
        user = member.user
        invited, invitation = await self._drafted(user.user_id)
        deed = _deed(Kind.USER_INVITED, who, user, user_id=user.user_id, role=user.role)
        async with self._ledger.effect(deed):
            await self._store.invite_again(invitation)
        return invited

    async def _drafted(self, user_id: str) -> tuple[Invited, Invitation]:
        minted, expires_at = await self._mint.new(INVITATION), self._clock.now() + INVITATION_LIFE
        kept = Invitation(invitation_digest=minted.digest, user_id=user_id, expires_at=expires_at)
        return Invited(user_id=user_id, invitation=minted.token, expires_at=expires_at), kept

    async def _find_own(self, seller_id: str, user_id: str) -> Member:
        if not words.is_id(user_id):
            raise MemberNotFound
        member = await self._store.find_member(user_id)
        if member.user.seller_id != seller_id:
            raise MemberNotFound
        return member

    async def _remove(self, member: Member, who: Actor, reason: str, *, keeps_owner: bool) -> Removal:
        user = member.user
        deed = _deed(Kind.USER_REMOVED, who, user, user_id=user.user_id, reason=reason)
        async with self._ledger.effect(deed):
            removal = await self._store.remove_user(user.user_id, self._clock.now(), keeps_owner=keeps_owner)
        for device_id in removal.device_ids:
            self._signals.ended("device", LEAVER)
            revoked = _deed(Kind.DEVICE_REVOKED, who, user, device_id=device_id, reason=LEAVER)
            await self._ledger.afterwards(revoked)
        return removal


def _deed(kind: Kind, who: Actor, user: User, **details: str) -> Deed:
    return Deed(kind=kind, actor=who, seller_id=user.seller_id, details=details)
