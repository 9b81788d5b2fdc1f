"""What the gateway may be told, and what refuses its start."""

import pytest

import chassis.env
from services.gateway import config
from services.gateway.model.calls import Region
from services.gateway.model.faults import UpstreamInvalid

ENVIRON = {
    "SALLYPORT_PRIVATE_LISTEN": "127.0.0.1:0",
    "SALLYPORT_VAULT_ADDRESS": "https://localhost:8200",
    "SALLYPORT_VAULT_CA_FILE": "/ca.pem",
    "SALLYPORT_VAULT_ROLE_ID_FILE": "/role-id",
    "SALLYPORT_VAULT_SECRET_ID_FILE": "/secret-id",
    "SALLYPORT_VAULT_PKI_ROLE": "gateway",
    "SALLYPORT_DATABASE_HOST": "localhost",
    "SALLYPORT_DATABASE_CA_FILE": "/postgres-ca.pem",
    "SALLYPORT_PUBLIC_LISTEN": "0.0.0.0:443",
    "SALLYPORT_PUBLIC_URL": "https://sellers.vendor.example",
    "SALLYPORT_AUTH_ADDRESS": "auth:9000",
    "SALLYPORT_RETENTION_ADDRESS": "retention:9000",
    "SALLYPORT_TELEMETRY_ADDRESS": "telemetry:9000",
}


def test_the_least_that_must_be_told_is_enough() -> None:
    told = config.load(ENVIRON)
    assert (told.public.origin, told.public.host) == (
        "https://sellers.vendor.example",
        "sellers.vendor.example",
    )
    assert told.public.certificate_files is None
    assert told.amazon.base_urls[Region.EU] == "https://sellingpartnerapi-eu.amazon.com"
    assert told.amazon.ca_file is None
    assert (told.desktop.client_id, told.desktop.redirect_path) == ("desktop", None)


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True),
        ("sellers.localhost", True),
        ("sellers.vendor.example", False),
        ("localhost.vendor.example", False),
        ("notlocalhost", False),
    ],
)
def test_only_localhost_and_names_below_it_are_a_developers_own_machine(host: str, *, is_local: bool) -> None:
    told = config.load({**ENVIRON, "SALLYPORT_PUBLIC_URL": f"https://{host}:8443"})
    assert told.public.is_local is is_local


def test_what_may_be_told_is_heard() -> None:
    told = config.load(
        {
            **ENVIRON,
            "SALLYPORT_PUBLIC_CERTIFICATE_FILE": "/public.pem",
            "SALLYPORT_PUBLIC_KEY_FILE": "/public-key.pem",
            "SALLYPORT_SPAPI_URL_NA": "https://localhost:8447",
            "SALLYPORT_AMAZON_CA_FILE": "/amazon.pem",
            "SALLYPORT_VENDOR_NAME": "Lamplight",
            "SALLYPORT_DESKTOP_NAME": "Order Desk",
            "SALLYPORT_DESKTOP_CLIENT_ID": "order-desk",
            "SALLYPORT_DESKTOP_REDIRECT_PATH": "/callback",
        }
    )
    assert told.public.certificate_files is not None
    assert told.amazon.base_urls[Region.NA] == "https://localhost:8447"
    assert (told.desktop.client_id, told.desktop.name, told.desktop.redirect_path) == (
        "order-desk",
        "Order Desk",
        "/callback",
    )


@pytest.mark.parametrize(
    ("changes", "key", "code"),
    [
        ({"SALLYPORT_TLS": "off"}, "SALLYPORT_TLS", "tls_required"),
        ({"SALLYPORT_PUBLIC_URL": "http://sellers.vendor.example"}, "SALLYPORT_PUBLIC_URL", "tls_required"),
        (
            {"SALLYPORT_PUBLIC_URL": "https://sellers.vendor.example/x"},
            "SALLYPORT_PUBLIC_URL",
            "config_invalid",
        ),
        ({"SALLYPORT_PUBLIC_URL": "https://Sellers.example"}, "SALLYPORT_PUBLIC_URL", "config_invalid"),
        ({"SALLYPORT_PUBLIC_URL_EU": "http://eu.example"}, "SALLYPORT_PUBLIC_URL_EU", "tls_required"),
        ({"SALLYPORT_PUBLIC_URL_EU": "https://eu.example/x"}, "SALLYPORT_PUBLIC_URL_EU", "config_invalid"),
        ({"SALLYPORT_SPAPI_URL_EU": "http://localhost:1"}, "SALLYPORT_SPAPI_URL_EU", "tls_required"),
        ({"SALLYPORT_SPAPI_URL_EU": "https://localhost:1/x"}, "SALLYPORT_SPAPI_URL_EU", "config_invalid"),
        ({"SALLYPORT_PUBLIC_KEY_FILE": "/key.pem"}, "SALLYPORT_PUBLIC_KEY_FILE", "config_invalid"),
        ({"SALLYPORT_PUBLIC_CERTIFICATE_FILE": "/c.pem"}, "SALLYPORT_PUBLIC_KEY_FILE", "config_invalid"),
        ({"SALLYPORT_DESKTOP_CLIENT_ID": "two words"}, "SALLYPORT_DESKTOP_CLIENT_ID", "config_invalid"),
        (
            {"SALLYPORT_DESKTOP_REDIRECT_PATH": "callback"},
            "SALLYPORT_DESKTOP_REDIRECT_PATH",
            "config_invalid",
        ),
        ({"SALLYPORT_DOCUMENT_HOSTS": "https://s3.example"}, "SALLYPORT_DOCUMENT_HOSTS", "config_invalid"),
        ({"SALLYPORT_DOCUMENT_HOSTS": "s3.example,"}, "SALLYPORT_DOCUMENT_HOSTS", "config_invalid"),
        ({"SALLYPORT_AUTH_ADDRESS": "auth"}, "SALLYPORT_AUTH_ADDRESS", "config_invalid"),
        ({"SALLYPORT_AUDIT": "off"}, "SALLYPORT_AUDIT", "config_invalid"),
    ],
)
def test_what_must_not_be_refuses_the_start(changes: dict[str, str], key: str, code: str) -> None:
    with pytest.raises(chassis.env.ConfigError, match=key) as refusal:
        config.load({**ENVIRON, **changes})
    assert refusal.value.code == code


def test_a_region_may_have_an_origin_of_its_own() -> None:
    told = config.load(
        {
            **ENVIRON,
            "SALLYPORT_PUBLIC_URL_NA": "https://us.vendor.example:8443",
            "SALLYPORT_PUBLIC_URL_EU": "https://eu.vendor.example",
        }
    )
    assert told.public.region_hosts == {"us.vendor.example": Region.NA, "eu.vendor.example": Region.EU}
    assert told.public.hosts == ("sellers.vendor.example", "us.vendor.example", "eu.vendor.example")
    assert told.public.origins == (
        "https://sellers.vendor.example",
        "https://us.vendor.example:8443",
        "https://eu.vendor.example",
    )


@pytest.mark.parametrize("url", ["https://sellers.vendor.example:8443", "https://us.vendor.example:8443"])
def test_a_regions_origin_is_told_from_all_others_by_its_name(url: str) -> None:
    others = {**ENVIRON, "SALLYPORT_PUBLIC_URL_NA": "https://us.vendor.example"}
    with pytest.raises(chassis.env.ConfigError, match=r"SALLYPORT_PUBLIC_URL_EU.*host name of its own"):
        config.load({**others, "SALLYPORT_PUBLIC_URL_EU": url})


def test_what_must_be_told_is_named() -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        config.load({})
    for key in ENVIRON:
        assert key in refusal.value.text


def test_documents_lie_with_amazon_unless_something_else_is_told_T05() -> None:
    amazons = config.load(ENVIRON).amazon.document_hosts
    amazons.check("https://bucket.s3.eu-west-1.amazonaws.com/key")
    told = {**ENVIRON, "SALLYPORT_DOCUMENT_HOSTS": "documents.example, localhost:8443"}
    others = config.load(told).amazon.document_hosts
    for url in ("https://documents.example/key", "https://localhost:8443/key"):
        others.check(url)
    with pytest.raises(UpstreamInvalid):
        others.check("https://bucket.s3.eu-west-1.amazonaws.com/key")


def test_a_host_can_be_told_besides_amazons_T05() -> None:
    told = {**ENVIRON, "SALLYPORT_DOCUMENT_HOSTS": "amazon, files.example"}
    hosts = config.load(told).amazon.document_hosts
    for url in ("https://bucket.s3.eu-west-1.amazonaws.com/key", "https://files.example/key"):
        hosts.check(url)
    with pytest.raises(UpstreamInvalid):
        hosts.check("https://amazon/key")
