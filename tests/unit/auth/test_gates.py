"""One at a time for each key, and nothing kept when nobody is there (R-23)."""

import asyncio

from services.auth.service.gates import Gates


async def test_a_gate_is_one_lock_for_as_long_as_somebody_holds_it_and_then_nothing_R23() -> None:
    gates: Gates[str] = Gates()
    order = []

    async def pass_through(name: str) -> None:
        async with gates.of("seller-1"):
            order.append(f"{name} in")
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(pass_through("one"), pass_through("two"))
    assert order == ["one in", "one out", "two in", "two out"]
    assert not gates._locks
