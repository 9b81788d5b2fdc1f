"""Checkpoints: signed statements of how long the log was at a time, and what it hashed to.

Numbers start at 1 and have no gaps, so a missing checkpoint shows. The signature covers a fixed
context before the body, so it can never be taken for a signature over anything else.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.telemetry.model.chain import SHARD, Head
from services.telemetry.model.events import encode, timestamp

SIGNATURE_CONTEXT = b"sallyport audit checkpoint 1\n"


class Reason(StrEnum):
    """Why a checkpoint was signed; an export always ends with one of its own."""

    INTERVAL = "interval"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Tip:
    """Where log and checkpoints stand, read at one moment."""

    head: Head
    checkpoint_number: int
    checkpoint_sequence: int

    @property
    def is_covered(self) -> bool:
        """Whether the last checkpoint covers the last record."""
        return self.head.sequence == self.checkpoint_sequence


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement about the log up to `sequence`.

    Attributes:
        body: the canonical JSON that was signed, after SIGNATURE_CONTEXT.
        signature: raw Ed25519 signature.
    """

    number: int
    sequence: int
    signed_at: datetime
    body: bytes
    signature: bytes

    @property
    def line(self) -> bytes:
        """The checkpoint as a line of an export, without its newline."""
        return b'{"checkpoint":%s,"signature":"%s"}' % (self.body, self.signature.hex().encode())


def statement(tip: Tip, *, signed_at: datetime, reason: Reason, key: str) -> bytes:
    """Return the body of the checkpoint that follows `tip`.

    Args:
        tip: where log and checkpoints stand.
        signed_at: the domain's time.
        reason: why it is signed now.
        key: fingerprint of the signing key.
    """
    facts = {
        "hash": tip.head.hash.hex(),
        "key": key,
        "number": tip.checkpoint_number + 1,
        "reason": reason.value,
        "records": tip.head.sequence,
        "sequence": tip.head.sequence,
        "shard": SHARD,
        "signed_at": timestamp(signed_at),
    }
    return encode(facts)


def fingerprint(public_pem: str) -> str:
    """Return the SHA-256 of a public key's DER form, in hex: how headers and checkpoints name it."""
    body = "".join(line for line in public_pem.splitlines() if not line.startswith("-----"))
    return hashlib.sha256(base64.b64decode(body, validate=True)).hexdigest()
