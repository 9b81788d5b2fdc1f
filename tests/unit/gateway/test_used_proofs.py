"""Used proofs: each works once, whenever it comes again, and what is remembered is bounded (T-02, R-23)."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from fakes.clock import FakeClock
from services.gateway.model.faults import InvalidDpopProof
from services.gateway.nonces import PROOF_S_MAX
from services.gateway.used_proofs import MINUTE_S, TooManyProofs, UsedProofs

PROOFS_MAX = 6
OF_KEY_MAX = 4


@dataclass(frozen=True)
class Used:
    """A proof that was taken."""

    key: str
    jti: str
    at_s: float


# After how long the next one comes, under which key, and which.
STEPS = st.tuples(st.sampled_from([0, 1, 59, 60, 299, 359]), st.sampled_from("ab"), st.sampled_from("12345"))


@given(st.lists(STEPS, max_size=30))
def test_a_proof_works_once_for_as_long_as_it_can_pass_in_any_order_of_calls_T02_R23(
    steps: list[tuple[int, str, str]],
) -> None:
    clock, taken = FakeClock(), list[Used]()
    used = UsedProofs(clock, proofs_max=PROOFS_MAX, of_key_max=OF_KEY_MAX)
    for wait_s, key, jti in steps:
        clock.pass_(wait_s)
        now_s = clock.monotonic_s()
        passing = [each for each in taken if now_s - each.at_s < PROOF_S_MAX]
        remembered = [each for each in taken if now_s - each.at_s < PROOF_S_MAX + MINUTE_S]
        try:
            used.add(key, jti)
        except InvalidDpopProof:
            assert any((each.key, each.jti) == (key, jti) for each in remembered)
        except TooManyProofs:
            of_key = sum(each.key == key for each in remembered)
            assert len(remembered) >= PROOFS_MAX or of_key >= OF_KEY_MAX
        else:
            assert not any((each.key, each.jti) == (key, jti) for each in passing)
            assert len(passing) < PROOFS_MAX
            assert sum(each.key == key for each in passing) < OF_KEY_MAX
            taken.append(Used(key, jti, now_s))


def test_nothing_stays_of_proofs_that_cannot_pass_any_more_R23() -> None:
    clock = FakeClock()
    used = UsedProofs(clock, proofs_max=PROOFS_MAX, of_key_max=OF_KEY_MAX)
    for number in range(100):
        used.add("a", str(number))
        clock.pass_(PROOF_S_MAX)
    assert sum(minute.count for minute in used._minutes.values()) <= 2
