"""Telemetry's configuration: nothing but what every service with a database has.

No interval, bound or retention of the audit log is a setting: they are promises (T-22, R-01, R-22).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import chassis.env

SETTINGS = (*chassis.env.COMMON, *chassis.env.DATABASE)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What telemetry is told, checked once at start."""

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    config = Config(common=chassis.env.common(reader), database=chassis.env.database(reader))
    reader.finish()
    return config
