"""Beginning and completing ceremonies; see `model.ceremonies`."""

from datetime import timedelta

from services.auth.model import ceremonies, words
from services.auth.model.ceremonies import Ceremony, Spent
from services.auth.service.ports import Ports

# What a digest is for; see `mint`. Those of ceremonies are bound to what the names say.
CEREMONY = "ceremony"
PASSKEY_SIGN_IN = "passkey.sign_in"
PASSKEY_REGISTRATION = "passkey.registration"
TOTP_SECRET = "totp.secret"  # noqa: S105 - what a digest is for
PROVIDER_STATE = "provider.state"
PROVIDER_NONCE = "provider.nonce"
PROVIDER_VERIFIER = "provider.verifier"


class Ceremonies:
    """What is begun now and completed minutes later."""

    def __init__(self, ports: Ports) -> None:
        self._digests = ports.vault
        self._clock = ports.clock
        self._entropy = ports.entropy

    def begin(self, life: timedelta) -> Ceremony:
        """Return a fresh ceremony."""
        return ceremonies.begin(self._entropy.token(words.TOKEN_BYTES), self._clock.now() + life)

    def read(self, text: str) -> Ceremony:
        """Return the ceremony of a text.

        Raises:
            CeremonyOver: it is none, or its end has come.
        """
        return ceremonies.read(text, self._clock.now())

    async def derive(self, ceremony: Ceremony, purpose: str, *bound_to: str) -> bytes:
        """Return 32 bytes that follow from a ceremony, a purpose and what it is bound to; always the same."""
        framed = (f"{len(part)}:{part}" for part in (ceremony.text, *bound_to))
        return await self._digests.digest(purpose, "".join(framed))

    async def spent(self, ceremony: Ceremony) -> Spent:
        """Return what storage remembers of a completed ceremony."""
        digest = await self._digests.digest(CEREMONY, ceremony.text)
        return Spent(ceremony_digest=digest, expires_at=ceremony.expires_at)
