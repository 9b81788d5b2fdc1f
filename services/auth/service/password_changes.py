"""Setting, changing and removing a password, each time with a new secret for the authenticator app.

begin: a secret that follows from a ceremony -> the person's authenticator app
set: a code made with it, the rules kept, the old password shown -> all sealed and kept in one step
"""

from chassis.secrecy import Secret
from services.auth.model import passwords
from services.auth.model.audit import Deed, Kind
from services.auth.model.ceremonies import ENROLMENT_LIFE, Ceremony
from services.auth.model.passwords import Login, PasswordWish
from services.auth.model.people import PASSWORD, Session
from services.auth.model.people_refusals import (
    CodeWrong,
    CurrentPasswordWrong,
    EmailTaken,
    PasswordReused,
)
from services.auth.service.ceremonies import TOTP_SECRET, Ceremonies
from services.auth.service.ledger import Ledger
from services.auth.service.lockout import Lockout
from services.auth.service.passwords import EMAIL, PasswordService
from services.auth.service.ports import Ports
from services.auth.service.sessions import Opened, SessionService, actor


class PasswordChanges:
    """People's own passwords."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        *,
        sessions: SessionService,
        ceremonies: Ceremonies,
        passwords: PasswordService,
    ) -> None:
        self._logins = ports.store
        self._vault = ports.vault
        self._hasher = ports.hasher
        self._codes = ports.codes
        self._provider = ports.provider
        self._clock = ports.clock
        self._ledger = ledger
        self._sessions = sessions
        self._ceremonies = ceremonies
        self._passwords = passwords
        self._lockout = Lockout(ports.clock)

    async def begin(self, session_token: Secret[str]) -> tuple[Ceremony, Secret[str]]:
        """Return an enrolment, and the secret as the person's authenticator app takes it.

        Raises:
            SessionInvalid, SignInAgain
        """
        session = await self._sessions.require_fresh(session_token)
        ceremony = self._ceremonies.begin(ENROLMENT_LIFE)
        name = (await self._sessions.named(session)).user_name
        return ceremony, self._codes.uri(await self._totp(ceremony, session), name)

    async def set(self, session_token: Secret[str], enrolment: str, wish: PasswordWish) -> Opened | None:
        """Keep what a person wants to sign in with; return the session that takes this one's place, if any.

        The person's other sessions end.

        Raises:
            SessionInvalid, SignInAgain, CeremonyOver, CodeWrong, CurrentPasswordWrong, PasswordRefused,
            PasswordReused, PasswordTooNew, EmailRefused, EmailTaken, SignInBusy
            TooManyFailures: too many wrong passwords, or addresses that are taken.
        """
        session = await self._sessions.require_fresh(session_token)
        async with self._lockout.judging(session.session_id, EmailTaken):
            return await self._set(session, enrolment, wish)

    async def remove(self, session_token: Secret[str]) -> None:
        """Remove the person's password; their other sessions end.

        Raises:
            SessionInvalid, SignInAgain
            LastCredential: nothing else would be left.
        """
        session = await self._sessions.require_fresh(session_token)
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_REMOVED, session)):
            await self._logins.remove_password(
                session.user_id, session.session_id, is_provider_offered=self._provider.is_offered
            )

    async def _set(self, session: Session, enrolment: str, wish: PasswordWish) -> Opened | None:
        ceremony = self._ceremonies.read(enrolment)
        login = await self._checked(session, ceremony, wish)
        spent = await self._ceremonies.spent(ceremony)
        token, renewal = await self._sessions.renewal(session) if session.needs_credential else (None, None)
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_ADDED, session)):
            opened = await self._logins.set_password(
                login, spent, session_id=session.session_id, renewal=renewal
            )
        if token is None or opened is None:
            return None
        return token, await self._sessions.named(opened)

    async def _totp(self, ceremony: Ceremony, session: Session) -> Secret[bytes]:
        derived = await self._ceremonies.derive(ceremony, TOTP_SECRET, session.user_id)
        return Secret(derived[: passwords.TOTP_BYTES])

    async def _checked(self, session: Session, ceremony: Ceremony, wish: PasswordWish) -> Login:
        """Return the login to be kept, when everything about the wish is in order."""
        address, password = passwords.email(wish.email), passwords.normalised(wish.password)
        name = (await self._sessions.named(session)).user_name
        passwords.check_password(password, person_name=name, email=address)
        totp = await self._totp(ceremony, session)
        step = self._codes.step(totp, passwords.code_shown(wish.code))
        if step is None:
            raise CodeWrong
        await self._check_current(session, wish)
        version = await self._check_history(session, password) + 1
        person = session.person
        return Login(
            person=person,
            version=version,
            email_digest=await self._vault.digest(EMAIL, address),
            email_sealed=await self._vault.seal(passwords.email_place(person, version), Secret(address)),
            hash_sealed=await self._vault.seal(
                passwords.hash_place(person, version), await self._hasher.hash(password)
            ),
            totp_sealed=await self._vault.seal(
                passwords.totp_place(person, version), passwords.totp_text(totp)
            ),
            totp_step=step,
            set_at=self._clock.now(),
        )

    async def _check_current(self, session: Session, wish: PasswordWish) -> None:
        """Return if the present password was shown, where there is one."""
        login = await self._logins.find_own_login(session.user_id)
        if login is not None and not await self._passwords.prove(login, wish.current):
            raise CurrentPasswordWrong

    async def _check_history(self, session: Session, password: Secret[str]) -> int:
        """Return the version of the last password, 0 for none, if this one may follow it."""
        hashes = await self._logins.list_hashes(session.user_id)
        if not hashes:
            return 0
        # Who was let in to set up a credential has lost the last one, or it is past its age.
        if not session.needs_credential:
            passwords.check_age(hashes[0].set_at, self._clock.now())
        for old in hashes:
            place = passwords.hash_place(session.person, old.version)
            if await self._hasher.verify(await self._vault.open(place, old.hash_sealed), password):
                raise PasswordReused
        return hashes[0].version


def _deed(kind: Kind, session: Session) -> Deed:
    return Deed(kind=kind, actor=actor(session), seller_id=session.seller_id, details={"way": PASSWORD})
