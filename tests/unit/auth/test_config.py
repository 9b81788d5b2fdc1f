"""What auth is told."""

import json
from pathlib import Path

import pytest

import chassis.env
from services.auth import config
from services.auth.model.consents import Region

ENVIRON = {
    "SALLYPORT_LISTEN": "127.0.0.1:0",
    "SALLYPORT_PRIVATE_LISTEN": "127.0.0.1:0",
    "SALLYPORT_VAULT_ADDRESS": "https://vault.example:8200",
    "SALLYPORT_VAULT_CA_FILE": "/etc/ca.pem",
    "SALLYPORT_VAULT_ROLE_ID_FILE": "/etc/role_id",
    "SALLYPORT_VAULT_SECRET_ID_FILE": "/etc/secret_id",
    "SALLYPORT_VAULT_PKI_ROLE": "auth",
    "SALLYPORT_DATABASE_HOST": "postgres.example",
    "SALLYPORT_DATABASE_CA_FILE": "/etc/ca.pem",
    "SALLYPORT_PUBLIC_URL": "https://gateway.example/",
    "SALLYPORT_TELEMETRY_ADDRESS": "telemetry.example:8443",
    "SALLYPORT_RETENTION_ADDRESS": "retention.example:8443",
}


def test_defaults_are_amazons_own_addresses() -> None:
    loaded = config.load(ENVIRON)
    assert loaded.amazon.lwa_url == "https://api.amazon.com"
    assert loaded.amazon.spapi_urls[Region.FE] == "https://sellingpartnerapi-fe.amazon.com"
    assert loaded.amazon.ca_file is None
    assert loaded.pages.redirect_uri == "https://gateway.example/consent/callback"
    assert loaded.pages.override_url is None
    assert len(loaded.pages.marketplaces) == 23
    assert loaded.pages.find("A1F83G8C2ARO7P").seller_host == "sellercentral-europe.amazon.com"
    assert loaded.client_ids == {"desktop"}


def test_everything_about_amazon_can_be_replaced(tmp_path: Path) -> None:
    table = tmp_path / "marketplaces.json"
    row = {"marketplace_id": "A0", "country": "XX", "region": "eu", "seller_host": "sc.example.com"}
    table.write_text(json.dumps([row]))
    loaded = config.load(
        {
            **ENVIRON,
            "SALLYPORT_LWA_URL": "https://localhost:9443",
            "SALLYPORT_SPAPI_URL_EU": "https://localhost:9443/",
            "SALLYPORT_AMAZON_CA_FILE": "/tmp/ca.pem",
            "SALLYPORT_AMAZON_CONSENT_URL": "https://localhost:9443",
            "SALLYPORT_MARKETPLACES_FILE": str(table),
            "SALLYPORT_DESKTOP_CLIENT_IDS": "desktop, label-printer",
        }
    )
    assert loaded.amazon.spapi_urls[Region.EU] == "https://localhost:9443"
    assert loaded.pages.override_url == "https://localhost:9443"
    assert list(loaded.pages.marketplaces) == ["A0"]
    assert loaded.client_ids == {"desktop", "label-printer"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SALLYPORT_LWA_URL", "http://api.amazon.com"),
        ("SALLYPORT_SPAPI_URL_NA", "ftp://x"),
        ("SALLYPORT_PUBLIC_URL", "http://gateway.example"),
        ("SALLYPORT_AMAZON_CONSENT_URL", "http://localhost"),
        ("SALLYPORT_TLS", "off"),
    ],
)
def test_nothing_is_reached_without_tls_T24(key: str, value: str) -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        config.load({**ENVIRON, key: value})
    assert refusal.value.code == "tls_required"
    assert key in refusal.value.text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("SALLYPORT_AMAZON_TIMEOUT_S", "6"),
        ("SALLYPORT_DESKTOP_CLIENT_IDS", "desk top"),
        ("SALLYPORT_MARKETPLACES_FILE", "/nowhere.json"),
        ("SALLYPORT_TELEMETRY_ADDRESS", "telemetry"),
        ("SALLYPORT_SURPRISE", "x"),
    ],
)
def test_bad_keys_are_named(key: str, value: str) -> None:
    with pytest.raises(chassis.env.ConfigError, match=key):
        config.load({**ENVIRON, key: value})


@pytest.mark.parametrize(
    "row",
    [
        {"marketplace_id": "A0", "country": "XX", "region": "moon", "seller_host": "sc.example.com"},
        {"marketplace_id": "A0", "country": "XX", "region": "eu", "seller_host": "evil.example/x@"},
        {
            "marketplace_id": "A0",
            "country": "XX",
            "region": "eu",
            "seller_host": "sc.example.com",
            "vendor_host": "evil.example/x@",
        },
        {"marketplace_id": "A0"},
        "A0",
    ],
)
def test_a_marketplace_table_out_of_form_is_refused(row: object, tmp_path: Path) -> None:
    table = tmp_path / "marketplaces.json"
    table.write_text(json.dumps([row]))
    with pytest.raises(chassis.env.ConfigError, match="SALLYPORT_MARKETPLACES_FILE"):
        config.load({**ENVIRON, "SALLYPORT_MARKETPLACES_FILE": str(table)})


def test_no_identity_provider_is_offered_unless_one_is_named() -> None:
    loaded = config.load(ENVIRON)
    assert loaded.provider is None
    assert loaded.origin == "https://gateway.example"


def test_an_identity_provider_is_named_letter_by_letter() -> None:
    named = {
        "SALLYPORT_OIDC_ISSUER": "https://login.example/tenant/",
        "SALLYPORT_OIDC_CLIENT_ID": "sallyport",
        "SALLYPORT_OIDC_STRONG_ACR": "urn:strong, urn:stronger,",
        "SALLYPORT_OIDC_CA_FILE": "/etc/provider.pem",
    }
    provider = config.load({**ENVIRON, **named}).provider
    assert provider is not None
    assert (provider.trust.issuer, provider.trust.client_id) == ("https://login.example/tenant/", "sallyport")
    assert provider.trust.strong_contexts == {"urn:strong", "urn:stronger"}
    assert provider.ca_file == Path("/etc/provider.pem")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"SALLYPORT_OIDC_ISSUER": "https://login.example"}, "SALLYPORT_OIDC_CLIENT_ID"),
        ({"SALLYPORT_OIDC_CLIENT_ID": "sallyport"}, "SALLYPORT_OIDC_CLIENT_ID"),
        (
            {"SALLYPORT_OIDC_ISSUER": "http://login.example", "SALLYPORT_OIDC_CLIENT_ID": "sallyport"},
            "SALLYPORT_OIDC_ISSUER",
        ),
    ],
)
def test_half_an_identity_provider_is_refused(settings: dict[str, str], key: str) -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        config.load({**ENVIRON, **settings})
    assert key in str(refusal.value)
