"""Every column that holds sealed values, in one table: whose they are and what they are bound to.

A new column that ends in `_sealed` needs a row here, or a test fails: what is not listed would be lost when
its key is rotated. This is the one file where SQL is put together; all parts of it stand in this file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from services.auth.model.rewrapping import KeyKind

OWNER = "{owner}"
OF_SELLER = f"seller_id = {OWNER}::uuid"
OF_SELLERS_CONSENT = f"consent_id IN (SELECT consent_id FROM auth.consents WHERE seller_id = {OWNER}::uuid)"  # noqa: S608 - words
OF_SELLERS_USER = f"user_id IN (SELECT user_id FROM auth.users WHERE seller_id = {OWNER}::uuid)"  # noqa: S608 - words
OF_APPLICATION = f"application_id = {OWNER}"
# The owner's id is empty; naming it tells Postgres its type.
OF_STAFF = f"seller_id IS NULL AND {OWNER} = ''"
OF_STAFFS_USER = f"user_id IN (SELECT user_id FROM auth.users WHERE {OF_STAFF})"  # noqa: S608 - words
# What does not open is kept for an inquiry as it is.
IS_NOT_QUARANTINED = "ending IS DISTINCT FROM 'quarantined'"


@dataclass(frozen=True, kw_only=True)
class SealedColumn:
    """One column of sealed values.

    Attributes:
        kind: whose keys seal it. A column whose rows have owners of two kinds has two entries.
        owned: condition that picks the rows of the owner OWNER; needs an index.
        row_id: what the place calls the row.
        version: what the place calls the version; by default each value is the first of its row.
        home: the table that the place names, where it is not the one that holds the value.
    """

    kind: KeyKind
    table: str
    column: str
    owned: str
    row_id: str
    version: str = "1"
    home: str = ""

    @property
    def name(self) -> str:
        """The column as "table.column"."""
        return f"{self.table}.{self.column}"


def _of_seller(name: str, *, row_id: str, version: str = "1", home: str = "") -> SealedColumn:
    table, _, column = name.partition(".")
    return SealedColumn(
        kind=KeyKind.SELLER,
        table=table,
        column=column,
        owned=OF_SELLER,
        row_id=row_id,
        version=version,
        home=home,
    )


def _of_people(name: str, *, row_id: str = "user_id", version: str = "1") -> Sequence[SealedColumn]:
    """Return a column's two entries: people are sellers' or the vendor's staff."""
    of_seller = replace(_of_seller(name, row_id=row_id, version=version), owned=OF_SELLERS_USER)
    return of_seller, replace(of_seller, kind=KeyKind.STAFF, owned=OF_STAFFS_USER)


SEALED_COLUMNS: Sequence[SealedColumn] = (
    _of_seller("sellers.name_sealed", row_id="seller_id"),
    _of_seller("users.name_sealed", row_id="user_id"),
    replace(_of_seller("users.name_sealed", row_id="user_id"), kind=KeyKind.STAFF, owned=OF_STAFF),
    *_of_people("passkeys.name_sealed", row_id="passkey_id"),
    *_of_people("passwords.email_sealed", version="version"),
    *_of_people("passwords.totp_sealed", version="version"),
    *_of_people("password_hashes.hash_sealed", version="version"),
    _of_seller("consents.selling_partner_sealed", row_id="consent_id"),
    replace(
        _of_seller("consents.refresh_token_sealed", row_id="consent_id", version="refresh_version"),
        owned=f"{OF_SELLER} AND {IS_NOT_QUARANTINED}",
    ),
    replace(
        _of_seller("access_leases.token_sealed", row_id="consent_id", version="token_fence"),
        owned=OF_SELLERS_CONSENT,
    ),
    _of_seller("devices.name_sealed", row_id="device_id"),
    _of_seller("codes.name_sealed", row_id="device_id", home="devices"),
    _of_seller("device_grants.name_sealed", row_id="device_id", home="devices"),
    replace(
        _of_seller("grantless_leases.token_sealed", row_id="scope", version="token_fence"),
        kind=KeyKind.APPLICATION,
        owned=OF_APPLICATION,
    ),
)

# What has no such prefix counts as the oldest.
# Source: Vault and OpenBao, transit engine: the prefix of a ciphertext names its key's version.
KEY_VERSION = "coalesce(substring(sealed FROM '^vault:v([0-9]{1,9}):')::bigint, 0)"


def _values(kind: KeyKind, owner: str) -> str:
    """Return a SELECT of all sealed values of one owner."""
    return " UNION ALL ".join(
        f"SELECT '{one.name}' AS name, '{one.home or one.table}' AS home, '{one.column}' AS column_name, "  # noqa: S608 - all words stand above
        f"{one.row_id}::text AS row_id, ({one.version})::bigint AS place_version, {one.column} AS sealed "
        f"FROM auth.{one.table} "
        f"WHERE {one.column} <> '' AND {one.owned.replace(OWNER, owner)}"
        for one in SEALED_COLUMNS
        if one.kind is kind
    )


def _list_older(kind: KeyKind) -> str:
    return (
        f"SELECT name, home, column_name, row_id, place_version, sealed FROM ({_values(kind, '$1')}) v "  # noqa: S608 - as above
        f'WHERE {KEY_VERSION} < $2 AND sealed > $3 COLLATE "C" ORDER BY sealed COLLATE "C" LIMIT $4'
    )


def _begin(kind: KeyKind) -> str:
    return (
        "INSERT INTO auth.rewrappings (round_id, kind, owner_id, cause, wanted_at, values_total) "  # noqa: S608 - as above
        "SELECT $1, k.kind, k.owner_id, $2, $3, "
        f"(SELECT count(*) FROM ({_values(kind, 'k.owner_id')}) v) "
        f"FROM auth.sealing_keys k WHERE k.kind = '{kind}' AND ($4::text IS NULL OR k.owner_id = $4) "
        "AND ($5::timestamptz IS NULL OR k.since < $5) "
        "AND NOT EXISTS (SELECT FROM auth.rewrappings w "
        "WHERE w.kind = k.kind AND w.owner_id = k.owner_id AND w.closed_at IS NULL) "
        "ORDER BY k.since LIMIT $6 "
        "ON CONFLICT (kind, owner_id) WHERE closed_at IS NULL DO NOTHING"
    )


def _replace(one: SealedColumn) -> str:
    return (
        f"UPDATE auth.{one.table} SET {one.column} = $3 "  # noqa: S608 - as above
        f"WHERE {one.owned.replace(OWNER, '$1')} AND {one.column} = $2"
    )


# $1 owner, $2 version, $3 after, $4 rows.
LIST_OLDER: Mapping[KeyKind, str] = MappingProxyType({kind: _list_older(kind) for kind in KeyKind})
# $1 round, $2 cause, $3 now, $4 one owner or NULL, $5 in use since before or NULL, $6 keys.
BEGIN: Mapping[KeyKind, str] = MappingProxyType({kind: _begin(kind) for kind in KeyKind})
# $1 owner, $2 the old text, $3 the new one.
REPLACE: Mapping[tuple[KeyKind, str], str] = MappingProxyType(
    {(one.kind, one.name): _replace(one) for one in SEALED_COLUMNS}
)
