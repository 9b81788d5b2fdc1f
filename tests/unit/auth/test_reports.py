"""A token that Amazon is said to refuse: forgotten everywhere, refreshed once, never on a whim."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from fakes.auth_house import DELEGATE, loan
from services.auth.model.audit import Kind, Phase
from services.auth.model.lending import REPORT_AGE_S_MIN, Lent
from services.auth.model.refusals import (
    DataElementsDenied,
    InvalidRestriction,
    RestrictionRefused,
    TargetApplicationRefused,
)
from services.auth.model.restricted import Restriction
from tests.unit.auth.shop import Shop

ADDRESS = Restriction(method="GET", path="/orders/v0/orders/{orderId}/address")
LATER = timedelta(seconds=REPORT_AGE_S_MIN)


def digest(lent: Lent) -> bytes:
    return hashlib.sha256(lent.token.reveal().encode()).digest()


async def served() -> tuple[Shop, Lent]:
    """Return a seller with a token that is old enough to be reported."""
    shop = await Shop.open()
    lent = await shop.lend()
    shop.house.pass_(LATER)
    return shop, lent


async def test_a_refused_token_is_forgotten_and_refreshed_once() -> None:
    shop, first = await served()
    second = await shop.lend(refused_digest=digest(first))
    assert second.token != first.token
    assert shop.refreshes == 2
    assert await shop.lend() == second
    assert shop.house.signals.counts["reported", "forgotten"] == 1


async def test_it_is_forgotten_on_every_replica() -> None:
    shop, first = await served()
    other = shop.house.replica()
    assert await other.lending.lend(loan(shop.device_id)) == first
    second = await shop.lend(refused_digest=digest(first))
    assert await other.lending.lend(loan(shop.device_id)) == second
    assert shop.refreshes == 2


async def test_a_burst_of_reports_makes_one_refresh_R10() -> None:
    shop, first = await served()
    shop.house.amazon.takes_s = 2.0
    replicas = [shop.house.replica() for _ in range(4)]
    asked = loan(shop.device_id, refused_digest=digest(first))
    lent = await asyncio.gather(*(use.lending.lend(asked) for use in replicas for _ in range(10)))
    assert len({one.token.reveal() for one in lent}) == 1
    assert lent[0].token != first.token
    assert (shop.refreshes, shop.house.amazon.in_flight_max) == (2, 1)


async def test_reports_of_other_tokens_change_nothing() -> None:
    shop, first = await served()
    for refused_digest in (b"x" * 32, b"short", digest(first)[:-1]):
        assert await shop.lend(refused_digest=refused_digest) == first
    assert shop.refreshes == 1


async def test_a_lying_caller_gets_one_refresh_a_minute_over_all_replicas_T19() -> None:
    shop, _ = await served()
    for second in range(180):
        for use in (shop.house.use, shop.house.replica()):
            lent = await use.lending.lend(loan(shop.device_id))
            await use.lending.lend(loan(shop.device_id, refused_digest=digest(lent)))
        shop.house.pass_(timedelta(seconds=1))
        assert shop.refreshes <= 2 + second // 60


async def test_a_refused_restricted_token_is_replaced_once_a_minute() -> None:
    shop = await Shop.open()
    first = await shop.lend(ADDRESS)
    assert await shop.lend(ADDRESS, refused_digest=digest(first)) == first
    shop.house.pass_(LATER)
    assert await shop.lend(ADDRESS, refused_digest=b"x" * 32) == first
    second = await shop.lend(ADDRESS, refused_digest=digest(first))
    assert second.token != first.token
    assert await shop.lend(ADDRESS, refused_digest=digest(first)) == second
    assert shop.house.amazon.calls["restrict na"] == 2
    assert shop.refreshes == 1


async def test_an_access_token_that_the_tokens_api_does_not_take_is_replaced() -> None:
    shop, first = await served()
    shop.house.amazon.ended.add(first.token.reveal())
    restricted = await shop.lend(ADDRESS)
    assert restricted.token.reveal().startswith("Atz.sprdt|")
    assert shop.refreshes == 2
    assert (await shop.lend()).token != first.token


async def test_an_access_token_that_just_came_is_believed_to_be_good() -> None:
    shop = await Shop.open()
    first = await shop.lend()
    shop.house.amazon.ended.add(first.token.reveal())
    with pytest.raises(RestrictionRefused):
        await shop.lend(ADDRESS)
    assert (shop.refreshes, shop.house.amazon.calls["restrict na"]) == (1, 1)
    assert await shop.lend() == first


# Restricted tokens: which, for whom, in whose favour


async def test_one_restricted_token_serves_every_order_of_a_seller() -> None:
    shop = await Shop.open()
    paths = [f"/orders/v0/orders/114-000000{number}-0000000/address" for number in range(5)]
    lent = [await shop.lend(Restriction(method="GET", path=path)) for path in (*paths, ADDRESS.path)]
    assert len({one.token.reveal() for one in lent}) == 1
    assert lent[0].token.reveal().endswith(ADDRESS.path)
    assert shop.house.amazon.calls["restrict na"] == 1


async def test_a_document_is_asked_for_by_its_own_path_only() -> None:
    shop = await Shop.open()
    document = "/reports/2021-06-30/documents/amzn1.tortuga.4.{}"
    first = await shop.lend(Restriction(method="GET", path=document.format("one")))
    second = await shop.lend(Restriction(method="GET", path=document.format("two")))
    assert first.token != second.token
    with pytest.raises(InvalidRestriction):
        await shop.lend(Restriction(method="GET", path="/reports/2021-06-30/documents/{reportDocumentId}"))


async def test_a_device_that_sees_no_buyers_gets_no_data_elements_T19() -> None:
    shop = await Shop.open()
    wanted = Restriction(method="GET", path="/orders/v0/orders", data_elements=("buyerInfo",))
    with pytest.raises(DataElementsDenied):
        await shop.lend(wanted)
    assert shop.house.amazon.calls["restrict na"] == 0
    await shop.lend(ADDRESS)
    await shop.allow_buyers()
    await shop.lend(wanted)


async def test_nothing_is_delegated_but_to_whom_the_vendor_named() -> None:
    shop = await Shop.open()
    with pytest.raises(TargetApplicationRefused):
        await shop.lend(ADDRESS, target_application="amzn1.sellerapps.app.somebody")
    assert shop.house.amazon.delegated == []
    ordinary = await shop.lend(ADDRESS)
    delegated = await shop.lend(ADDRESS, target_application=DELEGATE)
    assert delegated.token != ordinary.token
    assert shop.house.amazon.delegated == [DELEGATE]
    assert shop.house.audit.told(Kind.TOKEN_DELEGATED) == [(Phase.FACT, "")]
    (told,) = shop.house.audit.details(Kind.TOKEN_DELEGATED)
    assert (told["target_application"], told["operation"]) == (DELEGATE, ADDRESS.name)


async def test_nothing_is_delegated_while_the_audit_log_is_down_R02() -> None:
    shop, _ = await served()
    await shop.lend()
    shop.house.audit.is_down = True
    with pytest.raises(Exception, match="audit"):
        await shop.lend(ADDRESS, target_application=DELEGATE)
    assert shop.house.amazon.delegated == []
