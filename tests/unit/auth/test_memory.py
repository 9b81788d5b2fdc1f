"""What a process remembers for a while: the entries used last, and never more than the bound (R-23)."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from services.auth.service.memory import Gates, Memory

ENTRIES_MAX = 3
STEPS = st.tuples(st.sampled_from(["put", "get", "drop"]), st.sampled_from("abcde"))


@given(st.lists(STEPS, max_size=40))
def test_the_entries_used_last_are_remembered_and_no_more_R23(steps: list[tuple[str, str]]) -> None:
    memory: Memory[str, int] = Memory(ENTRIES_MAX)
    # The longest unused first.
    expected: dict[str, int] = {}
    for number, (verb, key) in enumerate(steps, 1):
        if verb == "put":
            memory.put(key, number)
            expected.pop(key, None)
            expected[key] = number
            expected = dict(list(expected.items())[-ENTRIES_MAX:])
        elif verb == "get":
            assert memory.get(key) == expected.get(key)
            if key in expected:
                expected[key] = expected.pop(key)
        else:
            memory.drop(key)
            expected.pop(key, None)
        assert list(memory._entries.items()) == list(expected.items())


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
