"""Which regions told sellers' ids, in memory; `is_down` takes the store away."""

from collections.abc import Collection

import chassis.db
from services.gateway.model.calls import Region


class FakeHomes:
    """Fits `forward.ports.HomeStore`; replicas that share `told` share the store."""

    def __init__(self, told: dict[tuple[str, str], frozenset[Region]] | None = None) -> None:
        self.told = {} if told is None else told
        self.looks = 0
        self.writes = 0
        self.is_down = False

    async def settle(self, seller_id: str, ids: Collection[str], region: Region) -> None:
        self._check_up()
        self.writes += 1
        for each in ids:
            self.told[seller_id, each] = self.told.get((seller_id, each), frozenset()) | {region}

    async def homes(self, seller_id: str, id_: str) -> frozenset[Region]:
        self._check_up()
        self.looks += 1
        return self.told.get((seller_id, id_), frozenset())

    def _check_up(self) -> None:
        if self.is_down:
            raise chassis.db.StoreUnavailable
