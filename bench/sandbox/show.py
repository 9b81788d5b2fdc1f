"""The replay on a running stack: the simulated Amazon told the cases, two devices told to make the calls."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from bench.sandbox.cases import Case
from bench.sandbox.device import Device
from bench.sandbox.facts import Facts
from bench.sandbox.replay import replay
from bench.sandbox.verdict import Verdict
from sallyport.demo.scene import Scene, StepFailed
from sallyport.demo.steps.people import connect_a_seller, enrol_the_desktops

# Faster than any replay, so that no plan of Amazon's is in its way.
RATE_PER_S, BURST = 1_000, 10_000


async def take(
    scene: Scene,
    models: Path,
    *,
    cases: Iterable[Case],
    facts: Mapping[str, Facts],
    report: Callable[[Verdict], None],
) -> list[Verdict]:
    """Return what each case proves on a scene whose seller nobody has connected yet.

    Args:
        scene: with a gateway and the simulated Amazon.
        models: the folder that the cases come from, an absolute path; the simulated Amazon reads it too.
        cases: which of its cases are replayed.
        facts: by method and path template.
        report: told of each verdict as it is reached.
    """
    await scene.amazon.set_hostility("none")
    await connect_a_seller(scene)
    await enrol_the_desktops(scene)
    if scene.trusted is None or scene.untrusted is None:
        raise StepFailed("no programs were enrolled")
    async with AsyncExitStack() as things:
        await things.enter_async_context(_sandbox(scene, models))
        permitted = await things.enter_async_context(Device(scene, scene.trusted))
        plain = await things.enter_async_context(Device(scene, scene.untrusted))
        origin = scene.stack.layout.public_url
        return await replay(cases, facts, permitted=permitted, plain=plain, origin=origin, report=report)


@asynccontextmanager
async def _sandbox(scene: Scene, models: Path) -> AsyncIterator[None]:
    """Have the simulated Amazon answer the models' cases, as fast as it can, while inside."""
    base = f"{scene.stack.layout.amazon_control_url}/_simulator"
    async with aiohttp.ClientSession() as controls:

        async def tell(path: str, document: Mapping[str, object]) -> None:
            async with controls.post(f"{base}{path}", data=json.dumps(document)) as answer:
                if answer.status != 200:
                    raise StepFailed(f"the simulated Amazon refused {path}: {await answer.text()}")

        await tell("/sandbox", {"models": str(models)})
        await tell("/plans", {"operation": "*", "rate": RATE_PER_S, "burst": BURST})
        try:
            yield
        finally:
            await tell("/sandbox", {"models": None})
            await tell("/plans", {"operation": "*"})
