"""The simulated Amazon's controls, as the story uses them: look, ship, move time, read the record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import aiohttp

from sallyport.demo.patience import expect_up, patiently

TIMEOUT_S = 15.0
CALLS_MAX = 1_000


@dataclass(frozen=True)
class Order:
    """An order of the simulated world; `needles` are the texts that identify its buyer."""

    order_id: str
    seller_id: str
    marketplace_id: str
    status: str
    placed_at: datetime
    needles: tuple[str, ...]


class Amazon:
    """A client of the controls. Use as an async context manager."""

    def __init__(self, control_url: str) -> None:
        self._base = f"{control_url}/_simulator"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def sellers(self) -> list[dict[str, Any]]:
        """Return the seller accounts, always in the same order."""
        accounts: list[dict[str, Any]] = (await self._ask("GET", "/sellers"))["sellers"]
        return accounts

    async def orders(self, seller_id: str) -> list[Order]:
        """Return a seller's orders placed by now, oldest first."""
        rows = (await self._ask("GET", f"/orders?seller_id={seller_id}"))["orders"]
        return [_order(row) for row in rows]

    async def ship(self, order_id: str) -> None:
        """Ship an order now."""
        await self._ask("POST", f"/orders/{order_id}/ship")

    async def advance(self, days: float) -> None:
        """Move the virtual time forward, for Amazon and for the services."""
        await self._ask("POST", "/clock", {"advance_s": days * 86_400})

    async def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the recorded calls after the one numbered `after`, oldest first."""
        calls: list[dict[str, Any]] = (await self._ask("GET", f"/calls?after={after}&limit={CALLS_MAX}"))[
            "calls"
        ]
        return calls

    async def latest_call(self) -> int:
        """Return the number of the last recorded call."""
        latest: int = (await self._ask("GET", "/calls?after=0&limit=1"))["latest"]
        return latest

    async def confirm(self, consent_url: str, seller_id: str) -> str:
        """Press Confirm on a consent page and return where Amazon sends the browser next."""
        location: str = (await self._ask("POST", "/consent", {"url": consent_url, "seller_id": seller_id}))[
            "location"
        ]
        return location

    async def set_hostility(self, level: str) -> None:
        """Set how often valid calls meet a fault: "none", "mild", "rough" or "harsh"."""
        await self._ask("POST", "/hostility", {"level": level})

    async def break_operation(self, operation: str, kind: str, count: int) -> None:
        """Have the next `count` calls of an operation, whoever makes them, meet a fault of one kind."""
        await self._ask("POST", "/faults", {"operation": operation, "kind": kind, "count": count})

    async def mend(self) -> None:
        """Forget every fault that was ordered and has not been met."""
        await self._ask("DELETE", "/faults")

    async def consents(self) -> list[dict[str, Any]]:
        """Return every consent ever given."""
        consents: list[dict[str, Any]] = (await self._ask("GET", "/consents"))["consents"]
        return consents

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await patiently(lambda: self._ask_once(method, path, body))

    async def _ask_once(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        async with self._session.request(method, f"{self._base}{path}", json=body) as answer:
            expect_up(answer.status)
            document: dict[str, Any] = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"the simulated Amazon refused {method} {path}: {document}")
            return document


def _order(row: dict[str, Any]) -> Order:
    return Order(
        order_id=row["order_id"],
        seller_id=row["seller_id"],
        marketplace_id=row["marketplace_id"],
        status=row["status"],
        placed_at=datetime.fromisoformat(row["placed_at"]),
        needles=tuple(row["needles"]),
    )
