"""Keys that never leave the key service: its transit engine, mounted at transit/.

A sealed value says in its prefix, `vault:v3:`, under which version of its key it was sealed. A value with
another version's prefix does not open, nor does one of a version that was retired.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import chassis.crypto.seal
import chassis.errors
from chassis.vault.errors import KeyAccessDenied, KeyGone, KeyServiceUnavailable
from chassis.vault.part import VaultPart
from chassis.vault.session import Invalid

# Source: RFC 8410, section 10.1: what precedes the 32 bytes of an Ed25519 public key in its DER form.
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")

KeyKind = Literal["aes256-gcm96", "ed25519"]
# One call's worth, answered in a few milliseconds, so that nobody waits long behind it.
BATCH_MAX = 100


@dataclass(frozen=True, kw_only=True)
class KeyVersions:
    """Which versions a sealing key has.

    Attributes:
        latest: the one under which values are sealed.
        oldest_opened: the oldest one under which values are still opened.
    """

    latest: int
    oldest_opened: int


class TransitPart(VaultPart):
    """Sealing and signing."""

    async def transit_create(self, key: str, kind: KeyKind = "aes256-gcm96") -> None:
        """Make a key; harmless when it exists.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._session.ask("write_data", f"transit/keys/{key}", {"type": kind})

    async def transit_exists(self, key: str) -> bool:
        """Return whether the key exists.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        return await self._session.ask("read", f"transit/keys/{key}") is not None

    async def transit_destroy(self, key: str) -> None:
        """Destroy a key for good; harmless when it is gone already.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        try:
            await self._session.ask("write_data", f"transit/keys/{key}/config", {"deletion_allowed": True})
            await self._session.ask("delete", f"transit/keys/{key}")
        except Invalid as error:
            if await self.transit_exists(key):
                raise chassis.errors.Internal from error

    async def transit_seal(self, key: str, plaintext: bytes, associated: bytes) -> str:
        """Return `plaintext` sealed under the key for the place that `associated` describes.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        parts = {"plaintext": _encoded(plaintext), "associated_data": _encoded(associated)}
        answer = await self._use(key, f"transit/encrypt/{key}", parts)
        ciphertext: str = answer["data"]["ciphertext"]
        return ciphertext

    async def transit_open(self, key: str, ciphertext: str, associated: bytes) -> bytes:
        """Return what was sealed under the key for this place.

        Raises:
            KeyGone: the key does not exist, or no longer.
            IntegrityFailure: it was sealed under another key or for another place, or was changed.
            KeyServiceUnavailable: Vault cannot answer.
        """
        parts = {"ciphertext": ciphertext, "associated_data": _encoded(associated)}
        answer = await self._use(key, f"transit/decrypt/{key}", parts)
        return base64.b64decode(answer["data"]["plaintext"] or "")

    async def transit_seal_many(self, key: str, parts: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Return plaintexts sealed, each for its own place, in one call; the order is kept.

        Args:
            key: the key's name.
            parts: plaintext and associated data; 1 to BATCH_MAX.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        batch = [
            {"plaintext": _encoded(plaintext), "associated_data": _encoded(associated)}
            for plaintext, associated in parts
        ]
        results = await self._use_many(key, f"transit/encrypt/{key}", batch)
        return [result["ciphertext"] for result in results]

    async def transit_open_many(self, key: str, parts: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Return what was sealed, each for its own place, in one call; the order is kept.

        Args:
            key: the key's name.
            parts: ciphertext and associated data; 1 to BATCH_MAX.

        Raises:
            KeyGone: the key does not exist, or no longer.
            IntegrityFailure: one of them does not open; `transit_open` tells which.
            KeyServiceUnavailable: Vault cannot answer.
        """
        batch = [
            {"ciphertext": ciphertext, "associated_data": _encoded(associated)}
            for ciphertext, associated in parts
        ]
        results = await self._use_many(key, f"transit/decrypt/{key}", batch)
        return [base64.b64decode(result["plaintext"] or "") for result in results]

    async def transit_versions(self, key: str) -> KeyVersions:
        """Return which versions of a key there are.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        told = await self._described(key)
        return KeyVersions(latest=told["latest_version"], oldest_opened=told["min_decryption_version"])

    async def transit_rotate(self, key: str) -> None:
        """Give a key a new version, under which all is sealed from now on; older ones still open.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._change(key, f"transit/keys/{key}/rotate", {})

    async def transit_retire(self, key: str, oldest_opened: int) -> None:
        """Have nothing opened any more that was sealed under an older version of a key than this one.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._change(key, f"transit/keys/{key}/config", {"min_decryption_version": oldest_opened})

    async def transit_sign(self, key: str, message: bytes) -> bytes:
        """Return the 64 bytes of the Ed25519 signature over `message`.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._use(key, f"transit/sign/{key}", {"input": _encoded(message)})
        # "vault:v1:" and the signature.
        return base64.b64decode(answer["data"]["signature"].rpartition(":")[2])

    async def transit_public_pem(self, key: str) -> str:
        """Return the public half of a signing key, its newest version, as PEM.

        Raises:
            KeyGone: the key does not exist, or no longer.
            KeyServiceUnavailable: Vault cannot answer.
        """
        told = await self._described(key)
        public = base64.b64decode(told["keys"][str(told["latest_version"])]["public_key"])
        body = base64.b64encode(ED25519_PREFIX + public).decode("ascii")
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    async def _change(self, key: str, path: str, data: Mapping[str, Any]) -> None:
        try:
            await self._session.ask("write_data", path, data)
        except Invalid as error:
            if not await self.transit_exists(key):
                raise KeyGone from error
            raise chassis.errors.Internal from error

    async def _described(self, key: str) -> dict[str, Any]:
        """Return what Vault tells about a key."""
        answer = await self._session.ask("read", f"transit/keys/{key}")
        if answer is None:
            raise KeyGone
        told: dict[str, Any] = answer["data"]
        return told

    async def _use_many(
        self, key: str, path: str, batch: Sequence[Mapping[str, str]]
    ) -> list[dict[str, Any]]:
        if not 0 < len(batch) <= BATCH_MAX:
            raise ValueError(f"a batch has 1 to {BATCH_MAX} parts")
        answer = await self._use(key, path, {"batch_input": batch})
        results: list[dict[str, Any]] = answer["data"]["batch_results"]
        if len(results) != len(batch) or any(result.get("error") for result in results):
            raise chassis.crypto.seal.IntegrityFailure
        return results

    async def _use(self, key: str, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer of an operation with a key; say why when there is none."""
        try:
            answer = await self._session.ask("write_data", path, data)
        except (Invalid, KeyAccessDenied) as error:
            # An absent key is "invalid" or, where the policy may not make one, "denied".
            if not await self.transit_exists(key):
                raise KeyGone from error
            if isinstance(error, KeyAccessDenied):
                raise
            raise chassis.crypto.seal.IntegrityFailure from error
        if answer is None:
            raise KeyServiceUnavailable
        return answer


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
