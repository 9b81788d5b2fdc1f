"""Only so many answers grow large at a time; the others wait for their turn, and lose nothing (R-23)."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.amazon.large_answers import LargeAnswers

PLACES = 3
STEPS = st.lists(st.tuples(st.integers(0, 7), st.booleans()))


@dataclass(eq=False)
class Connection:
    is_paused: bool = False

    def pause(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume(self) -> None:
        assert self.is_paused
        self.is_paused = False


@given(STEPS)
def test_those_who_came_first_grow_and_the_others_wait_R23(steps: list[tuple[int, bool]]) -> None:
    large_answers, connections = LargeAnswers(PLACES), [Connection() for _ in range(8)]
    came: dict[Connection, None] = {}
    for number, is_growing in steps:
        connection = connections[number]
        if is_growing:
            came.setdefault(connection)
            large_answers.enter(connection)
        else:
            came.pop(connection, None)
            large_answers.leave(connection)
            # Whoever leaves while it waits has ended, and comes back as another connection.
            if connection.is_paused:
                connections[number] = Connection()
        assert [each.is_paused for each in came] == [place >= PLACES for place in range(len(came))]
