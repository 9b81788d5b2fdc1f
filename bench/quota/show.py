"""The order of events: desktops enrol, gateways learn the plan, all work, one dies, the record is read."""

import asyncio
import ssl

from bench.quota.desks import Desks, open_desks
from bench.quota.record import Record, connect
from bench.quota.stage import Replicas, open_replicas
from bench.quota.verdict import Outcome, Plan
from sallyport.demo.scene import Scene
from sallyport.demo.steps.people import connect_a_seller
from sallyport.supervisor import Report

LOOK_S = 1.0
# So that everybody who asks alike has asked before the answer comes.
HELD_BACK_S = 2.0
# The gateways approach a higher rate by doubling, so they know any plan of Amazon's within this.
LEARNING_S_MAX = 60.0
LEARNT_PART = 0.9
# Whoever is far behind his share of time is not coming any more.
PATIENCE = 4.0
PATIENCE_S_MIN = 60.0


async def show(scene: Scene, plan: Plan, report: Report, *, is_learning: bool = True) -> Outcome:
    """Return what was seen of a plan on a scene whose seller nobody has touched yet.

    Args:
        scene: a stage with a whole stack.
        plan: what is to be shown.
        report: told what becomes of each replica.
        is_learning: the gateways learn the plan's rate before anything counts.

    Raises:
        TimeoutError: not every call was done in time.
    """
    await connect_a_seller(scene)
    programs = [await scene.enrol_program(f"Desk {number}") for number in range(plan.desks + 1)]
    layout = scene.stack.layout
    trust = ssl.create_default_context(cafile=scene.stack.ground.folder.services_ca_file)
    async with (
        connect(layout.amazon_control_url) as record,
        open_replicas(scene.stack, report, count=plan.replicas) as replicas,
        open_desks(programs, replicas.all, trust, marketplace_id=scene.marketplace_id) as desks,
        record.plan(rate=plan.rate, burst=plan.burst),
    ):
        play = _Play(scene.account["seller_id"], plan, record=record, replicas=replicas, desks=desks)
        if is_learning:
            await play.learn()
        return await play.run()


class _Play:
    def __init__(
        self, account_id: str, plan: Plan, *, record: Record, replicas: Replicas, desks: Desks
    ) -> None:
        self._account_id = account_id
        self._plan = plan
        self._record = record
        self._replicas = replicas
        self._desks = desks

    async def run(self) -> Outcome:
        """Return what was seen."""
        alike = await self._ask_alike()
        before, plan = await self._record.latest(), self._plan
        self._desks.seen.done = 0
        self._desks.seen.again.clear()
        limit_s = max(PATIENCE_S_MIN, PATIENCE * plan.desks * plan.calls / plan.rate)
        async with asyncio.timeout(limit_s), asyncio.TaskGroup() as group:
            clicking = group.create_task(self._desks.click())
            killing = group.create_task(self._kill_in_the_middle())
            await self._desks.work(plan.calls)
            clicking.cancel()
        seen = self._desks.seen
        return Outcome(
            calls=await self._record.calls(before, self._account_id),
            done=seen.done,
            again=", ".join(f"{count} {what}" for what, count in sorted(seen.again.items())),
            clicks_s=seen.clicks_s,
            alike=alike,
            killed=killing.result(),
        )

    async def learn(self) -> None:
        """Let the desks call until the gateways know the plan."""
        calling = asyncio.ensure_future(self._desks.work(self._plan.calls))
        try:
            for _ in range(int(LEARNING_S_MAX / LOOK_S)):
                done = self._desks.seen.done
                await asyncio.sleep(LOOK_S)
                if self._desks.seen.done - done >= LEARNT_PART * self._plan.rate * LOOK_S:
                    return
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)

    async def _ask_alike(self) -> tuple[int, int]:
        # What was under way is over.
        await asyncio.sleep(HELD_BACK_S)
        before = await self._record.latest()
        await self._record.hold_back(HELD_BACK_S)
        await self._desks.ask_alike()
        return self._desks.seen.sources.total(), len(await self._record.calls(before, self._account_id))

    async def _kill_in_the_middle(self) -> str:
        await self._desks.until(self._plan.desks * self._plan.calls // 2)
        return self._replicas.kill_last()
