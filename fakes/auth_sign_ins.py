"""What people sign in with, in memory. Every method is one step, as a transaction is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from fakes.auth_people import FakePeopleStore
from services.auth.model.ceremonies import Spent
from services.auth.model.passkeys import PASSKEYS_MAX, Passkey, PasskeyUse, counts_on
from services.auth.model.passwords import PASSWORDS_REMEMBERED, Attempt, Failures, Login, OldHash
from services.auth.model.people import PASSKEY, PASSWORD, PROVIDER, NewSession, Person, Renewal, Session
from services.auth.model.people_refusals import (
    AccountTaken,
    CeremonyOver,
    EmailTaken,
    PasskeyKnown,
    PasskeysFull,
    SignInRefused,
)


class FakeSignInStore(FakePeopleStore):
    """Passkeys, passwords and linked accounts."""

    async def list_passkeys(self, user_id: str) -> Sequence[Passkey]:
        own = [one for one in self.tables.passkeys.values() if one.person.user_id == user_id]
        return sorted(own, key=lambda one: (one.registered_at, one.passkey_id), reverse=True)

    async def find_passkey(self, credential_id: bytes) -> Passkey:
        for passkey in self.tables.passkeys.values():
            if passkey.credential_id == credential_id:
                return passkey
        raise SignInRefused

    async def add_passkey(self, passkey: Passkey, spent: Spent, renewal: Renewal | None) -> Session | None:
        self._hold(passkey.person.user_id)
        self._check_unspent(spent)
        if len(await self.list_passkeys(passkey.person.user_id)) >= PASSKEYS_MAX:
            raise PasskeysFull
        if any(one.credential_id == passkey.credential_id for one in self.tables.passkeys.values()):
            raise PasskeyKnown
        renewed = None if renewal is None else self._renew(renewal)
        self._spend(spent)
        self.tables.passkeys[passkey.passkey_id] = passkey
        return renewed

    async def sign_in_with_passkey(self, use: PasskeyUse, spent: Spent, session: NewSession) -> Session:
        passkey = self.tables.passkeys.get(use.passkey_id)
        if passkey is None or not counts_on(passkey.sign_count, use.sign_count):
            raise SignInRefused
        if spent.ceremony_digest in self.tables.spent:
            raise SignInRefused
        opened = self._open(session)
        self._spend(spent)
        self.tables.passkeys[use.passkey_id] = replace(
            passkey, sign_count=use.sign_count, used_at=max(passkey.used_at or use.used_at, use.used_at)
        )
        return opened

    async def remove_passkey(self, passkey: Passkey, session_id: str, *, is_provider_offered: bool) -> None:
        user_id = passkey.person.user_id
        self._check_way_left(user_id, PASSKEY, is_provider_offered=is_provider_offered)
        self.tables.passkeys.pop(passkey.passkey_id, None)
        self._end_other_sessions(user_id, session_id)

    async def count_attempt(self, subject_digest: bytes, failures_max: int, now: datetime) -> Attempt:
        known = self.tables.failures.get(subject_digest, Failures(failures=0, failed_at=now))
        counted = known.count(now, failures_max)
        if counted is None:
            return Attempt(failures=known, is_locked=True)
        self.tables.failures[subject_digest] = counted
        return Attempt(failures=counted, is_locked=False)

    async def uncount_attempt(self, subject_digest: bytes) -> None:
        known = self.tables.failures.get(subject_digest)
        if known is not None:
            self.tables.failures[subject_digest] = replace(known, failures=max(known.failures - 1, 0))

    async def forget_failures(self, subject_digest: bytes) -> None:
        self.tables.failures.pop(subject_digest, None)

    async def find_login(self, email_digest: bytes) -> Login | None:
        found = [one for one in self.tables.logins.values() if one.email_digest == email_digest]
        return self._with_hash(found[0]) if found else None

    async def find_own_login(self, user_id: str) -> Login | None:
        login = self.tables.logins.get(user_id)
        return self._with_hash(login) if login else None

    async def list_hashes(self, user_id: str) -> Sequence[OldHash]:
        own = [one for (owner, _), one in self.tables.hashes.items() if owner == user_id]
        return sorted(own, key=lambda one: one.version, reverse=True)[:PASSWORDS_REMEMBERED]

    async def set_password(
        self, login: Login, spent: Spent, *, session_id: str, renewal: Renewal | None
    ) -> Session | None:
        user_id = login.person.user_id
        self._hold(user_id)
        self._check_unspent(spent)
        if (user_id, login.version) in self.tables.hashes:
            raise CeremonyOver
        if any(
            one.email_digest == login.email_digest and one.person.user_id != user_id
            for one in self.tables.logins.values()
        ):
            raise EmailTaken
        renewed = None
        if renewal is not None:
            renewed = self._renew(renewal)
            session_id = renewed.session_id
        self._spend(spent)
        self.tables.logins[user_id] = login
        self.tables.hashes[user_id, login.version] = OldHash(
            version=login.version, hash_sealed=login.hash_sealed, set_at=login.set_at
        )
        self.tables.hashes.pop((user_id, login.version - PASSWORDS_REMEMBERED), None)
        self._end_other_sessions(user_id, session_id)
        return renewed

    async def replace_hash(self, login: Login, hash_sealed: str) -> None:
        key = (login.person.user_id, login.version)
        known = self.tables.hashes.get(key)
        if known is not None and known.hash_sealed == login.hash_sealed:
            self.tables.hashes[key] = replace(known, hash_sealed=hash_sealed)

    async def sign_in_with_password(self, login: Login, totp_step: int, session: NewSession) -> Session:
        user_id = login.person.user_id
        known = self.tables.logins.get(user_id)
        if known is None or known.version != login.version or known.totp_step >= totp_step:
            raise SignInRefused
        opened = self._open(session)
        self.tables.logins[user_id] = replace(known, totp_step=totp_step)
        return opened

    async def remove_password(self, user_id: str, session_id: str, *, is_provider_offered: bool) -> None:
        self._check_way_left(user_id, PASSWORD, is_provider_offered=is_provider_offered)
        self.tables.logins.pop(user_id, None)
        self._end_other_sessions(user_id, session_id)

    async def is_linked(self, user_id: str) -> bool:
        return user_id in self.tables.links

    async def find_linked(self, account_digest: bytes) -> Person:
        for user_id, digest in self.tables.links.items():
            if digest == account_digest:
                return self.tables.users[user_id].person
        raise SignInRefused

    async def link_account(self, account_digest: bytes, _linked_at: datetime, renewal: Renewal) -> Session:
        user_id = renewal.session.user_id
        self._hold(user_id)
        if user_id in self.tables.links or account_digest in self.tables.links.values():
            raise AccountTaken
        opened = self._renew(renewal)
        self.tables.links[user_id] = account_digest
        return opened

    async def sign_in_with_account(self, account_digest: bytes, session: NewSession) -> Session:
        if self.tables.links.get(session.user_id) != account_digest:
            raise SignInRefused
        return self._open(session)

    async def unlink_account(self, user_id: str, session_id: str) -> None:
        self._check_way_left(user_id, PROVIDER, is_provider_offered=True)
        self.tables.links.pop(user_id, None)
        self._end_other_sessions(user_id, session_id)

    def _with_hash(self, login: Login) -> Login:
        kept = self.tables.hashes[login.person.user_id, login.version]
        return replace(login, hash_sealed=kept.hash_sealed, set_at=kept.set_at)

    def _check_unspent(self, spent: Spent) -> None:
        if spent.ceremony_digest in self.tables.spent:
            raise CeremonyOver
