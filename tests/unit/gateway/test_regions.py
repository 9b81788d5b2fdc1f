"""The region of a call: as it states it, as its device has it, and never one that is not connected."""

import json
from dataclasses import replace

import pytest

from services.gateway.model.calls import Device, Profile, Region
from services.gateway.model.faults import RegionNotConnected
from services.gateway.model.regions import MARKETPLACE_PARAMETERS, settle, stated
from services.gateway.web.consent_views import marketplaces as offered
from tests.unit.gateway.forwarding import CATALOGUE

US, GERMANY, BRITAIN = "ATVPDKIKX0DER", "A1PA6795UKMFR9", "A1F83G8C2ARO7P"
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
    ("marketplaces", "body", "region"),
    [
        ([GERMANY], b"", Region.EU),
        (["unknown", BRITAIN], b"", Region.EU),
        ([US], b'{"marketplaceId":"A1PA6795UKMFR9"}', Region.NA),
        ([], b'{"marketplaceId":"A1PA6795UKMFR9"}', Region.EU),
        ([], b'[{"MarketplaceId" : "X"},{"MarketplaceId":"A1PA6795UKMFR9"}]', Region.EU),
        ([], b'{"a":{"marketplaceIds":[\n "A1PA6795UKMFR9"]}}', Region.EU),
        ([], rb'{"a":"\"marketplaceId\":\"A1PA6795UKMFR9\""}', None),
        ([], b'{"marketplaceId":' + b" " * 1_000_000 + b"7}", None),
        ([], asked(f'{{a(endDate:"2023-04-30" marketplaceIds:["{GERMANY}"]){{b}}}}'), Region.EU),
        ([], asked(f'{{\n  a(\n    marketplaceIds :\n    [ "{GERMANY}" ]) {{b}}}}'), Region.EU),
        ([], asked(f'{{a(marketplaceId: "{GERMANY}"){{b}}}}'), Region.EU),
        ([], asked("{a(marketplaceIds:" + "\n" * 100_000 + "){b}}"), None),
        ([], b"", None),
    ],
)
def test_a_call_states_its_region_by_the_marketplace_in_its_query_then_in_its_body(
    marketplaces: list[str], body: bytes, region: Region | None
) -> None:
    assert stated(marketplaces, body) is region


def test_every_marketplace_that_a_seller_can_connect_leads_to_its_region() -> None:
    for row in offered():
        for marketplace in row["marketplaces"]:
            assert stated([marketplace["marketplace_id"]], b"") is Region(row["region"])


def test_a_marketplace_is_looked_for_under_each_name_that_the_models_give_it() -> None:
    named = {name for operation in CATALOGUE for name in operation.query}
    assert {
        name for name in named if name.lower() in {"marketplaceid", "marketplaceids"}
    } < MARKETPLACE_PARAMETERS


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
