"""The region for which a host stands: Amazon's names, the gateway's own, and no sandbox with real data."""

import pytest

from services.gateway.model.calls import Region
from services.gateway.model.faults import SandboxNotServed
from services.gateway.model.region_hosts import RegionHosts

REAL = {region: f"https://sellingpartnerapi-{region}.amazon.com" for region in Region}
SANDBOX_NA = "sandbox.sellingpartnerapi-na.amazon.com"
OWN = {"europe.gateway.example": Region.EU}


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sellingpartnerapi-eu.amazon.com", Region.EU),
        ("sellingpartnerapi-na.amazon.com:443", Region.NA),
        ("sandbox.sellingpartnerapi-fe.amazon.com", Region.FE),
        ("europe.gateway.example", Region.EU),
        ("europe.gateway.example:8443", Region.EU),
        ("gateway.example", None),
        ("a.europe.gateway.example", None),
        ("europe.gateway.example.evil.example", None),
        ("", None),
    ],
)
def test_a_host_stands_for_a_region_only_by_its_whole_name(host: str, region: Region | None) -> None:
    assert RegionHosts(base_urls={}, own=OWN).region(host) is region


@pytest.mark.parametrize("host", [SANDBOX_NA, f"{SANDBOX_NA}:443"])
def test_a_call_for_the_sandbox_is_not_made_with_real_data(host: str) -> None:
    with pytest.raises(SandboxNotServed):
        RegionHosts(base_urls=REAL).region(host)


@pytest.mark.parametrize("origin", [f"https://{SANDBOX_NA}", "https://localhost:8447"])
def test_a_call_for_the_sandbox_is_made_where_no_data_is_real(origin: str) -> None:
    hosts = RegionHosts(base_urls={**REAL, Region.NA: origin})
    assert hosts.region(SANDBOX_NA) is Region.NA
    assert hosts.region("sellingpartnerapi-eu.amazon.com") is Region.EU
    assert hosts.region("gateway.example") is None
