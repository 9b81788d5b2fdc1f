"""The key service, Vault or OpenBao: secrets, keys that never leave it, and certificates.

- A process logs in with its AppRole or its Kubernetes service account and keeps its token alive; a token
  that died is replaced on the next call. Nothing needs a restart after Vault was restarted, sealed or away
  (R-06).
- Every fault of Vault is `key_service_unavailable`: there is no cache and no weaker way.
- A stored secret that cannot be read is that too, and an error in the log that names its path.
- What was sealed under a destroyed key is gone for good: `key_gone`.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Self

import chassis.clock
import chassis.crypto.tls
import chassis.env
import chassis.errors
import chassis.secrecy
from chassis.vault.entry import Entry
from chassis.vault.errors import (
    KeyAccessDenied,
    KeyGone,
    KeyServiceUnavailable,
    SecretDamaged,
    SecretNotFound,
)
from chassis.vault.kv import KvPart, Version
from chassis.vault.session import Invalid, Session
from chassis.vault.transit import BATCH_MAX, KeyKind, KeyVersions, TransitPart

__all__ = [
    "BATCH_MAX",
    "Entry",
    "KeyAccessDenied",
    "KeyGone",
    "KeyKind",
    "KeyServiceUnavailable",
    "KeyVersions",
    "SecretDamaged",
    "SecretNotFound",
    "Vault",
    "Version",
    "connect",
]


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


class Vault(KvPart, TransitPart):
    """One process's access to Vault. Made by `connect`."""

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
