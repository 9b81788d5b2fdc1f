"""Signing in with the vendor's own identity provider, and linking an account there.

begin: state, nonce and code verifier follow from a ceremony bound to the browser -> the provider
complete: state of this browser, spent at once -> code for an ID token -> the account's person

A state that links names the session that began it, so that only a session of the person's own links.
"""

import hmac

from chassis.secrecy import Secret
from services.auth.model import words
from services.auth.model.audit import SELF, Deed, Kind
from services.auth.model.ceremonies import PROVIDER_LIFE, Ceremony
from services.auth.model.people import PROVIDER, Session
from services.auth.model.people_refusals import (
    CeremonyOver,
    ProviderMissing,
    SecondFactorMissing,
    SignInRefused,
)
from services.auth.model.provider import ANSWER_CHARS_MAX, Binding, ProviderAnswer
from services.auth.model.roles import Right
from services.auth.service.ceremonies import (
    PROVIDER_NONCE,
    PROVIDER_STATE,
    PROVIDER_VERIFIER,
    Ceremonies,
)
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.sessions import Opened, SessionService, actor

# What a digest is for; see `mint`.
ACCOUNT = "provider.account"

BROWSER_SECRET_CHARS_MIN = 32
BROWSER_SECRET_CHARS_MAX = 256

STATE_MISMATCH = "state_mismatch"
ACCOUNT_UNKNOWN = "account_unknown"
ANSWER_MISMATCH = "answer_mismatch"


class ProviderService:
    """The way in through the vendor's own identity provider."""

    def __init__(
        self, ports: Ports, ledger: Ledger, *, sessions: SessionService, ceremonies: Ceremonies
    ) -> None:
        self._links = ports.store
        self._digests = ports.vault
        self._provider = ports.provider
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger
        self._sessions = sessions
        self._ceremonies = ceremonies

    async def begin(self, browser_secret: Secret[str], session_token: Secret[str] | None) -> Secret[str]:
        """Return the address at the provider where this browser should go.

        Args:
            browser_secret: what only this browser knows, BROWSER_SECRET_CHARS_MIN or more.
            session_token: to link an account to its person; None to sign in.

        Raises:
            SessionInvalid, SignInAgain: of the session that is to be linked.
            SignInRefused: the browser's secret is none.
            ProviderMissing, ProviderUnavailable
        """
        _check_secret(browser_secret)
        session_id = ""
        if session_token is not None:
            session_id = (await self._sessions.require_fresh(session_token)).session_id
        if not self._provider.is_offered:
            raise ProviderMissing
        ceremony = self._ceremonies.begin(PROVIDER_LIFE)
        return await self._provider.authorization_url(
            await self._binding(ceremony, session_id, browser_secret)
        )

    async def complete(self, browser_secret: Secret[str], answer: ProviderAnswer) -> Opened:
        """Return the session that the provider's answer opens, or that takes the linking one's place.

        Raises:
            SignInRefused: not this browser's, used, too old, not the provider's, or nobody's account (T-11).
            SecondFactorMissing: the provider asked for a password only.
            SessionInvalid, SignInAgain: of the session that links.
            AccountTaken: the account, or the person, is linked otherwise.
            ProviderMissing, ProviderUnavailable
        """
        ceremony, session_id, binding = await self._read(browser_secret, answer)
        try:
            await self._links.spend(await self._ceremonies.spent(ceremony))
        except CeremonyOver as error:
            raise SignInRefused from error
        try:
            account = await self._provider.account(answer, binding)
        except (SignInRefused, SecondFactorMissing) as error:
            is_weak = isinstance(error, SecondFactorMissing)
            await self._ledger.refusal(_refused(error.code if is_weak else ANSWER_MISMATCH))
            raise
        digest = await self._digests.digest(ACCOUNT, account.key)
        return await (self._link(session_id, digest) if session_id else self._sign_in(digest))

    async def unlink(self, session_token: Secret[str]) -> None:
        """Let no account stand for the person; their other sessions end.

        Raises:
            SessionInvalid, SignInAgain
            LastCredential: nothing else would be left.
        """
        session = await self._sessions.require_fresh(session_token)
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_REMOVED, session)):
            await self._links.unlink_account(session.user_id, session.session_id)

    async def _sign_in(self, digest: bytes) -> Opened:
        try:
            person = await self._links.find_linked(digest)
        except SignInRefused:
            await self._ledger.refusal(_refused(ACCOUNT_UNKNOWN))
            raise
        return await self._sessions.open(
            person, PROVIDER, lambda opening: self._links.sign_in_with_account(digest, opening)
        )

    async def _link(self, session_id: str, digest: bytes) -> Opened:
        session = await self._links.find_session_by_id(session_id)
        now = self._clock.now()
        session.check(now)
        session.check_right(Right.KEEP_CREDENTIALS)
        session.check_fresh(now)
        token, renewal = await self._sessions.renewal(session)
        async with self._ledger.effect(_deed(Kind.CREDENTIAL_ADDED, session)):
            opened = await self._links.link_account(digest, now, renewal)
        return token, await self._sessions.named(opened)

    async def _binding(self, ceremony: Ceremony, session_id: str, browser_secret: Secret[str]) -> Binding:
        """Return what ties a sign-in together; another browser's secret or session gives another one."""
        bound_to = (session_id, browser_secret.reveal())
        tag = await self._ceremonies.derive(ceremony, PROVIDER_STATE, *bound_to)
        nonce = await self._ceremonies.derive(ceremony, PROVIDER_NONCE, *bound_to)
        verifier = await self._ceremonies.derive(ceremony, PROVIDER_VERIFIER, *bound_to)
        return Binding(
            state=".".join((ceremony.text, session_id, words.token("", tag))),
            nonce=words.token("", nonce),
            code_verifier=Secret(words.token("", verifier)),
        )

    async def _read(
        self, browser_secret: Secret[str], answer: ProviderAnswer
    ) -> tuple[Ceremony, str, Binding]:
        """Return what an answer's state was begun with, by this browser and with this session.

        Raises:
            SignInRefused: it was not.
        """
        _check_secret(browser_secret)
        text, _, rest = answer.state[:ANSWER_CHARS_MAX].rpartition(".")[0].rpartition(".")
        try:
            ceremony = self._ceremonies.read(text)
        except CeremonyOver as error:
            raise SignInRefused from error
        binding = await self._binding(ceremony, rest, browser_secret)
        is_code = 0 < len(answer.code.reveal()) <= ANSWER_CHARS_MAX
        if not (is_code and hmac.compare_digest(binding.state.encode(), answer.state.encode())):
            # Anybody can send these without end, so the audit log hears nothing of them.
            self._signals.refused(Kind.SIGN_IN_REFUSED, STATE_MISMATCH)
            raise SignInRefused
        return ceremony, rest, binding


def _check_secret(browser_secret: Secret[str]) -> None:
    if not BROWSER_SECRET_CHARS_MIN <= len(browser_secret.reveal()) <= BROWSER_SECRET_CHARS_MAX:
        raise SignInRefused


def _deed(kind: Kind, session: Session) -> Deed:
    return Deed(kind=kind, actor=actor(session), seller_id=session.seller_id, details={"way": PROVIDER})


def _refused(why: str) -> Deed:
    return Deed(kind=Kind.SIGN_IN_REFUSED, actor=SELF, result=why)
