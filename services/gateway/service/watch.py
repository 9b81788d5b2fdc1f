"""The trip-wire for Amazon's secrets, and the question whether the audit log takes events."""

from collections.abc import Iterable

import chassis.entropy
import chassis.errors
from chassis.clock import Clock
from chassis.entropy import Entropy
from services.gateway.model import tripwire
from services.gateway.model.allowance import Allowance, untold_details
from services.gateway.model.audit import AuditEvent, Kind, Phase
from services.gateway.service.ports import Audit, Signals


class Watch:
    """The trip-wire: nobody hands Amazon's secrets in at these faces (T-06)."""

    def __init__(
        self, *, audit: Audit, signals: Signals, clock: Clock, entropy: Entropy, allowance: Allowance
    ) -> None:
        self._audit = audit
        self._signals = signals
        self._clock = clock
        self._entropy = entropy
        self._allowance = allowance

    async def check(self, parts: Iterable[str], *, face: str, request_id: str) -> None:
        """Let what a request carries pass.

        Args:
            parts: every value, decoded.
            face: which one it came to, one of our own words.
            request_id: goes to the audit log.

        Raises:
            CredentialsNotAccepted: one of them looks like a secret of Amazon's. The fact is audited;
                when that fails the refusal stands all the same, because nothing is done.
        """
        try:
            tripwire.check(part.encode("utf-8", "surrogatepass") for part in parts)
        except tripwire.CredentialsNotAccepted as refusal:
            self._signals.refused(refusal.code)
            await self._tell(refusal.code, face, request_id)
            raise

    async def _tell(self, code: str, face: str, request_id: str) -> None:
        """Tell of a refusal; of many at one face only some, with how many were not told before."""
        untold = self._allowance.ask(face, self._clock.monotonic_s())
        if untold is None:
            return
        event = AuditEvent(
            event_id=chassis.entropy.new_id(self._clock, self._entropy),
            kind=Kind.CREDENTIALS_REFUSED,
            phase=Phase.FACT,
            occurred_at=self._clock.now(),
            actor_id="",
            seller_id="",
            request_id=request_id,
            result=code,
            details={"operation": face, **untold_details(untold)},
        )
        try:
            await self._audit.record(event)
        except chassis.errors.Unavailable as error:
            self._signals.side_failed("audit_refusal", error.code)


class AuditProbe:
    """Whether the audit log takes events: one event, handed in again and again, is one record (R-04)."""

    def __init__(self, *, audit: Audit, clock: Clock, entropy: Entropy) -> None:
        self._audit = audit
        self._event = AuditEvent(
            event_id=chassis.entropy.new_id(clock, entropy),
            kind=Kind.PROCESS_STARTED,
            phase=Phase.FACT,
            occurred_at=clock.now(),
            actor_id="",
            seller_id="",
            request_id="",
            result="started",
            details={},
        )

    async def check(self) -> None:
        """Return if the audit log has this process's start, and would have taken anything else.

        Raises:
            Unavailable: it does not take events.
        """
        await self._audit.record(self._event)
