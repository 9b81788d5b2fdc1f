"""Reports over their whole life, whatever the pace, however time passes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.documents.jobs import Status
from tests.unit.simulator.papers import REPORTS, create_report
from tests.unit.simulator.rig import MemoryJournal, Rig

RANK = {Status.IN_QUEUE: 0, Status.IN_PROGRESS: 1, Status.DONE: 2, Status.CANCELLED: 2, Status.FATAL: 2}
SECONDS = st.integers(0, 60)


@settings(deadline=None, max_examples=25)
@given(
    queued_s=SECONDS,
    working_s=SECONDS,
    outcome=st.sampled_from(["DONE", "CANCELLED", "FATAL"]),
    steps=st.lists(SECONDS, min_size=1, max_size=6),
    is_cancelled=st.booleans(),
)
def test_a_job_only_moves_on_ends_as_ordered_and_is_the_same_after_a_restart(
    queued_s: int, working_s: int, outcome: str, steps: list[int], *, is_cancelled: bool
) -> None:
    journal = MemoryJournal()
    rig = Rig(journal=journal)
    token = rig.access()
    rig.documents.set({"queued_s": queued_s, "working_s": working_s})
    rig.documents.order_outcome({"outcome": outcome})
    path = f"{REPORTS}/reports/{create_report(rig, token).document()['reportId']}"
    may_cancel = queued_s > 0
    if is_cancelled:
        answer = rig.send("DELETE", path, headers={"x-amz-access-token": token})
        assert answer.status == (200 if may_cancel else 400)
    seen = []
    for step in steps:
        rig.clock.advance(seconds=step)
        shown = rig.get(path, token).document()
        seen.append(RANK[shown["processingStatus"]])
        left = shown["processingStatus"] in {"DONE", "FATAL"}
        assert ("reportDocumentId" in shown) is left
    assert seen == sorted(seen)
    if sum(steps) >= queued_s + working_s:
        assert shown["processingStatus"] == ("CANCELLED" if is_cancelled and may_cancel else outcome)
    again = Rig(journal=journal, clock=rig.clock)
    assert again.get(path, again.access()).document() == shown
