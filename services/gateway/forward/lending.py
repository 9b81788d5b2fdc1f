"""Amazon's tokens as auth lends them: kept in memory while they are good, one per seller and purpose.

A token that Amazon does not take is given back: it is forgotten here, and auth is told which it was whenever
one is asked for, until it has lent another. Auth forgets it everywhere and refreshes once, however many calls
met it and told so. The application's own token belongs to no seller and is kept once.
"""

from dataclasses import dataclass
from datetime import datetime

import chassis.crypto.digest
from chassis.clock import Clock
from chassis.recent import Recent
from chassis.secrecy import Secret
from services.gateway.forward.ports import AuthPeer
from services.gateway.model.calls import AmazonToken, Device, Grantless, Loan, Region
from services.gateway.model.spans import Span, span

# Source: SP-API, "Connect to the SP-API": use a token until about 60 s before its end.
UNUSED_TAIL_S = 60.0
# About 2 KB each.
TOKENS_MAX = 20_000
# Of tokens that were given back and not yet reported.
REPORTS_MAX = 10_000
NO_REPORT = b""
NO_SELLER = ""

_Key = tuple[str, Region, Loan]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token and how long it may be used."""

    token: Secret[str]
    span: Span


class Lending:
    """What to call Amazon with: the ordinary token, a restricted one (T-19), or the application's own."""

    def __init__(self, *, auth: AuthPeer, clock: Clock) -> None:
        self._auth = auth
        self._clock = clock
        self._kept: Recent[_Key, _Kept] = Recent(TOKENS_MAX)
        self._reports: Recent[_Key, bytes] = Recent(REPORTS_MAX)
        self._changes = 0

    def find(self, device: Device, region: Region, loan: Loan, *, now: datetime) -> Secret[str] | None:
        """Return what was lent before and is good for at least another minute, if there is such a token."""
        # What was put longest ago ends soonest, so that asking need not count as use.
        kept = self._kept.peek(_key(device, region, loan))
        if kept is None or not kept.span.is_open(now, self._clock.monotonic_s()):
            return None
        return kept.token

    async def lend(self, device: Device, region: Region, loan: Loan, *, until_s: float) -> Secret[str]:
        """Return a new token that is good for at least another minute: of the device's seller, or grantless.

        Args:
            device: in whose name Amazon is called.
            region: where.
            loan: what for.
            until_s: the monotonic moment up to which the call can wait.

        Raises:
            Denied: the consent is missing, ended or withdrawn, in auth's words.
            LimitExceeded: this gateway borrows too much, in auth's words.
            Unavailable: auth, or Amazon's authorization service, gives none in time.
        """
        key = _key(device, region, loan)
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        refused_digest, timeout_s = self._reports.get(key) or NO_REPORT, until_s - now_s
        changes = self._changes
        lent = await self._borrow(device, region, loan, refused_digest=refused_digest, timeout_s=timeout_s)
        if changes == self._changes:
            self._kept.put(key, _Kept(lent.token, span(now, now_s, lent.expires_in_s - UNUSED_TAIL_S)))
        if self._reports.get(key) == refused_digest:
            self._reports.drop(key)
        return lent.token

    def forget(self, seller_id: str | None) -> None:
        """Forget what was or is being lent for a seller, or for all: its consent may have been replaced."""
        self._changes += 1
        self._kept.drop_where(lambda key, _: seller_id is None or key[0] == seller_id)

    def give_back(self, device: Device, region: Region, loan: Loan, *, token: Secret[str]) -> None:
        """Forget a token that Amazon does not take, unless another one took its place meanwhile."""
        key = _key(device, region, loan)
        kept = self._kept.get(key)
        if kept is None or kept.token == token:
            self._kept.drop(key)
            self._reports.put(key, chassis.crypto.digest.sha256(token.reveal().encode()))

    async def _borrow(
        self, device: Device, region: Region, loan: Loan, *, refused_digest: bytes, timeout_s: float
    ) -> AmazonToken:
        if isinstance(loan, Grantless):
            return await self._auth.lend_grantless_token(refused_digest=refused_digest, timeout_s=timeout_s)
        return await self._auth.lend_amazon_token(
            device.device_id, region, loan, refused_digest=refused_digest, timeout_s=timeout_s
        )


def _key(device: Device, region: Region, loan: Loan) -> _Key:
    return NO_SELLER if isinstance(loan, Grantless) else device.seller_id, region, loan
