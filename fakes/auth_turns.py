"""Turns at Login with Amazon in memory. Every method is one step, as a transaction is."""

import math

from fakes.auth_tables import FakePart, TurnRow
from services.auth.model.turns import PROBE_S, Hold, Pace, Turns


class FakeTurnStore(FakePart):
    """Who may ask Login with Amazon, and when."""

    async def take_turns(self, application_id: str, pace: Pace, *, count: int, patience_s: float) -> Turns:
        row = self.tables.turns.setdefault(application_id, TurnRow())
        now_s, is_refused = self._clock.monotonic_s(), row.refused_at_s is not None
        first_s = max(row.next_at_s, row.held_until_s, now_s - pace.tolerance_s)
        is_near = first_s + (count - 1) * pace.interval_s <= now_s + patience_s
        is_probe = count == 1 and row.held_until_s <= now_s
        if not is_near or (is_refused and not is_probe):
            if row.next_at_s > now_s + pace.ahead_s_max:
                row.next_at_s = now_s
                return await self.take_turns(application_id, pace, count=count, patience_s=patience_s)
            wait_s = max(row.next_at_s, row.held_until_s) - now_s
            return Turns(wait_s=max(0.0, wait_s), is_given=False, is_refused=is_refused)
        row.next_at_s = first_s + count * pace.interval_s
        if is_refused:
            row.held_until_s = now_s + PROBE_S
        return Turns(wait_s=first_s - now_s, is_given=True, is_refused=is_refused)

    async def hold_turns(self, application_id: str, hold_s: float) -> None:
        row = self.tables.turns.setdefault(application_id, TurnRow())
        row.held_until_s = max(row.held_until_s, self._clock.monotonic_s() + hold_s)

    async def find_hold(self, application_id: str) -> Hold:
        row = self.tables.turns.get(application_id, TurnRow())
        hold_s = max(0.0, row.held_until_s - self._clock.monotonic_s())
        return Hold(hold_s=hold_s, is_refused=row.refused_at_s is not None)

    async def begin_refusal(self, application_id: str) -> bool:
        row = self.tables.turns.get(application_id)
        if row is None or row.refused_at_s is not None:
            return False
        row.refused_at_s = self._clock.monotonic_s()
        row.held_until_s = row.refused_at_s + PROBE_S
        return True

    async def end_refusal(self, application_id: str) -> bool:
        row = self.tables.turns.get(application_id)
        if row is None or row.refused_at_s is None:
            return False
        row.refused_at_s, row.held_until_s = None, -math.inf
        return True
