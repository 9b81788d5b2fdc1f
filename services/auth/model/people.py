"""Sellers, the people, and the sessions and invitations by which people come in.

- A session that an invitation opened needs a credential: it lives SETUP_LIFE and may only set one up. Then
  another session takes its place, so that nobody who knew the first one's token comes in with it.
- What a person signs in with is changed soon after signing in (FRESH), so that a browser left open for
  hours does not give somebody else a way in.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.auth.model import ages
from services.auth.model.people_refusals import CredentialRequired, RightMissing, RoleRefused, SignInAgain
from services.auth.model.refusals import SessionInvalid
from services.auth.model.roles import RIGHTS, Right, Role
from services.auth.model.sealing import STAFF, Place

SESSION_LIFE = timedelta(hours=12)
SETUP_LIFE = timedelta(hours=1)
FRESH = timedelta(minutes=15)
INVITATION_LIFE = timedelta(hours=24)
# People of one seller, or of the staff.
MEMBERS_MAX = 200

PASSKEY = "passkey"
PASSWORD = "password"  # noqa: S105 - the name of a way in
PROVIDER = "provider"


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
class Person:
    """Who somebody is, by ids alone.

    Attributes:
        seller_id: STAFF for staff.
    """

    user_id: str
    seller_id: str


@dataclass(frozen=True, kw_only=True)
class User:
    """A person of a seller, or of the vendor's staff.

    Attributes:
        seller_id: STAFF for staff.
    """

    user_id: str
    seller_id: str
    role: Role
    name_sealed: str
    created_at: datetime

    @property
    def person(self) -> Person:
        """Who it is."""
        return Person(user_id=self.user_id, seller_id=self.seller_id)

    @property
    def name_place(self) -> Place:
        """Where the name is sealed."""
        return user_name_place(self.seller_id, self.user_id)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """A single-use way in for one user."""

    invitation_digest: bytes
    user_id: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session about to begin.

    Attributes:
        needs_credential: the person has nothing to sign in with yet, or nothing that may go on being used.
    """

    session_id: str
    token_digest: bytes
    user_id: str
    opened_at: datetime
    expires_at: datetime
    needs_credential: bool = False


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """A session that takes another one's place."""

    ended_session_id: str
    session: NewSession


@dataclass(frozen=True, kw_only=True)
class Session:
    """What a browser's session token stands for.

    Attributes:
        seller_id: STAFF for staff.
        role: the person's present one, not the one they signed in with.
        seller_name_sealed: empty for staff.
        age_s: for how long it has been kept, by storage's clock.
    """

    session_id: str
    user_id: str
    seller_id: str
    role: Role
    needs_credential: bool
    seller_name_sealed: str
    user_name_sealed: str
    expires_at: datetime
    age_s: float = field(default=0.0, compare=False)

    @property
    def person(self) -> Person:
        """Whose it is."""
        return Person(user_id=self.user_id, seller_id=self.seller_id)

    @property
    def seller_name_place(self) -> Place:
        """Where the seller's name is sealed."""
        return seller_name_place(self.seller_id)

    @property
    def user_name_place(self) -> Place:
        """Where the user's name is sealed."""
        return user_name_place(self.seller_id, self.user_id)

    @property
    def fresh_until(self) -> datetime:
        """Until when the person may change what they sign in with."""
        return self.expires_at if self.needs_credential else self.expires_at - SESSION_LIFE + FRESH

    def check(self, now: datetime) -> None:
        """Return if the session may be used now.

        Raises:
            SessionInvalid: it is over.
        """
        life = SETUP_LIFE if self.needs_credential else SESSION_LIFE
        if ages.left_s(self.expires_at, now, life=life, age_s=self.age_s) <= 0:
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

    def check_fresh(self, now: datetime) -> None:
        """Return if the person may change what they sign in with.

        Raises:
            SignInAgain: they signed in too long ago.
        """
        life = SETUP_LIFE if self.needs_credential else FRESH
        if ages.left_s(self.fresh_until, now, life=life, age_s=self.age_s) <= 0:
            raise SignInAgain


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A session with its names in the open, for its own browser."""

    session: Session
    seller_name: str = field(repr=False)
    user_name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class WaysIn:
    """What a person may sign in with, in numbers.

    Attributes:
        is_linked: an account at the identity provider stands for the person.
    """

    passkeys: int
    has_password: bool
    is_linked: bool

    def without(self, way: str, *, is_provider_offered: bool) -> int:
        """Return how many ways in are left when one is taken away; a provider counts while it is offered."""
        left = self.passkeys + self.has_password + (self.is_linked and is_provider_offered)
        return left - (way != PROVIDER or is_provider_offered)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A person as their colleagues see them.

    Attributes:
        credentials: of PASSKEY, PASSWORD and PROVIDER, in this order; empty for who is invited only.
    """

    user: User
    signed_in_at: datetime | None
    credentials: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NamedMember:
    """A member with the name in the open."""

    member: Member
    name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What ended with a person's access: how many sessions, and which devices."""

    sessions_ended: int
    device_ids: tuple[str, ...]


def check_side(role: Role | None, seller_id: str) -> Role:
    """Return a role that people of this seller, or of the staff, may have.

    Raises:
        RoleRefused: it is none, or the other side's.
    """
    if role is None or role.is_staff != (seller_id == STAFF):
        raise RoleRefused
    return role


def seller_name_place(seller_id: str) -> Place:
    """Return where a seller's name is sealed."""
    return Place(seller_id=seller_id, table="sellers", column="name_sealed", row_id=seller_id)


def user_name_place(seller_id: str, user_id: str) -> Place:
    """Return where a user's name is sealed."""
    return Place(seller_id=seller_id, table="users", column="name_sealed", row_id=user_id)
