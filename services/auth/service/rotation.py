"""Looking after the applications' client secrets: proving, counting down, asking for new ones, destroying.

    a secret comes -> Amazon is asked whether it accepts it -> it is relied on
    its end comes near -> the vendor is told at each mark, once -> Amazon is asked for another
    7 days after its successor came, and only once that one is accepted -> it is destroyed

Every replica shows the days left; the rest is done by whoever holds the application's lease. A round that
dies anywhere is repeated by the next one, harmlessly.
"""

from contextlib import suppress
from dataclasses import dataclass

from chassis.errors import SallyportError, Unavailable
from services.auth.model.audit import SELF, Actor, Deed, Kind
from services.auth.model.consents import Application
from services.auth.model.credentials import SecretPair, Verdict
from services.auth.model.grantless import Scope
from services.auth.model.rotation import LEASE_S, RotationLease, RotationPlan
from services.auth.model.secret_refusals import RotationRefused, RotationUnderWay, RotationUnenrolled
from services.auth.service.grantless import GrantlessService
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.proving import ProvingService
from services.auth.service.secret_changes import SecretChanges

ASKED = "asked"
UNANSWERED = "unanswered"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Who wants another secret, and whether although Amazon was asked within the day."""

    actor: Actor
    is_forced: bool = False


class RotationService:
    """Keeps applications able to call Amazon."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        *,
        changes: SecretChanges,
        proving: ProvingService,
        grantless: GrantlessService,
        plan: RotationPlan,
    ) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._amazon = ports.amazon
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger
        self._changes = changes
        self._proving = proving
        self._grantless = grantless
        self._plan = plan

    async def tend(self) -> bool:
        """Look after every application's secrets; return whether the present one may still call Amazon.

        Raises:
            SallyportError: of the last application that could not be looked after; the others were.
        """
        fault: SallyportError | None = None
        is_able = True
        for place, application in enumerate(await self._store.list_applications()):
            try:
                is_over = await self._tend(application)
            except SallyportError as error:
                fault = error
            else:
                is_able = is_able and not (place == 0 and is_over)
        if fault is not None:
            raise fault
        return is_able

    async def ask(self, lease: RotationLease, wish: Wish) -> None:
        """Ask Amazon for another secret; it arrives by itself where the vendor's queue is heard.

        Raises:
            RotationTooSoon: Amazon was asked within the day, and the wish is not forced.
            RotationUnenrolled, RotationRefused: Amazon does not make one.
            RotationUnderWay: the lease was lost.
            ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid, AuditUnavailable
        """
        if not wish.is_forced:
            lease.state.check(self._clock.now())
        try:
            await self._ask(lease, wish)
        except SallyportError as error:
            self._signals.rotation(error.code)
            raise
        self._signals.rotation(ASKED)

    async def _tend(self, application: Application) -> bool:
        """Return whether every secret is past its end, and Amazon says so too."""
        application_id, now = application.application_id, self._clock.now()
        pair = await self._find(application_id)
        self._signals.secret_days_left(application_id, pair.counted(now).days_left(now))
        lease = await self._store.hold_rotation(application_id, LEASE_S)
        if lease is not None:
            try:
                await self._tend_under(lease, pair)
            finally:
                with suppress(Unavailable):
                    await self._store.release_rotation(lease)
        is_past = all(secret.is_expired(now) for secret in pair.dated())
        return is_past and await self._proving.is_refused(application_id, pair)

    async def _tend_under(self, lease: RotationLease, pair: SecretPair) -> None:
        await self._changes.tidy(lease.application_id)
        if pair.newest.accepted_at is None:
            await self._proving.confirm(lease.application_id)
            pair = await self._find(lease.application_id)
        await self._retire(lease, pair)
        await self._tell(lease, pair)
        if lease.state.is_due(pair, self._plan, self._clock.now()):
            if lease.state.asked_at is not None and lease.state.asked_at >= pair.newest.kept_at:
                self._signals.rotation(UNANSWERED)
            await self.ask(lease, Wish(actor=SELF))

    async def _retire(self, lease: RotationLease, pair: SecretPair) -> None:
        """Destroy the older secret if its time is over and Amazon accepts the newest one now."""
        ends_at = pair.older_ends_at()
        if pair.older is None or ends_at is None or self._clock.now() < ends_at:
            return
        if await self._proving.confirm(lease.application_id) is Verdict.ACCEPTED:
            await self._changes.destroy(lease.application_id, pair.older.secret_id)

    async def _tell(self, lease: RotationLease, pair: SecretPair) -> None:
        """Raise the alarm at each mark of the countdown, once, and keep that it was raised."""
        now = self._clock.now()
        secret = pair.counted(now)
        mark = lease.state.untold_mark(secret, now)
        if mark is None:
            return
        days_left = secret.days_left(now)
        details = {
            "application_id": lease.application_id,
            "secret_id": secret.secret_id,
            "days_left": str(max(int(days_left), 0)),
            "mark": str(mark),
        }
        await self._ledger.fact(Deed(kind=Kind.CLIENT_SECRET_EXPIRING, actor=SELF, details=details))
        self._signals.secret_expiring(days_left)
        await self._store.note_told(lease, secret.secret_id, mark)

    async def _ask(self, lease: RotationLease, wish: Wish) -> None:
        lent = await self._grantless.token(Scope.ROTATION, lease.application_id)
        details = {"application_id": lease.application_id, "forced": str(wish.is_forced).lower()}
        deed = Deed(kind=Kind.CLIENT_SECRET_REQUESTED, actor=wish.actor, details=details)
        async with self._ledger.effect(deed):
            # Kept before the call: whoever comes after a death in between knows that it may have been made.
            if not await self._store.note_asked(lease, self._clock.now()):
                raise RotationUnderWay
            try:
                await self._amazon.rotate_secret(self._plan.region, lent.token)
            except (RotationUnenrolled, RotationRefused) as error:
                await self._store.note_rotation_refused(lease, error.code, self._clock.now())
                raise

    async def _find(self, application_id: str) -> SecretPair:
        return (await self._vault.find_secrets(application_id)).pair
