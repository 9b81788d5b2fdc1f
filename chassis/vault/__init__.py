"""The key service, Vault or OpenBao: secrets, keys that never leave it, and certificates.

- A process logs in with its AppRole or its Kubernetes service account and keeps its token alive; a token
  that died is replaced on the next call. Nothing needs a restart after Vault was restarted, sealed or away
  (R-06).
- Every fault of Vault is `key_service_unavailable`: there is no cache and no weaker way.
- What was sealed under a destroyed key is gone for good: `key_gone`.
"""

import base64
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self

import chassis.clock
import chassis.crypto.seal
import chassis.crypto.tls
import chassis.env
import chassis.errors
import chassis.secrecy
from chassis.vault.errors import KeyAccessDenied, KeyGone, KeyServiceUnavailable, SecretNotFound
from chassis.vault.session import Invalid, Session

__all__ = [
    "KeyAccessDenied",
    "KeyGone",
    "KeyKind",
    "KeyServiceUnavailable",
    "SecretNotFound",
    "Vault",
    "Version",
    "connect",
]

# Source: RFC 8410, section 10.1: what precedes the 32 bytes of an Ed25519 public key in its DER form.
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")

KeyKind = Literal["aes256-gcm96", "ed25519"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a stored secret.

    Attributes:
        number: counts from 1.
        created_at: by Vault's own clock.
    """

    number: int
    data: Mapping[str, str] = field(repr=False)
    created_at: datetime


async def connect(config: chassis.env.VaultConfig, clock: chassis.clock.Clock) -> "Vault":
    """Return a client that is logged in; run its `run`, and close it or use it as a context manager.

    Args:
        config: where Vault is, and the files that say who we are.
        clock: only durations are used.

    Raises:
        StartRefused: `key_service_login_refused`, when Vault does not know us as what we say we are.
        KeyServiceUnavailable: Vault was not there for half a minute.
    """
    session = Session(config, clock)
    try:
        await session.open()
    except BaseException:
        await session.close()
        raise
    return Vault(session)


class Vault:
    """One process's access to Vault. Made by `connect`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def run(self) -> None:
        """Keep the token alive for ever."""
        await self._session.run()

    async def close(self) -> None:
        """Return once no call is under way any more."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Secrets

    async def kv_read(self, path: str) -> dict[str, str]:
        """Return the newest version of what is stored at `path`.

        Raises:
            SecretNotFound: nothing is, or it was destroyed.
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/data/{path}")
        if answer is None:
            raise SecretNotFound
        data: dict[str, str] = answer["data"]["data"]
        return data

    async def kv_write(self, path: str, data: Mapping[str, str]) -> None:
        """Store a new version at `path`.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._session.ask("write_data", f"kv/data/{path}", {"data": dict(data)})

    async def kv_create(self, path: str, data: Mapping[str, str]) -> bool:
        """Store the first version at `path`; False, and nothing stored, when there is one already.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        return await self.kv_replace(path, data, number=0)

    async def kv_find(self, path: str) -> Version:
        """Return the newest version of what is stored at `path`, with its number.

        Raises:
            SecretNotFound: nothing is, or it was destroyed.
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/data/{path}")
        if answer is None:
            raise SecretNotFound
        metadata = answer["data"]["metadata"]
        return Version(
            number=metadata["version"],
            data=answer["data"]["data"],
            created_at=datetime.fromisoformat(metadata["created_time"]),
        )

    async def kv_replace(self, path: str, data: Mapping[str, str], *, number: int) -> bool:
        """Store the version after this one; False, and nothing stored, when it is not the newest any more.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        try:
            next_ = {"data": dict(data), "options": {"cas": number}}
            await self._session.ask("write_data", f"kv/data/{path}", next_)
        except Invalid:
            return False
        return True

    async def kv_forget_older(self, path: str) -> int:
        """Destroy every version at `path` but the newest for good; return how many those were.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        answer = await self._session.ask("read", f"kv/metadata/{path}")
        if answer is None:
            return 0
        newest: int = answer["data"]["current_version"]
        versions: Mapping[str, Mapping[str, Any]] = answer["data"]["versions"]
        older = [int(number) for number, state in versions.items() if not state["destroyed"]]
        older = [number for number in older if number < newest]
        if older:
            await self._session.ask("write_data", f"kv/destroy/{path}", {"versions": older})
        return len(older)

    async def kv_destroy(self, path: str) -> None:
        """Destroy every version at `path`; harmless when there is none.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        await self._session.ask("delete", f"kv/metadata/{path}")

    # Keys

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
        answer = await self._session.ask("read", f"transit/keys/{key}")
        if answer is None:
            raise KeyGone
        versions = answer["data"]["keys"]
        public = base64.b64decode(versions[str(answer["data"]["latest_version"])]["public_key"])
        body = base64.b64encode(ED25519_PREFIX + public).decode("ascii")
        return f"-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"

    # Certificates

    async def issue_certificate(
        self, role: str, names: Sequence[str], ttl_s: float
    ) -> chassis.crypto.tls.Certificate:
        """Return a new certificate with its key.

        Args:
            role: of the PKI; also becomes the common name, which is what Postgres takes for the user.
            names: DNS names and IP addresses.
            ttl_s: at most what the role allows.

        Raises:
            KeyServiceUnavailable: Vault cannot answer.
        """
        asked = {
            "common_name": role,
            "exclude_cn_from_sans": True,
            "alt_names": ",".join(name for name in names if not _is_ip(name)),
            "ip_sans": ",".join(name for name in names if _is_ip(name)),
            "ttl": f"{ttl_s:.0f}s",
            "private_key_format": "pkcs8",
        }
        try:
            answer = await self._session.ask("write_data", f"pki/issue/{role}", asked)
        except Invalid as error:
            raise chassis.errors.Internal from error
        if answer is None:
            raise KeyServiceUnavailable
        return _certificate(answer["data"])

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


def _certificate(issued: Mapping[str, Any]) -> chassis.crypto.tls.Certificate:
    # From the issuer upwards; the last one is what peers are checked against, the others are shown to them.
    chain = issued.get("ca_chain") or [issued["issuing_ca"]]
    shown = [issued["certificate"], *chain[:-1]]
    return chassis.crypto.tls.parse(
        "\n".join(shown).encode("ascii"),
        chassis.secrecy.Secret(issued["private_key"].encode("ascii")),
        chain[-1].encode("ascii"),
    )


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
