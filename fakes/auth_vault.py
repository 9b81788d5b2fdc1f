"""The key service as auth uses it, in memory: sealed texts are tickets, nothing can be read from them."""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Sequence

from chassis.crypto.seal import IntegrityFailure
from chassis.secrecy import Secret
from chassis.vault import KeyGone, KeyServiceUnavailable
from services.auth.model.credentials import KeptPair, SecretPair
from services.auth.model.refusals import ApplicationMissing
from services.auth.model.rewrapping import KeyOwner, Plaintext, SealedValue
from services.auth.model.sealing import STAFF, AnyPlace

DIGEST_KEY = b"the fake key service's digest key"
# Source: Vault and OpenBao, transit engine: the prefix of a ciphertext names its key's version.
SEALED_FORM = re.compile(r"vault:v([0-9]{1,9}):", re.ASCII)


class FakeVault:
    """Goes away while `is_down`."""

    def __init__(self) -> None:
        self.is_down = False
        self.keys: set[str] = {STAFF}
        self.secrets: dict[str, KeptPair] = {}
        self.versions: dict[str, list[SecretPair]] = {}
        self.newest: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
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
        ticket = f"vault:v{1 + self.newest[place.tenant]}:{len(self._sealed):06d}"
        self._sealed[ticket] = (place, plaintext)
        return ticket

    async def open(self, place: AnyPlace, sealed: str) -> Secret[str]:
        self._check(place)
        home, plaintext = self._sealed.get(sealed, (None, Secret("")))
        if home != place or key_version(sealed) <= self.closed[place.tenant]:
            raise IntegrityFailure
        return plaintext

    async def find_version(self, owner: KeyOwner) -> int:
        self._check_key(owner.owner_id)
        return 1 + self.newest[owner.owner_id]

    async def rotate_key(self, owner: KeyOwner) -> None:
        self._check_key(owner.owner_id)
        self.newest[owner.owner_id] += 1

    async def close_versions(self, owner: KeyOwner, oldest_opened: int) -> None:
        self._check_key(owner.owner_id)
        self.closed[owner.owner_id] = oldest_opened - 1

    async def open_many(self, owner: KeyOwner, values: Sequence[SealedValue]) -> Sequence[Secret[str]]:
        assert all(value.place.tenant == owner.owner_id for value in values)
        return [await self.open(value.place, value.sealed) for value in values]

    async def seal_many(self, owner: KeyOwner, values: Sequence[Plaintext]) -> Sequence[str]:
        assert all(value.place.tenant == owner.owner_id for value in values)
        return [await self.seal(value.place, value.text) for value in values]

    async def digest(self, purpose: str, text: str) -> bytes:
        self._check()
        return hmac.digest(DIGEST_KEY, hashlib.sha256(f"{purpose}:{text}".encode()).digest(), "sha256")

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
        if place is not None:
            self._check_key(place.tenant)

    def _check_key(self, tenant: str) -> None:
        if self.is_down:
            raise KeyServiceUnavailable
        if tenant not in self.keys:
            raise KeyGone


def key_version(sealed: str) -> int:
    """Return under which version of its key a value was sealed; 0 when it does not say."""
    mark = SEALED_FORM.match(sealed)
    return int(mark[1]) if mark else 0
