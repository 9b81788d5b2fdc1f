"""Every Vault path of retention: a key for each day and seller, and the key that signs receipts.

They are used through two identities. The service's own may make, use and destroy the subjects' keys, and may
not sign; the verifier's may look at and try those keys, may sign, and may make or destroy nothing.
"""

import chassis.vault
from chassis.secrecy import Secret
from services.retention.model.erasures import Subject

RECEIPT_KEY = "retention-receipt"


class SubjectKeys:
    """The keys of days and sellers; each method raises Unavailable while Vault is sealed or away."""

    def __init__(self, vault: chassis.vault.Vault) -> None:
        self._vault = vault

    async def create(self, subject: Subject) -> None:
        """Make the subject's key, if it does not exist."""
        await self._vault.transit_create(_name(subject))

    async def exists(self, subject: Subject) -> bool:
        """Return whether the subject's key exists."""
        return await self._vault.transit_exists(_name(subject))

    async def destroy(self, subject: Subject) -> None:
        """Destroy the subject's key for good, if it exists."""
        await self._vault.transit_destroy(_name(subject))

    async def wrap(self, subject: Subject, plaintext: Secret[bytes], associated: bytes) -> str:
        """Return text that only the subject's key opens.

        Raises:
            KeyGone: there is no such key.
        """
        return await self._vault.transit_seal(_name(subject), plaintext.reveal(), associated)

    async def unwrap(self, subject: Subject, wrapped: str, associated: bytes) -> Secret[bytes]:
        """Return what was wrapped.

        Raises:
            KeyGone: the key was destroyed.
            IntegrityFailure: it was wrapped by another key or for another place, or was changed.
        """
        return Secret(await self._vault.transit_open(_name(subject), wrapped, associated))


class ReceiptKey:
    """The key that signs receipts, through the verifier's identity."""

    def __init__(self, vault: chassis.vault.Vault) -> None:
        self._vault = vault

    async def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature over a message."""
        return await self._vault.transit_sign(RECEIPT_KEY, message)

    async def public_key_pem(self) -> str:
        """Return the public key."""
        return await self._vault.transit_public_pem(RECEIPT_KEY)


def _name(subject: Subject) -> str:
    return f"retention-{subject.kind}-{subject.id}"
