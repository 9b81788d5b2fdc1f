"""Key rotation: a new version of a key, everything sealed anew under it, the older versions closed.

- The key service's own re-wrapping leaves out the associated data that binds a value to its place, so values
  are opened and sealed again here, in pages, and each takes its old writing's place only if that is still
  there: whoever wrote meanwhile wins, and wrote under the new version anyway.
- A value may be sealed just before the key is rotated and written just after everything was sealed anew; and
  an old writing may be read just before it is replaced, and opened after. So the older versions are closed
  only when SETTLING_S have passed since the last value was sealed anew, and one more look found none.
- Every step is harmless when repeated; whoever dies leaves a lease that ends by itself (R-12).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chassis.secrecy import Secret
from services.auth.model.sealing import AnyPlace

# Source: DPP-1.4c, keys are rotated every 12 months or sooner.
KEY_AGE_MAX = timedelta(days=365)
# A month is left to notice that rotation does not work.
KEY_AGE_ROTATED = timedelta(days=335)
# Longer than anybody holds a sealed value: calls end after 30 s, jobs' rounds after 120 s.
SETTLING_S = 300.0
# A holder that is killed leaves its key to others after this; each page of values extends the lease.
LEASE_S = 20.0
# Well within one call to the key service.
PAGE_VALUES_MAX = 100
# A key with more values than this gives others a turn.
PAGES_MAX = 100
# Keys whose age asks for it are taken up in portions, so that rounds stay short.
AGED_KEYS_MAX = 500
# How long what became of a key is remembered; longer than KEY_AGE_MAX, since a key's age is read from it.
REWRAPPING_MEMORY = timedelta(days=730)


class KeyKind(StrEnum):
    """Whose keys there are."""

    SELLER = "seller"
    APPLICATION = "application"
    STAFF = "staff"


class Cause(StrEnum):
    """Why a key is rotated: an operator asked for it, or it grew old."""

    ASKED = "asked"
    AGE = "age"


class Outcome(StrEnum):
    """How a rotation ended; GONE: the key was destroyed meanwhile, and with it all that it sealed."""

    DONE = "done"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class KeyOwner:
    """Whose key it is.

    Attributes:
        owner_id: a seller's or an application's id; empty for the vendor's staff, who have one key.
    """

    kind: KeyKind
    owner_id: str


@dataclass(frozen=True, kw_only=True)
class SealedValue:
    """One sealed value as it lies in storage.

    Attributes:
        column: where it lies, as "table.column"; the place may name another table.
        place: what it is bound to.
    """

    column: str
    place: AnyPlace
    sealed: str


@dataclass(frozen=True, kw_only=True)
class Plaintext:
    """A value in the open, with the place that it is sealed for."""

    place: AnyPlace
    text: Secret[str]


@dataclass(frozen=True, kw_only=True)
class Rewrapping:
    """One key on its way to a new version, with a lease on it.

    Attributes:
        round_id: which keys were asked for together.
        version_before: the newest version on beginning; None before that.
        version: everything is to be sealed under this one or a newer one; None until the key is rotated.
        is_settled: whether SETTLING_S have passed since the last value was sealed anew.
    """

    round_id: str
    owner: KeyOwner
    version_before: int | None = None
    version: int | None = None
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True)
class Round:
    """What was taken up when keys were asked for.

    Attributes:
        keys: how many were.
        keys_under_way: how many were left out, because they are being rotated already.
    """

    round_id: str
    keys: int
    keys_under_way: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a round has come.

    Attributes:
        keys_rewrapped: of which every value was sealed anew; includes those that are closed.
        keys_closed: whose older versions open nothing any more; includes those that are gone.
        values: as counted on asking; others come and go meanwhile.
        values_damaged: values that did not open, and were left as they are.
        closes_in_s: how long until the last key's older versions may be closed; None while values are still
            sealed anew, and when all is closed.
    """

    keys: int
    keys_rewrapped: int
    keys_closed: int
    values: int
    values_done: int
    values_damaged: int
    closes_in_s: float | None

    @property
    def is_closed(self) -> bool:
        """Whether every value is sealed anew, and the older versions are closed."""
        return self.keys_closed >= self.keys


@dataclass(frozen=True, kw_only=True)
class KeyAges:
    """How old the keys are.

    Attributes:
        keys: how many there are.
        oldest_since: since when the oldest one's present version is in use; None when there is no key.
        aged: how many are older than KEY_AGE_ROTATED.
        under_way: how many are being rotated.
    """

    keys: int
    oldest_since: datetime | None
    aged: int
    under_way: int
