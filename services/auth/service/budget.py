"""How much each borrower borrowed lately, in this process; over its budget it gets nothing (T-19).

The first refusal of an episode raises the alarm: a metric, an error line and an audit fact. An episode ends
with the first window in which the borrower keeps within its budget.
"""

from dataclasses import dataclass, field

from chassis.recent import Recent
from services.auth.model.audit import Actor, Deed, Kind
from services.auth.model.loans import WINDOW_S, Budget
from services.auth.model.refusals import LendingBudgetExceeded
from services.auth.service.ledger import Ledger
from services.auth.service.ports import Ports

# Each gateway process is one, until its certificate is renewed.
BORROWERS_MAX = 200


@dataclass
class _Window:
    """What one borrower borrowed since a moment.

    Attributes:
        follows_overdrawn: the window right before was overdrawn, so the alarm was raised already.
    """

    since_s: float
    follows_overdrawn: bool
    is_overdrawn: bool = False
    tokens: int = 0
    seller_ids: set[str] = field(default_factory=set)


class LendingBudget:
    """Counts what is borrowed."""

    def __init__(self, ports: Ports, ledger: Ledger, budget: Budget) -> None:
        self._signals = ports.signals
        self._clock = ports.clock
        self._ledger = ledger
        self._budget = budget
        self._windows: Recent[str, _Window] = Recent(BORROWERS_MAX)

    async def spend(self, borrower: str, seller_id: str) -> None:
        """Count one token lent for a seller.

        Raises:
            LendingBudgetExceeded: the borrower has borrowed too much in its present window.
        """
        window = self._window(borrower)
        is_known = seller_id in window.seller_ids
        is_full = len(window.seller_ids) >= self._budget.sellers_max and not is_known
        if window.tokens >= self._budget.tokens_max or is_full:
            await self._refuse(borrower, window)
        window.tokens += 1
        window.seller_ids.add(seller_id)

    def _window(self, borrower: str) -> _Window:
        window, now_s = self._windows.get(borrower), self._clock.monotonic_s()
        if window is None or now_s >= window.since_s + WINDOW_S:
            is_next = window is not None and now_s < window.since_s + 2 * WINDOW_S
            follows = window is not None and window.is_overdrawn and is_next
            window = _Window(since_s=now_s, follows_overdrawn=follows)
            self._windows.put(borrower, window)
        return window

    async def _refuse(self, borrower: str, window: _Window) -> None:
        is_first = not (window.is_overdrawn or window.follows_overdrawn)
        window.is_overdrawn = True
        self._signals.overdrawn(is_alarm=is_first)
        if is_first:
            deed = Deed(
                kind=Kind.LENDING_REFUSED,
                actor=Actor(kind="service", actor_id=borrower.partition("/")[0]),
                result=LendingBudgetExceeded.code,
                details={
                    "borrower": borrower,
                    "sellers": str(len(window.seller_ids)),
                    "tokens": str(window.tokens),
                },
            )
            await self._ledger.refusal(deed)
        left_s = window.since_s + WINDOW_S - self._clock.monotonic_s()
        raise LendingBudgetExceeded(retry_after_s=max(0.0, left_s))
