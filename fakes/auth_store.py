"""Auth's storage in memory. Every method is one step, as a transaction is."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fakes.auth_device_grants import FakeDeviceGrantStore
from fakes.auth_grantless import FakeGrantlessStore
from fakes.auth_leases import FakeLeaseStore
from fakes.auth_life import FakeReminderStore, FakeSellerStore
from fakes.auth_rewrappings import FakeRewrappingStore
from fakes.auth_rotations import FakeRotationStore
from fakes.auth_turns import FakeTurnStore
from services.auth.model.consents import Application
from services.auth.model.device_grants import DEVICE_GRANT_MEMORY
from services.auth.model.devices import (
    CODE_MEMORY,
    DEVICE_IDLE_MAX,
    Reach,
)
from services.auth.model.people import Invitation, NewSession, Seller, Session, User
from services.auth.model.refusals import (
    ApplicationMissing,
    InvitationInvalid,
    SellerNotFound,
    SessionInvalid,
)
from services.auth.model.tokens import (
    ACCESS_MEMORY,
)

V = TypeVar("V")


class FakeStore(
    FakeLeaseStore,
    FakeTurnStore,
    FakeGrantlessStore,
    FakeReminderStore,
    FakeSellerStore,
    FakeDeviceGrantStore,
    FakeRotationStore,
    FakeRewrappingStore,
):
    """Several of these on the same tables are several replicas on one database."""

    # People

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
        if seller_id not in self.tables.sellers:
            raise SellerNotFound
        return self.tables.sellers[seller_id]

    async def invite_user(self, user: User, invitation: Invitation) -> None:
        self._hold_seller(user.seller_id)
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
        self.tables.invitations[digest] = (invitation, now)
        self.tables.sessions[session.token_digest] = (session, invitation.user_id)
        return await self.find_session(session.token_digest)

    async def find_session(self, digest: bytes) -> Session:
        if digest not in self.tables.sessions:
            raise SessionInvalid
        session, user_id = self.tables.sessions[digest]
        user = self.tables.users[user_id]
        if user.seller_id in self.tables.offboardings:
            raise SessionInvalid
        return Session(
            session_id=session.session_id,
            user_id=user_id,
            seller_id=user.seller_id,
            role=user.role,
            needs_credential=False,
            seller_name_sealed=self.tables.sellers[user.seller_id].name_sealed,
            user_name_sealed=user.name_sealed,
            expires_at=session.expires_at,
        )

    async def end_session(self, session_id: str) -> None:
        kept = {
            digest: row for digest, row in self.tables.sessions.items() if row[0].session_id != session_id
        }
        self.tables.sessions = kept

    async def find_reach(self, seller_id: str, now: datetime) -> Reach:
        found = [
            consent
            for consent in self._active()
            if consent.seller_id == seller_id and consent.expires_at > now
        ]
        found.sort(key=lambda consent: consent.granted_at, reverse=True)
        regions = tuple(sorted(consent.region for consent in found))
        return Reach(regions=regions, default_marketplace_id=found[0].marketplace_id if found else "")

    # Sweeps

    async def purge(self, now: datetime, rows_max: int) -> int:
        tables, idle_s = self.tables, DEVICE_IDLE_MAX.total_seconds()
        purged = _drop(tables.invitations, lambda row: row[0].expires_at < now, rows_max)
        purged += _drop(tables.sessions, lambda row: row[0].expires_at < now, rows_max)
        purged += _drop(tables.states, lambda state: state.expires_at < now, rows_max)
        purged += _drop(tables.codes, lambda code: code.expires_at < now - CODE_MEMORY, rows_max)
        purged += _drop(
            tables.device_grants, lambda row: row.grant.expires_at < now - DEVICE_GRANT_MEMORY, rows_max
        )
        purged += _drop(tables.access_tokens, lambda row: row[1].expires_at < now - ACCESS_MEMORY, rows_max)
        return purged + _drop(
            tables.refresh_tokens,
            lambda row: (
                row.rotated_at_s is not None and row.rotated_at_s < self._clock.monotonic_s() - idle_s
            ),
            rows_max,
        )


def _drop(rows: dict[bytes, V], is_over: Callable[[V], bool], rows_max: int) -> int:
    over = [key for key, row in rows.items() if is_over(row)][:rows_max]
    for key in over:
        del rows[key]
    return len(over)
