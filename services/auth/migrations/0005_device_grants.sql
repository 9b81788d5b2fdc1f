-- Desktops that are let in on another machine's browser, what desktops say about themselves, and what people
-- withhold from them. Device codes and user codes are here as keyed digests only.

ALTER TABLE auth.devices
    ADD COLUMN platform text NOT NULL DEFAULT 'other',
    ADD COLUMN app_version text NOT NULL DEFAULT '',
    ADD COLUMN key_storage text NOT NULL DEFAULT 'unknown',
    ADD COLUMN withheld_scopes text[] NOT NULL DEFAULT '{}',
    ADD CHECK (NOT scopes && withheld_scopes);

-- A thumbprint that is empty: the code works for any key.
ALTER TABLE auth.codes
    ADD COLUMN platform text NOT NULL DEFAULT 'other',
    ADD COLUMN app_version text NOT NULL DEFAULT '',
    ADD COLUMN key_storage text NOT NULL DEFAULT 'unknown',
    ADD COLUMN key_thumbprint text NOT NULL DEFAULT '',
    ADD COLUMN withheld_scopes text[] NOT NULL DEFAULT '{}';

-- The database's clock decides whether a desktop asks too early, how old its grant is, and how long ago its
-- tokens were made.
CREATE TABLE auth.device_grants (
    device_code_digest bytea PRIMARY KEY CHECK (octet_length(device_code_digest) = 32),
    user_code_digest bytea NOT NULL CHECK (octet_length(user_code_digest) = 32),
    device_id uuid NOT NULL,
    client_id text NOT NULL,
    key_thumbprint text NOT NULL,
    scopes text[] NOT NULL,
    platform text NOT NULL,
    app_version text NOT NULL,
    key_storage text NOT NULL,
    expires_at timestamptz NOT NULL,
    kept_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    interval_s integer NOT NULL,
    polled_at timestamptz,
    is_approved boolean,
    seller_id uuid REFERENCES auth.sellers,
    user_id uuid REFERENCES auth.users,
    name_sealed text NOT NULL DEFAULT '',
    withheld_scopes text[] NOT NULL DEFAULT '{}',
    nonce bytea,
    redeemed_at timestamptz,
    CHECK ((is_approved IS NULL) = (user_id IS NULL)),
    CHECK ((seller_id IS NULL) = (user_id IS NULL)),
    CHECK ((nonce IS NULL) = (redeemed_at IS NULL)),
    CHECK (redeemed_at IS NULL OR (is_approved AND key_thumbprint <> ''))
);
CREATE UNIQUE INDEX device_grants_user_code_digest ON auth.device_grants (user_code_digest);
CREATE INDEX device_grants_expires_at ON auth.device_grants (expires_at);

GRANT UPDATE (app_version, withheld_scopes) ON auth.devices TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (
    key_thumbprint, interval_s, polled_at, is_approved, seller_id, user_id, name_sealed, withheld_scopes, nonce,
    redeemed_at
) ON auth.device_grants TO auth;
