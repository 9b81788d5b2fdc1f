"""The key service in memory."""

import asyncio
import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.crypto.tls
import chassis.entropy
import chassis.secrecy
import chassis.vault
from fakes.certificates import Authority
from fakes.clock import START
from fakes.entropy import FakeEntropy

MARK = re.compile(r"vault:v([1-9][0-9]*):", re.ASCII)
Key = TypeVar("Key")


@dataclass
class SealingKey:
    """All versions of one key, the first one first."""

    versions: list[chassis.secrecy.Secret[bytes]]
    oldest_opened: int = 1


class FakeVault:
    """Behaves like `chassis.vault.Vault`, without policies; answers nothing while `is_available` is false."""

    def __init__(self, entropy: chassis.entropy.Entropy | None = None) -> None:
        self.is_available = True
        self._entropy = entropy or FakeEntropy()
        self._authority = Authority()
        self._secrets: dict[str, list[chassis.vault.Version]] = {}
        self._sealing: dict[str, SealingKey] = {}
        self._signing: dict[str, chassis.crypto.sign.Signer] = {}

    @property
    def keys(self) -> set[str]:
        """The names of the keys that exist."""
        return self._sealing.keys() | self._signing.keys()

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return

    async def kv_read(self, path: str) -> dict[str, str]:
        return dict((await self.kv_find(path)).data)

    async def kv_write(self, path: str, data: Mapping[str, str]) -> None:
        self._answer()
        self._append(path, data)

    async def kv_create(self, path: str, data: Mapping[str, str]) -> bool:
        return await self.kv_replace(path, data, number=0)

    async def kv_find(self, path: str) -> chassis.vault.Version:
        self._answer()
        if path not in self._secrets:
            raise chassis.vault.SecretNotFound
        return self._secrets[path][-1]

    async def kv_replace(self, path: str, data: Mapping[str, str], *, number: int) -> bool:
        self._answer()
        if number != (self._secrets[path][-1].number if path in self._secrets else 0):
            return False
        self._append(path, data)
        return True

    async def kv_forget_older(self, path: str) -> int:
        self._answer()
        versions = self._secrets.get(path, [])
        older = len(versions[:-1])
        del versions[:older]
        return older

    async def transit_create(self, key: str, kind: chassis.vault.KeyKind = "aes256-gcm96") -> None:
        self._answer()
        if key in self.keys:
            return
        if kind == "ed25519":
            self._signing[key] = chassis.crypto.sign.Signer.generate(self._entropy)
        else:
            self._sealing[key] = SealingKey([chassis.crypto.seal.new_key(self._entropy)])

    async def transit_exists(self, key: str) -> bool:
        self._answer()
        return key in self.keys

    async def transit_destroy(self, key: str) -> None:
        self._answer()
        self._sealing.pop(key, None)
        self._signing.pop(key, None)

    async def transit_seal(self, key: str, plaintext: bytes, associated: bytes) -> str:
        self._answer()
        versions = _of(self._sealing, key).versions
        sealed = chassis.crypto.seal.seal(versions[-1], plaintext, associated)
        return f"vault:v{len(versions)}:{base64.b64encode(sealed).decode('ascii')}"

    async def transit_open(self, key: str, ciphertext: str, associated: bytes) -> bytes:
        self._answer()
        held, mark = _of(self._sealing, key), MARK.match(ciphertext)
        version = int(mark[1]) if mark else 0
        if mark is None or not held.oldest_opened <= version <= len(held.versions):
            raise chassis.crypto.seal.IntegrityFailure
        try:
            sealed = base64.b64decode(ciphertext[mark.end() :], validate=True)
        except ValueError as error:
            raise chassis.crypto.seal.IntegrityFailure from error
        return chassis.crypto.seal.open_(held.versions[version - 1], sealed, associated)

    async def transit_seal_many(self, key: str, parts: Sequence[tuple[bytes, bytes]]) -> list[str]:
        return [await self.transit_seal(key, *part) for part in parts]

    async def transit_open_many(self, key: str, parts: Sequence[tuple[str, bytes]]) -> list[bytes]:
        return [await self.transit_open(key, *part) for part in parts]

    async def transit_versions(self, key: str) -> chassis.vault.KeyVersions:
        self._answer()
        held = _of(self._sealing, key)
        return chassis.vault.KeyVersions(latest=len(held.versions), oldest_opened=held.oldest_opened)

    async def transit_rotate(self, key: str) -> None:
        self._answer()
        _of(self._sealing, key).versions.append(chassis.crypto.seal.new_key(self._entropy))

    async def transit_retire(self, key: str, oldest_opened: int) -> None:
        self._answer()
        _of(self._sealing, key).oldest_opened = oldest_opened

    async def transit_sign(self, key: str, message: bytes) -> bytes:
        self._answer()
        return _of(self._signing, key).sign(message)

    async def transit_public_pem(self, key: str) -> str:
        self._answer()
        return _of(self._signing, key).public_pem

    async def issue_certificate(
        self, role: str, names: Sequence[str], ttl_s: float
    ) -> chassis.crypto.tls.Certificate:
        self._answer()
        assert role
        return self._authority.issue(*names, life=timedelta(seconds=ttl_s))

    def _append(self, path: str, data: Mapping[str, str]) -> None:
        versions = self._secrets.setdefault(path, [])
        number = versions[-1].number + 1 if versions else 1
        versions.append(chassis.vault.Version(number=number, data=dict(data), created_at=START))

    def _answer(self) -> None:
        if not self.is_available:
            raise chassis.vault.KeyServiceUnavailable


def _of(keys: Mapping[str, Key], name: str) -> Key:
    if name not in keys:
        raise chassis.vault.KeyGone
    return keys[name]
