"""Every Vault path of the gateway.

kv  gateway/nonce-key      makes and knows DPoP nonces
kv  gateway/document-key   seals and opens capabilities of documents
kv  gateway/home-key       fingerprints of ids, for storage

Each is made once, by whichever replica starts first, and read by all of them.
"""

import base64

import chassis.entropy
import chassis.vault
from chassis.secrecy import Secret

NONCE_KEY_PATH = "gateway/nonce-key"
DOCUMENT_KEY_PATH = "gateway/document-key"
HOME_KEY_PATH = "gateway/home-key"
KEY_BYTES = 32


class GatewayVault:
    """The gateway's own keys; each method raises Unavailable while Vault is sealed or away."""

    def __init__(self, vault: chassis.vault.Vault, entropy: chassis.entropy.Entropy) -> None:
        self._vault = vault
        self._entropy = entropy

    async def ensure_nonce_key(self) -> None:
        """Make the nonce key if there is none; of several replicas that try at once, one makes it."""
        await self._ensure(NONCE_KEY_PATH)

    async def read_nonce_key(self) -> Secret[bytes]:
        """Return the key of nonces that all replicas share.

        Raises:
            KeyServiceUnavailable: Vault cannot answer, or holds no such key, or a damaged one.
        """
        return await self._read(NONCE_KEY_PATH)

    async def ensure_document_key(self) -> None:
        """Make the document key if there is none; of several replicas that try at once, one makes it."""
        await self._ensure(DOCUMENT_KEY_PATH)

    async def read_document_key(self) -> Secret[bytes]:
        """Return the key of documents' capabilities that all replicas share.

        Raises:
            KeyServiceUnavailable: Vault cannot answer, or holds no such key, or a damaged one.
        """
        return await self._read(DOCUMENT_KEY_PATH)

    async def read_home_key(self) -> Secret[bytes]:
        """Return the key of ids' fingerprints that all replicas share, made now if there is none.

        Raises:
            KeyServiceUnavailable: Vault cannot answer, or holds no such key, or a damaged one.
            KeyAccessDenied: its policy for the gateway is one of before; nothing waits for this key.
        """
        await self._ensure(HOME_KEY_PATH)
        return await self._read(HOME_KEY_PATH)

    async def _ensure(self, path: str) -> None:
        try:
            await self._vault.kv_read(path)
        except chassis.vault.SecretNotFound:
            key = base64.b64encode(self._entropy.token(KEY_BYTES)).decode("ascii")
            try:
                await self._vault.kv_create(path, {"key": key})
            except chassis.vault.KeyAccessDenied:
                # The policy lets nobody write over it: another replica was faster.
                await self._vault.kv_read(path)

    async def _read(self, path: str) -> Secret[bytes]:
        try:
            data = await self._vault.kv_read(path)
        except chassis.vault.SecretNotFound as error:
            raise chassis.vault.KeyServiceUnavailable from error
        return chassis.vault.Entry(path, data).key("key", KEY_BYTES)
