"""The simulated Amazon's controls, as far as the quota needs them: a plan, and what was recorded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bench.quota.verdict import Call

GET_ORDERS = "ordersV0.getOrders"
PAGE_MAX = 1_000
TIMEOUT_S = 60.0


class Record:
    """The controls; made by `connect`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    @asynccontextmanager
    async def plan(self, *, rate: float, burst: int) -> AsyncIterator[None]:
        """Give getOrders a plan, with full buckets, and have nothing else fail, while inside."""
        level = (await self._ask("GET", "hostility"))["level"]
        await self._ask("POST", "hostility", {"level": 0})
        await self._ask("POST", "plans", {"operation": GET_ORDERS, "rate": rate, "burst": burst})
        try:
            yield
        finally:
            await self._ask("POST", "plans", {"operation": "*"})
            await self._ask("POST", "hostility", {"level": level})

    async def hold_back(self, delay_s: float) -> None:
        """Have the next call of getOrders answered so much later."""
        fault = {"operation": GET_ORDERS, "kind": "slow", "count": 1, "delay_s": delay_s}
        await self._ask("POST", "faults", fault)

    async def latest(self) -> int:
        """Return the number of the last recorded call."""
        latest: int = (await self._ask("GET", "calls?after=0&limit=1"))["latest"]
        return latest

    async def calls(self, after: int, seller_id: str) -> list[Call]:
        """Return a seller's calls of getOrders after the one numbered `after`, oldest first."""
        found: list[Call] = []
        while rows := (await self._ask("GET", f"calls?after={after}&limit={PAGE_MAX}"))["calls"]:
            found += [
                Call(row["status"], is_over_plan=row["is_over_plan"], began_s=row["began_s"])
                for row in rows
                if (row["operation"], row["seller_id"]) == (GET_ORDERS, seller_id)
            ]
            after = rows[-1]["ordinal"]
        return found

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        async with self._session.request(method, f"/_simulator/{path}", json=body) as answer:
            document: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"the simulated Amazon refused {method} {path}: {document}")
            return document


@asynccontextmanager
async def connect(control_url: str) -> AsyncIterator[Record]:
    """Give the controls."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(base_url=control_url, timeout=timeout) as session:
        yield Record(session)
