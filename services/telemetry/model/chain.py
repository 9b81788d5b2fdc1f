"""The hash chain: where a record stands, what its bytes are, and what its hash covers.

- A record's hash is SHA-256(hash of the record before || the record's body), so no record can change,
  vanish or move without every later hash changing.
- Sequences start at 1 and have no gaps; the hash before record 1 is 32 zero bytes.
- A body never changes after it was hashed: exports show the stored bytes, not a new rendering.
"""

import hashlib
from typing import NamedTuple

from services.telemetry.model.events import Entry, encode

FORMAT = "sallyport-audit-1"
# One chain serves every replica, under one lock. More shards are more chains of this same form.
SHARD = "main"
HASH_BYTES = 32


class Head(NamedTuple):
    """The end of the chain: the last record's sequence and hash."""

    sequence: int
    hash: bytes


GENESIS = Head(0, bytes(HASH_BYTES))


class Record(NamedTuple):
    """One link of the chain.

    Attributes:
        body: the canonical JSON that is hashed, as it is kept and shown for ever.
        hash: HASH_BYTES bytes.
    """

    sequence: int
    body: bytes
    hash: bytes

    @property
    def head(self) -> Head:
        """The chain's end while this record is its last."""
        return Head(self.sequence, self.hash)

    @property
    def line(self) -> bytes:
        """The record as a line of an export, without its newline."""
        return b'{"hash":"%s","record":%s}' % (self.hash.hex().encode(), self.body)


def follow(last: Head | Record, entry: Entry, recorded_at: str) -> Record:
    """Return the record that an entry becomes directly after the last one, recorded at this `timestamp`."""
    sequence = last.sequence + 1
    body = encode({**entry.facts, "recorded_at": recorded_at, "sequence": sequence, "shard": SHARD})
    return Record(sequence, body, hashlib.sha256(last.hash + body).digest())


def header_line(*, from_sequence: int, previous_hash: bytes, key: str) -> bytes:
    """Return the first line of an export, without its newline.

    Args:
        from_sequence: sequence of the first record that follows.
        previous_hash: hash of the record before that one.
        key: fingerprint of the key that signed the checkpoints.
    """
    facts = {
        "format": FORMAT,
        "from_sequence": from_sequence,
        "key": key,
        "previous_hash": previous_hash.hex(),
    }
    return encode({"header": facts})
