"""What slow clients hold together is bounded, and the slowest pay for it (R-23)."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.door.unsent import Unsent

BYTES_MAX = 100
STEPS = st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(1, BYTES_MAX)))


@dataclass(eq=False)
class Client:
    is_cut_off: bool = False

    def abort(self) -> None:
        self.is_cut_off = True


@given(STEPS)
def test_together_they_hold_no_more_than_may_be_and_those_behind_for_longest_pay_R23(
    steps: list[tuple[int, int | None]],
) -> None:
    unsent, clients = Unsent(BYTES_MAX), [Client() for _ in range(10)]
    behind: dict[Client, int] = {}
    for number, size_bytes in steps:
        client = clients[number]
        behind.pop(client, None)
        if size_bytes is None:
            unsent.let_go(client)
        else:
            behind[client] = size_bytes
            unsent.hold(client, size_bytes)
        while sum(behind.values()) > BYTES_MAX:
            slowest = next(iter(behind))
            assert slowest.is_cut_off
            del behind[slowest]
            clients[clients.index(slowest)] = Client()
        assert not any(each.is_cut_off for each in behind)
        assert unsent.bytes == sum(behind.values())
