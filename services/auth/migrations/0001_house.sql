-- Everything auth keeps. Tokens are here as keyed digests only; what is personal or secret is sealed under
-- its seller's key in the key service (columns ending in _sealed); times are aware and in UTC.

CREATE TABLE auth.applications (
    application_id text PRIMARY KEY,
    client_id text NOT NULL,
    is_draft boolean NOT NULL,
    registered_at timestamptz NOT NULL
);

CREATE TABLE auth.sellers (
    seller_id uuid PRIMARY KEY,
    name_sealed text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE auth.users (
    user_id uuid PRIMARY KEY,
    seller_id uuid NOT NULL REFERENCES auth.sellers,
    name_sealed text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE auth.invitations (
    invitation_digest bytea PRIMARY KEY CHECK (octet_length(invitation_digest) = 32),
    user_id uuid NOT NULL REFERENCES auth.users,
    expires_at timestamptz NOT NULL,
    redeemed_at timestamptz
);
CREATE INDEX invitations_expires_at ON auth.invitations (expires_at);

CREATE TABLE auth.sessions (
    session_id uuid PRIMARY KEY,
    token_digest bytea NOT NULL CHECK (octet_length(token_digest) = 32),
    user_id uuid NOT NULL REFERENCES auth.users,
    expires_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX sessions_token_digest ON auth.sessions (token_digest);
CREATE INDEX sessions_expires_at ON auth.sessions (expires_at);

-- A state outlives its session's end, so it names the session without referring to it.
CREATE TABLE auth.consent_states (
    state_digest bytea PRIMARY KEY CHECK (octet_length(state_digest) = 32),
    session_id uuid NOT NULL,
    seller_id uuid NOT NULL REFERENCES auth.sellers,
    marketplace_id text NOT NULL,
    region text NOT NULL,
    application_id text NOT NULL REFERENCES auth.applications,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX consent_states_expires_at ON auth.consent_states (expires_at);

-- An account at Amazon belongs to one seller here, for good.
CREATE TABLE auth.selling_partners (
    selling_partner_digest bytea PRIMARY KEY CHECK (octet_length(selling_partner_digest) = 32),
    seller_id uuid NOT NULL REFERENCES auth.sellers
);

CREATE TABLE auth.consents (
    consent_id uuid PRIMARY KEY,
    seller_id uuid NOT NULL REFERENCES auth.sellers,
    region text NOT NULL CHECK (region IN ('na', 'eu', 'fe')),
    marketplace_id text NOT NULL,
    application_id text NOT NULL REFERENCES auth.applications,
    selling_partner_sealed text NOT NULL,
    refresh_token_sealed text,
    refresh_version integer NOT NULL,
    granted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    refused_at timestamptz,
    ended_at timestamptz,
    ending text CHECK (ending IN ('replaced', 'refused', 'idle', 'quarantined')),
    CHECK ((ended_at IS NULL) = (ending IS NULL)),
    -- What has ended holds no token, unless its token is kept for an inquiry.
    CHECK (refresh_token_sealed IS NOT NULL OR ended_at IS NOT NULL),
    CHECK (refresh_token_sealed IS NULL OR ended_at IS NULL OR ending = 'quarantined')
);
CREATE UNIQUE INDEX consents_one_active ON auth.consents (seller_id, region) WHERE ended_at IS NULL;
CREATE INDEX consents_granted_at ON auth.consents (seller_id, region, granted_at);
CREATE INDEX consents_used_at ON auth.consents (used_at) WHERE ended_at IS NULL;
CREATE INDEX consents_refused_at ON auth.consents (refused_at) WHERE refused_at IS NOT NULL AND ended_at IS NULL;

-- Who may refresh for a consent, and the access token that the replicas share. The database's clock decides
-- when a lease ends; the fence only grows, and a holder with an older one cannot write.
CREATE TABLE auth.access_leases (
    consent_id uuid PRIMARY KEY REFERENCES auth.consents,
    fence bigint NOT NULL DEFAULT 0,
    held_until timestamptz,
    token_sealed text,
    token_fence bigint,
    token_expires_at timestamptz,
    CHECK ((token_sealed IS NULL) = (token_fence IS NULL)),
    CHECK ((token_sealed IS NULL) = (token_expires_at IS NULL))
);

CREATE TABLE auth.codes (
    code_digest bytea PRIMARY KEY CHECK (octet_length(code_digest) = 32),
    device_id uuid NOT NULL,
    seller_id uuid NOT NULL REFERENCES auth.sellers,
    user_id uuid NOT NULL REFERENCES auth.users,
    client_id text NOT NULL,
    redirect_uri text NOT NULL,
    code_challenge text NOT NULL,
    name_sealed text NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX codes_expires_at ON auth.codes (expires_at);

CREATE TABLE auth.devices (
    device_id uuid PRIMARY KEY,
    seller_id uuid NOT NULL REFERENCES auth.sellers,
    user_id uuid NOT NULL REFERENCES auth.users,
    profile text NOT NULL CHECK (profile IN ('bound', 'compat')),
    scopes text[] NOT NULL,
    client_id text NOT NULL,
    key_thumbprint text NOT NULL,
    name_sealed text NOT NULL,
    enrolled_at timestamptz NOT NULL,
    used_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK ((profile = 'bound') = (key_thumbprint <> ''))
);
CREATE INDEX devices_seller_id ON auth.devices (seller_id, enrolled_at);
CREATE INDEX devices_used_at ON auth.devices (used_at) WHERE revoked_at IS NULL;

-- Rotated tokens are remembered, so that a replay is noticed.
CREATE TABLE auth.refresh_tokens (
    token_digest bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32),
    device_id uuid NOT NULL REFERENCES auth.devices,
    nonce bytea,
    rotated_at timestamptz,
    CHECK ((nonce IS NULL) = (rotated_at IS NULL))
);
CREATE UNIQUE INDEX refresh_tokens_one_current ON auth.refresh_tokens (device_id) WHERE rotated_at IS NULL;
CREATE INDEX refresh_tokens_rotated_at ON auth.refresh_tokens (rotated_at) WHERE rotated_at IS NOT NULL;

CREATE TABLE auth.access_tokens (
    token_digest bytea PRIMARY KEY CHECK (octet_length(token_digest) = 32),
    device_id uuid NOT NULL REFERENCES auth.devices,
    restrictions jsonb NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_tokens_device_id ON auth.access_tokens (device_id, issued_at);
CREATE INDEX access_tokens_expires_at ON auth.access_tokens (expires_at);

-- The role changes single columns of what must not change otherwise, and removes only what is over.
GRANT USAGE ON SCHEMA auth TO auth;
GRANT SELECT, INSERT ON auth.applications, auth.sellers, auth.users, auth.selling_partners TO auth;
GRANT UPDATE (client_id, is_draft, registered_at) ON auth.applications TO auth;
GRANT SELECT, INSERT, DELETE ON auth.invitations, auth.sessions, auth.consent_states, auth.codes TO auth;
GRANT UPDATE (redeemed_at) ON auth.invitations TO auth;
GRANT UPDATE (used_at) ON auth.consent_states, auth.codes TO auth;
GRANT SELECT, INSERT ON auth.consents TO auth;
GRANT UPDATE (refresh_token_sealed, refresh_version, used_at, refused_at, ended_at, ending)
    ON auth.consents TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (fence, held_until, token_sealed, token_fence, token_expires_at)
    ON auth.access_leases TO auth;
GRANT SELECT, INSERT, UPDATE (scopes, used_at, revoked_at) ON auth.devices TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (nonce, rotated_at) ON auth.refresh_tokens TO auth;
GRANT SELECT, INSERT, DELETE ON auth.access_tokens TO auth;
