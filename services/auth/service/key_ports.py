"""What key rotation needs of storage and of the key service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chassis.secrecy import Secret
from services.auth.model.rewrapping import (
    KeyAges,
    KeyOwner,
    Outcome,
    Plaintext,
    Progress,
    Rewrapping,
    Round,
    SealedValue,
)


class Keyring(Protocol):
    """The sealing keys themselves, in the key service. Every method may raise `key_gone`."""

    async def find_version(self, owner: KeyOwner) -> int:
        """Return the newest version of a key."""
        ...

    async def rotate_key(self, owner: KeyOwner) -> None:
        """Give a key a new version; older ones still open."""
        ...

    async def close_versions(self, owner: KeyOwner, oldest_opened: int) -> None:
        """Have nothing opened any more that was sealed under an older version than this one."""
        ...

    async def open_many(self, owner: KeyOwner, values: Sequence[SealedValue]) -> Sequence[Secret[str]]:
        """Return what was sealed, in order; at most PAGE_VALUES_MAX, all of one owner.

        Raises:
            Unavailable: `integrity_failure` when one of them does not open, `key_service_unavailable`.
        """
        ...

    async def seal_many(self, owner: KeyOwner, values: Sequence[Plaintext]) -> Sequence[str]:
        """Return values sealed under the newest version, in order; at most PAGE_VALUES_MAX of one owner."""
        ...


class Rewrappings(Protocol):
    """Keys on their way to a new version, and the values that they seal, in storage."""

    async def begin_round(self, round_id: str, owner: KeyOwner | None, now: datetime) -> Round:
        """Take up the rotation of one key, or of all for None; keys that are under way are left out."""
        ...

    async def begin_aged(self, round_id: str, since: datetime, now: datetime) -> int:
        """Take up keys in use since before a time, at most AGED_KEYS_MAX; return how many those were."""
        ...

    async def find_progress(self, round_id: str) -> Progress:
        """Return how far a round has come.

        Raises:
            RoundMissing: there is none.
        """
        ...

    async def find_ages(self, since: datetime) -> KeyAges:
        """Return how old the keys are; aged are those in use since before a time."""
        ...

    async def claim_rewrapping(self, lease_s: float) -> Rewrapping | None:
        """Return a key with something to do and a lease on it; None when there is none.

        There is nothing to do for a key whose values are all sealed anew until it is settled.
        """
        ...

    async def note_beginning(self, rewrapping: Rewrapping, version_before: int) -> None:
        """Keep a key's newest version as it was before this rotation."""
        ...

    async def note_rotation(self, rewrapping: Rewrapping, version: int) -> None:
        """Keep a key's new version."""
        ...

    async def list_older(self, owner: KeyOwner, version: int, after: str) -> Sequence[SealedValue]:
        """Return values sealed under older versions than this, by their sealed text and after one.

        At most PAGE_VALUES_MAX, in the order of their bytes.
        """
        ...

    async def replace_sealed(self, owner: KeyOwner, value: SealedValue, sealed: str) -> bool:
        """Put a new sealed text in the old one's place; False, and nothing written, when it is not there."""
        ...

    async def note_page(self, rewrapping: Rewrapping, done: int, lease_s: float) -> None:
        """Add to what was done, and extend the lease."""
        ...

    async def end_pass(self, rewrapping: Rewrapping, damaged: int) -> None:
        """Keep that every value was looked at, and give the lease back; the key settles from now on."""
        ...

    async def close_rewrapping(self, rewrapping: Rewrapping, outcome: Outcome, now: datetime) -> None:
        """Keep how a key's rotation ended."""
        ...
