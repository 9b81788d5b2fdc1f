"""The region of a call: as it states it, as its device has it, and never one that is not connected."""

import json
from dataclasses import replace

import pytest

from services.gateway.model.calls import Device, Profile, Region
from services.gateway.model.faults import RegionNotConnected, SandboxNotServed
from services.gateway.model.regions import in_production, settle, stated

US, GERMANY, BRITAIN = "ATVPDKIKX0DER", "A1PA6795UKMFR9", "A1F83G8C2ARO7P"
SANDBOX_NA = "sandbox.sellingpartnerapi-na.amazon.com"
REAL = {region: f"https://sellingpartnerapi-{region}.amazon.com" for region in Region}
NOWHERE: frozenset[Region] = frozenset()
DEVICE = Device(
    device_id="d",
    seller_id="s",
    profile=Profile.COMPAT,
    scopes=frozenset({"orders"}),
    key_thumbprint="",
    expires_in_s=3_600.0,
    restrictions=(),
    regions=frozenset({Region.NA, Region.EU}),
    default_marketplace_id=US,
)


def asked(text: str) -> bytes:
    """Return the body that asks Data Kiosk a query."""
    return json.dumps({"query": text}).encode()


@pytest.mark.parametrize(
    ("host", "marketplaces", "body", "region"),
    [
        ("sellingpartnerapi-eu.amazon.com", [US], b"", Region.EU),
        ("sandbox.sellingpartnerapi-eu.amazon.com:443", [], b"", Region.EU),
        ("sellingpartnerapi-na.amazon.com", [], b'{"marketplaceId":"A1PA6795UKMFR9"}', Region.NA),
        ("gateway.example", [GERMANY], b"", Region.EU),
        ("gateway.example", ["unknown", BRITAIN], b"", Region.EU),
        ("gateway.example", [US], b'{"marketplaceId":"A1PA6795UKMFR9"}', Region.NA),
        ("gateway.example", [], b'{"marketplaceId":"A1PA6795UKMFR9"}', Region.EU),
        ("gateway.example", [], b'[{"MarketplaceId" : "X"},{"MarketplaceId":"A1PA6795UKMFR9"}]', Region.EU),
        ("gateway.example", [], b'{"a":{"marketplaceIds":[\n "A1PA6795UKMFR9"]}}', Region.EU),
        ("gateway.example", [], rb'{"a":"\"marketplaceId\":\"A1PA6795UKMFR9\""}', None),
        ("gateway.example", [], b'{"marketplaceId":' + b" " * 1_000_000 + b"7}", None),
        (
            "gateway.example",
            [],
            asked(f'{{a(endDate:"2023-04-30" marketplaceIds:["{GERMANY}"]){{b}}}}'),
            Region.EU,
        ),
        (
            "gateway.example",
            [],
            asked(f'{{\n  a(\n    marketplaceIds :\n    [ "{GERMANY}" ]) {{b}}}}'),
            Region.EU,
        ),
        ("gateway.example", [], asked(f'{{a(marketplaceId: "{GERMANY}"){{b}}}}'), Region.EU),
        ("gateway.example", [], asked("{a(marketplaceIds:" + "\n" * 100_000 + "){b}}"), None),
        ("gateway.example", [], b"", None),
        ("evil.example", [], b"", None),
    ],
)
def test_a_call_states_its_region_by_host_then_query_then_body(
    host: str, marketplaces: list[str], body: bytes, region: Region | None
) -> None:
    assert stated(host, marketplaces, body, production=NOWHERE) is region


@pytest.mark.parametrize("host", ["sandbox.sellingpartnerapi-eu.amazon.com", f"{SANDBOX_NA}:443"])
def test_a_call_for_the_sandbox_is_not_made_with_real_data(host: str) -> None:
    with pytest.raises(SandboxNotServed):
        stated(host, [], b"", production=in_production(REAL))


@pytest.mark.parametrize("origin", [f"https://{SANDBOX_NA}", "https://localhost:8447"])
def test_a_call_for_the_sandbox_is_made_where_no_data_is_real(origin: str) -> None:
    real = in_production({**REAL, Region.NA: origin})
    assert stated(SANDBOX_NA, [], b"", production=real) is Region.NA
    assert stated("sellingpartnerapi-eu.amazon.com", [], b"", production=real) is Region.EU
    assert stated("gateway.example", [], b"", production=real) is None


def test_the_devices_marketplace_decides_where_nothing_else_does() -> None:
    assert settle(None, DEVICE) is Region.NA
    assert settle(Region.EU, DEVICE) is Region.EU


def test_a_region_without_consent_is_refused() -> None:
    with pytest.raises(RegionNotConnected):
        settle(Region.FE, DEVICE)


def test_a_device_without_a_marketplace_calls_its_only_region() -> None:
    lone = replace(DEVICE, default_marketplace_id="", regions=frozenset({Region.FE}))
    assert settle(None, lone) is Region.FE
    with pytest.raises(RegionNotConnected):
        settle(None, replace(DEVICE, default_marketplace_id=""))
