"""Retention's configuration. It can shorten what is kept; the ceiling is in code (model.orders.DAYS_MAX)."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import chassis.env
from services.retention.model.orders import DAYS_MAX, DAYS_MIN, Term

RETENTION_DAYS = "SALLYPORT_RETENTION_DAYS"
SNAPSHOT_DAYS = "SALLYPORT_KEY_SNAPSHOT_LIFETIME_DAYS"
VERIFIER = "SALLYPORT_VERIFIER"
TELEMETRY_ADDRESS = "SALLYPORT_TELEMETRY_ADDRESS"
CEILING_EXCEEDED = "retention_ceiling_exceeded"
# No vendor means more; it only keeps the number readable in the message.
DAYS_READABLE_MAX = 10_000

SETTINGS = (
    *chassis.env.COMMON,
    *chassis.env.DATABASE,
    chassis.env.Setting(RETENTION_DAYS, f"days that buyers' data is kept; at most {DAYS_MAX}", str(DAYS_MAX)),
    chassis.env.Setting(SNAPSHOT_DAYS, "days that a snapshot of the key service is kept; 0 for none", "0"),
    chassis.env.Setting(f"{VERIFIER}_ROLE_ID_FILE", "approle: file with the verifier's role id", ""),
    chassis.env.Setting(f"{VERIFIER}_SECRET_ID_FILE", "approle: file with the verifier's secret id", ""),
    chassis.env.Setting(f"{VERIFIER}_ROLE", "kubernetes: role to log in as the verifier", ""),
    chassis.env.Setting(TELEMETRY_ADDRESS, "host:port of telemetry"),
)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What retention is told, checked once at start.

    Attributes:
        verifier: how to reach the key service as the verifier.
        telemetry: where audit events go.
        term: how long a record may be kept.
    """

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig
    verifier: chassis.env.VaultConfig
    telemetry: chassis.env.Address
    term: Term


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration in an environment.

    Raises:
        ConfigError: naming every bad key; `retention_ceiling_exceeded` when more days are asked for than the
            ceiling allows.
    """
    reader = chassis.env.read(environ, SETTINGS)
    common = chassis.env.common(reader)
    verifier = dataclasses.replace(common.vault, login=chassis.env.login(reader, VERIFIER))
    config = Config(
        common=common,
        database=chassis.env.database(reader),
        verifier=verifier,
        telemetry=reader.address(TELEMETRY_ADDRESS),
        term=_term(reader),
    )
    reader.finish()
    return config


def _term(reader: chassis.env.Reader) -> Term:
    days = reader.integer(RETENTION_DAYS, low=DAYS_MIN, high=DAYS_READABLE_MAX)
    snapshot_days = reader.integer(SNAPSHOT_DAYS, low=0, high=DAYS_READABLE_MAX)
    if days > DAYS_MAX:
        reader.refuse(RETENTION_DAYS, f"must be at most {DAYS_MAX}", code=CEILING_EXCEEDED)
        return Term()
    if days - snapshot_days < DAYS_MIN:
        rule = f"must leave at least {DAYS_MIN} of {RETENTION_DAYS}"
        reader.refuse(SNAPSHOT_DAYS, rule, code=CEILING_EXCEEDED)
        return Term()
    return Term(days=days, key_snapshot_days=snapshot_days)
