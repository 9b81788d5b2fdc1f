"""The key service as auth uses it, in memory: sealed texts are tickets, nothing can be read from them."""

import hashlib
import hmac

from chassis.crypto.seal import IntegrityFailure
from chassis.secrecy import Secret
from chassis.vault import KeyGone, KeyServiceUnavailable
from services.auth.model.consents import Credentials
from services.auth.model.credentials import KeptPair, SecretPair
from services.auth.model.refusals import ApplicationMissing
from services.auth.model.sealing import AnyPlace

DIGEST_KEY = b"the fake key service's digest key"


class FakeVault:
    """Goes away while `is_down`."""

    def __init__(self) -> None:
        self.is_down = False
        self.keys: set[str] = set()
        self.credentials: dict[str, Credentials] = {}
        self.secrets: dict[str, KeptPair] = {}
        self.versions: dict[str, list[SecretPair]] = {}
        self._sealed: dict[str, tuple[AnyPlace, Secret[str]]] = {}

    async def create_key(self, seller_id: str) -> None:
        self._check()
        self.keys.add(seller_id)

    async def destroy_key(self, seller_id: str) -> None:
        self._check()
        self.keys.discard(seller_id)

    async def create_application_key(self, application_id: str) -> None:
        self._check()
        self.keys.add(application_id)

    async def seal(self, place: AnyPlace, plaintext: Secret[str]) -> str:
        self._check(place)
        ticket = f"fake:v1:{len(self._sealed):06d}"
        self._sealed[ticket] = (place, plaintext)
        return ticket

    async def open(self, place: AnyPlace, sealed: str) -> Secret[str]:
        self._check(place)
        home, plaintext = self._sealed.get(sealed, (None, Secret("")))
        if home != place:
            raise IntegrityFailure
        return plaintext

    async def digest(self, purpose: str, text: str) -> bytes:
        self._check()
        return hmac.digest(DIGEST_KEY, hashlib.sha256(f"{purpose}:{text}".encode()).digest(), "sha256")

    async def keep_credentials(self, application_id: str, credentials: Credentials) -> None:
        self._check()
        self.credentials[application_id] = credentials

    async def find_credentials(self, application_id: str) -> Credentials:
        self._check()
        if application_id not in self.credentials:
            raise ApplicationMissing
        return self.credentials[application_id]

    async def find_secrets(self, application_id: str) -> KeptPair:
        self._check()
        if application_id not in self.secrets:
            raise ApplicationMissing
        return self.secrets[application_id]

    async def keep_secrets(self, application_id: str, pair: SecretPair, *, number: int) -> bool:
        self._check()
        kept = self.secrets.get(application_id)
        if number != (kept.number if kept else 0):
            return False
        self.secrets[application_id] = KeptPair(pair=pair, number=number + 1)
        self.versions.setdefault(application_id, []).append(pair)
        return True

    async def forget_secrets(self, application_id: str) -> None:
        self._check()
        del self.versions.get(application_id, [])[:-1]

    def _check(self, place: AnyPlace | None = None) -> None:
        if self.is_down:
            raise KeyServiceUnavailable
        if place is not None and place.tenant not in self.keys:
            raise KeyGone
