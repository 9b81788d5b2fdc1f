"""What the vendor's operators see and do about an application and its client secrets."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import Unavailable
from chassis.secrecy import Secret
from services.auth.model.audit import OPERATOR
from services.auth.model.consents import Application, Credentials
from services.auth.model.credentials import Origin, SecretPair, check_expiry, check_secret
from services.auth.model.refusals import ApplicationRefused
from services.auth.model.rotation import LEASE_S, RotationLease, RotationPlan, RotationState
from services.auth.model.secret_refusals import RotationUnderWay, RotationUnheard, SecretRefused
from services.auth.service.login import Login
from services.auth.service.ports import Ports
from services.auth.service.rotation import RotationService, Wish
from services.auth.service.secret_changes import Arrival, SecretChanges

# A round of the periodic work holds the lease for a moment only.
HOLDS_MAX = 10
HOLD_AGAIN_S = 0.3


@dataclass(frozen=True, kw_only=True)
class ApplicationView:
    """An application with its secrets' dates; the secrets themselves stay in their boxes."""

    application: Application
    pair: SecretPair
    state: RotationState
    plan: RotationPlan
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Pasted:
    """A secret that an operator brings.

    Attributes:
        expires_at: its end, when Amazon's portal says it.
        is_unverified: keep it without asking Amazon.
    """

    application_id: str
    secret: Secret[str]
    expires_at: datetime | None = None
    is_unverified: bool = False


class ApplicationService:
    """The vendor's applications. `application_id` may be empty: the present one."""

    def __init__(
        self,
        ports: Ports,
        *,
        login: Login,
        changes: SecretChanges,
        rotation: RotationService,
        plan: RotationPlan,
    ) -> None:
        self._store = ports.store
        self._vault = ports.vault
        self._clock = ports.clock
        self._login = login
        self._changes = changes
        self._rotation = rotation
        self._plan = plan

    async def show(self, application_id: str) -> ApplicationView:
        """Return an application with the dates of its secrets and of its rotation.

        Raises:
            ApplicationMissing
        """
        application = await self._find(application_id)
        return ApplicationView(
            application=application,
            pair=(await self._vault.find_secrets(application.application_id)).pair,
            state=await self._store.find_rotation(application.application_id),
            plan=self._plan,
            seen_at=self._clock.now(),
        )

    async def rotate(
        self, application_id: str, *, is_forced: bool = False, is_pasted: bool = False
    ) -> ApplicationView:
        """Ask Amazon for another client secret, and return the application as it is then.

        Args:
            application_id: whose.
            is_forced: although Amazon was asked within the day.
            is_pasted: although no queue is heard here: the operator will paste what arrives.

        Raises:
            ApplicationMissing
            RotationUnheard: no queue is heard here.
            RotationUnderWay: somebody else looks after the secrets.
            RotationTooSoon, RotationUnenrolled, RotationRefused, ApplicationRefused
            AuthorizationUnavailable, UpstreamInvalid: a secret may have been made.
        """
        application = await self._find(application_id)
        if not (self._plan.is_heard or is_pasted):
            raise RotationUnheard
        lease = await self._hold(application.application_id)
        try:
            await self._rotation.ask(lease, Wish(actor=OPERATOR, is_forced=is_forced))
        finally:
            with suppress(Unavailable):
                await self._store.release_rotation(lease)
        return await self.show(application.application_id)

    async def paste(self, pasted: Pasted) -> bool:
        """Keep a secret as the newest, beside the one before it; False when it says nothing new.

        Raises:
            ApplicationMissing, InvalidSecret, InvalidExpiry
            SecretRefused: Amazon does not accept it; nothing was changed.
            AuthorizationUnavailable, UpstreamInvalid: Amazon does not say; nothing was changed.
        """
        application = await self._find(pasted.application_id)
        check_secret(pasted.secret)
        if pasted.expires_at is not None:
            check_expiry(pasted.expires_at, self._clock.now())
        if not pasted.is_unverified:
            await self._verify(application, pasted.secret)
        arrival = Arrival(
            secret=pasted.secret, origin=Origin.PASTED, expires_at=pasted.expires_at, actor=OPERATOR
        )
        is_news = await self._changes.keep(application, arrival)
        if not pasted.is_unverified:
            await self._changes.accept(application.application_id, pasted.secret)
        return is_news

    async def _find(self, application_id: str) -> Application:
        return await self._store.find_application(application_id or None)

    async def _verify(self, application: Application, secret: Secret[str]) -> None:
        credentials = Credentials(client_id=application.client_id, client_secret=secret)
        try:
            await self._login.try_secret(application.application_id, credentials)
        except ApplicationRefused as error:
            raise SecretRefused from error

    async def _hold(self, application_id: str) -> RotationLease:
        for _ in range(HOLDS_MAX):
            lease = await self._store.hold_rotation(application_id, LEASE_S)
            if lease is not None:
                return lease
            await self._clock.sleep(HOLD_AGAIN_S)
        raise RotationUnderWay
