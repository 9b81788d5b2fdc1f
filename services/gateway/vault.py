"""Every Vault path of the gateway.

kv  gateway/nonce-key   made once, by whichever replica starts first; makes and knows DPoP nonces
"""

import base64
import binascii

import chassis.entropy
import chassis.vault
from chassis.secrecy import Secret

NONCE_KEY_PATH = "gateway/nonce-key"
NONCE_KEY_BYTES = 32


class GatewayVault:
    """The gateway's one key; each method raises Unavailable while Vault is sealed or away."""

    def __init__(self, vault: chassis.vault.Vault, entropy: chassis.entropy.Entropy) -> None:
        self._vault = vault
        self._entropy = entropy

    async def ensure_nonce_key(self) -> None:
        """Make the nonce key if there is none; of several replicas that try at once, one makes it."""
        try:
            await self._vault.kv_read(NONCE_KEY_PATH)
        except chassis.vault.SecretNotFound:
            key = base64.b64encode(self._entropy.token(NONCE_KEY_BYTES)).decode("ascii")
            try:
                await self._vault.kv_create(NONCE_KEY_PATH, {"key": key})
            except chassis.vault.KeyAccessDenied:
                # The policy lets nobody write over it: another replica was faster.
                await self._vault.kv_read(NONCE_KEY_PATH)

    async def read_nonce_key(self) -> Secret[bytes]:
        """Return the key that all replicas share.

        Raises:
            KeyServiceUnavailable: Vault cannot answer, or holds no such key.
        """
        try:
            data = await self._vault.kv_read(NONCE_KEY_PATH)
            return Secret(base64.b64decode(data["key"], validate=True))
        except (chassis.vault.SecretNotFound, KeyError, binascii.Error) as error:
            raise chassis.vault.KeyServiceUnavailable from error
