"""A lease whose answer comes late has less time left than it seems (R-09)."""

import pytest

from fakes.auth_house import CLIENT_ID, PAGES, TERMS, House, RestlessClock, loan
from fakes.auth_store import FakeStore
from fakes.auth_tables import Tables
from services.auth.model import lending
from services.auth.model.lending import Lease
from services.auth.model.refusals import AuthorizationUnavailable
from services.auth.service import compose


class LateStore(FakeStore):
    """Gives leases at once, and takes its time to say so."""

    def __init__(self, clock: RestlessClock, tables: Tables) -> None:
        super().__init__(clock, tables)
        self._restless = clock

    async def acquire(self, consent_id: str, lease_s: float) -> Lease | None:
        lease = await super().acquire(consent_id, lease_s)
        self._restless.pass_(lending.ASK_S_MAX + 1)
        return lease


async def test_amazon_is_not_asked_under_a_lease_that_was_long_under_way_R09() -> None:
    house = House()
    person = await house.person()
    await house.connect(person)
    desktop = await house.bound(person)
    ports = house.ports(LateStore(house.clock, house.tables))
    replica = compose(ports, PAGES, frozenset({CLIENT_ID}), terms=TERMS)
    with pytest.raises(AuthorizationUnavailable):
        await replica.lending.lend(loan(desktop.device_id))
    assert house.amazon.calls["refresh"] == 0
