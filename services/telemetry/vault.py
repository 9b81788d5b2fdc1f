"""Every Vault path of telemetry: the key that signs checkpoints."""

import chassis.vault

KEY_NAME = "telemetry-checkpoint"


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
