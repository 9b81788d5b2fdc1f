"""Telemetry's configuration: what every service with a database has, and who is told by webhook.

No interval, bound or retention of the audit log is a setting: they are promises (T-22, R-01, R-22).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import chassis.addresses
import chassis.env
from services.telemetry.model.webhooks import Selection

WEBHOOK_URL = "SALLYPORT_WEBHOOK_URL"
WEBHOOK_KINDS = "SALLYPORT_WEBHOOK_KINDS"
WEBHOOK_CA_FILE = "SALLYPORT_WEBHOOK_CA_FILE"
WEBHOOK_PRIVATE_ADDRESSES = "SALLYPORT_WEBHOOK_PRIVATE_ADDRESSES"
# Printable, without blanks and without a fragment, which would never be sent.
URL_FORM = re.compile(r"[\x21\x22\x24-\x7e]{1,2048}", re.ASCII)
# What a vendor must act on, or would want to tell a seller.
KINDS_DEFAULT = (
    "auth.client_secret.expiring",
    "auth.consent.completed",
    "auth.consent.expired",
    "auth.consent.reminded",
    "auth.consent.revoked",
    "auth.device.enrolled",
    "auth.device.revoked",
    "auth.grant.refused",
    "auth.seller.offboarded",
    "auth.sign_in.locked",
    "retention.seller.erased",
)

SETTINGS = (
    *chassis.env.COMMON,
    *chassis.env.DATABASE,
    chassis.env.Setting(WEBHOOK_URL, "https URL that is told of chosen events; empty for none", ""),
    chassis.env.Setting(
        WEBHOOK_KINDS,
        "event kinds by comma; a word that ends in a dot stands for all kinds beginning so",
        ",".join(KINDS_DEFAULT),
    ),
    chassis.env.Setting(WEBHOOK_CA_FILE, "authority that vouches for the webhook; empty: the system's", ""),
    chassis.env.Setting(
        WEBHOOK_PRIVATE_ADDRESSES,
        "refuse or allow a webhook at an address that is not the internet's; development allows it",
        "refuse",
    ),
)


@dataclass(frozen=True, kw_only=True)
class WebhookConfig:
    """Who is told of what; see `webhook.connect`. An empty URL is nobody."""

    url: str
    selection: Selection
    ca_file: Path | None
    allows_private: bool


@dataclass(frozen=True, kw_only=True)
class Config:
    """What telemetry is told, checked once at start."""

    common: chassis.env.CommonConfig
    database: chassis.env.DatabaseConfig
    webhook: WebhookConfig


def load(environ: Mapping[str, str]) -> Config:
    """Return the configuration in an environment.

    Raises:
        ConfigError: naming every bad key.
    """
    reader = chassis.env.read(environ, SETTINGS)
    common = chassis.env.common(reader)
    config = Config(
        common=common,
        database=chassis.env.database(reader),
        webhook=_webhook(reader, is_development=common.is_development),
    )
    reader.finish()
    return config


def _webhook(reader: chassis.env.Reader, *, is_development: bool) -> WebhookConfig:
    choice = reader.choice(WEBHOOK_PRIVATE_ADDRESSES, {"refuse", "allow"})
    ca_file = reader.optional_text(WEBHOOK_CA_FILE)
    allows_private = is_development or choice == "allow"
    return WebhookConfig(
        url=_url(reader, allows_private=allows_private),
        selection=_selection(reader),
        ca_file=Path(ca_file) if ca_file else None,
        allows_private=allows_private,
    )


def _url(reader: chassis.env.Reader, *, allows_private: bool) -> str:
    """Return the webhook's URL as it is written: a receiver may mind a slash at its end."""
    url = reader.optional_text(WEBHOOK_URL)
    if url is None:
        return ""
    if not chassis.env.is_https(url):
        reader.refuse(WEBHOOK_URL, "must be an https URL", code=chassis.env.TLS_REQUIRED)
        return ""
    if not URL_FORM.fullmatch(url):
        reader.refuse(WEBHOOK_URL, "must be at most 2048 printable characters, without a fragment")
    elif not allows_private and not chassis.addresses.may_be_public(urlsplit(url).hostname or ""):
        reader.refuse(WEBHOOK_URL, "must not be an address that is not the internet's")
    return url


def _selection(reader: chassis.env.Reader) -> Selection:
    words = [word.strip() for word in reader.text(WEBHOOK_KINDS).split(",")]
    try:
        return Selection.of(words)
    except ValueError:
        reader.refuse(WEBHOOK_KINDS, "must be kinds, or beginnings of kinds up to a dot, by comma")
        return Selection.of(KINDS_DEFAULT)
