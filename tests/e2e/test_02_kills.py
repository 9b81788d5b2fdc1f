"""Killing any one process with SIGKILL, at any step, changes nothing about the story's end (R-03, R-12)."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from sallyport.demo.patience import PatienceLost
from sallyport.demo.scene import Scene, StepFailed
from sallyport.demo.story import STORY

ATTEMPTS_MAX = 3
"""A person whose sign-in or enrolment broke in the middle starts it again; no other step may need this."""

PEOPLES_STEPS = {"a seller connects", "desktops enrol"}
PARTS = ("openbao", "postgres", "simulated Amazon", "telemetry", "retention", "auth", "gateway")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", PARTS)
async def test_the_story_ends_right_with_a_process_killed_at_each_step_R12(scene: Scene, part: str) -> None:
    for step in STORY:
        _kill(scene, part)
        attempts = ATTEMPTS_MAX if step.name in PEOPLES_STEPS else 1
        assert await _take(step.take, scene, attempts), step.name
        if step.name in PEOPLES_STEPS:
            assert (await scene.open("/portal")).text.count(">active<") == 1, "one connection, however often"


async def _take(step: Callable[[Scene], Awaitable[str]], scene: Scene, attempts: int) -> str:
    for _ in range(attempts - 1):
        try:
            return await step(scene)
        except (StepFailed, PatienceLost, LookupError, RuntimeError):
            await asyncio.sleep(0)
    return await step(scene)


def _kill(scene: Scene, part: str) -> None:
    pid = scene.stack.supervisor.pid_of(part)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
