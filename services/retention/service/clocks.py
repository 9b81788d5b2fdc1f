"""Orders' clocks: learn when orders left, and move what lies under too late a day to its earlier one.

What an observation says is stored first, so that reads obey it at once. Moving the records follows: at once
if the key service and the audit log allow it, else by `move_due`, which a job calls.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import chassis.errors
from services.retention.model.audit import Kind, Origin
from services.retention.model.errors import (
    Expired,
    KeyRetired,
    OrderContended,
    RecordUnsound,
    RequestInvalid,
    SubjectClosed,
)
from services.retention.model.orders import (
    OBSERVATIONS_MAX,
    Observation,
    OrderClock,
    Term,
    erase_day,
    is_dead,
    observe,
)
from services.retention.model.records import FIELD_SETS_MAX, Kept, Record, check_order_id, check_seller_id
from services.retention.service.attempts import repeat
from services.retention.service.safe import SafePorts, decrypt, sealing_key
from services.retention.service.trail import Deed

MOVES_PER_RUN_MAX = 200


class Clocks:
    """Keeps orders' clocks true."""

    def __init__(self, ports: SafePorts, *, term: Term) -> None:
        self._ports = ports
        self._term = term

    async def find(self, seller_id: str, order_ids: Sequence[str]) -> list[OrderClock]:
        """Return the clocks of orders, of those that have one; 1 to OBSERVATIONS_MAX ids, in any order.

        Raises:
            RequestInvalid: there are none, or too many.
            NameInvalid: an id is not shaped like one.
        """
        _check(seller_id, order_ids)
        found = await self._ports.records.find_clocks(seller_id, sorted(set(order_ids)))
        return list(found.values())

    async def observe(
        self, seller_id: str, seen: Sequence[Observation], *, origin: Origin
    ) -> list[OrderClock]:
        """Take in what Amazon's answers told about orders of one seller; return their clocks.

        There are 1 to OBSERVATIONS_MAX of them, in any order.

        Raises:
            RequestInvalid: there are none, or too many.
            NameInvalid: an id is not shaped like one.
        """
        _check(seller_id, [observation.order_id for observation in seen])
        learnt, changed = await repeat(lambda: self._learn(seller_id, seen))
        for clock in changed:
            if clock.is_move_due:
                with contextlib.suppress(chassis.errors.Unavailable):
                    await self._move(clock, origin)
        return learnt

    async def move_due(self, origin: Origin) -> int:
        """Move what an earlier call could not; return how many orders were looked at."""
        due = await self._ports.records.find_moves(MOVES_PER_RUN_MAX)
        for clock in due:
            # Whoever changed the order moves it; whoever erases the seller removes it. One order whose key
            # is missing does not keep the others under too late a day.
            with contextlib.suppress(OrderContended, SubjectClosed, KeyRetired):
                await self._move(clock, origin)
        return len(due)

    async def _learn(
        self, seller_id: str, seen: Sequence[Observation]
    ) -> tuple[list[OrderClock], list[OrderClock]]:
        """Return the orders' clocks, and which of them changed, as they are stored now."""
        now = self._ports.clock.now()
        known = await self._ports.records.find_clocks(
            seller_id, sorted({observation.order_id for observation in seen})
        )
        learnt = dict(known)
        for observation in seen:
            clock = observe(
                seller_id, learnt.get(observation.order_id), observation, term=self._term, now=now
            )
            if clock is not None:
                learnt[clock.order_id] = clock
        changed = [clock for order_id, clock in sorted(learnt.items()) if clock is not known.get(order_id)]
        if changed:
            await self._ports.records.save_clocks(changed)
        stored = [replace(clock, revision=clock.revision + 1) for clock in changed]
        return list(learnt.values()), stored

    async def _move(self, clock: OrderClock, origin: Origin) -> None:
        stale = await self._ports.records.find_stale(clock, FIELD_SETS_MAX)
        after = replace(clock, is_move_due=len(stale) == FIELD_SETS_MAX)
        if not stale:
            await self._ports.records.move(after, stale=[], fresh=[])
            return
        deed = Deed(
            kind=Kind.RECORD_MOVED,
            origin=origin,
            seller_id=clock.seller_id,
            details={"order_id": clock.order_id, "records": str(len(stale))},
        )
        async with self._ports.trail.around(deed):
            fresh = [moved for kept in stale if (moved := await self._moved(kept, clock)) is not None]
            await self._ports.records.move(after, stale=[kept.record for kept in stale], fresh=fresh)
        self._ports.signals.moved(len(stale))

    async def _moved(self, kept: Kept, clock: OrderClock) -> Record | None:
        """Return a record sealed anew for its order's clock.

        None if it is dead by it, or does not open, or the key that it would lie under does not: what cannot
        be moved is removed, lest it lie under too late a day.
        """
        ports, old = self._ports, kept.record
        if is_dead(clock.expires_at, ports.clock.now()):
            return None
        try:
            plaintext = await decrypt(ports, kept)
            key = await sealing_key(ports, old.name.seller_id, erase_day(clock.expires_at))
        except (Expired, RecordUnsound):
            return None
        record = replace(
            old,
            erase_day=key.data_key.erase_day,
            key_id=key.data_key.key_id,
            expires_at=clock.expires_at,
            sealed=b"",
        )
        sealed = ports.cipher.seal(key.secret, plaintext, ports.cipher.associated(**record.place))
        return replace(record, sealed=sealed)


def _check(seller_id: str, order_ids: Sequence[str]) -> None:
    check_seller_id(seller_id)
    if not 1 <= len(order_ids) <= OBSERVATIONS_MAX:
        raise RequestInvalid(f"A request names 1 to {OBSERVATIONS_MAX} orders.")
    for order_id in order_ids:
        check_order_id(order_id)
