"""Passkeys: registering one, signing in with it, removing it.

begin: a challenge that follows from a ceremony -> the browser asks the person's device
complete: the answer verified -> ceremony spent, use counted, session opened; in one step of storage
"""

from uuid import UUID

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.ceremonies import PASSKEY_LIFE, Ceremony
from services.auth.model.passkeys import (
    PASSKEYS_MAX,
    Attested,
    NamedPasskey,
    Passkey,
    PasskeyUse,
    counts_on,
    passkey_name_place,
)
from services.auth.model.people import PASSKEY, Person, Session
from services.auth.model.people_refusals import (
    CeremonyOver,
    PasskeyNotFound,
    PasskeysFull,
    SignInRefused,
)
from services.auth.service.ceremonies import PASSKEY_REGISTRATION, PASSKEY_SIGN_IN, Ceremonies
from services.auth.service.ledger import Ledger
from services.auth.service.mint import Mint
from services.auth.service.ports import Ports
from services.auth.service.sessions import Opened, SessionService, actor

COPIED = "passkey_copied"
MISMATCH = "passkey_mismatch"


class PasskeyService:
    """People's passkeys."""

    def __init__(
        self, ports: Ports, mint: Mint, ledger: Ledger, *, sessions: SessionService, ceremonies: Ceremonies
    ) -> None:
        self._passkeys = ports.store
        self._verifier = ports.passkeys
        self._provider = ports.provider
        self._sealer = ports.vault
        self._signals = ports.signals
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger
        self._sessions = sessions
        self._ceremonies = ceremonies

    async def begin_sign_in(self) -> tuple[Ceremony, str]:
        """Return a ceremony, and what the browser asks any of the person's devices, as JSON."""
        ceremony = self._ceremonies.begin(PASSKEY_LIFE)
        challenge = await self._ceremonies.derive(ceremony, PASSKEY_SIGN_IN)
        return ceremony, self._verifier.sign_in_options(challenge)

    async def sign_in(self, ceremony_text: str, credential_json: str) -> Opened:
        """Return the session that a passkey's answer opens.

        Raises:
            SignInRefused: whatever is wrong with it (T-11).
        """
        try:
            ceremony = self._ceremonies.read(ceremony_text)
        except CeremonyOver as error:
            raise SignInRefused from error
        passkey = await self._find_claimed(credential_json)
        challenge = await self._ceremonies.derive(ceremony, PASSKEY_SIGN_IN)
        use = await self._verified(credential_json, challenge, passkey)
        spent = await self._ceremonies.spent(ceremony)
        return await self._sessions.open(
            passkey.person,
            PASSKEY,
            lambda opening: self._passkeys.sign_in_with_passkey(use, spent, opening),
        )

    async def begin_registration(self, session_token: Secret[str]) -> tuple[Ceremony, str]:
        """Return a ceremony, and what the browser asks the device that is to keep the passkey, as JSON.

        Raises:
            SessionInvalid, SignInAgain
            PasskeysFull: the person has PASSKEYS_MAX.
        """
        session = await self._sessions.require_fresh(session_token)
        held = await self._passkeys.list_passkeys(session.user_id)
        if len(held) >= PASSKEYS_MAX:
            raise PasskeysFull
        ceremony = self._ceremonies.begin(PASSKEY_LIFE)
        options = self._verifier.registration_options(
            await self._ceremonies.derive(ceremony, PASSKEY_REGISTRATION, session.session_id),
            user_handle=UUID(session.user_id).bytes,
            person_name=(await self._sessions.named(session)).user_name,
            known=[passkey.credential_id for passkey in held],
        )
        return ceremony, options

    async def register(
        self, session_token: Secret[str], ceremony_text: str, *, credential_json: str, name: str
    ) -> tuple[NamedPasskey, Opened | None]:
        """Return the new passkey, and the session that takes the place of one that needed a credential.

        Raises:
            SessionInvalid, SignInAgain, CeremonyOver, PasskeyRefused, PasskeyKnown, PasskeysFull, InvalidName
        """
        session = await self._sessions.require_fresh(session_token)
        passkey_name, ceremony = words.name(name), self._ceremonies.read(ceremony_text)
        challenge = await self._ceremonies.derive(ceremony, PASSKEY_REGISTRATION, session.session_id)
        attested = self._verifier.attested(credential_json, challenge)
        passkey = await self._sealed(session, attested, passkey_name)
        spent = await self._ceremonies.spent(ceremony)
        token, renewal = await self._sessions.renewal(session) if session.needs_credential else (None, None)
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_ADDED, session, passkey.passkey_id)):
            opened = await self._passkeys.add_passkey(passkey, spent, renewal)
        named = NamedPasskey(passkey=passkey, name=passkey_name)
        if token is None or opened is None:
            return named, None
        return named, (token, await self._sessions.named(opened))

    async def remove(self, session_token: Secret[str], passkey_id: str) -> None:
        """Remove one of the person's own passkeys; their other sessions end.

        Raises:
            SessionInvalid, SignInAgain
            PasskeyNotFound: absent, or another person's (T-07).
            LastCredential: nothing else would be left.
        """
        session = await self._sessions.require_fresh(session_token)
        held = await self._passkeys.list_passkeys(session.user_id)
        passkey = next((one for one in held if one.passkey_id == passkey_id), None)
        if passkey is None:
            raise PasskeyNotFound
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_REMOVED, session, passkey_id)):
            await self._passkeys.remove_passkey(
                passkey, session.session_id, is_provider_offered=self._provider.is_offered
            )

    async def _find_claimed(self, credential_json: str) -> Passkey:
        """Return the passkey that an answer claims to be from; nothing is told of claims to be none of ours.

        Anybody can make those without end, so the audit log hears only of passkeys that exist.
        """
        try:
            claim = self._verifier.claimed(credential_json)
            passkey = await self._passkeys.find_passkey(claim.unverified_credential_id)
        except SignInRefused:
            self._signals.refused(Kind.SIGN_IN_REFUSED, "passkey_unknown")
            raise
        if claim.unverified_user_handle != UUID(passkey.person.user_id).bytes:
            await self._refuse(passkey.person, MISMATCH)
        return passkey

    async def _verified(self, credential_json: str, challenge: bytes, passkey: Passkey) -> PasskeyUse:
        try:
            sign_count = self._verifier.asserted(credential_json, challenge, passkey)
        except SignInRefused:
            await self._ledger.refusal(_refused(passkey.person, MISMATCH))
            raise
        if not counts_on(passkey.sign_count, sign_count):
            await self._refuse(passkey.person, COPIED)
        return PasskeyUse(passkey_id=passkey.passkey_id, sign_count=sign_count, used_at=self._clock.now())

    async def _refuse(self, person: Person, why: str) -> None:
        await self._ledger.refusal(_refused(person, why))
        raise SignInRefused

    async def _sealed(self, session: Session, attested: Attested, name: str) -> Passkey:
        passkey_id = self._mint.new_id()
        name_place = passkey_name_place(session.seller_id, passkey_id)
        return Passkey(
            passkey_id=passkey_id,
            person=session.person,
            credential_id=attested.credential_id,
            public_key=attested.public_key,
            sign_count=attested.sign_count,
            name_sealed=await self._sealer.seal(name_place, Secret(name)),
            registered_at=self._clock.now(),
        )


def _deed(kind: Kind, session: Session, passkey_id: str) -> Deed:
    details = {"way": PASSKEY, "passkey_id": passkey_id}
    return Deed(kind=kind, actor=actor(session), seller_id=session.seller_id, details=details)


def _refused(person: Person, why: str) -> Deed:
    return Deed(
        kind=Kind.SIGN_IN_REFUSED,
        actor=Actor(kind="user", actor_id=person.user_id),
        seller_id=person.seller_id,
        result=why,
    )
