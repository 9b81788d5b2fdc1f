"""Data keys in the open, for a short while.

- No key stays longer than KEY_CACHE_S, and none is given out once its day has begun (R-06, R-19).
- `forget_old` is called at least every FORGET_PERIOD_S, so nothing is in memory beyond the sum of both.
"""

from collections import OrderedDict
from dataclasses import dataclass

import chassis.clock
from chassis.secrecy import Secret
from services.retention.model.erasures import Subject
from services.retention.model.orders import begins_at
from services.retention.model.records import DataKey

# Source: threats.md, R-06: no cached plaintext keys beyond 60 s.
KEY_CACHE_S = 50.0
FORGET_PERIOD_S = 10.0
KEYS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class _Entry:
    data_key: DataKey
    secret: Secret[bytes]
    kept_s: float


class KeyCache:
    """Unwrapped data keys by key id, oldest first."""

    def __init__(self, *, clock: chassis.clock.Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    def find(self, data_key: DataKey) -> Secret[bytes] | None:
        """Return the key in the open, if it is here and may still be used."""
        entry = self._entries.get(data_key.key_id)
        if entry is None or entry.data_key != data_key or self._is_over(entry):
            return None
        return entry.secret

    def keep(self, data_key: DataKey, secret: Secret[bytes]) -> None:
        """Keep a key that was just unwrapped; the oldest goes when there are too many."""
        self._entries.pop(data_key.key_id, None)
        self._entries[data_key.key_id] = _Entry(data_key, secret, self._clock.monotonic_s())
        if len(self._entries) > KEYS_MAX:
            self._entries.popitem(last=False)

    def forget(self, subject: Subject) -> None:
        """Drop every key that a subject's key wraps."""
        self._drop([entry for entry in self._entries.values() if _is_under(entry.data_key, subject)])

    def forget_old(self) -> None:
        """Drop every key that is too old or whose day has begun."""
        self._drop([entry for entry in self._entries.values() if self._is_over(entry)])

    def holds(self, subject: Subject) -> bool:
        """Return whether a key that the subject's key wraps is here."""
        self.forget_old()
        return any(_is_under(entry.data_key, subject) for entry in self._entries.values())

    def _is_over(self, entry: _Entry) -> bool:
        age_s = self._clock.monotonic_s() - entry.kept_s
        return age_s >= KEY_CACHE_S or begins_at(entry.data_key.erase_day) <= self._clock.now()

    def _drop(self, entries: list[_Entry]) -> None:
        for entry in entries:
            del self._entries[entry.data_key.key_id]


def _is_under(data_key: DataKey, subject: Subject) -> bool:
    return data_key.erase_day == subject.day or data_key.seller_id == subject.seller_id
