"""What consents' reminders and sellers' leaving need from storage."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.auth.model.consents import Consent
from services.auth.model.offboarding import KnownSeller, Offboarding
from services.auth.model.reminders import Reminder


class Reminders(Protocol):
    """Reminders in storage: one for each consent and mark, whoever came first."""

    async def list_reached(self, mark_days: int, ends_by: datetime, rows_max: int) -> Sequence[Consent]:
        """Return active consents ending by a time, soonest first, not reminded at this mark or tighter."""
        ...

    async def keep_reminder(self, reminder: Reminder) -> None:
        """Keep a reminder, unless there is one of its consent and mark."""
        ...

    async def list_untold(self, rows_max: int) -> Sequence[Reminder]:
        """Return reminders that the audit log may not have, as they were first kept, oldest first."""
        ...

    async def settle_reminder(self, reminder: Reminder, now: datetime) -> bool:
        """Note that a reminder was told; one of the end ends its consent in the same step, as EXPIRED.

        Returns:
            Whether a consent ended now.
        """
        ...

    async def count_ending(self, now: datetime) -> Mapping[int, int]:
        """Return how many active consents end within each of MARKS_DAYS."""
        ...


class Sellers(Protocol):
    """Sellers as the vendor's operators see them, and those who leave, in storage."""

    async def find_known_seller(self, seller_id: str) -> KnownSeller:
        """Return a seller.

        Raises:
            SellerNotFound: there is none.
        """
        ...

    async def list_known_sellers(self, after: str, rows_max: int) -> Sequence[KnownSeller]:
        """Return sellers by their ids, from the first one after `after`; empty: from the very first."""
        ...

    async def close_seller(self, seller_id: str, now: datetime) -> Offboarding:
        """End all that lets anybody of a seller in, and destroy the sealed refresh tokens, in one step.

        Sessions, invitations, codes and states are forgotten, devices revoked and told to every replica,
        consents ended as OFFBOARDED, the seller's accounts at Amazon free for others. From now on nothing is
        kept for the seller: see SellerOffboarded. Closing again changes nothing.

        Raises:
            SellerNotFound: there is none.
        """
        ...

    async def list_offboardings(self, rows_max: int) -> Sequence[Offboarding]:
        """Return those that the audit log may not have as finished, oldest first."""
        ...

    async def keep_offboarding(self, offboarding: Offboarding) -> Offboarding:
        """Keep each step's time that is not known yet; return all as it is kept, by whoever came first."""
        ...
