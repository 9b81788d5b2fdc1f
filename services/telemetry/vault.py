"""Every Vault path of telemetry.

transit  telemetry-checkpoint   signs checkpoints; never leaves Vault
kv       telemetry/webhook      signs what the receiver is told; the old secret too, for a while
"""

import base64
from collections.abc import Sequence
from datetime import datetime

import chassis.clock
import chassis.entropy
import chassis.vault
from chassis.secrecy import Secret
from services.telemetry.model.webhooks import KEY_BYTES, OVERLAP

KEY_NAME = "telemetry-checkpoint"
WEBHOOK_PATH = "telemetry/webhook"
# Source: R-06: no key stays in memory for longer while the key service is away.
WEBHOOK_KEYS_REMEMBERED_S = 60.0


class CheckpointKey:
    """The signing key, which never leaves Vault.

    Both methods raise KeyGone when there is no such key, and KeyServiceUnavailable while Vault is away.
    """

    def __init__(self, vault: chassis.vault.Vault) -> None:
        self._vault = vault

    async def public_pem(self) -> str:
        """Return the public key."""
        return await self._vault.transit_public_pem(KEY_NAME)

    async def sign(self, message: bytes) -> bytes:
        """Return the raw signature over a message."""
        return await self._vault.transit_sign(KEY_NAME, message)


class WebhookSecrets:
    """The secrets behind the receiver's signatures: the present one and, for a while, the one before."""

    def __init__(
        self, vault: chassis.vault.Vault, clock: chassis.clock.Clock, entropy: chassis.entropy.Entropy
    ) -> None:
        self._vault = vault
        self._clock = clock
        self._entropy = entropy
        self._kept: chassis.vault.Entry | None = None
        self._kept_until_s = 0.0

    async def valid(self, now: datetime) -> Sequence[Secret[bytes]]:
        """Return the keys that sign now, newest first; makes the first one.

        Raises:
            KeyServiceUnavailable: Vault cannot answer, or holds damaged ones.
        """
        if self._kept is not None and self._clock.monotonic_s() < self._kept_until_s:
            return _valid(self._kept, now)
        self._kept = None
        read = chassis.vault.Entry(WEBHOOK_PATH, await self._read())
        keys = _valid(read, now)
        self._keep(read)
        return keys

    async def rotate(self, now: datetime) -> Secret[bytes]:
        """Return a new key; the one before it signs on for OVERLAP, unless it is damaged."""
        before = chassis.vault.Entry(WEBHOOK_PATH, await self._read())
        fresh = self._fresh()
        data = {"secret": fresh, **_previous(before, until=now + OVERLAP)}
        await self._vault.kv_write(WEBHOOK_PATH, data)
        written = chassis.vault.Entry(WEBHOOK_PATH, data)
        self._keep(written)
        return _key(written, "secret")

    async def _read(self) -> dict[str, str]:
        try:
            return await self._vault.kv_read(WEBHOOK_PATH)
        except chassis.vault.SecretNotFound:
            # Another replica may be first; what is there then is read.
            await self._vault.kv_create(WEBHOOK_PATH, {"secret": self._fresh()})
            return await self._vault.kv_read(WEBHOOK_PATH)

    def _keep(self, entry: chassis.vault.Entry) -> None:
        self._kept = entry
        self._kept_until_s = self._clock.monotonic_s() + WEBHOOK_KEYS_REMEMBERED_S

    def _fresh(self) -> str:
        return _encoded(self._entropy.token(KEY_BYTES))


def _valid(kept: chassis.vault.Entry, now: datetime) -> list[Secret[bytes]]:
    keys = [_key(kept, "secret")]
    if "previous" in kept and now < kept.moment("previous_until"):
        keys.append(_key(kept, "previous"))
    return keys


def _previous(before: chassis.vault.Entry, *, until: datetime) -> dict[str, str]:
    """Return what is kept of the secret before; nothing of one that cannot sign."""
    try:
        key = _key(before, "secret")
    except chassis.vault.SecretDamaged:
        return {}
    return {"previous": _encoded(key.reveal()), "previous_until": until.isoformat()}


def _key(entry: chassis.vault.Entry, member: str) -> Secret[bytes]:
    return entry.key(member, KEY_BYTES)


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")
