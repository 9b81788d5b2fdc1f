"""The order of events: sellers are made, their tokens end, replicas die, the record is read."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sallyport.access
import sallyport.provision
import sallyport.provision.database
import sallyport.vendor
from bench.herd.amazon import Amazon, connect
from bench.herd.callers import Callers, open_callers
from bench.herd.kills import kill
from bench.herd.sellers import TOKEN_LIFE, Maker, Member, open_maker
from bench.herd.stage import Cast, Stage, open_stage
from bench.herd.verdict import Kill, Verdict, judge
from sallyport.demo.patience import patiently
from sallyport.layout import Layout
from sallyport.provision.ground import Ground
from sallyport.supervisor import Report
from sallyport.terminal import say
from services.auth.model.lending import UNUSED_TAIL

LOOK_EVERY_S = 1.0
SAY_EVERY_S = 5.0
# Before a kill some answers are held back, so that the replica dies between question and answer.
HELD_BACK_S = 1.0
HELD_BACK_EACH = 2
KILL_AFTER_S = 0.5
# Of the share of sellers between one kill and the next.
FIRST_KILL = 0.4
# After this, a refusal of LWA's is checked again: services.auth.model.consents.REFUSAL_CONFIRMED_AFTER.
DOUBT = timedelta(minutes=2, seconds=1)
# How much longer than at LWA's full rate the whole may take, and the least.
PATIENCE = 5.0
PATIENCE_S_MIN = 180.0


@dataclass(frozen=True, kw_only=True)
class Script:
    """What is to happen.

    Attributes:
        cast: who takes part; LWA's plan is auth's rate, with a second's worth more at once.
        kills: how many replicas die, one after the other.
        misbehaviour: share of LWA's answers that meet a fault.
        spoilt: how many answers are lost on the way besides, though LWA made a token; a multiple of 4.
        denied: how many refreshes LWA refuses as `invalid_grant` though all is well; a multiple of 2.
        ahead_s: how long before the tokens' last use the renewal ahead begins.
        quiet_s: how long nobody may ask once more when all is done.
    """

    cast: Cast
    kills: int
    misbehaviour: float
    spoilt: int
    denied: int
    ahead_s: float
    quiet_s: float

    @property
    def burst(self) -> int:
        """How many calls LWA takes at once: a second's worth more than auth makes, as its setting advises."""
        return self.cast.lwa_burst + max(1, int(self.cast.lwa_rate))

    @property
    def limit_s(self) -> float:
        """After this nobody waits any longer."""
        return max(PATIENCE_S_MIN, PATIENCE * self.cast.sellers / self.cast.lwa_rate)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was seen.

    Attributes:
        verdict: of the simulated Amazon's record.
        kills: in their order.
        ended: consents that auth took for ended.
        doubted: consents whose refusal is still in doubt.
        fresh: shared tokens that end after the herd's.
        ahead: sellers refreshed before their tokens could not be used any more.
        answered: sellers whose desktops got a new token.
        made_in_s: what making the sellers took.
    """

    verdict: Verdict
    kills: Sequence[Kill]
    ended: int
    doubted: int
    fresh: int
    ahead: int
    answered: int
    made_in_s: float


@dataclass
class _Progress:
    """What the record has shown so far, from the call after `first`, and what was done."""

    first: int
    granted: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    ahead: int = 0
    kills: list[Kill] = field(default_factory=list)
    has_waited_out: bool = False


class Show:
    """One herd on a stage; made by `open_show`."""

    def __init__(
        self, script: Script, stage: Stage, *, amazon: Amazon, maker: Maker, callers: Callers
    ) -> None:
        self._script = script
        self._stage = stage
        self._amazon = amazon
        self._maker = maker
        self._callers = callers
        self._started_s = time.monotonic()

    async def run(self) -> Outcome:
        """Return what was seen.

        Raises:
            TimeoutError: not everybody had a new token in time.
        """
        expires_at = (await self._amazon.now()).replace(microsecond=0) + TOKEN_LIFE
        members = await self._make(expires_at)
        made_in_s = time.monotonic() - self._started_s
        await self._set_the_scene()
        progress = _Progress(first=await self._amazon.latest())
        left = expires_at - UNUSED_TAIL - await self._amazon.now()
        await self._amazon.advance(left.total_seconds() - self._script.ahead_s)
        self._say(f"{len(members)} tokens have their last use in {self._script.ahead_s:.0f} s, all at once")
        await self._live_through(members, expires_at, progress)
        self._say(f"everybody has a new token; watched for {self._script.quiet_s:.0f} s more")
        await asyncio.sleep(self._script.quiet_s)
        calls, _ = await self._amazon.refreshes(progress.first)
        ended, doubted, fresh = await _look(self._stage, expires_at)
        return Outcome(
            verdict=judge([member.account_id for member in members], calls, progress.kills),
            kills=progress.kills,
            ended=ended,
            doubted=doubted,
            fresh=fresh,
            ahead=progress.ahead,
            answered=self._callers.answered,
            made_in_s=made_in_s,
        )

    async def _live_through(
        self, members: Sequence[Member], expires_at: datetime, progress: _Progress
    ) -> None:
        """Return when everybody has a new token: renewed ahead at first, then asked for too."""
        async with asyncio.timeout(self._script.limit_s), asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(members, progress))
            await asyncio.sleep(self._script.ahead_s)
            progress.ahead = len(progress.granted)
            self._say(f"{progress.ahead} were renewed ahead; now everybody is asked for")
            await self._order_faults()
            tasks.create_task(self._callers.ask_for_all(members, expires_after=expires_at))

    async def _make(self, expires_at: datetime) -> list[Member]:
        application_id = self._stage.stack.application.application_id
        members: list[Member] = []
        async for accounts in self._amazon.connect_sellers(application_id):
            if not members:
                members.append(await self._maker.make_first(accounts.pop(0), application_id, expires_at))
            members += await self._maker.make_like(members[0], accounts, expires_at)
            self._say(f"{len(members)} sellers made")
        return members

    async def _set_the_scene(self) -> None:
        script = self._script
        await self._amazon.cap(rate=script.cast.lwa_rate, burst=script.burst)
        await self._amazon.misbehave(script.misbehaviour)
        await self._order_faults()

    async def _order_faults(self) -> None:
        """Spoil half of the answers that are to be spoilt, and deny half of what is to be denied."""
        script = self._script
        for kind, count in (("hang_up", script.spoilt), ("lost", script.spoilt), ("deny", script.denied * 2)):
            if count // 4:
                await self._amazon.order_fault(kind, count // 4)

    async def _watch(self, members: Sequence[Member], progress: _Progress) -> None:
        """Return when the record shows a new token for everybody; kill replicas on the way there."""
        wanted = {member.account_id for member in members}
        said_s, last = time.monotonic(), progress.first
        while not wanted <= progress.granted:
            await asyncio.sleep(LOOK_EVERY_S)
            calls, last = await self._amazon.refreshes(last)
            progress.granted |= {call.seller_id for call in calls if call.status == 200}
            progress.denied |= {call.seller_id for call in calls if call.fault == "deny"}
            if time.monotonic() - said_s >= SAY_EVERY_S:
                said_s = time.monotonic()
                self._say(
                    f"{len(progress.granted)} refreshed, {self._callers.answered} asked for and answered"
                )
            if self._is_kill_due(progress, len(members)):
                await self._kill(progress)
            if wanted - progress.granted <= progress.denied and not progress.has_waited_out:
                await self._wait_out_doubt(progress, len(wanted - progress.granted))

    def _is_kill_due(self, progress: _Progress, sellers: int) -> bool:
        """Return whether the next kill's share of the sellers is refreshed; early, so that more follow."""
        share = (len(progress.kills) + FIRST_KILL) / (self._script.kills + 1)
        return len(progress.kills) < self._script.kills and len(progress.granted) >= share * sellers

    async def _kill(self, progress: _Progress) -> None:
        replica = self._stage.replicas[len(progress.kills) % len(self._stage.replicas)]
        held_back = HELD_BACK_EACH * len(self._stage.replicas)
        await self._amazon.order_fault("slow", held_back, delay_s=HELD_BACK_S)
        await asyncio.sleep(KILL_AFTER_S)
        pid = self._stage.pid_of(replica)
        if pid is not None:
            port = self._stage.stack.layout.amazon_port
            progress.kills.append(kill(replica.name, pid, amazon_port=port))

    async def _wait_out_doubt(self, progress: _Progress, sellers: int) -> None:
        """Let the minutes pass after which a refusal is checked again."""
        progress.has_waited_out = True
        if sellers:
            self._say(f"{sellers} are left, whom LWA refused for no reason; two minutes pass")
            await self._amazon.advance(DOUBT.total_seconds())

    def _say(self, text: str) -> None:
        say(f"  {time.monotonic() - self._started_s:6.1f} s  {text}")


@asynccontextmanager
async def open_show(ground: Ground, layout: Layout, *, report: Report, script: Script) -> AsyncIterator[Show]:
    """Give a show on a stage of its own, with the vendor's application registered."""
    async with AsyncExitStack() as things:
        stage = await things.enter_async_context(open_stage(ground, layout, report=report, cast=script.cast))
        async with sallyport.access.open_admin(stage.stack.access()) as admin:
            await patiently(lambda: sallyport.vendor.register_application(stage.stack, admin))
        yield Show(
            script,
            stage,
            amazon=await things.enter_async_context(connect(layout.amazon_control_url)),
            maker=await things.enter_async_context(open_maker(stage)),
            callers=await things.enter_async_context(open_callers(stage, script.cast.seed)),
        )


async def _look(stage: Stage, expired_at: datetime) -> tuple[int, int, int]:
    """Return how many consents ended, how many are in doubt, and how many shared tokens are new."""
    ground = stage.stack.ground
    async with sallyport.provision.database.signed_in(
        ground.postgres, ground.openbao, role=sallyport.provision.OWNER, database=stage.database
    ) as connection:
        row = await connection.fetchrow(
            """
            SELECT count(*) FILTER (WHERE ended_at IS NOT NULL) AS ended,
                   count(*) FILTER (WHERE ended_at IS NULL AND refused_at IS NOT NULL) AS doubted,
                   (SELECT count(*) FROM auth.access_leases WHERE token_expires_at > $1) AS fresh
            FROM auth.consents
            """,
            expired_at,
        )
    assert row is not None
    return row["ended"], row["doubted"], row["fresh"]
