"""A small hostile run: the attacks that do not take a call's whole time, judged by what was heard."""

from collections import Counter
from pathlib import Path

from bench.hostile.attacks import ATTACKS, BY_NAME
from bench.hostile.command import findings, lines, write_certificates
from bench.hostile.origin import open_origin, port_of
from bench.hostile.show import Comparison, Outcome, Tally, Waits, sweep
from bench.hostile.way import EFFECT, open_way


def outcome(*tallies: Tally, crashes: tuple[str, ...] = (), beside: float = 1.0) -> Outcome:
    comparison = Comparison(Waits.of([0.1] * 100), Waits.of([0.1 * beside] * 100))
    return Outcome(tallies, crashes, comparison, resting=0)


async def test_a_hostile_upstream_crashes_nothing_and_is_heard_of_only_as_promised_T29(
    tmp_path: Path,
) -> None:
    write_certificates(tmp_path)
    async with await open_origin(tmp_path) as origin:
        port = port_of(origin)
        opening = open_way(tmp_path, hostile_port=port, fair_port=port)
        swift = [attack for attack in ATTACKS if not attack.is_slow]
        async with opening as way:
            tallies = await sweep(way, swift, 1, methods=[EFFECT])
    assert not findings(Outcome(tallies, [repr(error) for error in way.signals.crashes], None, resting=0))
    assert all(tally.statuses.total() == 1 for tally in tallies)


def test_every_broken_promise_is_told() -> None:
    fair = Tally(BY_NAME["bomb"], Counter({502: 1}))
    assert findings(outcome(fair, beside=1.4)) == []
    wrong = Tally(BY_NAME["bomb"], Counter({200: 1}), ["heard 200"])
    assert len(findings(outcome(wrong, crashes=("KeyError()",), beside=1.6))) == 3
    assert "does not hold: bomb: heard 200" in list(lines(outcome(wrong)))
