"""What the portal's pages show of values."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from services.auth import config as auth_config
from services.gateway.model import regions
from services.gateway.model.members import SellerSummary
from services.gateway.web import consent_views, people_views, views

NOW = datetime(2026, 11, 22, tzinfo=UTC)


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


@pytest.mark.parametrize(
    ("ends_at", "ending", "tone"),
    [
        (None, "not connected", "off"),
        (NOW + timedelta(days=31), "until 23 Dec 2026", "good"),
        (NOW + timedelta(days=30), "until 22 Dec 2026", "warn"),
    ],
)
def test_a_seller_in_the_list_is_as_well_as_the_connection_that_ends_first(
    ends_at: datetime | None, ending: str, tone: str
) -> None:
    summary = SellerSummary(
        seller_id="s", name="Blue Lamp", active_consents=1, active_devices=2, next_consent_ends_at=ends_at
    )
    row = people_views.seller_row(summary, NOW)
    assert (row["ending"], row["tone"]) == (ending, tone)
    assert (row["consents"], row["devices"]) == ("1 connection", "2 desktops")


def _of_auth() -> list[str]:
    text = auth_config.PACKAGED_MARKETPLACES.read_text(encoding="utf-8")
    return [row["marketplace_id"] for row in orjson.loads(text)]
