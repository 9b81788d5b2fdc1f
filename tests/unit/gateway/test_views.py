"""What the portal's pages show of values."""

from datetime import UTC, datetime

import orjson

from services.auth import config as auth_config
from services.gateway.model import regions
from services.gateway.web import consent_views, views


def test_every_marketplace_on_offer_is_one_that_calls_and_auth_know() -> None:
    offered = {
        marketplace["marketplace_id"]: region["region"]
        for region in consent_views.marketplaces()
        for marketplace in region["marketplaces"]
    }
    assert offered == {known: region.value for known, region in regions._REGIONS.items()}
    assert offered.keys() <= set(_of_auth())


def test_a_day_is_written_as_people_read_it() -> None:
    assert views.day(datetime(2027, 12, 3, tzinfo=UTC)) == "3 Dec 2027"


def _of_auth() -> list[str]:
    text = auth_config.PACKAGED_MARKETPLACES.read_text(encoding="utf-8")
    return [row["marketplace_id"] for row in orjson.loads(text)]
