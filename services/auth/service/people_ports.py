"""What the people's use cases need from storage, and from the libraries that know how people sign in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chassis.secrecy import Secret
from services.auth.model.audit import Actor
from services.auth.model.ceremonies import Spent
from services.auth.model.passkeys import Assertion, Attested, Passkey, PasskeyUse
from services.auth.model.passwords import Attempt, Login, OldHash
from services.auth.model.people import Invitation, Member, NewSession, Person, Removal, Renewal, Session
from services.auth.model.provider import Account, Binding, ProviderAnswer
from services.auth.model.reviews import Access, SellerSummary
from services.auth.model.roles import Role


class Passkeys(Protocol):
    """People's passkeys in storage."""

    async def list_passkeys(self, user_id: str) -> Sequence[Passkey]:
        """Return a person's passkeys, newest first, at most PASSKEYS_MAX."""
        ...

    async def find_passkey(self, credential_id: bytes) -> Passkey:
        """Return a passkey by the authenticator's name for it.

        Raises:
            SignInRefused: there is none, or its person has left.
        """
        ...

    async def add_passkey(self, passkey: Passkey, spent: Spent, renewal: Renewal | None) -> Session | None:
        """Keep a passkey, spend its ceremony, and renew the session, in one step; return the new session.

        Raises:
            CeremonyOver: the ceremony is spent.
            PasskeyKnown: somebody has it.
            PasskeysFull: the person has PASSKEYS_MAX.
            SessionInvalid: the session to be renewed has ended.
        """
        ...

    async def sign_in_with_passkey(self, use: PasskeyUse, spent: Spent, session: NewSession) -> Session:
        """Note the use, spend the ceremony, and open a session, in one step.

        Raises:
            SignInRefused: spent before; or the passkey is gone, or its count has moved on meanwhile.
        """
        ...

    async def remove_passkey(self, passkey: Passkey, session_id: str, *, is_provider_offered: bool) -> None:
        """Remove a passkey and end the person's other sessions, in one step; doing it again is harmless.

        Raises:
            LastCredential: nothing else would be left.
        """
        ...


class Passwords(Protocol):
    """People's passwords and the count of failures in storage."""

    async def count_attempt(self, subject_digest: bytes, failures_max: int, now: datetime) -> Attempt:
        """Count an attempt as failed before it is judged, unless the subject is locked."""
        ...

    async def uncount_attempt(self, subject_digest: bytes) -> None:
        """Take one attempt back: it was not wrong, or could not be judged."""
        ...

    async def forget_failures(self, subject_digest: bytes) -> None:
        """Forget how often a subject failed."""
        ...

    async def find_login(self, email_digest: bytes) -> Login | None:
        """Return the password login of an address; None without one, or when its person has left."""
        ...

    async def find_own_login(self, user_id: str) -> Login | None:
        """Return a person's password login."""
        ...

    async def list_hashes(self, user_id: str) -> Sequence[OldHash]:
        """Return a person's last hashes with the present one, newest first, at most PASSWORDS_REMEMBERED."""
        ...

    async def set_password(
        self, login: Login, spent: Spent, *, session_id: str, renewal: Renewal | None
    ) -> Session | None:
        """Keep a password in place of the former one and spend its enrolment, in one step.

        The person's sessions end but for this one, which is renewed; the new session is returned.

        Raises:
            CeremonyOver: the enrolment is spent, or another password came first.
            EmailTaken: somebody else signs in with the address.
            SessionInvalid: the session to be renewed has ended.
        """
        ...

    async def replace_hash(self, login: Login, hash_sealed: str) -> None:
        """Keep the present password's hash, made anew; nothing is kept when the password was replaced."""
        ...

    async def sign_in_with_password(self, login: Login, totp_step: int, session: NewSession) -> Session:
        """Use up the step's code and open a session, in one step.

        Raises:
            SignInRefused: a code of this step or a later one was used, or the password was replaced.
        """
        ...

    async def remove_password(self, user_id: str, session_id: str, *, is_provider_offered: bool) -> None:
        """Remove a password and end the person's other sessions; its hash goes on being remembered.

        Raises:
            LastCredential: nothing else would be left.
        """
        ...


class Links(Protocol):
    """Accounts at the identity provider, in storage by their digests only."""

    async def is_linked(self, user_id: str) -> bool:
        """Return whether an account stands for a person."""
        ...

    async def find_linked(self, account_digest: bytes) -> Person:
        """Return the person for whom an account stands.

        Raises:
            SignInRefused: nobody, or somebody who has left.
        """
        ...

    async def spend(self, spent: Spent) -> None:
        """Spend a ceremony.

        Raises:
            CeremonyOver: it is spent.
        """
        ...

    async def link_account(self, account_digest: bytes, linked_at: datetime, renewal: Renewal) -> Session:
        """Let an account stand for the session's person, and renew the session, in one step.

        Raises:
            AccountTaken: it stands for somebody else, or the person has another one.
            SessionInvalid: the session to be renewed has ended.
        """
        ...

    async def sign_in_with_account(self, account_digest: bytes, session: NewSession) -> Session:
        """Open a session.

        Raises:
            SignInRefused: the account no longer stands for its person.
        """
        ...

    async def unlink_account(self, user_id: str, session_id: str) -> None:
        """Let no account stand for a person, and end their other sessions.

        Raises:
            LastCredential: nothing else would be left.
        """
        ...


class Members(Protocol):
    """Who belongs to a seller or to the staff, in storage."""

    async def list_members(self, seller_id: str) -> Sequence[Member]:
        """Return those who are there, oldest first, at most MEMBERS_MAX; STAFF gives the staff."""
        ...

    async def find_member(self, user_id: str) -> Member:
        """Return somebody who is there.

        Raises:
            MemberNotFound: absent, or left.
        """
        ...

    async def find_session_by_id(self, session_id: str) -> Session:
        """Return a session, be it over or not.

        Raises:
            SessionInvalid: there is none.
        """
        ...

    async def invite_again(self, invitation: Invitation) -> None:
        """End a person's credentials, sessions and invitations, and keep a new invitation; in one step.

        Raises:
            MemberNotFound: absent, or left.
        """
        ...

    async def change_role(self, user_id: str, role: Role) -> None:
        """Give a person another role, in effect at once.

        Raises:
            LastOwner: no other owner of the seller could sign in.
            MemberNotFound: absent, or left.
        """
        ...

    async def remove_user(self, user_id: str, now: datetime, *, keeps_owner: bool) -> Removal:
        """End all that a person has, and destroy what is kept about them; in one step.

        Sessions, invitations, credentials and the devices they let in; every replica is told about these.

        Raises:
            LastOwner: no other owner of the seller could sign in, and one is to be kept.
            MemberNotFound: absent, or left.
        """
        ...


class Reviews(Protocol):
    """Who has access to what, in storage."""

    async def list_summaries(self, after: str, now: datetime, rows_max: int) -> Sequence[SellerSummary]:
        """Return sellers by their ids, from the first one after `after`; those that left are left out."""
        ...

    async def find_summary(self, seller_id: str, now: datetime) -> SellerSummary:
        """Return one seller.

        Raises:
            SellerNotFound: absent, or left.
        """
        ...

    async def list_access(self, after: str, rows_max: int) -> Sequence[Access]:
        """Return people by their ids, from the first one after `after`, with their active devices."""
        ...

    async def record_review(self, review_id: str, actor: Actor, now: datetime) -> None:
        """Note that somebody reviewed all access."""
        ...

    async def find_review_due(self) -> datetime | None:
        """Return when access was last reviewed, or else since when there is any; None without people."""
        ...


class PasskeyVerifier(Protocol):
    """What browsers are asked, and whether their answers are a passkey's."""

    def registration_options(
        self, challenge: bytes, *, user_handle: bytes, person_name: str, known: Sequence[bytes]
    ) -> str:
        """Return what `navigator.credentials.create` gets, as JSON."""
        ...

    def sign_in_options(self, challenge: bytes) -> str:
        """Return what `navigator.credentials.get` gets, as JSON."""
        ...

    def attested(self, credential_json: str, challenge: bytes) -> Attested:
        """Return the new passkey of an answer to this challenge.

        Raises:
            PasskeyRefused: it is no such answer.
        """
        ...

    def claimed(self, credential_json: str) -> Assertion:
        """Return which passkey an answer claims to be from.

        Raises:
            SignInRefused: it is no answer.
        """
        ...

    def asserted(self, credential_json: str, challenge: bytes, passkey: Passkey) -> int:
        """Return the authenticator's count of uses, if this passkey answered this challenge.

        Raises:
            SignInRefused: it did not, or did not verify the person.
        """
        ...


class PasswordHasher(Protocol):
    """Slow, salted hashes of passwords; each raises SignInBusy when too many wait."""

    async def hash(self, password: Secret[str]) -> Secret[str]:
        """Return a password's hash, salted anew."""
        ...

    async def verify(self, hashed: Secret[str], password: Secret[str]) -> bool:
        """Return whether a password is the one of a hash."""
        ...

    def is_outdated(self, hashed: Secret[str]) -> bool:
        """Return whether a hash was made with less work than is asked for now."""
        ...


class OneTimeCodes(Protocol):
    """The codes of people's authenticator apps."""

    def uri(self, secret: Secret[bytes], account: str) -> Secret[str]:
        """Return a secret as authenticator apps take it."""
        ...

    def step(self, secret: Secret[bytes], code: Secret[str]) -> int | None:
        """Return the step whose code this is, one of the present ones; None when it is none of theirs."""
        ...


class IdentityProvider(Protocol):
    """The vendor's own identity provider, or what says that there is none."""

    @property
    def is_offered(self) -> bool:
        """Return whether there is one."""
        ...

    async def authorization_url(self, binding: Binding) -> Secret[str]:
        """Return the address where a person signs in.

        Raises:
            ProviderMissing, ProviderUnavailable
        """
        ...

    async def account(self, answer: ProviderAnswer, binding: Binding) -> Account:
        """Return whose sign-in an answer is.

        Raises:
            SignInRefused: it is not the answer of this provider to this sign-in.
            SecondFactorMissing: the provider asked for a password only.
            ProviderMissing, ProviderUnavailable
        """
        ...
