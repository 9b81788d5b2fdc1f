"""People in storage, fake or Postgres, as the contract's tests need them."""

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from fakes.auth_store import FakeStore
from fakes.clock import START
from services.auth.model.ceremonies import Spent
from services.auth.model.devices import Device, Profile
from services.auth.model.passkeys import Passkey
from services.auth.model.passwords import Login
from services.auth.model.people import Invitation, NewSession, Renewal, Seller, Session, User
from services.auth.model.roles import Role
from services.auth.model.sealing import STAFF
from services.auth.model.tokens import Enrolment
from services.auth.store import Store

AnyStore = FakeStore | Store

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# Far from what other tests on the same database use.
_numbers = count(1 << 64)


def new_id() -> str:
    return str(UUID(int=next(_numbers)))


def digest() -> bytes:
    return next(_numbers).to_bytes(32, "big")


def spent() -> Spent:
    return Spent(ceremony_digest=digest(), expires_at=START + DAY)


async def seller(store: AnyStore) -> str:
    made = Seller(seller_id=new_id(), name_sealed="sealed name", created_at=START)
    await store.create_seller(made)
    return made.seller_id


def session_of(user: User, *, needs_credential: bool = False, opened_at: datetime = START) -> NewSession:
    return NewSession(
        session_id=new_id(),
        token_digest=digest(),
        user_id=user.user_id,
        opened_at=opened_at,
        expires_at=opened_at + DAY,
        needs_credential=needs_credential,
    )


def invitation_of(user: User) -> Invitation:
    return Invitation(invitation_digest=digest(), user_id=user.user_id, expires_at=START + DAY)


async def invited(
    store: AnyStore, seller_id: str = STAFF, role: Role = Role.SECURITY, created_at: datetime = START
) -> tuple[User, Invitation]:
    user = User(
        user_id=new_id(), seller_id=seller_id, role=role, name_sealed="sealed user", created_at=created_at
    )
    invitation = invitation_of(user)
    await store.invite_user(user, invitation)
    return user, invitation


async def arrived(
    store: AnyStore, seller_id: str = STAFF, role: Role = Role.SECURITY
) -> tuple[User, Session]:
    """Return somebody with a session that an invitation opened."""
    user, invitation = await invited(store, seller_id, role)
    opening = session_of(user, needs_credential=True)
    return user, await store.redeem_invitation(invitation.invitation_digest, opening, START)


async def owner(store: AnyStore, seller_id: str) -> tuple[User, Passkey]:
    """Return an owner who can sign in."""
    user, _ = await arrived(store, seller_id, Role.OWNER)
    return user, await with_passkey(store, user)


def passkey_of(user: User, registered_at: datetime = START, sign_count: int = 0) -> Passkey:
    return Passkey(
        passkey_id=new_id(),
        person=user.person,
        credential_id=digest(),
        public_key=b"public key",
        sign_count=sign_count,
        name_sealed="sealed passkey",
        registered_at=registered_at,
    )


async def with_passkey(store: AnyStore, user: User, registered_at: datetime = START) -> Passkey:
    passkey = passkey_of(user, registered_at)
    await store.add_passkey(passkey, spent(), None)
    return passkey


def login_of(user: User, version: int = 1, email_digest: bytes | None = None) -> Login:
    return Login(
        person=user.person,
        version=version,
        email_digest=email_digest or digest(),
        email_sealed=f"sealed e-mail {version}",
        hash_sealed=f"sealed hash {version}",
        totp_sealed=f"sealed secret {version}",
        totp_step=100,
        set_at=START + version * DAY,
    )


async def with_password(store: AnyStore, user: User) -> Login:
    login = login_of(user)
    await store.set_password(login, spent(), session_id=new_id(), renewal=None)
    return login


def renewal_of(session: Session) -> Renewal:
    opening = NewSession(
        session_id=new_id(),
        token_digest=digest(),
        user_id=session.user_id,
        opened_at=START,
        expires_at=START + DAY,
    )
    return Renewal(ended_session_id=session.session_id, session=opening)


def enrolment_of(user: User, enrolled_at: datetime = START) -> Enrolment:
    device = Device(
        device_id=new_id(),
        seller_id=user.seller_id,
        user_id=user.user_id,
        profile=Profile.COMPAT,
        scopes=("orders",),
        client_id="",
        key_thumbprint="",
        name_sealed="sealed device",
        enrolled_at=enrolled_at,
        used_at=enrolled_at,
    )
    return Enrolment(device=device, refresh_digest=digest())
