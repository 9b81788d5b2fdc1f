"""Who calls: desktops that work through lists as unmodified libraries would, and a person who clicks.

A call that met no answer, because its gateway was killed, is made again at another one, as a library's next
try behind a load balancer is. One that is refused for its quota is made again after the time it was told.
"""

import asyncio
import itertools
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import aiohttp

from bench.quota.stage import Replica
from sallyport.demo.scene import Program

ORDERS = "/orders/v0/orders"
TOKEN = "/auth/o2/token"  # noqa: S105 - a path
TIMEOUT_S = 40.0
# Between two tries at a gateway that does not answer.
PAUSE_S = 0.2
TRIES_MAX = 500
# A person's clicks are rather more than one in five seconds.
CLICK_PAUSE_S = 6.0


@dataclass(slots=True)
class Seen:
    """What the desktops saw.

    Attributes:
        done: calls that were answered 200.
        again: tries that were not, by what was seen: a status, or "lost".
        clicks_s: how long each of the person's clicks took.
        sources: where the answers of the identical reads came from.
    """

    done: int = 0
    again: Counter[str] = field(default_factory=Counter)
    clicks_s: list[float] = field(default_factory=list)
    sources: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Desk:
    """One device with its access token, and the gateway it is connected to."""

    token: str
    home: int


class Desks:
    """Every device of one seller; made by `open_desks`."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        replicas: Sequence[Replica],
        *,
        desks: Sequence[Desk],
        query: str,
    ) -> None:
        self._session = session
        self._replicas = replicas
        self._desks = desks
        self._query = query
        self._questions = itertools.count()
        self._since = datetime.now(UTC) - timedelta(minutes=10)
        self._awaited = sys.maxsize
        self._has_come_so_far = asyncio.Event()
        self.seen = Seen()

    async def work(self, calls: int) -> None:
        """Have every desk but the person's make so many calls, one after the other, no two alike."""
        await asyncio.gather(*(self._work_one(desk, calls) for desk in self._desks[1:]))

    async def until(self, calls: int) -> None:
        """Return once so many calls are done."""
        self._awaited = calls
        await self._has_come_so_far.wait()

    async def click(self) -> None:
        """Have the person call now and then, for ever."""
        while True:
            await asyncio.sleep(CLICK_PAUSE_S)
            began_s = time.monotonic()
            await self._insist(self._desks[0], self._question())
            self.seen.clicks_s.append(time.monotonic() - began_s)

    async def ask_alike(self) -> None:
        """Have every desk at the first gateway ask the same at the same time."""
        question = self._question()
        alike = [Desk(desk.token, 0) for desk in self._desks]
        answers = await asyncio.gather(*(self._insist(desk, question) for desk in alike))
        self.seen.sources.update(answers)

    async def _work_one(self, desk: Desk, calls: int) -> None:
        for _ in range(calls):
            await self._insist(desk, self._question())
            self.seen.done += 1
            if self.seen.done >= self._awaited:
                self._has_come_so_far.set()

    def _question(self) -> str:
        """Return a question that nobody asked before: about the orders since another second."""
        since = self._since - timedelta(seconds=next(self._questions))
        return f"{ORDERS}?{self._query}&{urlencode({'CreatedAfter': since.strftime('%Y-%m-%dT%H:%M:%SZ')})}"

    async def _insist(self, desk: Desk, question: str) -> str:
        """Return where the answer came from, once there is one."""
        for turn in range(TRIES_MAX):
            replica = self._replicas[(desk.home + turn) % len(self._replicas)]
            headers = {"x-amz-access-token": desk.token}
            try:
                async with self._session.get(replica.url + question, headers=headers) as answer:
                    await answer.read()
                    if answer.status == 200:
                        return answer.headers["x-sallyport-source"]
                    self.seen.again[str(answer.status)] += 1
                    pause_s = float(answer.headers.get("retry-after", PAUSE_S))
            except (aiohttp.ClientError, TimeoutError):
                self.seen.again["lost"] += 1
                pause_s = PAUSE_S
            await asyncio.sleep(pause_s)
        raise TimeoutError(f"no answer after {TRIES_MAX} tries: {dict(self.seen.again)}")


@asynccontextmanager
async def open_desks(
    programs: Sequence[Program], replicas: Sequence[Replica], trust: ssl.SSLContext, *, marketplace_id: str
) -> AsyncIterator[Desks]:
    """Give the desks, spread over the gateways; the first program is the person's."""
    connector = aiohttp.TCPConnector(ssl=trust, limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)
    ) as session:
        tokens = [await _token(session, replicas[0], program) for program in programs]
        desks = [Desk(token, number % len(replicas)) for number, token in enumerate(tokens)]
        query = urlencode({"MarketplaceIds": marketplace_id, "MaxResultsPerPage": 1})
        yield Desks(session, replicas, desks=desks, query=query)


async def _token(session: aiohttp.ClientSession, replica: Replica, program: Program) -> str:
    form = {
        "grant_type": "refresh_token",
        "client_id": program.device_id,
        "client_secret": "any",
        "refresh_token": program.refresh_token,
    }
    async with session.post(replica.url + TOKEN, data=form) as answer:
        document = await answer.json()
    token: str = document["access_token"]
    return token
