"""Lending Amazon's tokens to the gateway: who may borrow what, and how much.

- A device gets what its own seller granted, for one region, and nothing when it is revoked; a borrower gets
  no more than its budget (T-19).
- While Amazon's authorization service is down, tokens that are still good go on serving (R-08).
- An operation that always needs a restricted token gets one whatever the device's scope, because a masked
  answer needs it as much as a full one; data elements are for devices that may see them.
"""

from services.auth.model import words
from services.auth.model.audit import Actor
from services.auth.model.devices import PII, Device
from services.auth.model.grantless import Scope
from services.auth.model.lending import Lent, Standing
from services.auth.model.loans import LendingTerms, Loan
from services.auth.model.refusals import ConsentMissing, DeviceNotFound, TargetApplicationRefused
from services.auth.model.restricted import Resource
from services.auth.service.access import AccessTokens
from services.auth.service.budget import LendingBudget
from services.auth.service.grantless import GrantlessService
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports
from services.auth.service.refreshing import Refresher
from services.auth.service.restricting import RestrictedTokens
from services.auth.service.seller_token import Errand

PURPOSE_ACCESS = "access"
NO_SELLER = ""


class LendingService:
    """Amazon's tokens, one seller and one region at a time."""

    def __init__(
        self,
        ports: Ports,
        ledger: Ledger,
        *,
        refresher: Refresher,
        grantless: GrantlessService,
        terms: LendingTerms,
    ) -> None:
        self._store = ports.store
        self._clock = ports.clock
        self._delegates = terms.delegates
        self._budget = LendingBudget(ports, ledger, terms.budget)
        self._grantless = grantless
        self._access = AccessTokens(ports, refresher)
        self._restricted = RestrictedTokens(ports, ledger, self._access)

    async def lend(self, loan: Loan) -> Lent:
        """Return an access token, or a restricted data token for one operation, of the device's seller.

        Raises:
            DeviceNotFound, DeviceRevoked: the device may not have any.
            InvalidRestriction, DataElementsDenied, TargetApplicationRefused: not for this, or not for it.
            LendingBudgetExceeded: the borrower borrows too much.
            ConsentMissing, ConsentRevoked, ConsentExpired: the seller must consent (again).
            RestrictionRefused, ApplicationRefused, AuthorizationUnavailable: Amazon gives none now.
        """
        standing = await self._find_standing(loan)
        resource = self._resource(loan, standing.device)
        await self._budget.spend(loan.borrower, standing.device.seller_id)
        if standing.consent is None:
            raise ConsentMissing
        standing.consent.check(self._clock.now())
        errand = Errand(
            consent=standing.consent,
            actor=Actor(kind="device", actor_id=loan.device_id),
            purpose=PURPOSE_ACCESS if resource is None else resource.restriction.name,
        )
        if resource is None:
            return await self._access.lend(errand, standing, refused_digest=loan.refused_digest)
        return await self._restricted.lend(errand, resource, standing, refused_digest=loan.refused_digest)

    async def lend_grantless(self, borrower: str, scope: Scope, *, refused_digest: bytes = b"") -> Lent:
        """Return a token of the application's own.

        Args:
            borrower: as in `Loan`.
            scope: one that may leave auth.
            refused_digest: as in `Loan`.

        Raises:
            LendingBudgetExceeded: the borrower borrows too much.
            ApplicationMissing, ApplicationRefused, AuthorizationUnavailable, UpstreamInvalid: there is none.
        """
        await self._budget.spend(borrower, NO_SELLER)
        return await self._grantless.token(scope, refused_digest=refused_digest)

    def left_s(self, lent: Lent) -> int:
        """Return for how many whole seconds a token is good from now on."""
        return max(0, int((lent.expires_at - self._clock.now()).total_seconds()))

    async def _find_standing(self, loan: Loan) -> Standing:
        if not words.is_id(loan.device_id):
            raise DeviceNotFound
        standing = await self._store.find_standing(loan.device_id, loan.region)
        standing.device.check()
        return standing

    def _resource(self, loan: Loan, device: Device) -> Resource | None:
        """Return what a restricted token is to be good for, cut down to what the device may see."""
        if loan.restriction is None:
            return None
        if loan.target_application and loan.target_application not in self._delegates:
            raise TargetApplicationRefused
        lendable = loan.restriction.lendable(sees_buyers=PII in device.scopes)
        return Resource(restriction=lendable, target_application=loan.target_application)
