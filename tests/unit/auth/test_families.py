"""Token families on fakes; see `families`."""

import asyncio

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from fakes.auth_house import House
from tests.unit.auth.families import Families

SETTINGS = settings(max_examples=60, stateful_step_count=30, deadline=None)


async def _nothing_else_ages(_span_s: float) -> None:
    """The fake storage ages with the house's clock."""


def test_families_do_what_the_model_says_T03_T04() -> None:
    loop = asyncio.new_event_loop()

    def machine() -> Families:
        return Families(House(), loop, elapse=_nothing_else_ages)

    try:
        run_state_machine_as_test(machine, settings=SETTINGS)  # type: ignore[arg-type] # a factory does
    finally:
        loop.close()
