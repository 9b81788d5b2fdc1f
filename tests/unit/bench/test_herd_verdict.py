"""The arithmetic by which a herd is judged."""

from hypothesis import given
from hypothesis import strategies as st

from bench.herd.verdict import Call, Kill, Verdict, call_of, judge

KILLED = "127.0.0.1:40000"
KILL = Kill("auth 2", at_s=10.0, clients=frozenset({KILLED}))


def call(seller_id: str, began_s: float, **changes: object) -> Call:
    facts = {
        "seller_id": seller_id,
        "client": "127.0.0.1:50000",
        "status": 200,
        "fault": "none",
        "is_over_plan": False,
        "began_s": began_s,
        "ended_s": began_s + 0.1,
    }
    return Call(**{**facts, **changes})  # type: ignore[arg-type]


def verdict(*calls: Call, sellers: tuple[str, ...] = ("a",)) -> Verdict:
    return judge(sellers, calls, [KILL])


def test_one_refresh_each_is_what_was_promised() -> None:
    found = verdict(call("a", 1), call("b", 1), sellers=("a", "b"))
    assert found.broken == []
    assert (found.refreshes, found.calls, found.granted) == ({1: 2}, 2, 2)


def test_a_refused_refresh_is_no_refresh() -> None:
    found = verdict(call("a", 1, status=503, fault="unavailable"), call("a", 2))
    assert found.broken == []
    assert (found.refreshes, found.calls, found.faults) == ({1: 1}, 2, {"unavailable": 1})


def test_a_second_refresh_breaks_the_promise_R09() -> None:
    found = verdict(call("a", 1), call("a", 2))
    assert found.doubled == ("a",)
    assert found.broken == ["1 sellers were refreshed more often than the kills and lost answers explain"]


def test_an_answer_spoilt_on_its_way_may_be_asked_for_again() -> None:
    for fault, status in (("lost", 503), ("hang_up", 0), ("garbage", 200)):
        found = verdict(call("a", 1, status=status, fault=fault), call("a", 2))
        assert (found.broken, found.spoilt, found.killed) == ([], 1, 0)
        assert verdict(call("a", 1, status=status, fault=fault)).missing == ("a",)


def test_a_fault_that_was_meant_to_spoil_an_answer_but_met_a_refusal_made_no_token() -> None:
    found = verdict(call("a", 1, status=429, fault="lost", is_over_plan=True), call("a", 2))
    assert (found.granted, found.spoilt, found.over_plan) == (1, 0, 1)


def test_what_a_killed_replica_was_answered_may_be_asked_for_again() -> None:
    found = verdict(call("a", 9.8, client=KILLED), call("a", 31.0))
    assert (found.broken, found.killed) == ([], 1)


def test_an_answer_after_the_kill_went_nowhere_too() -> None:
    assert verdict(call("a", 9.8, ended_s=10.2, client=KILLED), call("a", 31.0)).killed == 1


def test_a_kill_explains_neither_other_replicas_nor_what_came_long_before_or_after_it() -> None:
    for first in (call("a", 9.8), call("a", -11.0, client=KILLED), call("a", 10.1, client=KILLED)):
        assert verdict(first, call("a", 31.0)).doubled == ("a",)


def test_two_at_once_break_the_promise_even_if_both_fail_R09() -> None:
    found = verdict(call("a", 1.0, ended_s=2.0, status=500, fault="fail"), call("a", 1.5), call("b", 1.5))
    assert found.overlapping == ("a",)
    found = verdict(call("a", 1.0, ended_s=9.0), call("a", 2.0, ended_s=3.0), call("a", 4.0, ended_s=5.0))
    assert found.overlapping == ("a",)


def test_a_call_over_the_plan_breaks_the_promise_R10() -> None:
    found = verdict(call("a", 1, status=429, is_over_plan=True), call("a", 2))
    assert found.broken == ["1 calls were over LWA's plan"]


def test_a_seller_who_was_never_refreshed_is_missing() -> None:
    found = verdict(call("a", 1), sellers=("a", "b"))
    assert (found.missing, found.refreshes) == (("b",), {1: 1, 0: 1})


def test_the_busiest_second_slides() -> None:
    found = verdict(*(call("a", 0.9 + place / 10) for place in range(4)), call("a", 2.5))
    assert found.busiest == 4
    assert verdict().busiest == 0


def test_a_call_still_under_way_has_no_end() -> None:
    row = {
        "seller_id": "a",
        "client": "c",
        "status": 200,
        "fault": "none",
        "is_over_plan": False,
        "began_s": 1.0,
        "ended_s": None,
        "path": "/auth/o2/token",
    }
    assert call_of(row).ended_s == float("inf")


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60))
def test_the_busiest_second_is_what_counting_from_every_call_finds(began: list[float]) -> None:
    found = verdict(*(call("a", at_s) for at_s in began)).busiest
    assert found == max(sum(at_s - 1.0 < other <= at_s for other in began) for at_s in began)
