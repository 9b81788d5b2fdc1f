"""Configuration: all that is wrong is named at once, and no safety switch can be off."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chassis.env
from chassis.env import Address, ConfigError, Setting

GOOD = {
    "SALLYPORT_LISTEN": "127.0.0.1:7001",
    "SALLYPORT_PRIVATE_LISTEN": "[::1]:0",
    "SALLYPORT_VAULT_ADDRESS": "https://localhost:8200/",
    "SALLYPORT_VAULT_CA_FILE": "/run/ca.pem",
    "SALLYPORT_VAULT_ROLE_ID_FILE": "/run/role-id",
    "SALLYPORT_VAULT_SECRET_ID_FILE": "/run/secret-id",
    "SALLYPORT_VAULT_PKI_ROLE": "auth",
}


def read_common(**changes: str | None) -> chassis.env.CommonConfig:
    environ = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    reader = chassis.env.read(environ, chassis.env.COMMON)
    config = chassis.env.common(reader)
    reader.finish()
    return config


def reader_of(**values: str) -> chassis.env.Reader:
    return chassis.env.read(values, [Setting(f"SALLYPORT_{letter}", "a letter", "") for letter in "ABC"])


def test_good_settings_make_a_configuration() -> None:
    config = read_common()
    assert config.listen == Address("127.0.0.1", 7001)
    assert config.private_listen == Address("::1", 0)
    assert config.vault.address == "https://localhost:8200"
    approle = chassis.env.AppRole(role_id_file=Path("/run/role-id"), secret_id_file=Path("/run/secret-id"))
    assert (config.vault.login, config.vault.mount, config.vault.namespace) == (approle, "approle", None)
    assert (config.mode, config.is_development, config.tls, config.log_level) == (
        "production",
        False,
        True,
        "info",
    )
    assert (config.clock_file, config.trace_endpoint) == (None, None)


@pytest.mark.parametrize("value", ["off", "false", "0", "", "ON"])
def test_tls_cannot_be_switched_off(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_common(SALLYPORT_TLS=value)
    assert caught.value.code == "tls_required"


def test_a_key_service_without_tls_is_refused_T24() -> None:
    with pytest.raises(ConfigError) as caught:
        read_common(SALLYPORT_VAULT_ADDRESS="http://localhost:8200")
    assert caught.value.code == "tls_required"


@pytest.mark.parametrize("url", ["https://", "https://u:p@host", "https://[::1", "ftp://host", "host"])
def test_an_address_that_is_no_plain_https_url_is_refused(url: str) -> None:
    assert not chassis.env.is_https(url)


def test_a_shifted_clock_is_refused_in_production() -> None:
    with pytest.raises(ConfigError, match="SALLYPORT_DEVELOPMENT_CLOCK_FILE"):
        read_common(SALLYPORT_DEVELOPMENT_CLOCK_FILE="/run/shift")
    config = read_common(SALLYPORT_DEVELOPMENT_CLOCK_FILE="/run/shift", SALLYPORT_MODE="development")
    assert config.clock_file == Path("/run/shift")


def test_spans_leave_without_tls_only_in_development() -> None:
    with pytest.raises(ConfigError):
        read_common(SALLYPORT_TRACE_ENDPOINT="http://localhost:4318")
    config = read_common(SALLYPORT_TRACE_ENDPOINT="http://localhost:4318", SALLYPORT_MODE="development")
    assert config.trace_endpoint == "http://localhost:4318"


def test_every_bad_key_is_named_at_once_and_no_value_is_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        read_common(
            SALLYPORT_LISTEN="nonsense-value",
            SALLYPORT_VAULT_CA_FILE=None,
            SALLYPORT_LOG_LEVEL="shouting-value",
            SALLYPORT_TYPO="typo-value",
        )
    text = caught.value.text
    assert caught.value.code == "config_invalid"
    for key in ("SALLYPORT_LISTEN", "SALLYPORT_VAULT_CA_FILE", "SALLYPORT_LOG_LEVEL", "SALLYPORT_TYPO"):
        assert text.count(key) == 1
    assert "value" not in text


def test_keys_of_other_programs_are_ignored() -> None:
    chassis.env.read({"PATH": "/bin", "SALLY": "x"}, []).finish()


def test_the_database_is_found_by_name_and_never_by_password() -> None:
    reader = chassis.env.read(
        {"SALLYPORT_DATABASE_HOST": "localhost", "SALLYPORT_DATABASE_CA_FILE": "/run/pg.pem"},
        chassis.env.DATABASE,
    )
    config = chassis.env.database(reader)
    reader.finish()
    assert (config.host, config.port, config.name, config.ca_file) == (
        "localhost",
        5432,
        "sallyport",
        Path("/run/pg.pem"),
    )


@pytest.mark.parametrize(
    "text", ["", ":1", "host", "host:", "host:65536", "host:-1", "::1:80", "a b:1", "host:\u0661"]
)
def test_a_malformed_address_is_refused(text: str) -> None:
    reader = reader_of(SALLYPORT_A=text)
    reader.address("SALLYPORT_A")
    with pytest.raises(ConfigError):
        reader.finish()


@given(
    st.from_regex(r"[a-z][a-z0-9.-]{0,30}", fullmatch=True) | st.ip_addresses(v=6).map(str),
    st.integers(0, 65535),
)
def test_an_address_survives_being_written_and_read(host: str, port: int) -> None:
    reader = reader_of(SALLYPORT_A=str(Address(host, port)))
    assert reader.address("SALLYPORT_A") == Address(host, port)
    reader.finish()


@given(st.text(max_size=30), st.integers(), st.integers(min_value=0, max_value=10**6))
def test_an_integer_is_within_its_bounds_or_refused(text: str, low: int, width: int) -> None:
    reader = reader_of(SALLYPORT_A=text)
    value = reader.integer("SALLYPORT_A", low=low, high=low + width)
    assert low <= value <= low + width
    try:
        expected = int(text)
    except ValueError:
        expected = low - 1
    if low <= expected <= low + width:
        reader.finish()
        assert value == expected
    else:
        with pytest.raises(ConfigError):
            reader.finish()


@pytest.mark.parametrize(("text", "is_good"), [("0.5", True), ("2", False), ("nan", False), ("x", False)])
def test_a_number_is_within_its_bounds_or_refused(text: str, is_good: bool) -> None:
    reader = reader_of(SALLYPORT_A=text)
    assert reader.number("SALLYPORT_A", low=0, high=1) == (0.5 if is_good else 0)
    if is_good:
        reader.finish()
    else:
        with pytest.raises(ConfigError):
            reader.finish()


def test_a_service_may_refuse_by_its_own_rule_and_name_the_error() -> None:
    reader = reader_of()
    reader.refuse("SALLYPORT_A", "is bad")
    reader.refuse("SALLYPORT_B", "must be at most 30 days", code="retention_ceiling_exceeded")
    with pytest.raises(ConfigError) as caught:
        reader.finish()
    assert caught.value.code == "retention_ceiling_exceeded"
    assert str(caught.value).startswith("retention_ceiling_exceeded: ")


def test_what_a_process_needs_for_logs_is_read_apart() -> None:
    assert chassis.env.observation({"SALLYPORT_OTHER": "x"}) == ("info", None)
    assert chassis.env.observation({"SALLYPORT_LOG_LEVEL": "debug", "SALLYPORT_TRACE_ENDPOINT": "u"}) == (
        "debug",
        "u",
    )
    with pytest.raises(ConfigError):
        chassis.env.observation({"SALLYPORT_LOG_LEVEL": "loud"})


KUBERNETES = {
    "SALLYPORT_VAULT_AUTH": "kubernetes",
    "SALLYPORT_VAULT_ROLE": "auth",
    "SALLYPORT_VAULT_TOKEN_FILE": "/run/token",
    "SALLYPORT_VAULT_ROLE_ID_FILE": None,
    "SALLYPORT_VAULT_SECRET_ID_FILE": None,
}


def test_a_pod_logs_in_to_the_key_service_as_its_service_account() -> None:
    vault = read_common(**KUBERNETES).vault
    assert vault.login == chassis.env.ServiceAccount(role="auth", token_file=Path("/run/token"))
    assert vault.mount == "kubernetes"


def test_the_key_services_mount_and_namespace_can_be_named() -> None:
    vault = read_common(
        SALLYPORT_VAULT_AUTH_MOUNT="kubernetes-west", SALLYPORT_VAULT_NAMESPACE="vendor", **KUBERNETES
    ).vault
    assert (vault.mount, vault.namespace) == ("kubernetes-west", "vendor")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SALLYPORT_VAULT_AUTH": "token"}, "SALLYPORT_VAULT_AUTH must be one of: approle, kubernetes"),
        ({"SALLYPORT_VAULT_ROLE_ID_FILE": None}, "SALLYPORT_VAULT_ROLE_ID_FILE is required"),
        ({"SALLYPORT_VAULT_ROLE": "auth"}, "SALLYPORT_VAULT_ROLE does not go with the method"),
        ({**KUBERNETES, "SALLYPORT_VAULT_ROLE": None}, "SALLYPORT_VAULT_ROLE is required"),
        ({**KUBERNETES, "SALLYPORT_VAULT_TOKEN_FILE": None}, "SALLYPORT_VAULT_TOKEN_FILE is required"),
        ({**KUBERNETES, "SALLYPORT_VAULT_ROLE_ID_FILE": "/r"}, "SALLYPORT_VAULT_ROLE_ID_FILE does not go"),
    ],
)
def test_a_log_in_that_is_not_whole_is_refused_by_name(changes: dict[str, str | None], named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_common(**changes)
    assert caught.value.text.count(named) == 1
