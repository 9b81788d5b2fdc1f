"""The subjects' keys and the receipt key in memory: the same promises as the real key service's."""

import base64

import chassis.crypto.seal
import chassis.crypto.sign
import chassis.errors
import chassis.vault.errors
from chassis.secrecy import Secret
from fakes.entropy import FakeEntropy
from services.retention.model.erasures import Subject


class FakeKeys:
    """Fits the service's and the verifier's `Keys`. `error` makes every call fail, as a sealed Vault does."""

    def __init__(self) -> None:
        self.error: chassis.errors.SallyportError | None = None
        self.living: dict[Subject, Secret[bytes]] = {}
        self.unwraps = 0
        self._entropy = FakeEntropy(11)

    async def create(self, subject: Subject) -> None:
        self._answer_if_up()
        if subject not in self.living:
            self.living[subject] = chassis.crypto.seal.new_key(self._entropy)

    async def exists(self, subject: Subject) -> bool:
        self._answer_if_up()
        return subject in self.living

    async def destroy(self, subject: Subject) -> None:
        self._answer_if_up()
        self.living.pop(subject, None)

    async def wrap(self, subject: Subject, plaintext: Secret[bytes], associated: bytes) -> str:
        sealed = chassis.crypto.seal.seal(self._find(subject), plaintext.reveal(), associated)
        return base64.b64encode(sealed).decode("ascii")

    async def unwrap(self, subject: Subject, wrapped: str, associated: bytes) -> Secret[bytes]:
        key = self._find(subject)
        self.unwraps += 1
        return Secret(chassis.crypto.seal.open_(key, base64.b64decode(wrapped), associated))

    def _find(self, subject: Subject) -> Secret[bytes]:
        self._answer_if_up()
        if subject not in self.living:
            raise chassis.vault.errors.KeyGone
        return self.living[subject]

    def _answer_if_up(self) -> None:
        if self.error is not None:
            raise self.error


class FakeReceiptKey:
    """Fits the verifier's `Signer`."""

    def __init__(self) -> None:
        self._signer = chassis.crypto.sign.Signer.generate(FakeEntropy(12))

    async def sign(self, message: bytes) -> bytes:
        return self._signer.sign(message)

    async def public_key_pem(self) -> str:
        return self._signer.public_pem
