"""The services run together under seeds and faults, and every invariant holds (R-27)."""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sallyport.simulate.engines import Engines
from sallyport.simulate.invariants import Invariant
from sallyport.simulate.report import Report, lines
from sallyport.simulate.run import run
from sallyport.simulate.scenario import HERD_JUMPS, HOPS, PARTNERS

CHECKOUT = Path(__file__).parents[3]
SEEDS = range(7)
RATE = 0.02
ROUGH_SEEDS = range(100, 102)
ROUGH_RATE = 0.06


@functools.cache
def simulated(seed: int, rate: float = RATE) -> Report:
    return run(seed, fault_rate=rate, engines=Engines())


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_under_faults_R01_R08_R09_R11_R12_R18_R19_R27(seed: int) -> None:
    report = simulated(seed)
    assert report.is_whole, "\n".join(lines(report))


@pytest.mark.parametrize("seed", ROUGH_SEEDS)
def test_every_promise_holds_in_rough_weather_R11_R12(seed: int) -> None:
    report = simulated(seed, ROUGH_RATE)
    assert report.is_whole, "\n".join(lines(report))
    assert sum(report.crashes.values()) > 10


def test_the_runs_look_at_every_invariant() -> None:
    reports = [simulated(seed) for seed in SEEDS]
    for invariant in Invariant:
        assert all(report.findings[invariant].asked for report in reports), invariant
    assert all(report.reads for report in reports)


def test_every_kind_of_fault_and_a_crash_of_every_node_happen() -> None:
    reports = [simulated(seed) for seed in SEEDS]
    assert len({fault for report in reports for fault in report.faults}) == 7
    assert all(any(report.crashes[node] for report in reports) for node in reports[0].crashes)


def test_without_faults_there_is_one_refresh_for_each_sellers_expiry_R10() -> None:
    report = simulated(SEEDS[0], 0.0)
    assert report.is_whole, "\n".join(lines(report))
    assert not report.faults
    assert report.refreshes <= len(PARTNERS) * (1 + len(HERD_JUMPS) + HOPS)


def test_the_same_seed_gives_the_same_run_R27() -> None:
    first, second = simulated(SEEDS[1]), run(SEEDS[1], fault_rate=RATE, engines=Engines())
    assert first.trace.lines == second.trace.lines
    assert list(lines(first)) == list(lines(second))


def test_different_seeds_give_different_runs() -> None:
    assert len({simulated(seed).trace.digest() for seed in SEEDS}) == len(SEEDS)


def test_a_run_does_not_depend_on_how_python_hashes_R27(tmp_path: Path) -> None:
    for hash_seed in ("1", "2718"):
        command = [sys.executable, "-m", "sallyport", "simulate", "--seed=2", f"--trace={tmp_path}/trace"]
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        subprocess.run(command, cwd=CHECKOUT, env=environ, check=True, capture_output=True, timeout=60)
        assert (tmp_path / "trace").read_text().splitlines() == simulated(2).trace.lines
