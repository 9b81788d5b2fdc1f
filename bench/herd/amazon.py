"""The simulated Amazon's controls, as the herd needs them: a crowd, a cap, faults, the record."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from bench.herd.verdict import Call, call_of

LWA_TOKEN = "lwa.token"  # noqa: S105 - the name of an operation
REFRESH = "refresh_token"
# What the controls take and give at once.
GRANTS_MAX = 1_000
CALLS_PAGE_MAX = 1_000
TIMEOUT_S = 60.0

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Account:
    """A seller's account at Amazon that has consented, with what the application holds for it."""

    seller_id: str
    region: str
    marketplace_id: str
    refresh_token: str
    access_token: str
    expires_at: datetime


class Amazon:
    """The controls; made by `connect`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def connect_sellers(self, application_id: str) -> AsyncIterator[list[Account]]:
        """Have every seller consent, and give the accounts, page by page."""
        sellers: list[Document] = (await self._ask("GET", "sellers"))["sellers"]
        for first in range(0, len(sellers), GRANTS_MAX):
            page = sellers[first : first + GRANTS_MAX]
            body = {"application_id": application_id, "seller_ids": [seller["seller_id"] for seller in page]}
            granted = (await self._ask("POST", "consents", body))["granted"]
            yield [_account(seller, grant) for seller, grant in zip(page, granted, strict=True)]

    async def cap(self, *, rate: float, burst: int) -> None:
        """Give LWA a plan: so many calls a second, and at most so many at once."""
        await self._ask("POST", "plans", {"operation": LWA_TOKEN, "rate": rate, "burst": burst})

    async def misbehave(self, level: float) -> None:
        """Have this share of calls meet a fault."""
        await self._ask("POST", "hostility", {"level": level})

    async def order_fault(self, kind: str, count: int, *, delay_s: float = 0.0) -> None:
        """Have the next calls of LWA meet one kind of fault."""
        fault = {"operation": LWA_TOKEN, "kind": kind, "count": count, "delay_s": delay_s}
        await self._ask("POST", "faults", fault)

    async def advance(self, seconds: float) -> None:
        """Move the virtual time, for Amazon and for the services."""
        await self._ask("POST", "clock", {"advance_s": seconds})

    async def now(self) -> datetime:
        """Return the virtual time."""
        return datetime.fromisoformat((await self._ask("GET", "clock"))["now"])

    async def latest(self) -> int:
        """Return the number of the last recorded call."""
        latest: int = (await self._ask("GET", "calls?after=0&limit=1"))["latest"]
        return latest

    async def refreshes(self, after: int) -> tuple[Sequence[Call], int]:
        """Return every refresh recorded after a number, oldest first, and the number of the last call."""
        calls: list[Call] = []
        while rows := (await self._ask("GET", f"calls?after={after}&limit={CALLS_PAGE_MAX}"))["calls"]:
            calls += [call_of(row) for row in rows if row["grant_type"] == REFRESH]
            after = rows[-1]["ordinal"]
        return calls, after

    async def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        async with self._session.request(method, f"/_simulator/{path}", json=body) as answer:
            document: Document = await answer.json()
            if answer.status != 200:
                raise RuntimeError(f"the simulated Amazon refused {method} {path}: {document}")
            return document


@asynccontextmanager
async def connect(control_url: str) -> AsyncIterator[Amazon]:
    """Give the controls."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(base_url=control_url, timeout=timeout) as session:
        yield Amazon(session)


def _account(seller: Document, granted: Document) -> Account:
    return Account(
        seller_id=seller["seller_id"],
        region=seller["region"],
        marketplace_id=seller["marketplace_ids"][0],
        refresh_token=granted["refresh_token"],
        access_token=granted["access_token"],
        expires_at=datetime.fromisoformat(granted["expires_at"]),
    )
