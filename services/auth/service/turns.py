"""Waiting for one's turn at Login with Amazon; storage gives the turns to all replicas (R-10).

Callers of this process who come while storage is being asked share the next question: whoever is first in
line asks for everybody who waits. So the one row that all replicas share sees one statement per replica and
round trip, however many callers there are.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from itertools import islice

from services.auth.model import turns
from services.auth.model.refusals import ApplicationPaused, AuthorizationUnavailable, TurnTooFar
from services.auth.model.turns import Pace, Turns
from services.auth.service.gates import Gates
from services.auth.service.ports import Ports

Key = tuple[str, float]


@dataclass(eq=False)
class _Ticket:
    """One caller in line, with storage's answer.

    Attributes:
        due_s: when the turn came or comes at the earliest, because the answer took its time.
        at_s: when it comes at the latest; nobody asks before.
    """

    answer: Turns | None = None
    due_s: float = 0.0
    at_s: float = 0.0


class Turnstile:
    """Lets callers through one by one, at the application's pace."""

    def __init__(self, ports: Ports, pace: Pace) -> None:
        self._store = ports.store
        self._signals = ports.signals
        self._clock = ports.clock
        self._pace = pace
        self._lines: defaultdict[Key, deque[_Ticket]] = defaultdict(deque)
        self._gates: Gates[Key] = Gates()

    async def check(self, application_id: str) -> None:
        """Return if there is a point in preparing to ask.

        Raises:
            ApplicationPaused, AuthorizationUnavailable: nobody may ask for longer than callers wait.
        """
        hold = await self._store.find_hold(application_id)
        if hold.is_refused and hold.hold_s > 0:
            raise ApplicationPaused(retry_after_s=hold.hold_s)
        if hold.hold_s > turns.CALLER_WAIT_S_MAX:
            raise AuthorizationUnavailable(retry_after_s=hold.hold_s)

    async def enter(self, application_id: str, *, patience_s: float, until_s: float) -> bool:
        """Return when it is the caller's turn: whether it is one that finds out about a refusal.

        Args:
            application_id: who asks Amazon.
            patience_s: how far away the turn may be, one of the model's two constants.
            until_s: the monotonic moment after which the turn is of no use.

        Raises:
            TurnTooFar: no turn within `patience_s`, or none before `until_s`.
            ApplicationPaused: Amazon refuses the application; somebody finds out each PROBE_S whether it
                still does.
        """
        began_s = self._clock.monotonic_s()
        for _ in range(turns.TAKES_MAX):
            ticket = await self._ticket((application_id, patience_s))
            assert ticket.answer is not None
            if not ticket.answer.is_given:
                kind = ApplicationPaused if ticket.answer.is_refused else TurnTooFar
                raise kind(retry_after_s=ticket.answer.wait_s)
            if ticket.at_s > until_s:
                break
            if await self._is_mine(application_id, ticket):
                self._signals.turn_taken(self._clock.monotonic_s() - began_s)
                return ticket.answer.is_refused
        raise TurnTooFar(retry_after_s=patience_s)

    async def _is_mine(self, application_id: str, ticket: _Ticket) -> bool:
        """Return, after waiting for the turn, whether it may be used: not late, and nobody is held back."""
        wait_s = ticket.at_s - self._clock.monotonic_s()
        if wait_s > 0:
            await self._clock.sleep(wait_s)
            if (await self._store.find_hold(application_id)).hold_s > 0:
                return False
        return self._clock.monotonic_s() - ticket.due_s <= turns.LATE_S_MAX

    async def _ticket(self, key: Key) -> _Ticket:
        """Return a ticket with storage's answer, got by whoever is first in line.

        Callers leave the line themselves, also those who give up, and pass the gate in the line's order.
        """
        line, ticket = self._lines[key], _Ticket()
        line.append(ticket)
        try:
            async with self._gates.of(key):
                if ticket.answer is None:
                    await self._serve(key, line)
        finally:
            line.remove(ticket)
        return ticket

    async def _serve(self, key: Key, line: deque[_Ticket]) -> None:
        """Ask storage for the first TURNS_AT_ONCE_MAX in line."""
        (application_id, patience_s), served = key, list(islice(line, turns.TURNS_AT_ONCE_MAX))
        asked_s = self._clock.monotonic_s()
        answer = await self._store.take_turns(
            application_id, self._pace, count=len(served), patience_s=patience_s
        )
        answered_s = self._clock.monotonic_s()
        for place, ticket in enumerate(served):
            wait_s = max(0.0, answer.wait_s + place * self._pace.interval_s)
            ticket.answer, ticket.due_s, ticket.at_s = answer, asked_s + wait_s, answered_s + wait_s
