"""Every Vault path of telemetry.

transit  telemetry-checkpoint   signs checkpoints; never leaves Vault
kv       telemetry/webhook      signs what the receiver is told; the old secret too, for a while
"""

import base64
import binascii
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
        self._kept: dict[str, str] = {}
        self._kept_until_s = 0.0

    async def valid(self, now: datetime) -> Sequence[Secret[bytes]]:
        """Return the keys that sign now, newest first; makes the first one."""
        if not self._kept or self._clock.monotonic_s() >= self._kept_until_s:
            self._keep(await self._read())
        return _valid(self._kept, now)

    async def rotate(self, now: datetime) -> Secret[bytes]:
        """Return a new key; the one before it signs on for OVERLAP."""
        before = await self._read()
        fresh = self._fresh()
        until = (now + OVERLAP).isoformat()
        kept = {"secret": fresh, "previous": before["secret"], "previous_until": until}
        await self._vault.kv_write(WEBHOOK_PATH, kept)
        self._keep(kept)
        return Secret(_decoded(fresh))

    async def _read(self) -> dict[str, str]:
        try:
            return await self._vault.kv_read(WEBHOOK_PATH)
        except chassis.vault.SecretNotFound:
            # Another replica may be first; what is there then is read.
            await self._vault.kv_create(WEBHOOK_PATH, {"secret": self._fresh()})
            return await self._vault.kv_read(WEBHOOK_PATH)

    def _keep(self, kept: dict[str, str]) -> None:
        self._kept = kept
        self._kept_until_s = self._clock.monotonic_s() + WEBHOOK_KEYS_REMEMBERED_S

    def _fresh(self) -> str:
        return base64.b64encode(self._entropy.token(KEY_BYTES)).decode("ascii")


def _valid(kept: dict[str, str], now: datetime) -> list[Secret[bytes]]:
    texts = [kept["secret"]]
    if "previous" in kept and now < datetime.fromisoformat(kept["previous_until"]):
        texts.append(kept["previous"])
    return [Secret(_decoded(text)) for text in texts]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise chassis.vault.KeyServiceUnavailable from error
