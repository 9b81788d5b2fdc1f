"""Killing any one process with SIGKILL, at any step, changes nothing about the story's end (R-03, R-12)."""

import os
import signal

import pytest

import chassis.errors
from sallyport.demo.patience import patiently
from sallyport.demo.scene import Scene, StepFailed
from sallyport.demo.story import STORY, Step

PEOPLES_STEPS = {"a seller connects", "desktops enrol"}
PARTS = ("openbao", "postgres", "simulated Amazon", "telemetry", "retention", "auth", "gateway")


@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", PARTS)
async def test_the_story_ends_right_with_a_process_killed_at_each_step_R12(scene: Scene, part: str) -> None:
    for step in STORY:
        _kill(scene, part)
        assert await _take(step, scene), step.name
        if step.name in PEOPLES_STEPS:
            assert (await scene.open("/portal")).text.count(">active<") == 1, "one connection, however often"


async def _take(step: Step, scene: Scene) -> str:
    """Take a step; a person whose sign-in or enrolment broke in the middle begins it again.

    They do so for as long as anybody waits for what is down. No other step may need this.
    """
    return await (patiently(lambda: _begin(step, scene)) if step.name in PEOPLES_STEPS else step.take(scene))


async def _begin(step: Step, scene: Scene) -> str:
    try:
        return await step.take(scene)
    except (StepFailed, LookupError, RuntimeError) as broken:
        raise chassis.errors.Unavailable(str(broken)) from broken


def _kill(scene: Scene, part: str) -> None:
    pid = scene.stack.supervisor.pid_of(part)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
