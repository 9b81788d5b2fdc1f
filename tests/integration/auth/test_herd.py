"""A small herd on real parts: tokens that end at once, a capped and failing LWA, a replica that is killed.

`make herd` is the same with ten thousand sellers; both are judged by the simulated Amazon's record.
"""

from pathlib import Path

import pytest

import chassis.env
import sallyport.provision.ground
from bench.herd.report import findings, lines
from bench.herd.show import Script, open_show
from bench.herd.stage import Cast
from bench.ports import free_base_port
from sallyport.layout import Layout

SELLERS = 150


@pytest.mark.timeout(240)
async def test_every_seller_is_refreshed_once_at_lwas_pace_and_nobody_is_taken_for_gone_R08_R09_R10(
    ground: sallyport.provision.ground.Ground, database: chassis.env.DatabaseConfig, tmp_path: Path
) -> None:
    script = Script(
        cast=Cast(sellers=SELLERS, replicas=2, lwa_rate=20.0, seed=7, database=database.name),
        kills=1,
        misbehaviour=0.02,
        spoilt=4,
        denied=2,
        ahead_s=5.5,
        quiet_s=0.0,
    )
    layout = Layout(tmp_path, free_base_port())
    async with open_show(ground, layout, report=_say_nothing, script=script) as show:
        outcome = await show.run()
    assert findings(outcome) == []
    assert (outcome.fresh, outcome.answered, len(outcome.kills)) == (SELLERS, SELLERS, 1)
    verdict = outcome.verdict
    assert verdict.granted == SELLERS + verdict.spoilt + verdict.killed
    assert (verdict.faults["hang_up"], verdict.faults["lost"], verdict.faults["deny"]) == (2, 2, 2)
    assert verdict.busiest <= script.cast.lwa_rate + script.burst
    assert outcome.ahead > 0
    assert "HOLDS: one refresh each, no call over the plan, nobody taken for gone." in lines(script, outcome)


def _say_nothing(_part: str, _event: str) -> None:
    """Tests have their own progress."""
