"""Whose calls are counted together: those of a seller, and of a few operations those of all sellers."""

from services.gateway.model.calls import Region
from services.gateway.model.quota import APPLICATION_BURST, EVERY_SELLER, quotas
from tests.unit.gateway.forwarding import CATALOGUE

# Source: SP-API, "Product Type Definitions API v2020-09-01 rate limits" and "Listings Restrictions API
# v2021-08-01 rate limits".
SHARED = {
    "definitionsProductTypes_2020-09-01.searchDefinitionsProductTypes",
    "definitionsProductTypes_2020-09-01.getDefinitionsProductType",
    "listingsRestrictions_2021-08-01.getListingsRestrictions",
}


def test_a_call_spends_from_its_sellers_quota_and_of_few_operations_from_the_applications_T32() -> None:
    shared = {}
    for operation in CATALOGUE:
        plan = (operation.rate_per_s, operation.burst, operation.is_rate_stated)
        own, *others = quotas("seller-1", Region.NA, operation)
        other_own, *same = quotas("seller-2", Region.NA, operation)
        assert (own.seller_id, other_own.seller_id) == ("seller-1", "seller-2")
        assert (own.rate_per_s, own.burst, own.is_stated) == plan
        assert others == same
        if others:
            (shared[operation.name],) = others
    assert set(shared) == SHARED
    for quota in shared.values():
        assert (quota.seller_id, quota.rate_per_s, quota.burst) == (EVERY_SELLER, 100.0, APPLICATION_BURST)
