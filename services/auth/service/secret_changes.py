"""Changing an application's client secrets: one comes, is accepted, gets a date, or is destroyed.

A change is one write that follows the version it was made from, so that no secret is overwritten unseen, and
it is durable before anything that it replaces is gone: older versions are destroyed after it. A process that
dies in between leaves them to `tidy`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.consents import Application
from services.auth.model.credentials import SECRET_LIFE, ClientSecret, KeptPair, Origin, SecretPair
from services.auth.model.refusals import ApplicationMissing
from services.auth.model.secret_refusals import SecretsContended
from services.auth.service.ledger import Ledger
from services.auth.service.mint import Mint
from services.auth.service.ports import Ports

WRITES_MAX = 5

Changed = Callable[[SecretPair | None], SecretPair]
"""Makes of the secrets as they are (None for none) what they should be; called again when they changed."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A secret that came.

    Attributes:
        expires_at: its end, if that was stated.
        older_expires_at: its forerunner's end, if that was stated.
        actor: who brought it.
    """

    secret: Secret[str]
    origin: Origin
    expires_at: datetime | None = None
    older_expires_at: datetime | None = None
    actor: Actor = SELF


@dataclass(frozen=True, kw_only=True)
class _Purpose:
    """Whose secrets are changed, and what the audit log calls it."""

    application_id: str
    kind: Kind
    actor: Actor = SELF


class SecretChanges:
    """Writes applications' client secrets. Every change may raise SecretsContended."""

    def __init__(self, ports: Ports, mint: Mint, ledger: Ledger) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._clock = ports.clock
        self._mint = mint
        self._ledger = ledger

    async def keep(self, application: Application, arrival: Arrival) -> bool:
        """Keep a secret that came beside the one before it; False when it says nothing new."""
        new = self._dated(arrival)
        purpose = _Purpose(
            application_id=application.application_id, kind=Kind.CLIENT_SECRET_KEPT, actor=arrival.actor
        )

        def changed(pair: SecretPair | None) -> SecretPair:
            if pair is None or pair.client_id != application.client_id:
                return SecretPair(client_id=application.client_id, newest=new)
            return pair.with_secret(new, older_expires_at=arrival.older_expires_at)

        is_new = await self._change(purpose, changed)
        # Amazon may take this one; whoever was refused with the others may ask again.
        await self._store.end_refusal(application.application_id)
        return is_new

    async def accept(self, application_id: str, secret: Secret[str]) -> bool:
        """Keep that Amazon was seen to accept a secret; False when that is known."""
        now = self._clock.now()
        purpose = _Purpose(application_id=application_id, kind=Kind.CLIENT_SECRET_ACCEPTED)
        return await self._change(purpose, lambda pair: _known(pair).with_acceptance(secret, now))

    async def date(self, application_id: str, expires_at: datetime, *, stated_at: datetime) -> bool:
        """Keep when the newest secret ends, as Amazon stated it; False when that is known or not about it."""
        purpose = _Purpose(application_id=application_id, kind=Kind.CLIENT_SECRET_DATED)
        return await self._change(
            purpose, lambda pair: _known(pair).with_expiry(expires_at, stated_at=stated_at)
        )

    async def destroy(self, application_id: str, secret_id: str) -> bool:
        """Destroy the older secret; False when it is another one or gone."""
        purpose = _Purpose(application_id=application_id, kind=Kind.CLIENT_SECRET_DESTROYED)

        def changed(pair: SecretPair | None) -> SecretPair:
            found = _known(pair)
            is_older = found.older is not None and found.older.secret_id == secret_id
            return found.without_older() if is_older else found

        return await self._change(purpose, changed)

    async def tidy(self, application_id: str) -> None:
        """Destroy what a change that was cut short may have left behind."""
        await self._vault.forget_secrets(application_id)

    def _dated(self, arrival: Arrival) -> ClientSecret:
        """Return a secret that came with its dates; without a stated end it has SECRET_LIFE left at most."""
        now = self._clock.now()
        return ClientSecret(
            secret_id=self._mint.new_id(),
            secret=arrival.secret,
            origin=arrival.origin,
            kept_at=now,
            expires_at=arrival.expires_at or now + SECRET_LIFE,
            is_estimated=arrival.expires_at is None,
        )

    async def _change(self, purpose: _Purpose, changed: Changed) -> bool:
        for _ in range(WRITES_MAX):
            kept = await self._find(purpose.application_id)
            before = None if kept is None else kept.pair
            after = changed(before)
            if after == before:
                return False
            with suppress(SecretsContended):
                async with self._ledger.effect(_deed(purpose, before, after)):
                    await self._write(purpose.application_id, after, kept)
                return True
        raise SecretsContended

    async def _find(self, application_id: str) -> KeptPair | None:
        try:
            return await self._vault.find_secrets(application_id)
        except ApplicationMissing:
            return None

    async def _write(self, application_id: str, pair: SecretPair, follows: KeptPair | None) -> None:
        number = 0 if follows is None else follows.number
        if not await self._vault.keep_secrets(application_id, pair, number=number):
            raise SecretsContended
        with suppress(Unavailable):
            await self._vault.forget_secrets(application_id)


def _known(pair: SecretPair | None) -> SecretPair:
    if pair is None:
        raise ApplicationMissing
    return pair


def _deed(purpose: _Purpose, before: SecretPair | None, after: SecretPair) -> Deed:
    """Return what the audit log is told: which secrets there are then, by their ids, and which no more."""
    details = {
        "application_id": purpose.application_id,
        "newest_id": after.newest.secret_id,
        "origin": after.newest.origin,
        "expires_at": after.newest.expires_at.isoformat(),
    }
    if after.older is not None:
        details["older_id"] = after.older.secret_id
    kept = {secret.secret_id for secret in after.held}
    gone = [] if before is None else [secret for secret in before.held if secret.secret_id not in kept]
    if gone:
        details["destroyed_id"] = " ".join(secret.secret_id for secret in gone)
    return Deed(kind=purpose.kind, actor=purpose.actor, details=details)
