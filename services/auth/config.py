"""Auth's configuration: where Amazon, telemetry and the portal are. Promises are no settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import chassis.env
from services.auth.model.consents import APPLICATION_FORM, Region
from services.auth.model.lending import AMAZON_TIMEOUT_S_MAX
from services.auth.model.loans import (
    SELLERS_PER_MINUTE,
    SELLERS_PER_MINUTE_MAX,
    TOKENS_PER_MINUTE,
    TOKENS_PER_MINUTE_MAX,
    Budget,
    LendingTerms,
)
from services.auth.model.marketplaces import CALLBACK_PATH, ConsentPages, Marketplace
from services.auth.model.provider import Trust
from services.auth.model.rotation import AHEAD_DAYS_MAX, AHEAD_DAYS_MIN, RotationPlan
from services.auth.model.turns import BURST_MAX, RATE_PER_S_MAX, RATE_PER_S_MIN, Pace

PUBLIC_URL = "SALLYPORT_PUBLIC_URL"
TELEMETRY_ADDRESS = "SALLYPORT_TELEMETRY_ADDRESS"
RETENTION_ADDRESS = "SALLYPORT_RETENTION_ADDRESS"
CLIENT_IDS = "SALLYPORT_DESKTOP_CLIENT_IDS"
LWA_URL = "SALLYPORT_LWA_URL"
SPAPI_URLS = {region: f"SALLYPORT_SPAPI_URL_{region.upper()}" for region in Region}
AMAZON_CA_FILE = "SALLYPORT_AMAZON_CA_FILE"
AMAZON_TIMEOUT_S = "SALLYPORT_AMAZON_TIMEOUT_S"
CONSENT_URL = "SALLYPORT_AMAZON_CONSENT_URL"
OIDC_ISSUER = "SALLYPORT_OIDC_ISSUER"
OIDC_CLIENT_ID = "SALLYPORT_OIDC_CLIENT_ID"
OIDC_STRONG_CONTEXTS = "SALLYPORT_OIDC_STRONG_ACR"
OIDC_CA_FILE = "SALLYPORT_OIDC_CA_FILE"
MARKETPLACES_FILE = "SALLYPORT_MARKETPLACES_FILE"
LWA_RATE = "SALLYPORT_LWA_RATE"
LWA_BURST = "SALLYPORT_LWA_BURST"
DELEGATES = "SALLYPORT_DELEGATES"
LENDING_SELLERS = "SALLYPORT_LENDING_SELLERS_PER_MINUTE"
LENDING_TOKENS = "SALLYPORT_LENDING_TOKENS_PER_MINUTE"
QUEUE_URL = "SALLYPORT_QUEUE_URL"
QUEUE_REGION = "SALLYPORT_QUEUE_REGION"
QUEUE_ENDPOINT = "SALLYPORT_QUEUE_ENDPOINT"
QUEUE_KEY_FILE = "SALLYPORT_QUEUE_KEY_FILE"
ROTATION_AHEAD_DAYS = "SALLYPORT_ROTATION_AHEAD_DAYS"
ROTATION_REGION = "SALLYPORT_ROTATION_REGION"

PACKAGED_MARKETPLACES = Path(__file__).with_name("marketplaces.json")
MARKETPLACES_BYTES_MAX = 65_536
CLIENT_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
CLOUD_REGION_FORM = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]{1,2}", re.ASCII)
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
    chassis.env.Setting(OIDC_ISSUER, "issuer of the vendor's identity provider; empty for none", ""),
    chassis.env.Setting(OIDC_CLIENT_ID, "what auth is called at the identity provider", ""),
    chassis.env.Setting(
        OIDC_STRONG_CONTEXTS, "acr values that mean a second factor, by comma, where amr does not say", ""
    ),
    chassis.env.Setting(OIDC_CA_FILE, "authority that vouches for the provider; empty for the system's", ""),
    chassis.env.Setting(AMAZON_CA_FILE, "authority that vouches for Amazon; empty for the system's", ""),
    chassis.env.Setting(AMAZON_TIMEOUT_S, "seconds for one call to Amazon's token endpoints", "4"),
    chassis.env.Setting(
        LWA_RATE,
        "calls per second of Login with Amazon, over all replicas; a guess, because Amazon publishes none:"
        " lower it when sallyport_auth_login_holds_total grows",
        "25",
    ),
    chassis.env.Setting(
        LWA_BURST, "how many of these calls may come at once; keep it a second's worth below Amazon's", "50"
    ),
    chassis.env.Setting(
        DELEGATES,
        "others' application ids, by comma, that restricted data tokens may be delegated to; empty for none",
        "",
    ),
    chassis.env.Setting(
        LENDING_SELLERS,
        "for how many sellers one gateway process may borrow Amazon's tokens in a minute (T-19)",
        str(SELLERS_PER_MINUTE),
    ),
    chassis.env.Setting(
        LENDING_TOKENS,
        "how many of Amazon's tokens one gateway process may borrow in a minute (T-19)",
        str(TOKENS_PER_MINUTE),
    ),
    chassis.env.Setting(CONSENT_URL, "https origin in place of every Seller Central; empty for none", ""),
    chassis.env.Setting(MARKETPLACES_FILE, "marketplace table as JSON", str(PACKAGED_MARKETPLACES)),
    chassis.env.Setting(
        QUEUE_URL, "https URL of the SQS queue on which new client secrets arrive; empty for none", ""
    ),
    chassis.env.Setting(QUEUE_REGION, "region of Amazon's cloud where that queue is", "us-east-1"),
    chassis.env.Setting(QUEUE_ENDPOINT, "https origin in place of SQS's own; empty for none", ""),
    chassis.env.Setting(
        QUEUE_KEY_FILE, "file with the key to that queue, as AWS's tools write it; empty: in Vault", ""
    ),
    chassis.env.Setting(
        ROTATION_AHEAD_DAYS, "days before a client secret's end at which another is asked for", "30"
    ),
    chassis.env.Setting(ROTATION_REGION, "region whose SP-API is asked for it: na, eu or fe", "na"),
)


@dataclass(frozen=True, kw_only=True)
class AmazonConfig:
    """Where Amazon's token endpoints are; see `amazon.Endpoints`."""

    lwa_url: str
    spapi_urls: Mapping[Region, str]
    ca_file: Path | None
    timeout_s: float


@dataclass(frozen=True, kw_only=True)
class QueueConfig:
    """Where new client secrets arrive; see `inbox.Queue`. No `key_file`: the key is in the key service."""

    url: str
    region: str
    endpoint: str | None
    key_file: Path | None


@dataclass(frozen=True, kw_only=True)
class ProviderConfig:
    """The vendor's identity provider; its client secret is in the key service."""

    trust: Trust
    ca_file: Path | None


@dataclass(frozen=True, kw_only=True)
class Config:
    """What auth is told, checked once at start.

    Attributes:
        telemetry: where audit events go.
        retention: where the safe is, to be erased when a seller has left.
        origin: under which browsers know the gateway; passkeys are bound to its host.
        provider: None when the vendor has no identity provider.
        pages: where sellers consent and come back to.
        client_ids: the public client ids of the vendor's desktop applications.
        lending: how Amazon's tokens are fetched and lent.
        queue: where new client secrets arrive, if anywhere.
        rotation: when and where they are asked for.
    """

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig
    telemetry: chassis.env.Address
    retention: chassis.env.Address
    amazon: AmazonConfig
    origin: str
    provider: ProviderConfig | None
    pages: ConsentPages
    client_ids: frozenset[str]
    lending: LendingTerms
    queue: QueueConfig | None
    rotation: RotationPlan


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
        origin=reader.url(PUBLIC_URL),
        provider=_provider(reader),
        pages=_pages(reader),
        client_ids=_client_ids(reader),
        lending=_lending(reader),
        queue=_queue(reader),
        rotation=_rotation(reader),
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


def _lending(reader: chassis.env.Reader) -> LendingTerms:
    delegates = [name.strip() for name in (reader.optional_text(DELEGATES) or "").split(",") if name.strip()]
    if not all(APPLICATION_FORM.fullmatch(name) for name in delegates):
        reader.refuse(DELEGATES, "must be application ids of Amazon's form, separated by commas")
    return LendingTerms(
        pace=Pace(
            rate_per_s=reader.number(LWA_RATE, low=RATE_PER_S_MIN, high=RATE_PER_S_MAX),
            burst=reader.integer(LWA_BURST, low=1, high=BURST_MAX),
        ),
        budget=Budget(
            sellers_max=reader.integer(LENDING_SELLERS, low=1, high=SELLERS_PER_MINUTE_MAX),
            tokens_max=reader.integer(LENDING_TOKENS, low=1, high=TOKENS_PER_MINUTE_MAX),
        ),
        delegates=frozenset(delegates),
    )


def _pages(reader: chassis.env.Reader) -> ConsentPages:
    return ConsentPages(
        marketplaces=_marketplaces(reader),
        redirect_uri=reader.url(PUBLIC_URL) + CALLBACK_PATH,
        override_url=reader.url(CONSENT_URL) if reader.optional_text(CONSENT_URL) else None,
    )


def _queue(reader: chassis.env.Reader) -> QueueConfig | None:
    if not reader.optional_text(QUEUE_URL):
        return None
    key_file = reader.optional_text(QUEUE_KEY_FILE)
    region = reader.text(QUEUE_REGION)
    if not CLOUD_REGION_FORM.fullmatch(region):
        reader.refuse(QUEUE_REGION, "must be a region of Amazon's cloud")
    return QueueConfig(
        url=reader.url(QUEUE_URL),
        region=region,
        endpoint=reader.url(QUEUE_ENDPOINT) if reader.optional_text(QUEUE_ENDPOINT) else None,
        key_file=Path(key_file) if key_file else None,
    )


def _rotation(reader: chassis.env.Reader) -> RotationPlan:
    days = reader.integer(ROTATION_AHEAD_DAYS, low=AHEAD_DAYS_MIN, high=AHEAD_DAYS_MAX)
    return RotationPlan(
        ahead=timedelta(days=days),
        region=Region(reader.choice(ROTATION_REGION, frozenset(Region))),
        is_heard=reader.optional_text(QUEUE_URL) is not None,
    )


def _provider(reader: chassis.env.Reader) -> ProviderConfig | None:
    issuer, client_id = reader.optional_text(OIDC_ISSUER), reader.optional_text(OIDC_CLIENT_ID)
    if not issuer:
        if client_id:
            reader.refuse(OIDC_CLIENT_ID, f"means nothing without {OIDC_ISSUER}")
        return None
    # Compared letter by letter with what tokens say, so nothing of it is trimmed.
    if not chassis.env.is_https(issuer):
        reader.refuse(OIDC_ISSUER, "must be an https URL", code=chassis.env.TLS_REQUIRED)
    if not client_id:
        reader.refuse(OIDC_CLIENT_ID, f"must be given with {OIDC_ISSUER}")
    contexts = (reader.optional_text(OIDC_STRONG_CONTEXTS) or "").split(",")
    ca_file = reader.optional_text(OIDC_CA_FILE)
    trust = Trust(
        issuer=issuer,
        client_id=client_id or "",
        strong_contexts=frozenset(context.strip() for context in contexts if context.strip()),
    )
    return ProviderConfig(trust=trust, ca_file=Path(ca_file) if ca_file else None)


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
