"""Signing in with a password and an authenticator app's code, both in one step.

Every cause of a refusal has one answer and costs the same work (T-11): an address that nobody signs in with
is judged against a decoy, which has a hash and a secret like everybody's and lets nobody in.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.errors import SallyportError
from chassis.secrecy import Secret
from services.auth.model import passwords
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.passwords import (
    EMAIL_CHARS_MAX,
    FAILURES_MAX,
    SOURCE_CHARS_MAX,
    SOURCE_FAILURES_MAX,
    Attempt,
    Login,
    PasswordAttempt,
)
from services.auth.model.people import PASSWORD, Person
from services.auth.model.people_refusals import EmailRefused, SignInRefused
from services.auth.model.refusals import TooManyFailures
from services.auth.model.sealing import STAFF
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.sessions import Opened, SessionService

# What a digest is for; see `mint`.
EMAIL = "email"
SOURCE = "source"

NOBODY = Person(user_id="00000000-0000-0000-0000-000000000000", seller_id=STAFF)
DECOY_BYTES = 32
# A value stays readable for SETTLING_S after its key was rotated; the decoy is sealed anew well before.
DECOY_KEPT_S = 60.0

ADDRESS_UNKNOWN = "address_unknown"
PASSWORD_MISMATCH = "password_mismatch"  # noqa: S105 - why somebody was refused
CODE_MISMATCH = "code_mismatch"
TOO_MANY_FAILURES = TooManyFailures.code


class Decoy:
    """The login of nobody."""

    def __init__(self, ports: Ports) -> None:
        self._sealer = ports.vault
        self._hasher = ports.hasher
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._hash: Secret[str] | None = None
        self._login: Login | None = None
        self._until_s = 0.0

    async def login(self) -> Login:
        """Return the login of nobody, sealed lately."""
        now_s = self._clock.monotonic_s()
        if self._login is None or now_s >= self._until_s:
            self._login, self._until_s = await self._sealed(), now_s + DECOY_KEPT_S
        return self._login

    async def _sealed(self) -> Login:
        if self._hash is None:
            self._hash = await self._hasher.hash(Secret(self._entropy.token(DECOY_BYTES).hex()))
        totp = passwords.totp_text(Secret(self._entropy.token(passwords.TOTP_BYTES)))
        return Login(
            person=NOBODY,
            version=1,
            email_digest=b"",
            email_sealed="",
            hash_sealed=await self._sealer.seal(passwords.hash_place(NOBODY, 1), self._hash),
            totp_sealed=await self._sealer.seal(passwords.totp_place(NOBODY, 1), totp),
            totp_step=0,
            set_at=self._clock.now(),
        )


class PasswordService:
    """The way in for those who know a password and hold an authenticator app."""

    def __init__(self, ports: Ports, ledger: Ledger, *, sessions: SessionService) -> None:
        self._logins = ports.store
        self._sealer = ports.vault
        self._digests = ports.vault
        self._hasher = ports.hasher
        self._codes = ports.codes
        self._clock = ports.clock
        self._ledger = ledger
        self._sessions = sessions
        self._decoy = Decoy(ports)

    async def sign_in(self, shown: PasswordAttempt) -> Opened:
        """Return the session that an address, a password and a code open.

        A password past its age opens a session that needs a credential.

        Raises:
            SignInRefused: whatever is wrong with them (T-11).
            TooManyFailures: the address, whether known or not, or the source is locked (DPP-1.2b).
            SignInBusy: too many wait.
        """
        decoy = await self._decoy.login()
        source = await self._count_source(shown.source)
        subject = await self._subject(shown.email)
        attempt = await self._count(subject, FAILURES_MAX)
        async with self._judging(subject, source):
            login = await self._logins.find_login(subject)
            mismatch, step = await self._judge(login or decoy, shown)
        if login is None or step is None:
            await self._refuse(login, mismatch if login else ADDRESS_UNKNOWN, attempt)
            raise SignInRefused
        await self._uncount(source)
        await self._logins.forget_failures(subject)
        opened = await self._sessions.open(
            login.person,
            PASSWORD,
            lambda opening: self._logins.sign_in_with_password(login, step, opening),
            needs_credential=self._clock.now() >= login.expires_at,
        )
        await self._rehash(login, shown)
        return opened

    async def _subject(self, email: str) -> bytes:
        """Return the digest by which an address is known; texts that are no address have one too."""
        try:
            text = passwords.email(email)
        except EmailRefused:
            text = email[:EMAIL_CHARS_MAX]
        return await self._digests.digest(EMAIL, text)

    async def prove(self, login: Login, password: Secret[str]) -> bool:
        """Return whether a password is the one of a login; wrong ones count as on signing in.

        Raises:
            TooManyFailures: the login's address is locked.
            SignInBusy: too many wait.
        """
        subject = login.email_digest
        await self._count(subject, FAILURES_MAX)
        async with self._judging(subject):
            is_right = await self._verify(login, password)
        if is_right:
            await self._logins.forget_failures(subject)
        return is_right

    async def _count_source(self, source: str) -> bytes | None:
        """Count an attempt from a source; before the address, so that a locked one locks no address."""
        if not source:
            return None
        digest = await self._digests.digest(SOURCE, source[:SOURCE_CHARS_MAX])
        await self._count(digest, SOURCE_FAILURES_MAX)
        return digest

    async def _count(self, subject: bytes, failures_max: int) -> Attempt:
        now = self._clock.now()
        attempt = await self._logins.count_attempt(subject, failures_max, now)
        if attempt.is_locked:
            raise TooManyFailures(retry_after_s=attempt.failures.locked_s(now))
        return attempt

    @asynccontextmanager
    async def _judging(self, *digests: bytes | None) -> AsyncIterator[None]:
        """Take attempts back when what judges them fails: nobody learnt whether they were right."""
        try:
            yield
        except (SallyportError, asyncio.CancelledError):
            await self._uncount(*digests)
            raise

    async def _uncount(self, *digests: bytes | None) -> None:
        for digest in digests:
            if digest is not None:
                await self._logins.uncount_attempt(digest)

    async def _judge(self, login: Login, shown: PasswordAttempt) -> tuple[str, int | None]:
        """Return the step whose code was shown, or None and what did not match; always with the same work."""
        is_password = await self._verify(login, shown.password)
        totp = passwords.totp_secret(await self._sealer.open(login.totp_place, login.totp_sealed))
        step = self._codes.step(totp, passwords.code_shown(shown.code))
        is_unused = step is not None and step > login.totp_step
        mismatch = CODE_MISMATCH if is_password else PASSWORD_MISMATCH
        return mismatch, step if is_password and is_unused else None

    async def _verify(self, login: Login, password: Secret[str]) -> bool:
        return await self._hasher.verify(
            await self._sealer.open(login.hash_place, login.hash_sealed), _hashable(password)
        )

    async def _refuse(self, login: Login | None, why: str, attempt: Attempt) -> None:
        await self._ledger.refusal(_refused(Kind.SIGN_IN_REFUSED, login, why))
        if attempt.failures.failures >= FAILURES_MAX:
            await self._ledger.refusal(_refused(Kind.SIGN_IN_LOCKED, login, TOO_MANY_FAILURES))

    async def _rehash(self, login: Login, shown: PasswordAttempt) -> None:
        """Keep the hash anew if it was made with less work than is asked for now."""
        hashed = await self._sealer.open(login.hash_place, login.hash_sealed)
        if not self._hasher.is_outdated(hashed):
            return
        try:
            anew = await self._hasher.hash(_hashable(shown.password))
            await self._logins.replace_hash(login, await self._sealer.seal(login.hash_place, anew))
        except SallyportError:
            # The person is in; the next sign-in tries again.
            return


def _hashable(password: Secret[str]) -> Secret[str]:
    """Return a password as it was hashed; what cannot be anybody's counts as none."""
    text = passwords.normalised(password)
    return text if passwords.is_hashable(text) else Secret("")


def _refused(kind: Kind, login: Login | None, why: str) -> Deed:
    if login is None:
        return Deed(kind=kind, actor=SELF, result=why)
    return Deed(
        kind=kind,
        actor=Actor(kind="user", actor_id=login.person.user_id),
        seller_id=login.person.seller_id,
        result=why,
    )
