"""What looking after client secrets needs from outside. The edge-out files fit these by shape."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.auth.model.consents import Application
from services.auth.model.credentials import KeptPair, SecretPair
from services.auth.model.notices import Letter
from services.auth.model.rotation import RotationLease, RotationState


class SecretPairs(Protocol):
    """The applications' client secrets in the key service."""

    async def find_secrets(self, application_id: str) -> KeptPair:
        """Return what an application shows LWA; hold it only while it is used (T-20).

        Raises:
            ApplicationMissing: it has none.
            Unavailable: `key_service_unavailable`.
        """
        ...

    async def keep_secrets(self, application_id: str, pair: SecretPair, *, number: int) -> bool:
        """Keep a pair, durably; False, and nothing kept, when `number` is not the newest version any more.

        Args:
            application_id: whose it is.
            pair: all that is kept from now on.
            number: of the version that it follows; 0 for none.

        Raises:
            Unavailable: `key_service_unavailable`.
        """
        ...

    async def forget_secrets(self, application_id: str) -> None:
        """Destroy every version but the newest for good; again is harmless.

        Raises:
            Unavailable: `key_service_unavailable`.
        """
        ...


class Rotations(Protocol):
    """Who looks after which application's secrets, and what was done, in storage."""

    async def list_applications(self) -> Sequence[Application]:
        """Return the registered applications, the present one first, at most APPLICATIONS_MAX."""
        ...

    async def find_rotation(self, application_id: str) -> RotationState:
        """Return what is remembered of an application's rotations."""
        ...

    async def hold_rotation(self, application_id: str, lease_s: float) -> RotationLease | None:
        """Return the right to look after a registered application's secrets; None while another has it."""
        ...

    async def note_asked(self, lease: RotationLease, now: datetime) -> bool:
        """Keep that Amazon is about to be asked; False, and nothing kept, when the lease was lost."""
        ...

    async def note_rotation_refused(self, lease: RotationLease, code: str, now: datetime) -> None:
        """Keep that Amazon refused: what was asked before is the last that may have had an effect."""
        ...

    async def note_told(self, lease: RotationLease, secret_id: str, days: int) -> None:
        """Keep that the vendor was told of a secret's end at a mark."""
        ...

    async def release_rotation(self, lease: RotationLease) -> None:
        """Give the lease back if it is still held."""
        ...


class Inbox(Protocol):
    """The queue on which Amazon's notices arrive: at least once, in any order."""

    async def receive(self) -> Sequence[Letter]:
        """Return letters as soon as there are any, at most LETTERS_MAX; none after a while.

        A letter that is not deleted comes again, and in the end goes to the queue's dead letters.

        Raises:
            QueueUnavailable
        """
        ...

    async def delete(self, letter: Letter) -> None:
        """Take a letter out of the queue; again is harmless.

        Raises:
            QueueUnavailable
        """
        ...


class SecretSignals(Protocol):
    """What looking after client secrets makes visible; never a secret."""

    def secret_refused(self, which: str) -> None:
        """Count that Amazon began to refuse "one" client secret of two, or accepts not one: "all"."""
        ...

    def secret_expiring(self, days_left: float) -> None:
        """Raise the alarm that a client secret ends in so many days."""
        ...

    def secret_days_left(self, application_id: str, days: float) -> None:
        """Show how many days the secret that an application relies on has left."""
        ...

    def rotation(self, result: str) -> None:
        """Count a new secret asked for: "asked" or the code of what went wrong."""
        ...

    def notice(self, result: str) -> None:
        """Count a letter on the queue, by what became of it: one of notices.Outcome."""
        ...
