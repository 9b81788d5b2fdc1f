"""The application's own tokens (grantless): no seller stands behind them, one of Amazon's scopes does.

Source: SP-API, "Grantless Operations".
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.auth.model import ages
from services.auth.model.lending import AMAZON_LIFE_MAX, UNUSED_TAIL, Lent
from services.auth.model.sealing import ApplicationPlace


class Scope(StrEnum):
    """What a grantless token is good for.

    Attributes:
        NOTIFICATIONS: destinations and subscriptions of notifications.
        ROTATION: renewing the client secret; such a token never leaves auth.
    """

    NOTIFICATIONS = "sellingpartnerapi::notifications"
    ROTATION = "sellingpartnerapi::client_credential:rotation"


@dataclass(frozen=True, kw_only=True)
class SealedGrantless:
    """A grantless token as the replicas share it.

    Attributes:
        fence: of the lease under which it was written.
        age_s: for how long it has been shared, by storage's clock.
    """

    application_id: str
    scope: Scope
    token_sealed: str
    expires_at: datetime
    fence: int
    age_s: float = field(default=0.0, compare=False)

    @property
    def place(self) -> ApplicationPlace:
        """Where the token is sealed."""
        return grantless_place(self.application_id, self.scope, self.fence)

    def is_newer(self, than: Lent | None, now: datetime) -> bool:
        """Return whether it is usable and better than what is at hand."""
        left_s = ages.left_s(self.expires_at, now, life=AMAZON_LIFE_MAX, age_s=self.age_s)
        is_usable = left_s > UNUSED_TAIL.total_seconds()
        return is_usable and (than is None or self.expires_at > than.expires_at)


@dataclass(frozen=True, kw_only=True)
class GrantlessLease:
    """The right to ask for a new token of one scope, with the shared one as it was on taking the lease."""

    fence: int
    token: SealedGrantless | None


def grantless_place(application_id: str, scope: Scope, fence: int) -> ApplicationPlace:
    """Return where the token fetched under a fence is sealed."""
    return ApplicationPlace(
        application_id=application_id,
        table="grantless_leases",
        column="token_sealed",
        row_id=scope,
        version=fence,
    )
