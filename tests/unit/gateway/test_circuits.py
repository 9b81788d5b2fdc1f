"""Circuits: whose calls rest, for how long, and that nobody else's do."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fakes.clock import FakeClock
from fakes.gateway_ports import FakeForwardSignals
from services.gateway.forward.circuits import UNDER_WAY_MAX, Circuits
from services.gateway.model.calls import Region
from services.gateway.model.circuit import FAILURES_MAX, PROBE_S_MAX, REST_S_MAX, REST_S_MIN, Circuit
from services.gateway.model.faults import UpstreamBusy, UpstreamResting

ME, OTHER = "seller-1", "seller-2"


class Table:
    """A table of circuits, and its surroundings."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.signals = FakeForwardSignals()
        self.circuits = Circuits(clock=self.clock, signals=self.signals)

    def call(self, seller_id: str, *, is_answered: bool | None, region: Region = Region.NA) -> None:
        generation = self.circuits.begin((seller_id, region))
        self.circuits.end((seller_id, region), generation, is_answered=is_answered)

    def fail(self, seller_id: str, times: int = FAILURES_MAX) -> None:
        for _ in range(times):
            self.call(seller_id, is_answered=False)


@pytest.fixture
def table() -> Table:
    return Table()


def test_a_seller_whom_amazon_does_not_answer_rests_R07(table: Table) -> None:
    table.fail(ME)
    with pytest.raises(UpstreamResting) as refusal:
        table.call(ME, is_answered=True)
    assert refusal.value.retry_after_s == REST_S_MIN
    assert table.signals.openings == [Region.NA]


def test_one_sellers_trouble_is_nobody_elses_R07(table: Table) -> None:
    table.fail(ME)
    table.call(OTHER, is_answered=True)
    table.call(ME, is_answered=True, region=Region.EU)
    assert table.signals.shares == {Region.NA: 0.5, Region.EU: 0.0}


def test_an_answer_between_failures_keeps_a_circuit_closed(table: Table) -> None:
    for _ in range(3):
        table.fail(ME, FAILURES_MAX - 1)
        table.call(ME, is_answered=True)
    assert not table.signals.openings


def test_after_its_rest_one_probe_goes_at_a_time(table: Table) -> None:
    table.fail(ME)
    table.clock.pass_(REST_S_MIN)
    probe = table.circuits.begin((ME, Region.NA))
    with pytest.raises(UpstreamResting):
        table.call(ME, is_answered=True)
    table.circuits.end((ME, Region.NA), probe, is_answered=True)
    table.call(ME, is_answered=True)


def test_a_failed_probe_doubles_the_rest_up_to_a_bound(table: Table) -> None:
    table.fail(ME)
    rests_s = []
    for _ in range(6):
        with pytest.raises(UpstreamResting) as refusal:
            table.circuits.check((ME, Region.NA))
        rests_s.append(refusal.value.retry_after_s or 0.0)
        table.clock.pass_(rests_s[-1])
        table.fail(ME, 1)
    assert rests_s == [5.0, 10.0, 20.0, 40.0, REST_S_MAX, REST_S_MAX]


def test_a_probe_that_was_given_up_frees_its_place(table: Table) -> None:
    table.fail(ME)
    table.clock.pass_(REST_S_MIN)
    table.call(ME, is_answered=None)
    table.call(ME, is_answered=True)


def test_a_probe_of_which_nothing_is_heard_does_not_stand_in_the_way_for_ever(table: Table) -> None:
    table.fail(ME)
    table.clock.pass_(REST_S_MIN)
    table.circuits.begin((ME, Region.NA))
    table.clock.pass_(PROBE_S_MAX)
    table.call(ME, is_answered=True)


def test_what_was_asked_before_a_circuit_opened_decides_nothing(table: Table) -> None:
    early = table.circuits.begin((ME, Region.NA))
    table.fail(ME)
    table.circuits.end((ME, Region.NA), early, is_answered=True)
    with pytest.raises(UpstreamResting):
        table.circuits.check((ME, Region.NA))


def test_a_seller_cannot_hold_every_connection_T32(table: Table) -> None:
    held = [table.circuits.begin((ME, Region.NA)) for _ in range(UNDER_WAY_MAX)]
    with pytest.raises(UpstreamBusy):
        table.call(ME, is_answered=True)
    table.call(OTHER, is_answered=True)
    table.circuits.end((ME, Region.NA), held[0], is_answered=None)
    table.call(ME, is_answered=True)


def test_trouble_of_all_sellers_shows_R07(table: Table) -> None:
    for seller_id in (ME, OTHER, "seller-3"):
        table.call(seller_id, is_answered=False)
    assert table.signals.shares[Region.NA] == 1.0


class CircuitMachine(RuleBasedStateMachine):
    """The circuit beside a plainer telling of it: a list of what happened, and what follows from that."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit = Circuit()
        self.now_s = 0.0
        self.under_way: list[int] = []
        self.failures = 0
        self.rest_s = 0.0
        self.open_until_s: float | None = None

    @rule(delay_s=st.floats(0.0, 70.0))
    def let_time_pass(self, delay_s: float) -> None:
        self.now_s += delay_s

    @precondition(lambda self: self.circuit.wait_s(self.now_s) == 0)
    @rule()
    def ask(self) -> None:
        was_open = self.circuit.is_open
        self.circuit = self.circuit.asked(self.now_s)
        self.under_way.append(self.circuit.generation)
        if was_open:
            self.open_until_s = self.now_s + PROBE_S_MAX

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), news=st.sampled_from([True, False, None]))
    def hear(self, data: st.DataObject, news: bool | None) -> None:
        generation = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        is_news = generation == self.circuit.generation
        if news is None:
            self.circuit = self.circuit.given_up(generation, self.now_s)
            if is_news and self.open_until_s is not None:
                self.open_until_s = self.now_s
        elif news:
            self.circuit = self.circuit.answered(generation)
            if is_news:
                self.failures, self.rest_s, self.open_until_s = 0, 0.0, None
        else:
            self.circuit = self.circuit.failed(generation, self.now_s)
            if is_news:
                self.fail()

    def fail(self) -> None:
        self.failures += 1
        if self.open_until_s is not None or self.failures >= FAILURES_MAX:
            self.rest_s = min(max(self.rest_s * 2, REST_S_MIN), REST_S_MAX)
            self.open_until_s = self.now_s + self.rest_s
            self.failures = 0

    @invariant()
    def both_tell_the_same(self) -> None:
        wait_s = 0.0 if self.open_until_s is None else max(self.open_until_s - self.now_s, 0.0)
        assert self.circuit.is_open == (self.open_until_s is not None)
        assert self.circuit.wait_s(self.now_s) == wait_s
        assert wait_s <= REST_S_MAX
        assert self.circuit.failures < FAILURES_MAX


CircuitMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestACircuitDoesWhatItsStoryTells = CircuitMachine.TestCase
