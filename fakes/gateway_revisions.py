"""How often sellers' data was written to, in memory; `is_down` takes the store away."""

from collections import Counter

import chassis.db


class FakeRevisions:
    """Fits `forward.ports.RevisionStore`; replicas that share `counts` share the store."""

    def __init__(self, counts: Counter[tuple[str, str]] | None = None) -> None:
        self.counts: Counter[tuple[str, str]] = Counter() if counts is None else counts
        self.looks = 0
        self.is_down = False

    async def revision(self, seller_id: str, api: str) -> int:
        self._check_up()
        self.looks += 1
        return self.counts[seller_id, api]

    async def revise(self, seller_id: str, api: str) -> None:
        self._check_up()
        self.counts[seller_id, api] += 1

    def _check_up(self) -> None:
        if self.is_down:
            raise chassis.db.StoreUnavailable
