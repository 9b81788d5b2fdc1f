"""Rows into values, for those that several parts of the store read."""

import json

import asyncpg

from services.auth.model.consents import AccountKind, Consent, Ending, Region
from services.auth.model.device_facts import DeviceFacts, KeyStorage, Platform
from services.auth.model.devices import Device, Profile
from services.auth.model.restricted import Restriction

SELECT_CONSENT = """
    SELECT consent_id, seller_id, region, marketplace_id, account_kind, application_id,
           selling_partner_sealed, refresh_token_sealed, refresh_version, granted_at, expires_at, used_at,
           refused_at, ended_at, ending
    FROM auth.consents
"""
SELECT_DEVICE = """
    SELECT device_id, seller_id, user_id, profile, scopes, client_id, key_thumbprint, name_sealed,
           enrolled_at, used_at, revoked_at, platform, app_version, key_storage, withheld_scopes
    FROM auth.devices
"""


def consent(row: asyncpg.Record) -> Consent:
    """Return the consent in a row of SELECT_CONSENT."""
    return Consent(
        consent_id=str(row["consent_id"]),
        seller_id=str(row["seller_id"]),
        region=Region(row["region"]),
        marketplace_id=row["marketplace_id"],
        account_kind=AccountKind(row["account_kind"]),
        application_id=row["application_id"],
        selling_partner_sealed=row["selling_partner_sealed"],
        refresh_token_sealed=row["refresh_token_sealed"],
        refresh_version=row["refresh_version"],
        granted_at=row["granted_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
        refused_at=row["refused_at"],
        ended_at=row["ended_at"],
        ending=None if row["ending"] is None else Ending(row["ending"]),
    )


def device(row: asyncpg.Record) -> Device:
    """Return the device in a row of SELECT_DEVICE."""
    return Device(
        device_id=str(row["device_id"]),
        seller_id=str(row["seller_id"]),
        user_id=str(row["user_id"]),
        profile=Profile(row["profile"]),
        scopes=tuple(row["scopes"]),
        client_id=row["client_id"],
        key_thumbprint=row["key_thumbprint"],
        name_sealed=row["name_sealed"],
        enrolled_at=row["enrolled_at"],
        used_at=row["used_at"],
        revoked_at=row["revoked_at"],
        facts=facts(row),
        withheld_scopes=tuple(row["withheld_scopes"]),
    )


def facts(row: asyncpg.Record) -> DeviceFacts:
    """Return what a desktop said about itself, in the columns platform, app_version and key_storage."""
    return DeviceFacts(
        platform=Platform(row["platform"]),
        app_version=row["app_version"],
        key_storage=KeyStorage(row["key_storage"]),
    )


def restrictions_text(restrictions: tuple[Restriction, ...]) -> str:
    """Return restrictions as they are kept: a JSON list."""
    return json.dumps([[one.method, one.path, *one.data_elements] for one in restrictions])


def restrictions(text: str) -> tuple[Restriction, ...]:
    """Return what `restrictions_text` wrote."""
    return tuple(
        Restriction(method=method, path=path, data_elements=tuple(data_elements))
        for method, path, *data_elements in json.loads(text)
    )
