"""Sellers, people, invitations and sessions in memory. Every method is one step, as a transaction is."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_tables import FakePart
from services.auth.model.audit import Actor
from services.auth.model.ceremonies import Spent
from services.auth.model.consents import Application
from services.auth.model.people import (
    MEMBERS_MAX,
    PASSKEY,
    PASSWORD,
    PROVIDER,
    Invitation,
    Member,
    NewSession,
    Removal,
    Renewal,
    Seller,
    Session,
    User,
    WaysIn,
)
from services.auth.model.people_refusals import (
    CeremonyOver,
    LastCredential,
    LastOwner,
    MemberNotFound,
    MembersFull,
)
from services.auth.model.refusals import (
    ApplicationMissing,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
)
from services.auth.model.reviews import Access, SellerSummary
from services.auth.model.roles import Role


class FakePeopleStore(FakePart):
    """Whoever left is in no table any more."""

    async def register_application(self, application: Application, now: datetime) -> None:
        self.tables.applications[application.application_id] = (now, application)

    async def find_application(self, application_id: str | None = None) -> Application:
        known = self.tables.applications
        if application_id is not None and application_id in known:
            return known[application_id][1]
        if application_id is not None or not known:
            raise ApplicationMissing
        return max(known.values(), key=lambda row: row[0])[1]

    async def create_seller(self, seller: Seller) -> None:
        self.tables.sellers[seller.seller_id] = seller

    async def find_seller(self, seller_id: str) -> Seller:
        self._check_id(seller_id)
        if seller_id not in self.tables.sellers:
            raise SellerNotFound
        return self.tables.sellers[seller_id]

    async def invite_user(self, user: User, invitation: Invitation) -> None:
        self._hold_seller(user.seller_id)
        if len(self._colleagues(user.seller_id)) >= MEMBERS_MAX:
            raise MembersFull
        self.tables.users[user.user_id] = user
        self.tables.invitations[invitation.invitation_digest] = (invitation, None)

    async def find_invited(self, digest: bytes) -> User:
        if digest not in self.tables.invitations:
            raise InvitationInvalid
        return self.tables.users[self.tables.invitations[digest][0].user_id]

    async def redeem_invitation(self, digest: bytes, session: NewSession, now: datetime) -> Session:
        invitation, redeemed_at = self.tables.invitations.get(digest, (None, None))
        if invitation is None or redeemed_at is not None or invitation.expires_at <= now:
            raise InvitationInvalid
        if invitation.user_id != session.user_id:
            raise InvitationInvalid
        opened = self._open(session)
        self.tables.invitations[digest] = (invitation, now)
        return opened

    async def invite_again(self, invitation: Invitation) -> None:
        self._hold(invitation.user_id)
        self._end_ways_in(invitation.user_id)
        self.tables.invitations[invitation.invitation_digest] = (invitation, None)

    async def find_session(self, digest: bytes) -> Session:
        if digest not in self.tables.sessions:
            raise SessionInvalid
        session, user_id = self.tables.sessions[digest]
        user, seller = self.tables.users[user_id], None
        if user.seller_id:
            seller = self.tables.sellers[user.seller_id]
        return Session(
            session_id=session.session_id,
            user_id=user_id,
            seller_id=user.seller_id,
            role=user.role,
            needs_credential=session.needs_credential,
            seller_name_sealed=seller.name_sealed if seller else "",
            user_name_sealed=user.name_sealed,
            expires_at=session.expires_at,
            age_s=self._age_s(digest),
        )

    async def find_session_by_id(self, session_id: str) -> Session:
        for digest, (session, _) in self.tables.sessions.items():
            if session.session_id == session_id:
                return await self.find_session(digest)
        raise SessionInvalid

    async def end_session(self, session_id: str) -> None:
        self._end_sessions(
            digest for digest, row in self.tables.sessions.items() if row[0].session_id == session_id
        )

    async def spend(self, spent: Spent) -> None:
        self._spend(spent)

    async def list_members(self, seller_id: str) -> Sequence[Member]:
        return [self._member(user) for user in self._colleagues(seller_id)][:MEMBERS_MAX]

    async def find_member(self, user_id: str) -> Member:
        self._check_id(user_id)
        self._hold(user_id)
        return self._member(self.tables.users[user_id])

    async def change_role(self, user_id: str, role: Role) -> None:
        self._hold(user_id)
        if role is not Role.OWNER:
            self._check_owner_left(user_id)
        self.tables.users[user_id] = replace(self.tables.users[user_id], role=role)

    async def remove_user(self, user_id: str, now: datetime, *, keeps_owner: bool) -> Removal:
        self._hold(user_id)
        if keeps_owner:
            self._check_owner_left(user_id)
        sessions = sum(row[1] == user_id for row in self.tables.sessions.values())
        self._end_ways_in(user_id)
        for key in [key for key in self.tables.hashes if key[0] == user_id]:
            del self.tables.hashes[key]
        del self.tables.users[user_id]
        ended = [one for one in self.tables.devices.values() if one.user_id == user_id and not one.revoked_at]
        for device in ended:
            self.tables.devices[device.device_id] = replace(device, revoked_at=now)
            self._tell(device)
        return Removal(sessions_ended=sessions, device_ids=tuple(one.device_id for one in ended))

    async def list_summaries(self, after: str, now: datetime, rows_max: int) -> Sequence[SellerSummary]:
        if after:
            self._check_id(after)
        sellers = [one for one in sorted(self.tables.sellers) if one > after]
        here = [one for one in sellers if one not in self.tables.offboardings]
        return [self._summary(seller_id, now) for seller_id in here[:rows_max]]

    async def find_summary(self, seller_id: str, now: datetime) -> SellerSummary:
        self._check_id(seller_id)
        if seller_id not in self.tables.sellers or seller_id in self.tables.offboardings:
            raise SellerNotFound
        return self._summary(seller_id, now)

    async def list_access(self, after: str, rows_max: int) -> Sequence[Access]:
        users = [self.tables.users[one] for one in sorted(self.tables.users) if one > after]
        return [self._access(user) for user in users[:rows_max]]

    async def record_review(self, review_id: str, actor: Actor, now: datetime) -> None:
        self.tables.reviews[review_id] = (actor, now)

    async def find_review_due(self) -> datetime | None:
        reviewed = [now for _, now in self.tables.reviews.values()]
        since = [user.created_at for user in self.tables.users.values()]
        return max(reviewed) if reviewed else min(since, default=None)

    def _open(self, session: NewSession) -> Session:
        user = self.tables.users.get(session.user_id)
        if user is None:
            raise SessionInvalid
        self._hold_seller(user.seller_id)
        self.tables.sessions[session.token_digest] = (session, session.user_id)
        self._keep(session.token_digest)
        since = self.tables.signed_in.get(session.user_id, session.opened_at)
        self.tables.signed_in[session.user_id] = max(since, session.opened_at)
        return Session(
            session_id=session.session_id,
            user_id=user.user_id,
            seller_id=user.seller_id,
            role=user.role,
            needs_credential=session.needs_credential,
            seller_name_sealed=self.tables.sellers[user.seller_id].name_sealed if user.seller_id else "",
            user_name_sealed=user.name_sealed,
            expires_at=session.expires_at,
        )

    def _renew(self, renewal: Renewal) -> Session:
        for digest, (session, _) in list(self.tables.sessions.items()):
            if session.session_id == renewal.ended_session_id:
                del self.tables.sessions[digest]
                return self._open(renewal.session)
        raise SessionInvalid

    def _spend(self, spent: Spent) -> None:
        if spent.ceremony_digest in self.tables.spent:
            raise CeremonyOver
        self.tables.spent[spent.ceremony_digest] = spent.expires_at

    def _hold(self, user_id: str) -> None:
        if user_id not in self.tables.users:
            raise MemberNotFound

    def _end_sessions(self, digests: Iterable[bytes]) -> None:
        for digest in list(digests):
            del self.tables.sessions[digest]

    def _end_other_sessions(self, user_id: str, session_id: str) -> None:
        self._end_sessions(
            digest
            for digest, (session, owner) in self.tables.sessions.items()
            if owner == user_id and session.session_id != session_id
        )

    def _end_ways_in(self, user_id: str) -> None:
        tables = self.tables
        self._end_sessions(digest for digest, row in tables.sessions.items() if row[1] == user_id)
        for digest in [key for key, row in tables.invitations.items() if row[0].user_id == user_id]:
            del tables.invitations[digest]
        for digest in [key for key, code in tables.codes.items() if code.user_id == user_id]:
            del tables.codes[digest]
        decided = [(key, row.grant.decision) for key, row in tables.device_grants.items()]
        for digest in [key for key, made in decided if made is not None and made.user_id == user_id]:
            del tables.device_grants[digest]
        for passkey_id in [key for key, one in tables.passkeys.items() if one.person.user_id == user_id]:
            del tables.passkeys[passkey_id]
        tables.logins.pop(user_id, None)
        tables.links.pop(user_id, None)

    def _check_way_left(self, user_id: str, way: str, *, is_provider_offered: bool) -> None:
        self._hold(user_id)
        if self._ways(user_id).without(way, is_provider_offered=is_provider_offered) < 1:
            raise LastCredential

    def _ways(self, user_id: str) -> WaysIn:
        return WaysIn(
            passkeys=sum(one.person.user_id == user_id for one in self.tables.passkeys.values()),
            has_password=user_id in self.tables.logins,
            is_linked=user_id in self.tables.links,
        )

    def _check_owner_left(self, user_id: str) -> None:
        user = self.tables.users[user_id]
        others = [
            one
            for one in self._colleagues(user.seller_id)
            if one.role is Role.OWNER and one != user and self._member(one).credentials
        ]
        if user.role is Role.OWNER and not others:
            raise LastOwner

    def _colleagues(self, seller_id: str) -> list[User]:
        users = [user for user in self.tables.users.values() if user.seller_id == seller_id]
        return sorted(users, key=lambda user: (user.created_at, user.user_id))

    def _member(self, user: User) -> Member:
        ways = self._ways(user.user_id)
        held = ((PASSKEY, ways.passkeys), (PASSWORD, ways.has_password), (PROVIDER, ways.is_linked))
        return Member(
            user=user,
            signed_in_at=self.tables.signed_in.get(user.user_id),
            credentials=tuple(way for way, is_held in held if is_held),
        )

    def _summary(self, seller_id: str, now: datetime) -> SellerSummary:
        ends = [
            one.expires_at
            for one in self.tables.consents.values()
            if one.seller_id == seller_id and one.ended_at is None and one.expires_at > now
        ]
        devices = self.tables.devices.values()
        return SellerSummary(
            seller=self.tables.sellers[seller_id],
            active_consents=len(ends),
            active_devices=sum(one.seller_id == seller_id and one.revoked_at is None for one in devices),
            next_consent_ends_at=min(ends, default=None),
        )

    def _access(self, user: User) -> Access:
        held = [one for one in self.tables.devices.values() if one.user_id == user.user_id]
        active = sorted(
            (one for one in held if one.revoked_at is None),
            key=lambda one: (one.enrolled_at, one.device_id),
        )
        seller = self.tables.sellers.get(user.seller_id)
        return Access(seller=seller, member=self._member(user), devices=tuple(active))
