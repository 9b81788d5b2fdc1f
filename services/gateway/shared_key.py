"""A key that all replicas read from the key service again and again, and forget when it does not answer.

It is remembered for KEY_S_MAX and no longer: then what needs it waits for the key service (R-06).
"""

import chassis.vault
from chassis.clock import Clock
from chassis.secrecy import Secret

# Source: R-06: no key stays in memory for longer while the key service is away.
KEY_S_MAX = 60.0


class SharedKey:
    """One key, while it is fresh. Whoever owns this calls `learn` again and again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key: Secret[bytes] | None = None
        self._learned_at_s = 0.0

    def learn(self, key: Secret[bytes]) -> None:
        """Take the key as it was read just now."""
        self._key = key
        self._learned_at_s = self._clock.monotonic_s()

    def current(self) -> Secret[bytes]:
        """Return the key.

        Raises:
            KeyServiceUnavailable: it is older than KEY_S_MAX.
        """
        if self._key is None or self._clock.monotonic_s() - self._learned_at_s > KEY_S_MAX:
            self._key = None
            raise chassis.vault.KeyServiceUnavailable
        return self._key
