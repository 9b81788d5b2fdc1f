"""What knows how people sign in, without its cost: a hasher that is quick, a provider that just answers."""

import asyncio
import hashlib
from dataclasses import dataclass, field

from chassis.secrecy import Secret
from services.auth.model.people_refusals import SignInBusy, SignInRefused
from services.auth.model.provider import Account, Binding, ProviderAnswer

PROVIDER_URL = "https://provider.example/authorize"
ISSUER = "https://provider.example"


@dataclass
class FakeHasher:
    """Counts its verifications; hashes made before the cost was raised are outdated.

    Attributes:
        is_busy: refuses all, as when too many wait.
        gate: whoever verifies waits for it, and sets `waited`.
    """

    cost: int = 1
    is_busy: bool = False
    gate: asyncio.Event | None = None
    waited: asyncio.Event = field(default_factory=asyncio.Event)
    verified: int = 0
    _salts: int = 0

    async def hash(self, password: Secret[str]) -> Secret[str]:
        self._check()
        self._salts += 1
        return Secret(self._hashed(self.cost, self._salts, password))

    async def verify(self, hashed: Secret[str], password: Secret[str]) -> bool:
        self._check()
        if self.gate is not None:
            self.waited.set()
            await self.gate.wait()
        self.verified += 1
        _, cost, salt, _ = hashed.reveal().split("$")
        return hashed.reveal() == self._hashed(int(cost), int(salt), password)

    def is_outdated(self, hashed: Secret[str]) -> bool:
        return int(hashed.reveal().split("$")[1]) < self.cost

    def _check(self) -> None:
        if self.is_busy:
            raise SignInBusy

    def _hashed(self, cost: int, salt: int, password: Secret[str]) -> str:
        digest = hashlib.sha256(f"{cost} {salt} {password.reveal()}".encode()).hexdigest()
        return f"fake${cost}${salt}${digest}"


@dataclass
class FakeProvider:
    """Knows whose each code is; a code works once, with the nonce and verifier of its sign-in.

    Attributes:
        subjects: code -> the subject that signed in for it.
        refusal: what it answers instead, when set.
    """

    is_offered: bool = True
    subjects: dict[str, str] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    refusal: Exception | None = None

    async def authorization_url(self, binding: Binding) -> Secret[str]:
        self.bindings.append(binding)
        return Secret(f"{PROVIDER_URL}?state={binding.state}")

    async def account(self, answer: ProviderAnswer, binding: Binding) -> Account:
        if self.refusal is not None:
            raise self.refusal
        if binding.nonce not in {begun.nonce for begun in self.bindings}:
            raise SignInRefused
        subject = self.subjects.pop(answer.code.reveal(), None)
        if subject is None:
            raise SignInRefused
        return Account(issuer=ISSUER, subject=subject)
