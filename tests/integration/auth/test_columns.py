"""Every column of auth's: sealed and known to key rotation, a digest, or listed here as open, and why."""

from collections.abc import Mapping
from itertools import chain

import pytest

import chassis.db
from services.auth.store.sealed import SEALED_COLUMNS
from tests.conftest import PoolFor

COLUMNS = """
    SELECT c.table_name || '.' || c.column_name AS name, c.data_type
    FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'auth' AND t.table_type = 'BASE TABLE' AND c.table_name <> 'migrations'
"""
# What such columns hold can be neither a token, nor a secret, nor somebody's name or address.
HARMLESS = {"uuid", "boolean", "integer", "bigint", "smallint", "timestamp with time zone"}

WORDS = "words of our own"
AMAZONS = "Amazon's public identifiers"
PUBLIC = "public by its nature"
CHANCE = "chance from which nothing follows without the digest key and the token it goes with"
OPEN: Mapping[str, str] = dict(
    chain(
        dict.fromkeys(
            (
                "access_tokens.restrictions",
                "consent_states.region",
                "consent_states.account_kind",
                "consents.account_kind",
                "consents.ending",
                "consents.region",
                "devices.key_storage",
                "devices.platform",
                "devices.profile",
                "devices.scopes",
                "devices.withheld_scopes",
                "codes.key_storage",
                "codes.platform",
                "codes.withheld_scopes",
                "device_grants.key_storage",
                "device_grants.platform",
                "device_grants.scopes",
                "device_grants.withheld_scopes",
                "grantless_leases.scope",
                "rewrappings.cause",
                "rewrappings.kind",
                "rewrappings.outcome",
                "secret_rotations.refusal",
                "users.role",
                "access_reviews.actor_kind",
            ),
            WORDS,
        ).items(),
        dict.fromkeys(
            (
                "applications.application_id",
                "access_tokens.target_application",
                "applications.client_id",
                "consent_states.application_id",
                "consent_states.marketplace_id",
                "consents.application_id",
                "consents.marketplace_id",
                "grantless_leases.application_id",
                "lwa_turns.application_id",
                "secret_rotations.application_id",
            ),
            AMAZONS,
        ).items(),
        dict.fromkeys(
            (
                "codes.client_id",
                "codes.code_challenge",
                "codes.redirect_uri",
                "codes.key_thumbprint",
                "codes.app_version",
                "devices.client_id",
                "devices.key_thumbprint",
                "devices.app_version",
                "device_grants.client_id",
                "device_grants.key_thumbprint",
                "device_grants.app_version",
                "passkeys.credential_id",
                "passkeys.public_key",
                "rewrappings.owner_id",
                "secret_rotations.told_secret_id",
                "offboardings.receipt_id",
                "access_reviews.actor_id",
            ),
            PUBLIC,
        ).items(),
        dict.fromkeys(("refresh_tokens.nonce", "device_grants.nonce"), CHANCE).items(),
    )
)


@pytest.fixture
async def columns(owner: chassis.db.Connection) -> dict[str, str]:
    return {row["name"]: row["data_type"] for row in await owner.fetch(COLUMNS)}


async def test_key_rotation_knows_every_sealed_column_T16(columns: dict[str, str]) -> None:
    sealed = {name for name in columns if name.endswith("_sealed")}
    assert {one.name for one in SEALED_COLUMNS} == sealed


async def test_key_rotation_may_write_every_sealed_column_R12(pool_for: PoolFor) -> None:
    pool = await pool_for("auth")
    async with pool.acquire() as connection:
        for one in SEALED_COLUMNS:
            may = "SELECT has_column_privilege(current_user, 'auth.' || $1, $2, 'UPDATE')"
            assert await connection.fetchval(may, one.table, one.column), one.name


async def test_every_column_is_sealed_a_digest_or_listed_as_open_T15(columns: dict[str, str]) -> None:
    told = {
        name for name in columns if name.endswith(("_sealed", "_digest")) or columns[name] in HARMLESS
    } | OPEN.keys()
    assert sorted(columns.keys() - told) == []
    assert sorted(OPEN.keys() - columns.keys()) == []
