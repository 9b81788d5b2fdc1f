"""Proofs that were used up: each works once, for longer than its nonce lives.

What would have to be remembered beyond a bound is refused: forgetting one early would let it be used twice.
One key has a bound of its own, so that no desktop takes the room of the others (T-32, R-23).

Source: RFC 9449, section 11.1.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field

import chassis.crypto.digest
import chassis.errors
from chassis.clock import Clock
from services.gateway.model.faults import InvalidDpopProof
from services.gateway.nonces import PROOF_S_MAX

# Proofs are forgotten by the minute, each minute whole, when none of its proofs can pass any more.
MINUTE_S = 60
MINUTES_MAX = math.ceil(PROOF_S_MAX / MINUTE_S)
# About 1,400 proven calls a second for PROOF_S_MAX, in about 50 MB; of one key about 180.
PROOFS_MAX = 524_288
PROOFS_OF_KEY_MAX = PROOFS_MAX // 8
DIGEST_BYTES = 16


class TooManyProofs(chassis.errors.LimitExceeded):
    """More proofs arrive than can be remembered."""

    code = "too_many_proofs"
    text = "Too many calls right now."


@dataclass(slots=True)
class _Minute:
    """The proofs of one minute.

    Attributes:
        of_keys: their digests, by the thumbprint of the key.
        count: how many there are.
    """

    of_keys: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    count: int = 0


class UsedProofs:
    """The memory of one process."""

    def __init__(self, clock: Clock, *, proofs_max: int, of_key_max: int) -> None:
        """Begin with none.

        Args:
            clock: tells how long ago a proof was used.
            proofs_max: how many are remembered.
            of_key_max: how many of one key.
        """
        self._clock = clock
        self._proofs_max = proofs_max
        self._of_key_max = of_key_max
        self._minutes: dict[int, _Minute] = {}

    def add(self, thumbprint: str, jti: str) -> None:
        """Remember a proof.

        Args:
            thumbprint: of its key.
            jti: by which the key's owner tells it from others.

        Raises:
            InvalidDpopProof: it was used before.
            TooManyProofs: see TooManyProofs.
        """
        now = int(self._clock.monotonic_s() // MINUTE_S)
        for past in [minute for minute in self._minutes if minute < now - MINUTES_MAX]:
            del self._minutes[past]
        minutes = self._minutes.values()
        own = [minute.of_keys[thumbprint] for minute in minutes if thumbprint in minute.of_keys]
        digest = chassis.crypto.digest.sha256(jti.encode())[:DIGEST_BYTES]
        if any(digest in proofs for proofs in own):
            raise InvalidDpopProof("The proof was used before.")
        is_full = sum(minute.count for minute in minutes) >= self._proofs_max
        if is_full or sum(map(len, own)) >= self._of_key_max:
            raise TooManyProofs(retry_after_s=PROOF_S_MAX)
        minute = self._minutes.setdefault(now, _Minute())
        minute.of_keys[thumbprint].add(digest)
        minute.count += 1
