"""Making tokens and knowing them again by their digests; no token is ever kept."""

from dataclasses import dataclass

from chassis.entropy import Entropy, new_id
from chassis.secrecy import Secret
from services.auth.model import device_grants, words
from services.auth.service.ports import Ports

# What a digest is for. Each purpose's digests are unrelated to every other's.
ACCESS = "access_token"
CODE = "code"
DEVICE_CODE = "device_code"
INVITATION = "invitation"
REFRESH = "refresh_token"
SELLING_PARTNER = "selling_partner"
SESSION = "session"
STATE = "state"
USER_CODE = "user_code"

ACCESS_SUCCESSOR = "access_token.successor"
REFRESH_SUCCESSOR = "refresh_token.successor"

PREFIXES = {
    ACCESS: words.ACCESS_PREFIX,
    CODE: words.CODE_PREFIX,
    DEVICE_CODE: words.DEVICE_CODE_PREFIX,
    INVITATION: words.INVITATION_PREFIX,
    REFRESH: words.REFRESH_PREFIX,
    SESSION: words.SESSION_PREFIX,
}
NONCE_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Minted:
    """A token for its holder, and the digest for storage."""

    token: Secret[str]
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Successors:
    """What follows from one refresh token or device code and one nonce, always the same."""

    access: Minted
    refresh: Minted


class Mint:
    """Makes tokens from chance, or from an older token where a lost answer must be repeatable."""

    def __init__(self, ports: Ports) -> None:
        self._digests = ports.vault
        self._entropy: Entropy = ports.entropy
        self._clock = ports.clock

    def new_id(self) -> str:
        """Return a fresh identifier."""
        return new_id(self._clock, self._entropy)

    def nonce(self) -> bytes:
        """Return fresh chance for `successors`."""
        return self._entropy.token(NONCE_BYTES)

    async def new(self, purpose: str) -> Minted:
        """Return a fresh token for one of the purposes with a prefix."""
        return await self._minted(purpose, self._entropy.token(words.TOKEN_BYTES))

    async def new_state(self) -> Minted:
        """Return a fresh consent state; Amazon carries it, so it has no prefix of ours."""
        text = words.token("", self._entropy.token(words.TOKEN_BYTES))
        return Minted(token=Secret(text), digest=await self.digest(STATE, Secret(text)))

    def user_code(self) -> Secret[str]:
        """Return the letters of a fresh user code; people type it, so it is short and has no prefix."""
        return Secret(device_grants.user_code(self._entropy.token(device_grants.USER_CODE_CHANCE_BYTES)))

    async def digest(self, purpose: str, token: Secret[str]) -> bytes:
        """Return the digest by which a token is known."""
        return await self._digests.digest(purpose, token.reveal())

    async def successors(self, shown: Secret[str], nonce: bytes) -> Successors:
        """Return the tokens that a refresh token, or a device code, is worth.

        They follow from the token, the nonce and auth's own key: its holder can be given the same answer
        again, while neither the database nor the token alone says what they are.
        """
        seed = f"{nonce.hex()}:{shown.reveal()}"
        return Successors(
            access=await self._minted(ACCESS, await self._digests.digest(ACCESS_SUCCESSOR, seed)),
            refresh=await self._minted(REFRESH, await self._digests.digest(REFRESH_SUCCESSOR, seed)),
        )

    async def _minted(self, purpose: str, chance: bytes) -> Minted:
        token = Secret(words.token(PREFIXES[purpose], chance))
        return Minted(token=token, digest=await self.digest(purpose, token))
