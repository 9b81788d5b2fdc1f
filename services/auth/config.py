"""Auth's configuration: where Amazon, telemetry and the portal are. Promises are no settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import chassis.env
from services.auth.model.consents import Region
from services.auth.model.lending import AMAZON_TIMEOUT_S_MAX
from services.auth.model.marketplaces import CALLBACK_PATH, ConsentPages, Marketplace

PUBLIC_URL = "SALLYPORT_PUBLIC_URL"
TELEMETRY_ADDRESS = "SALLYPORT_TELEMETRY_ADDRESS"
RETENTION_ADDRESS = "SALLYPORT_RETENTION_ADDRESS"
CLIENT_IDS = "SALLYPORT_DESKTOP_CLIENT_IDS"
LWA_URL = "SALLYPORT_LWA_URL"
SPAPI_URLS = {region: f"SALLYPORT_SPAPI_URL_{region.upper()}" for region in Region}
AMAZON_CA_FILE = "SALLYPORT_AMAZON_CA_FILE"
AMAZON_TIMEOUT_S = "SALLYPORT_AMAZON_TIMEOUT_S"
CONSENT_URL = "SALLYPORT_AMAZON_CONSENT_URL"
MARKETPLACES_FILE = "SALLYPORT_MARKETPLACES_FILE"

PACKAGED_MARKETPLACES = Path(__file__).with_name("marketplaces.json")
MARKETPLACES_BYTES_MAX = 65_536
CLIENT_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
HOST_FORM = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)

SETTINGS = (
    *chassis.env.COMMON,
    *chassis.env.DATABASE,
    chassis.env.Setting(PUBLIC_URL, "https origin of the gateway; Amazon sends sellers back to it"),
    chassis.env.Setting(TELEMETRY_ADDRESS, "host:port of telemetry"),
    chassis.env.Setting(RETENTION_ADDRESS, "host:port of retention"),
    chassis.env.Setting(
        CLIENT_IDS, "public client ids of the vendor's desktop applications, by comma", "desktop"
    ),
    chassis.env.Setting(LWA_URL, "https origin of Login with Amazon", "https://api.amazon.com"),
    *(
        chassis.env.Setting(
            name,
            f"https origin of SP-API, region {region}",
            f"https://sellingpartnerapi-{region}.amazon.com",
        )
        for region, name in SPAPI_URLS.items()
    ),
    chassis.env.Setting(AMAZON_CA_FILE, "authority that vouches for Amazon; empty for the system's", ""),
    chassis.env.Setting(AMAZON_TIMEOUT_S, "seconds for one call to Amazon's token endpoints", "4"),
    chassis.env.Setting(CONSENT_URL, "https origin in place of every Seller Central; empty for none", ""),
    chassis.env.Setting(MARKETPLACES_FILE, "marketplace table as JSON", str(PACKAGED_MARKETPLACES)),
)


@dataclass(frozen=True, kw_only=True)
class AmazonConfig:
    """Where Amazon's token endpoints are; see `amazon.Endpoints`."""

    lwa_url: str
    spapi_urls: Mapping[Region, str]
    ca_file: Path | None
    timeout_s: float


@dataclass(frozen=True, kw_only=True)
class Config:
    """What auth is told, checked once at start.

    Attributes:
        telemetry: where audit events go.
        retention: where the safe is, to be erased when a seller has left.
        pages: where sellers consent and come back to.
        client_ids: the public client ids of the vendor's desktop applications.
    """

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig
    telemetry: chassis.env.Address
    retention: chassis.env.Address
    amazon: AmazonConfig
    pages: ConsentPages
    client_ids: frozenset[str]


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    config = Config(
        common=chassis.env.common(reader),
        database=chassis.env.database(reader),
        telemetry=reader.address(TELEMETRY_ADDRESS),
        retention=reader.address(RETENTION_ADDRESS),
        amazon=_amazon(reader),
        pages=_pages(reader),
        client_ids=_client_ids(reader),
    )
    reader.finish()
    return config


def _amazon(reader: chassis.env.Reader) -> AmazonConfig:
    ca_file = reader.optional_text(AMAZON_CA_FILE)
    return AmazonConfig(
        lwa_url=reader.url(LWA_URL),
        spapi_urls={region: reader.url(name) for region, name in SPAPI_URLS.items()},
        ca_file=Path(ca_file) if ca_file else None,
        timeout_s=reader.number(AMAZON_TIMEOUT_S, low=0.1, high=AMAZON_TIMEOUT_S_MAX),
    )


def _pages(reader: chassis.env.Reader) -> ConsentPages:
    return ConsentPages(
        marketplaces=_marketplaces(reader),
        redirect_uri=reader.url(PUBLIC_URL) + CALLBACK_PATH,
        override_url=reader.url(CONSENT_URL) if reader.optional_text(CONSENT_URL) else None,
    )


def _client_ids(reader: chassis.env.Reader) -> frozenset[str]:
    client_ids = frozenset(client_id.strip() for client_id in reader.text(CLIENT_IDS).split(","))
    if not all(CLIENT_ID_FORM.fullmatch(client_id) for client_id in client_ids):
        reader.refuse(CLIENT_IDS, "must be words of letters, digits, dots, dashes, separated by commas")
    return client_ids


def _marketplaces(reader: chassis.env.Reader) -> Mapping[str, Marketplace]:
    try:
        with reader.path(MARKETPLACES_FILE).open("rb") as file:
            rows = json.loads(file.read(MARKETPLACES_BYTES_MAX))
        marketplaces = {row["marketplace_id"]: _marketplace(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        reader.refuse(MARKETPLACES_FILE, "must be a readable marketplace table")
        return {}
    return marketplaces


def _marketplace(row: Mapping[str, str]) -> Marketplace:
    vendor_host = row.get("vendor_host")
    if not all(HOST_FORM.fullmatch(host) for host in (row["seller_host"], vendor_host) if host is not None):
        raise ValueError("not a host name")
    return Marketplace(
        marketplace_id=row["marketplace_id"],
        country=row["country"],
        region=Region(row["region"]),
        seller_host=row["seller_host"],
        vendor_host=vendor_host,
    )
