"""Sellers, their users, and the sessions and invitations by which users come in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.auth.model.people_refusals import CredentialRequired, RightMissing
from services.auth.model.refusals import SessionInvalid
from services.auth.model.roles import RIGHTS, Right, Role
from services.auth.model.sealing import Place

SESSION_LIFE = timedelta(hours=12)
INVITATION_LIFE = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class Seller:
    """A tenant."""

    seller_id: str
    name_sealed: str
    created_at: datetime

    @property
    def name_place(self) -> Place:
        """Where the name is sealed."""
        return seller_name_place(self.seller_id)


@dataclass(frozen=True, kw_only=True)
class User:
    """A person of a seller, or of the vendor's staff.

    Attributes:
        seller_id: empty for staff.
    """

    user_id: str
    seller_id: str
    role: Role
    name_sealed: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A single-use way in for one user."""

    invitation_digest: bytes
    user_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session about to begin; whose it is, the invitation says."""

    session_id: str
    token_digest: bytes
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a browser's session token stands for.

    Attributes:
        seller_id: empty for staff.
        role: the person's present one, not the one they signed in with.
        needs_credential: opened by an invitation, and nothing to sign in with is set up yet.
    """

    session_id: str
    user_id: str
    seller_id: str
    role: Role
    needs_credential: bool
    seller_name_sealed: str
    user_name_sealed: str
    expires_at: datetime

    @property
    def seller_name_place(self) -> Place:
        """Where the seller's name is sealed."""
        return seller_name_place(self.seller_id)

    @property
    def user_name_place(self) -> Place:
        """Where the user's name is sealed."""
        return user_name_place(self.seller_id, self.user_id)

    def check(self, now: datetime) -> None:
        """Return if the session may be used now.

        Raises:
            SessionInvalid: it is over.
        """
        if now >= self.expires_at:
            raise SessionInvalid

    def check_right(self, right: Right) -> None:
        """Return if the session's person may do this.

        Raises:
            CredentialRequired: a way in must be set up first.
            RightMissing: the role does not hold the right.
        """
        if self.needs_credential and right is not Right.KEEP_CREDENTIALS:
            raise CredentialRequired
        if right not in RIGHTS[self.role]:
            raise RightMissing


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session with its names in the open, for its own browser."""

    session: Session
    seller_name: str = field(repr=False)
    user_name: str = field(repr=False)


def seller_name_place(seller_id: str) -> Place:
    """Return where a seller's name is sealed."""
    return Place(seller_id=seller_id, table="sellers", column="name_sealed", row_id=seller_id)


def user_name_place(seller_id: str, user_id: str) -> Place:
    """Return where a user's name is sealed."""
    return Place(seller_id=seller_id, table="users", column="name_sealed", row_id=user_id)
