"""Configuration: what a process reads from its environment, once, at start.

A service lists its keys as `Setting`s, `read` refuses unknown SALLYPORT_ keys (a misspelt safety
switch must not be silently absent), and the `Reader` collects every bad key so that one start shows
them all. Values are addresses, names and paths, never secrets: a secret is always the path of a file.
Problems name the key and the rule, and never repeat the value.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chassis.errors

PREFIX = "SALLYPORT_"
PORT_MAX = 65_535
ADDRESS_FORM = re.compile(
    r"(?:(?P<host>[^\[\]:\s]+)|\[(?P<host_v6>[0-9A-Fa-f:.]+)\]):(?P<port>[0-9]{1,5})", re.ASCII
)
CONFIG_INVALID = "config_invalid"
TLS_REQUIRED = "tls_required"
VAULT_AUTH = "SALLYPORT_VAULT_AUTH"
VAULT_TOKEN_FILE = "SALLYPORT_VAULT_TOKEN_FILE"  # noqa: S105 - the key's name, not a secret
APPROLE = "approle"
KUBERNETES = "kubernetes"
LOG_LEVEL = "SALLYPORT_LOG_LEVEL"
LOG_LEVELS = frozenset({"debug", "info", "warning", "error"})
TRACE_ENDPOINT = "SALLYPORT_TRACE_ENDPOINT"


class ConfigError(chassis.errors.StartRefused):
    """The environment does not make a configuration; `code` says why, `text` names each bad key."""


@dataclass(frozen=True)
class Setting:
    """One key: its full name, what it is for, and its default; None makes it required."""

    name: str
    text: str
    default: str | None = None


@dataclass(frozen=True)
class Address:
    """Where to listen or dial. Port 0 means any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class AppRole:
    """Being known to the key service by a role id and a secret id, each in a file."""

    role_id_file: Path
    secret_id_file: Path


@dataclass(frozen=True, kw_only=True)
class ServiceAccount:
    """Being known to the key service by a Kubernetes service account.

    Attributes:
        role: the key service's name for what this account may do.
        token_file: holds the account's token; Kubernetes writes a new one before it expires.
    """

    role: str
    token_file: Path


@dataclass(frozen=True, kw_only=True)
class VaultConfig:
    """How to reach the key service, and as whom.

    Attributes:
        mount: where the method to log in is mounted, below auth/.
        namespace: of HashiCorp Vault Enterprise or OpenBao; None for the root namespace.
    """

    address: str
    ca_file: Path
    login: AppRole | ServiceAccount
    mount: str
    namespace: str | None
    pki_role: str


@dataclass(frozen=True, kw_only=True)
class DatabaseConfig:
    """How to reach Postgres. The client certificate says who connects; there is no password."""

    host: str
    port: int
    name: str
    ca_file: Path


@dataclass(frozen=True, kw_only=True)
class CommonConfig:
    """What every service is told.

    Attributes:
        mode: "production" or "development".
        tls: always true; the key exists so that switching it off is refused by name.
        listen: where the service serves its callers.
        private_listen: where health and metrics are served.
        vault: the key service.
        clock_file: development only: holds the shift of the clock.
        log_level: lowest level written, in lower case.
        trace_endpoint: OTLP/HTTP collector; None keeps spans inside.
    """

    mode: str
    tls: bool
    listen: Address
    private_listen: Address
    vault: VaultConfig
    clock_file: Path | None
    log_level: str
    trace_endpoint: str | None

    @property
    def is_development(self) -> bool:
        """Whether this process may be given a shifted clock."""
        return self.mode == "development"


COMMON: tuple[Setting, ...] = (
    Setting("SALLYPORT_MODE", "production or development", "production"),
    Setting("SALLYPORT_TLS", "must be on", "on"),
    Setting("SALLYPORT_LISTEN", "host:port where the service serves its callers"),
    Setting("SALLYPORT_PRIVATE_LISTEN", "host:port of health and metrics"),
    Setting("SALLYPORT_VAULT_ADDRESS", "https URL of the key service"),
    Setting("SALLYPORT_VAULT_CA_FILE", "certificate authority of the key service"),
    Setting("SALLYPORT_VAULT_NAMESPACE", "namespace of the key service; empty for the root namespace", ""),
    Setting(VAULT_AUTH, "how to log in: approle or kubernetes", APPROLE),
    Setting("SALLYPORT_VAULT_AUTH_MOUNT", "where that is mounted below auth/; empty for its own name", ""),
    Setting("SALLYPORT_VAULT_ROLE_ID_FILE", "approle: file with the role id", ""),
    Setting("SALLYPORT_VAULT_SECRET_ID_FILE", "approle: file with the secret id", ""),
    Setting("SALLYPORT_VAULT_ROLE", "kubernetes: role to log in as", ""),
    Setting(VAULT_TOKEN_FILE, "kubernetes: file with the service account's token", ""),
    Setting("SALLYPORT_VAULT_PKI_ROLE", "PKI role that issues this service's certificate"),
    Setting("SALLYPORT_DEVELOPMENT_CLOCK_FILE", "file with the clock's shift; development only", ""),
    Setting(LOG_LEVEL, "debug, info, warning or error", "info"),
    Setting(TRACE_ENDPOINT, "OTLP/HTTP URL for spans; empty for none", ""),
)

DATABASE: tuple[Setting, ...] = (
    Setting("SALLYPORT_DATABASE_HOST", "host name that the Postgres certificate carries"),
    Setting("SALLYPORT_DATABASE_PORT", "port of Postgres", "5432"),
    Setting("SALLYPORT_DATABASE_NAME", "database", "sallyport"),
    Setting("SALLYPORT_DATABASE_CA_FILE", "certificate authority of Postgres"),
)


class Reader:
    """Turns settings into values.

    Each method returns a stand-in for a bad value, so that reading goes on and `finish` can name all
    bad keys at once. Use nothing that was read before `finish` has returned.
    """

    def __init__(self, values: Mapping[str, str | None], problems: Sequence[str]) -> None:
        self._values = values
        self._problems = list(problems)
        self._code = CONFIG_INVALID

    def refuse(self, name: str, rule: str, *, code: str = CONFIG_INVALID) -> None:
        """Note once that a key breaks a rule; the first code that is not the general one names the error."""
        problem = f"{name} {rule}"
        if problem not in self._problems:
            self._problems.append(problem)
        if self._code == CONFIG_INVALID:
            self._code = code

    def finish(self) -> None:
        """Return if every key was good.

        Raises:
            ConfigError: naming each bad key and the rule it breaks.
        """
        if self._problems:
            raise ConfigError(self._code, "; ".join(self._problems))

    def text(self, name: str) -> str:
        """Return a value that is not empty."""
        value = self._values[name]
        if not value:
            self.refuse(name, "is required")
            return ""
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a value, or None when it is absent or empty."""
        return self._values[name] or None

    def integer(self, name: str, *, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        try:
            value = int(self._values[name] or "")
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            self.refuse(name, f"must be a whole number from {low} to {high}")
            return low
        return value

    def number(self, name: str, *, low: float, high: float) -> float:
        """Return a number from `low` to `high`, both included."""
        try:
            value = float(self._values[name] or "")
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.refuse(name, f"must be a number from {low} to {high}")
            return low
        return value

    def path(self, name: str) -> Path:
        """Return a path; whether anything is there shows when it is opened."""
        return Path(self.text(name))

    def choice(self, name: str, allowed: Collection[str]) -> str:
        """Return one of the allowed words."""
        value = self._values[name]
        if value is None or value not in allowed:
            self.refuse(name, f"must be one of: {', '.join(sorted(allowed))}")
            return min(allowed)
        return value

    def address(self, name: str) -> Address:
        """Return host and port; an IPv6 host is written in brackets."""
        value = self.text(name)
        match = ADDRESS_FORM.fullmatch(value)
        if match is None or int(match["port"]) > PORT_MAX:
            if value:
                self.refuse(name, "must be host:port")
            return Address("", 0)
        return Address(match["host"] or match["host_v6"], int(match["port"]))

    def url(self, name: str) -> str:
        """Return an https URL without a trailing slash."""
        value = self.text(name)
        if value and not is_https(value):
            self.refuse(name, "must be an https URL", code=TLS_REQUIRED)
        return value.rstrip("/")


def observation(environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the log level and the spans' collector, which a process needs whatever else it is told.

    Raises:
        ConfigError: one of the two keys is bad.
    """
    settings = [setting for setting in COMMON if setting.name in {LOG_LEVEL, TRACE_ENDPOINT}]
    reader = read(
        {setting.name: environ[setting.name] for setting in settings if setting.name in environ}, settings
    )
    level = reader.choice(LOG_LEVEL, LOG_LEVELS)
    reader.finish()
    return level, reader.optional_text(TRACE_ENDPOINT)


def read(environ: Mapping[str, str], settings: Sequence[Setting]) -> Reader:
    """Return a reader over these settings; keys with our prefix that are none of them are refused."""
    known = {setting.name: setting.default for setting in settings}
    unknown = sorted(key for key in environ if key.startswith(PREFIX) and key not in known)
    values = {name: environ.get(name, default) for name, default in known.items()}
    return Reader(values, [f"{key} is not a known key" for key in unknown])


def common(reader: Reader) -> CommonConfig:
    """Return what COMMON says; problems stay in the reader until its `finish`."""
    mode = reader.choice("SALLYPORT_MODE", {"production", "development"})
    clock_file = reader.optional_text("SALLYPORT_DEVELOPMENT_CLOCK_FILE")
    if clock_file and mode == "production":
        reader.refuse("SALLYPORT_DEVELOPMENT_CLOCK_FILE", "is refused in production")
    trace_endpoint = reader.optional_text(TRACE_ENDPOINT)
    if trace_endpoint and mode == "production" and not is_https(trace_endpoint):
        reader.refuse(TRACE_ENDPOINT, "must be an https URL", code=TLS_REQUIRED)
    if reader.optional_text("SALLYPORT_TLS") != "on":
        reader.refuse("SALLYPORT_TLS", "must be on", code=TLS_REQUIRED)
    return CommonConfig(
        mode=mode,
        tls=True,
        listen=reader.address("SALLYPORT_LISTEN"),
        private_listen=reader.address("SALLYPORT_PRIVATE_LISTEN"),
        vault=vault(reader),
        clock_file=Path(clock_file) if clock_file else None,
        log_level=reader.choice(LOG_LEVEL, LOG_LEVELS),
        trace_endpoint=trace_endpoint,
    )


def vault(reader: Reader) -> VaultConfig:
    """Return how to reach the key service; problems stay in the reader until its `finish`."""
    return VaultConfig(
        address=reader.url("SALLYPORT_VAULT_ADDRESS"),
        ca_file=reader.path("SALLYPORT_VAULT_CA_FILE"),
        login=login(reader, "SALLYPORT_VAULT"),
        mount=reader.optional_text("SALLYPORT_VAULT_AUTH_MOUNT") or _auth_method(reader),
        namespace=reader.optional_text("SALLYPORT_VAULT_NAMESPACE"),
        pki_role=reader.text("SALLYPORT_VAULT_PKI_ROLE"),
    )


def login(reader: Reader, prefix: str) -> AppRole | ServiceAccount:
    """Return as whom to log in to the key service, by the method that VAULT_AUTH names.

    Args:
        reader: over settings that hold the keys with the prefix.
        prefix: of the keys that say as whom. One process may have a second identity under a prefix of its
            own; a service account's token is the process's, whatever the identity.
    """
    account_keys, approle_keys = (f"{prefix}_ROLE",), (f"{prefix}_ROLE_ID_FILE", f"{prefix}_SECRET_ID_FILE")
    if _auth_method(reader) == KUBERNETES:
        _refuse_given(reader, approle_keys)
        return ServiceAccount(role=reader.text(account_keys[0]), token_file=reader.path(VAULT_TOKEN_FILE))
    _refuse_given(reader, (*account_keys, VAULT_TOKEN_FILE))
    return AppRole(role_id_file=reader.path(approle_keys[0]), secret_id_file=reader.path(approle_keys[1]))


def _auth_method(reader: Reader) -> str:
    return reader.choice(VAULT_AUTH, {APPROLE, KUBERNETES})


def _refuse_given(reader: Reader, names: Collection[str]) -> None:
    """Refuse keys that mean nothing with the chosen method: somebody believes that they do."""
    for name in names:
        if reader.optional_text(name):
            reader.refuse(name, f"does not go with the method that {VAULT_AUTH} names")


def database(reader: Reader) -> DatabaseConfig:
    """Return what DATABASE says; problems stay in the reader until its `finish`."""
    return DatabaseConfig(
        host=reader.text("SALLYPORT_DATABASE_HOST"),
        port=reader.integer("SALLYPORT_DATABASE_PORT", low=1, high=PORT_MAX),
        name=reader.text("SALLYPORT_DATABASE_NAME"),
        ca_file=reader.path("SALLYPORT_DATABASE_CA_FILE"),
    )


def is_https(url: str) -> bool:
    """Return whether this is an https URL with a host and nothing hidden in front of it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None
