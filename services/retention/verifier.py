"""The independent verifier: tries every path to what was erased, and alone can sign a receipt.

Owns: the findings and the receipts' signatures. Its own identity at the key service may ask for and try the
subjects' keys and sign with the receipt key, and nothing else; the identity that erases cannot sign.
Never: erases, repairs, or takes anybody's word for it. A path that cannot be tried counts as no answer at
all: while the database or the key service is away, there are no findings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import chassis.clock
import chassis.entropy
import chassis.errors
from chassis.secrecy import Secret
from services.retention.model.erasures import (
    Erasure,
    Finding,
    Probe,
    Receipt,
    Subject,
    SubjectKind,
    statement,
)
from services.retention.model.errors import KEY_GONE, ErasureUnproven, RecordUnsound, SubjectUnknown

CLOSED_FOR_GOOD = frozenset({KEY_GONE, RecordUnsound.code})


class Traces(Protocol):
    """What the database still holds of a subject."""

    async def is_known(self, subject: Subject) -> bool:
        """Return whether the subject was ever opened or erased."""
        ...

    async def find_probe(self, subject: Subject) -> Probe | None:
        """Return the subject's probe."""
        ...

    async def count_rows(self, subject: Subject) -> int | None:
        """Return how many records and data keys there are; None when a day has no partition either."""
        ...


class Keys(Protocol):
    """The subjects' keys, through the verifier's own identity."""

    async def exists(self, subject: Subject) -> bool:
        """Return whether the subject's key exists."""
        ...

    async def unwrap(self, subject: Subject, wrapped: str, associated: bytes) -> Secret[bytes]:
        """Return what was wrapped; raises an error with code "key_gone" or "integrity_failure"."""
        ...


class Cipher(Protocol):
    """Opening; `chassis.crypto.seal` has this shape."""

    def open_(self, key: Secret[bytes], sealed: bytes, associated: bytes) -> bytes:
        """Return what was sealed."""
        ...

    def associated(self, **parts: str | int) -> bytes:
        """Return the bytes that describe a place."""
        ...


class Signer(Protocol):
    """The receipt key, through the verifier's own identity."""

    async def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature."""
        ...

    async def public_key_pem(self) -> str:
        """Return the public key, for whoever checks receipts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierPorts:
    """What the verifier is made of.

    Attributes:
        is_cached: whether this process still holds an unwrapped key under a subject.
    """

    traces: Traces
    keys: Keys
    cipher: Cipher
    signer: Signer
    is_cached: Callable[[Subject], bool]
    clock: chassis.clock.Clock
    entropy: chassis.entropy.Entropy


class Verifier:
    """Looks for ways to erased data."""

    def __init__(self, ports: VerifierPorts) -> None:
        self._ports = ports

    async def inspect(self, subject: Subject) -> list[Finding]:
        """Return what was found on every path to a subject's data: key, rows, record, cache.

        Raises:
            SubjectUnknown: nothing was ever kept or erased under it.
        """
        if not await self._ports.traces.is_known(subject):
            raise SubjectUnknown
        return [
            await self._key(subject),
            await self._rows(subject),
            await self._record(subject),
            self._cache(subject),
        ]

    async def certify(self, erasure: Erasure) -> Receipt:
        """Return the signed receipt of an erasure.

        Raises:
            ErasureUnproven: a path to the data is still open.
        """
        findings = await self.inspect(erasure.subject)
        if not all(found.is_unreachable for found in findings):
            raise ErasureUnproven
        ports = self._ports
        signed_at = ports.clock.now()
        receipt_id = chassis.entropy.new_id(ports.clock, ports.entropy)
        content = statement(erasure, findings, receipt_id=receipt_id, at=signed_at)
        return Receipt(
            receipt_id=receipt_id,
            erasure_id=erasure.erasure_id,
            subject=erasure.subject,
            statement=content,
            signature=await ports.signer.sign(content),
            public_key_pem=await ports.signer.public_key_pem(),
            signed_at=signed_at,
        )

    async def _key(self, subject: Subject) -> Finding:
        path = "key" if subject.kind is SubjectKind.DAY else "seller_key"
        if await self._ports.keys.exists(subject):
            return Finding(path, is_unreachable=False, detail="The key service still has the key.")
        return Finding(path, is_unreachable=True, detail="The key service has no such key.")

    async def _rows(self, subject: Subject) -> Finding:
        rows = await self._ports.traces.count_rows(subject)
        if rows is None:
            return Finding("partition", is_unreachable=True, detail="There is no partition.")
        detail = f"The database holds {rows} records and data keys."
        # An empty partition holds nothing, but a day's erasure is to remove it.
        return Finding("partition", is_unreachable=rows == 0 and subject.day is None, detail=detail)

    async def _record(self, subject: Subject) -> Finding:
        probe = await self._ports.traces.find_probe(subject)
        if probe is None:
            return Finding("record", is_unreachable=True, detail="Nothing was ever sealed under this key.")
        if await self._opens(probe):
            return Finding("record", is_unreachable=False, detail="A record sealed under the key opens.")
        return Finding("record", is_unreachable=True, detail="A record sealed under the key does not open.")

    def _cache(self, subject: Subject) -> Finding:
        if self._ports.is_cached(subject):
            return Finding("cache", is_unreachable=False, detail="A data key is still in memory.")
        return Finding("cache", is_unreachable=True, detail="No data key is in this process's memory.")

    async def _opens(self, probe: Probe) -> bool:
        place = self._ports.cipher.associated(**Probe.place(probe.subject))
        try:
            secret = await self._ports.keys.unwrap(probe.subject, probe.wrapped, place)
            self._ports.cipher.open_(secret, probe.sealed, place)
        except chassis.errors.SallyportError as error:
            if error.code in CLOSED_FOR_GOOD:
                return False
            raise
        return True
