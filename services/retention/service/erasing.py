"""Erasing: by day when its time has come, by seller when asked; each ends with a signed receipt.

The steps, each harmless when repeated (R-12): close the subject → intent → destroy its key → drop its rows →
verify and sign → outcome. What the log and the receipt say was fixed at the first step, so a run that starts
over says the same. Destroying the key is the erasure; everything after is tidying and proof.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta

import chassis.clock
import chassis.entropy
import chassis.errors
from services.retention.model.audit import AuditEvent, Kind, Origin, Phase, Result
from services.retention.model.erasures import (
    RECEIPTS_MAX,
    REVIVAL_DAYS,
    SUBJECTS_PER_RUN_MAX,
    Erasure,
    Receipt,
    Stage,
    Subject,
    SubjectKind,
)
from services.retention.model.orders import day_of
from services.retention.service.key_cache import KeyCache
from services.retention.service.ports import Audit, Erasures, Keys, Signals, Verifier
from services.retention.service.trail import Deed, Trail

KINDS = {SubjectKind.DAY: Kind.DAY_ERASED, SubjectKind.SELLER: Kind.SELLER_ERASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasingPorts:
    """What erasing is made of."""

    erasures: Erasures
    keys: Keys
    audit: Audit
    trail: Trail
    verifier: Verifier
    cache: KeyCache
    clock: chassis.clock.Clock
    entropy: chassis.entropy.Entropy
    signals: Signals


class Erasing:
    """Erases what is due, and stands at the gate before every decryption."""

    def __init__(self, ports: ErasingPorts, *, origin: Origin) -> None:
        """Take the ports, and the origin of what happens at nobody's request."""
        self._ports = ports
        self._origin = origin
        self._settled_day: date | None = None
        self._settling = asyncio.Lock()

    async def erase_due(self, origin: Origin) -> list[Receipt]:
        """Erase every day that has begun and finish what was interrupted.

        Returns:
            Receipts of this run, oldest subject first, at most SUBJECTS_PER_RUN_MAX.

        Raises:
            SallyportError: the first failure, after everything else was tried.
        """
        receipts: list[Receipt] = []
        failures: list[chassis.errors.SallyportError] = []
        for subject in await self._ports.erasures.find_due(self._ports.clock.now(), SUBJECTS_PER_RUN_MAX):
            try:
                receipts.append(await self._erase(subject, origin))
            except chassis.errors.SallyportError as error:
                self._ports.signals.erasure_failed(subject, error.code)
                failures.append(error)
        if failures:
            raise failures[0]
        return receipts

    async def erase_seller(self, seller_id: str, origin: Origin) -> Receipt:
        """Destroy a seller's key and everything that is kept for the seller; return the receipt.

        Raises:
            ErasureUnproven: a path is still open; the next run of `erase_due` goes on.
        """
        return await self._erase(Subject.of_seller(seller_id), origin)

    async def list_receipts(self) -> list[Receipt]:
        """Return receipts, newest first, at most RECEIPTS_MAX."""
        return await self._ports.erasures.list_receipts(RECEIPTS_MAX)

    async def settle(self) -> None:
        """Return once no day's key lives that should be dead by now (R-19).

        The first call on each day destroys what is overdue, and what a restored backup of the key service
        may have brought back (R-20). The rest of those erasures is left to `erase_due`.
        """
        if self._settled_day == day_of(self._ports.clock.now()):
            return
        async with self._settling:
            now = self._ports.clock.now()
            today = day_of(now)
            if self._settled_day == today:
                return
            for subject in await self._ports.erasures.find_due(now, SUBJECTS_PER_RUN_MAX):
                await self._destroy(subject, self._origin)
            for days in range(REVIVAL_DAYS):
                await self._bury(Subject.of_day(today - timedelta(days=days)))
            self._settled_day = today

    async def _erase(self, subject: Subject, origin: Origin) -> Receipt:
        ports = self._ports
        erasure = await self._destroy(subject, origin)
        if erasure.stage is Stage.CLOSED:
            await ports.erasures.drop(subject)
            receipt = await ports.erasures.add_receipt(await ports.verifier.certify(erasure))
        else:
            receipt = await ports.erasures.find_receipt(erasure.erasure_id)
        if erasure.stage is Stage.REPORTED:
            # Another run was faster.
            return receipt
        await ports.audit.record(_outcome(erasure, receipt))
        await ports.erasures.finish(erasure.erasure_id)
        ports.signals.erased(subject, erasure.records)
        return receipt

    async def _destroy(self, subject: Subject, origin: Origin) -> Erasure:
        ports = self._ports
        erasure = await ports.erasures.close(self._begin(subject, origin))
        if erasure.stage is Stage.CLOSED:
            await ports.audit.record(_intent(erasure))
            await ports.keys.destroy(subject)
            ports.cache.forget(subject)
        return erasure

    async def _bury(self, subject: Subject) -> None:
        """Destroy a dead day's key if it is there again."""
        if not await self._ports.keys.exists(subject):
            return
        details = {"subject": str(subject)}
        deed = Deed(kind=Kind.KEY_REVIVED, origin=self._origin, seller_id="", details=details)
        async with self._ports.trail.around(deed):
            await self._ports.keys.destroy(subject)
        self._ports.signals.key_revived(subject)

    def _begin(self, subject: Subject, origin: Origin) -> Erasure:
        clock, entropy = self._ports.clock, self._ports.entropy
        return Erasure(
            erasure_id=chassis.entropy.new_id(clock, entropy),
            subject=subject,
            origin=origin,
            intent_id=chassis.entropy.new_id(clock, entropy),
            outcome_id=chassis.entropy.new_id(clock, entropy),
            closed_at=clock.now(),
        )


def _intent(erasure: Erasure) -> AuditEvent:
    return AuditEvent(
        event_id=erasure.intent_id,
        kind=KINDS[erasure.subject.kind],
        phase=Phase.INTENT,
        occurred_at=erasure.closed_at,
        origin=erasure.origin,
        seller_id=erasure.subject.seller_id or "",
        details={
            "subject": str(erasure.subject),
            "records": str(erasure.records),
            "data_keys": str(erasure.data_keys),
        },
    )


def _outcome(erasure: Erasure, receipt: Receipt) -> AuditEvent:
    return AuditEvent(
        event_id=erasure.outcome_id,
        kind=KINDS[erasure.subject.kind],
        phase=Phase.OUTCOME,
        occurred_at=receipt.signed_at,
        origin=erasure.origin,
        seller_id=erasure.subject.seller_id or "",
        intent_id=erasure.intent_id,
        result=Result.DONE,
        details={"subject": str(erasure.subject), "receipt_id": receipt.receipt_id},
    )
