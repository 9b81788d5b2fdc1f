"""What telemetry is told."""

import pytest

import chassis.env
import sallyport.inventory
from services.telemetry import config
from services.telemetry.config import KINDS_DEFAULT

ENVIRON = {
    "SALLYPORT_LISTEN": "127.0.0.1:0",
    "SALLYPORT_PRIVATE_LISTEN": "127.0.0.1:0",
    "SALLYPORT_VAULT_ADDRESS": "https://vault.example:8200",
    "SALLYPORT_VAULT_CA_FILE": "/etc/ca.pem",
    "SALLYPORT_VAULT_ROLE_ID_FILE": "/etc/role_id",
    "SALLYPORT_VAULT_SECRET_ID_FILE": "/etc/secret_id",
    "SALLYPORT_VAULT_PKI_ROLE": "telemetry",
    "SALLYPORT_DATABASE_HOST": "postgres.example",
    "SALLYPORT_DATABASE_CA_FILE": "/etc/ca.pem",
}


def test_nobody_is_told_by_default() -> None:
    loaded = config.load(ENVIRON).webhook
    assert (loaded.url, loaded.ca_file, loaded.allows_private) == ("", None, False)


def test_every_kind_told_by_default_is_one_that_a_service_writes() -> None:
    written = {row["kind"] for row in sallyport.inventory.take()["event_kinds"]}
    assert set(KINDS_DEFAULT) <= written


def test_a_receivers_address_is_kept_as_it_is_written() -> None:
    environ = {**ENVIRON, "SALLYPORT_WEBHOOK_URL": "https://hooks.example/a/?b=c"}
    assert config.load(environ).webhook.url == "https://hooks.example/a/?b=c"


def test_kinds_and_beginnings_of_kinds_are_chosen() -> None:
    environ = {**ENVIRON, "SALLYPORT_WEBHOOK_KINDS": "auth.consent., auth.device.revoked"}
    selection = config.load(environ).webhook.selection
    assert selection.takes("auth.consent.revoked")
    assert not selection.takes("auth.device.enrolled")


@pytest.mark.parametrize(
    ("changes", "allows_private"),
    [
        ({"SALLYPORT_WEBHOOK_PRIVATE_ADDRESSES": "allow"}, True),
        ({"SALLYPORT_MODE": "development"}, True),
        ({}, False),
    ],
)
def test_a_receiver_inside_must_be_allowed(changes: dict[str, str], *, allows_private: bool) -> None:
    environ = {**ENVIRON, "SALLYPORT_WEBHOOK_URL": "https://10.0.0.7/hook", **changes}
    if allows_private:
        assert config.load(environ).webhook.allows_private
        return
    with pytest.raises(chassis.env.ConfigError, match="SALLYPORT_WEBHOOK_URL"):
        config.load(environ)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("SALLYPORT_WEBHOOK_URL", "http://hooks.example/", "tls_required"),
        ("SALLYPORT_WEBHOOK_URL", "https://user:word@hooks.example/", "tls_required"),
        ("SALLYPORT_WEBHOOK_URL", "https://[::1", "tls_required"),
        ("SALLYPORT_WEBHOOK_URL", "https://hooks.example/#part", "config_invalid"),
        ("SALLYPORT_WEBHOOK_URL", "https://hooks.example/a b", "config_invalid"),
        ("SALLYPORT_WEBHOOK_URL", "https://hooks.example/" + "a" * 2_048, "config_invalid"),
        ("SALLYPORT_WEBHOOK_URL", "https://169.254.169.254/", "config_invalid"),
        ("SALLYPORT_WEBHOOK_URL", "https://[::ffff:127.0.0.1]/", "config_invalid"),
        ("SALLYPORT_WEBHOOK_KINDS", "*", "config_invalid"),
        ("SALLYPORT_WEBHOOK_KINDS", "auth.consent", "config_invalid"),
        ("SALLYPORT_WEBHOOK_PRIVATE_ADDRESSES", "yes", "config_invalid"),
    ],
)
def test_a_bad_setting_is_refused_by_name(key: str, value: str, code: str) -> None:
    with pytest.raises(chassis.env.ConfigError, match=key) as refusal:
        config.load({**ENVIRON, key: value})
    assert refusal.value.code == code
