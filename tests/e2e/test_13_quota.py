"""Desktops of one seller at several gateways, one of which dies: the plan is kept, and everybody is served.

`python -m bench quota` is the same at the scale of twenty desktops and thousands of calls; both are judged by
the simulated Amazon's record, this one by what was counted and not by time.
"""

import pytest

from bench.quota.show import show
from bench.quota.verdict import Plan, findings
from sallyport.demo.scene import Scene

PLAN = Plan(rate=20.0, burst=20, desks=4, calls=12, replicas=2)


@pytest.mark.timeout(180)
async def test_a_plan_that_many_share_is_kept_while_a_gateway_dies_R10_R12_T32(scene: Scene) -> None:
    outcome = await show(scene, PLAN, _say_nothing, is_learning=False)
    assert findings(PLAN, outcome) == []
    assert outcome.done == PLAN.desks * PLAN.calls
    assert len(outcome.calls) >= outcome.done


def _say_nothing(_part: str, _event: str) -> None:
    """Tests have their own progress."""
