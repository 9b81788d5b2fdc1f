"""What lending Amazon's tokens needs from storage. `store/` fits these by shape; fakes do too.

Leases, turns, and how old a shared token is are measured by storage's own clock, so that hosts whose clocks
differ never disagree about them. All other times are arguments.
"""

from datetime import datetime
from typing import Protocol

from services.auth.model.consents import Region
from services.auth.model.grantless import GrantlessLease, Scope, SealedGrantless
from services.auth.model.lending import Lease, Refreshed, SealedAccess, Standing
from services.auth.model.turns import Hold, Pace, Turns


class Leases(Protocol):
    """The right to refresh, and the access tokens that replicas share."""

    async def find_standing(self, device_id: str, region: Region) -> Standing:
        """Return what decides whether a device may be lent a token for a region, and what there is to lend.

        Raises:
            DeviceNotFound: there is no such device.
        """
        ...

    async def find_access(self, consent_id: str) -> SealedAccess | None:
        """Return the shared access token, be it over or not."""
        ...

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        """Return a lease for so many seconds; None while another holds it. Each fence is above the last.

        Raises:
            ConsentRevoked: the consent has ended.
        """
        ...

    async def take_due(self, now: datetime, lent_after: datetime, lease_s: float) -> Lease | None:
        """Return the lease on the token that has waited longest for its renewal ahead; None when none is due.

        Due is a shared token whose time to renew has come and that was lent after `lent_after`. One that
        another holds is passed over.
        """
        ...

    async def put_off(self, consent_id: str, fence: int, renew_at: datetime) -> None:
        """Try a renewal ahead again at another time, if nobody has taken the lease since."""
        ...

    async def note_lent(self, consent_id: str, now: datetime) -> None:
        """Keep that the shared token was lent."""
        ...

    async def forget_access(self, consent_id: str, fence: int, age_s_min: float) -> bool:
        """Forget the shared token written under a fence if it is old enough; False when it stays."""
        ...

    async def settle(self, consent_id: str, fence: int, refreshed: Refreshed) -> bool:
        """Keep what a refresh brought and give the lease back; False, and nothing kept, when it was lost.

        Doing so again is harmless.
        """
        ...

    async def note_refusal(self, consent_id: str, fence: int, now: datetime) -> None:
        """Keep when Amazon first refused the refresh token, if the lease is still held."""
        ...

    async def release(self, consent_id: str, fence: int) -> None:
        """Give the lease back if it is still held."""
        ...


class LoginTurns(Protocol):
    """Who may ask Login with Amazon, and when, over all replicas."""

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        """Give the next turns, all or none; none when the last of them is further away than `patience_s`.

        While Amazon refuses the application: one at a time, each PROBE_S.
        """
        ...

    async def hold_turns(self, application_id: str, hold_s: float) -> None:
        """Let nobody ask for so long; a longer hold stays."""
        ...

    async def find_hold(self, application_id: str) -> Hold:
        """Return for how long nobody may ask, and whether Amazon refuses the application."""
        ...

    async def begin_refusal(self, application_id: str) -> bool:
        """Note that Amazon refuses the application, and hold everybody for PROBE_S; False if it was noted."""
        ...

    async def end_refusal(self, application_id: str) -> bool:
        """Note that Amazon takes the application again, or may; False when it was not refused."""
        ...


class GrantlessTokens(Protocol):
    """The application's own tokens that replicas share, and the right to fetch them."""

    async def find_grantless(self, application_id: str, scope: Scope) -> SealedGrantless | None:
        """Return the shared token of a scope, be it over or not."""
        ...

    async def acquire_grantless(
        self, application_id: str, scope: Scope, lease_s: float
    ) -> GrantlessLease | None:
        """Return a lease for so many seconds; None while another holds it. Each fence is above the last."""
        ...

    async def settle_grantless(self, fresh: SealedGrantless) -> bool:
        """Keep a fresh token and give its lease back; False, and nothing kept, when the lease was lost."""
        ...

    async def forget_grantless(
        self, application_id: str, scope: Scope, *, fence: int, age_s_min: float
    ) -> bool:
        """Forget the shared token written under a fence if it is old enough; False when it stays."""
        ...

    async def release_grantless(self, application_id: str, scope: Scope, fence: int) -> None:
        """Give the lease back if it is still held."""
        ...


class Lendings(Leases, LoginTurns, GrantlessTokens, Protocol):
    """All that lending keeps."""
