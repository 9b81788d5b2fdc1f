"""What is remembered for a while: the entries used last, and never more than the bound (R-23)."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.recent import Recent

ENTRIES_MAX = 3
KEYS = st.sampled_from("abcde")
VERBS = st.sampled_from(["put", "get", "peek", "drop", "drop where", "clear"])


@given(st.lists(st.tuples(VERBS, KEYS), max_size=40))
def test_the_entries_used_last_are_remembered_and_no_more_R23(steps: list[tuple[str, str]]) -> None:
    recent: Recent[str, int] = Recent(ENTRIES_MAX)
    # The longest unused first.
    expected: dict[str, int] = {}
    for number, (verb, key) in enumerate(steps, 1):
        if verb == "put":
            recent.put(key, number)
            expected.pop(key, None)
            expected[key] = number
            expected = dict(list(expected.items())[-ENTRIES_MAX:])
        elif verb == "get":
            assert recent.get(key) == expected.get(key)
            if key in expected:
                expected[key] = expected.pop(key)
        elif verb == "peek":
            assert recent.peek(key) == expected.get(key)
        elif verb == "drop":
            recent.drop(key)
            expected.pop(key, None)
        elif verb == "drop where":
            meant = [value for known, value in expected.items() if known >= key]
            assert recent.drop_where(lambda known, _, key=key: known >= key) == meant  # type: ignore[misc]
            expected = {known: value for known, value in expected.items() if known < key}
        else:
            recent.clear()
            expected = {}
        assert recent.values() == list(expected.values())
        assert len(recent) == len(expected)
