"""Nonces for proofs: how a desktop shows that it made a proof just now, whatever its clock says.

A nonce is the keyed fingerprint of the number of a step of time. So no replica keeps any, every replica with
the key knows every other's, and nobody makes one before its time.

- A nonce is taken for NONCE_LIFE_S after its step began; a fresh one is told with every answer to a proven
  call, so that a client that keeps calling never sees a second challenge.
- Its age is measured by a clock that never goes back: no jump of the machine's time makes it live longer
  (R-14). Replicas whose clocks differ by more than a step challenge each other's clients more often, and
  take no proof for longer.
- Without a fresh key nothing is proven until the key service answers again (R-06).

Source: RFC 9449, sections 8, 9 and 11.2.
"""

import base64
from collections.abc import Sequence

import chassis.clock
import chassis.crypto.digest
from chassis.secrecy import Secret
from services.gateway.shared_key import SharedKey

STEP_S = 60
# Its own step and this many before: how long a nonce lives.
STEPS_OLD_MAX = 4
# Another replica's clock may run ahead.
STEPS_AHEAD_MAX = 1
NONCE_LIFE_S = (STEPS_OLD_MAX + 1) * STEP_S
# How long a proof can pass: a nonce of a replica that is ahead lives longer here.
PROOF_S_MAX = NONCE_LIFE_S + STEPS_AHEAD_MAX * STEP_S
NONCE_CHARS_MAX = 64
FINGERPRINT_BYTES = 16
PURPOSE = "dpop nonce"


class Nonces:
    """Makes and knows nonces, while the key is fresh. Whoever owns this calls `learn` again and again."""

    def __init__(self, clock: chassis.clock.Clock) -> None:
        """Prepare; `clock` never goes back."""
        self._clock = clock
        self._key = SharedKey(clock)
        # What lives in a step, made with a key; it goes when either does.
        self._living: Sequence[bytes] = ()
        self._living_for: tuple[Secret[bytes], int] | None = None

    def learn(self, key: Secret[bytes]) -> None:
        """Take the key that all replicas share, as it was read just now."""
        self._key.learn(key)

    def newest(self) -> str:
        """Return the nonce of the present step.

        Raises:
            KeyServiceUnavailable: the key is not fresh.
        """
        return self._alive()[STEPS_OLD_MAX].decode("ascii")

    def is_fresh(self, nonce: object) -> bool:
        """Return whether a stranger's nonce is one of ours and still lives.

        Raises:
            KeyServiceUnavailable: the key is not fresh.
        """
        text = nonce if isinstance(nonce, str) and len(nonce) <= NONCE_CHARS_MAX else ""
        given, is_known = text.encode("utf-8", "surrogatepass"), False
        for living in self._alive():
            is_known |= chassis.crypto.digest.equal(given, living)
        return is_known

    def _alive(self) -> Sequence[bytes]:
        """Return the nonces that live now, the oldest first, those of replicas that are ahead last."""
        key, step = self._key.current(), int(self._clock.now().timestamp()) // STEP_S
        if self._living_for is None or self._living_for[0] is not key or self._living_for[1] != step:
            steps = range(step - STEPS_OLD_MAX, step + STEPS_AHEAD_MAX + 1)
            self._living = [_nonce(key, each) for each in steps]
            self._living_for = key, step
        return self._living


def _nonce(key: Secret[bytes], step: int) -> bytes:
    fingerprint = chassis.crypto.digest.keyed(key, f"{PURPOSE} {step}")[:FINGERPRINT_BYTES]
    return base64.urlsafe_b64encode(fingerprint).rstrip(b"=")
