"""The environment makes a configuration, or the start is refused by name."""

from pathlib import Path

import pytest

import chassis.env
from services.retention.config import load
from services.retention.model.orders import Term

ENVIRON = {
    "SALLYPORT_LISTEN": "127.0.0.1:0",
    "SALLYPORT_PRIVATE_LISTEN": "127.0.0.1:0",
    "SALLYPORT_VAULT_ADDRESS": "https://127.0.0.1:8200",
    "SALLYPORT_VAULT_CA_FILE": "/ca.pem",
    "SALLYPORT_VAULT_ROLE_ID_FILE": "/retention/role_id",
    "SALLYPORT_VAULT_SECRET_ID_FILE": "/retention/secret_id",
    "SALLYPORT_VAULT_PKI_ROLE": "retention",
    "SALLYPORT_DATABASE_HOST": "localhost",
    "SALLYPORT_DATABASE_CA_FILE": "/ca.pem",
    "SALLYPORT_VERIFIER_ROLE_ID_FILE": "/verifier/role_id",
    "SALLYPORT_VERIFIER_SECRET_ID_FILE": "/verifier/secret_id",
    "SALLYPORT_TELEMETRY_ADDRESS": "127.0.0.1:7001",
}


def test_the_defaults_are_the_ceiling() -> None:
    config = load(ENVIRON)
    assert config.term == Term(days=30, key_snapshot_days=0)
    assert config.telemetry == chassis.env.Address("127.0.0.1", 7001)


def test_the_verifier_has_its_own_credentials() -> None:
    config = load(ENVIRON)
    assert config.verifier.login == chassis.env.AppRole(
        role_id_file=Path("/verifier/role_id"), secret_id_file=Path("/verifier/secret_id")
    )
    assert config.verifier.address == config.common.vault.address


def test_retention_can_be_shortened() -> None:
    config = load(ENVIRON | {"SALLYPORT_RETENTION_DAYS": "20", "SALLYPORT_KEY_SNAPSHOT_LIFETIME_DAYS": "7"})
    assert config.term == Term(days=20, key_snapshot_days=7)


@pytest.mark.parametrize("days", ["31", "365", "9999"])
def test_more_than_30_days_refuses_to_start_by_name_R18(days: str) -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        load(ENVIRON | {"SALLYPORT_RETENTION_DAYS": days})
    assert refusal.value.code == "retention_ceiling_exceeded"
    assert "SALLYPORT_RETENTION_DAYS must be at most 30" in refusal.value.text


@pytest.mark.parametrize("snapshot_days", ["29", "60"])
def test_snapshots_that_outlive_the_ceiling_refuse_to_start_R18(snapshot_days: str) -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        load(ENVIRON | {"SALLYPORT_KEY_SNAPSHOT_LIFETIME_DAYS": snapshot_days})
    assert refusal.value.code == "retention_ceiling_exceeded"


@pytest.mark.parametrize("days", ["1", "0", "-30", "thirty", ""])
def test_days_that_are_no_term_refuse_to_start(days: str) -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        load(ENVIRON | {"SALLYPORT_RETENTION_DAYS": days})
    assert refusal.value.code == "config_invalid"


def test_tls_off_refuses_to_start_by_name_T24() -> None:
    with pytest.raises(chassis.env.ConfigError) as refusal:
        load(ENVIRON | {"SALLYPORT_TLS": "off"})
    assert refusal.value.code == "tls_required"


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(chassis.env.ConfigError, match="SALLYPORT_RETENTION_DAY is not a known key"):
        load(ENVIRON | {"SALLYPORT_RETENTION_DAY": "20"})


def test_in_a_pod_the_verifier_is_another_role_of_the_same_service_account() -> None:
    approle = {
        f"SALLYPORT_{who}_{what}_ID_FILE" for who in ("VAULT", "VERIFIER") for what in ("ROLE", "SECRET")
    }
    account = {
        "SALLYPORT_VAULT_AUTH": "kubernetes",
        "SALLYPORT_VAULT_TOKEN_FILE": "/token",
        "SALLYPORT_VAULT_ROLE": "retention",
        "SALLYPORT_VERIFIER_ROLE": "verifier",
    }
    config = load({key: value for key, value in ENVIRON.items() if key not in approle} | account)
    token_file = Path("/token")
    assert config.common.vault.login == chassis.env.ServiceAccount(role="retention", token_file=token_file)
    assert config.verifier.login == chassis.env.ServiceAccount(role="verifier", token_file=token_file)
