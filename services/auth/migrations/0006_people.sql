-- People: their roles, and what they sign in with. Whoever was here before roles were is an owner.

-- The vendor's staff belongs to no seller. Whoever left is remembered by id alone.
ALTER TABLE auth.users
    ADD COLUMN role text NOT NULL DEFAULT 'owner'
        CHECK (role IN ('owner', 'member', 'support', 'security', 'auditor')),
    ADD COLUMN signed_in_at timestamptz,
    ADD COLUMN left_at timestamptz,
    ALTER COLUMN seller_id DROP NOT NULL,
    ALTER COLUMN name_sealed DROP NOT NULL,
    ADD CONSTRAINT users_staff_has_no_seller
        CHECK ((seller_id IS NULL) = (role IN ('support', 'security', 'auditor'))),
    ADD CONSTRAINT users_leavers_have_no_name CHECK ((name_sealed IS NULL) = (left_at IS NOT NULL));
CREATE INDEX users_present ON auth.users (seller_id, created_at) WHERE left_at IS NULL;

CREATE INDEX invitations_user_id ON auth.invitations (user_id);

-- Until now every session was opened by an invitation: good for setting up a way in, and for nothing else.
ALTER TABLE auth.sessions ADD COLUMN needs_credential boolean NOT NULL DEFAULT true;
CREATE INDEX sessions_user_id ON auth.sessions (user_id);

CREATE INDEX codes_user_id ON auth.codes (user_id);
CREATE INDEX devices_user_id ON auth.devices (user_id) WHERE revoked_at IS NULL;

-- The public halves of people's passkeys, as authenticators name them.
CREATE TABLE auth.passkeys (
    passkey_id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users,
    credential_id bytea NOT NULL CHECK (octet_length(credential_id) BETWEEN 1 AND 1023),
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    name_sealed text NOT NULL,
    registered_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE UNIQUE INDEX passkeys_credential_id ON auth.passkeys (credential_id);
CREATE INDEX passkeys_user_id ON auth.passkeys (user_id, registered_at);

-- What somebody signs in with by password; the hash is the one of this version.
CREATE TABLE auth.passwords (
    user_id uuid PRIMARY KEY REFERENCES auth.users,
    version integer NOT NULL,
    email_digest bytea NOT NULL CHECK (octet_length(email_digest) = 32),
    email_sealed text NOT NULL,
    totp_sealed text NOT NULL,
    totp_step bigint NOT NULL
);
CREATE UNIQUE INDEX passwords_email_digest ON auth.passwords (email_digest);

-- The hashes of present and past passwords, so that none is used again too soon.
CREATE TABLE auth.password_hashes (
    user_id uuid NOT NULL REFERENCES auth.users,
    version integer NOT NULL,
    hash_sealed text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, version)
);

-- Addresses and sources, known or not, by keyed digest, with how often they failed lately.
CREATE TABLE auth.password_failures (
    subject_digest bytea PRIMARY KEY CHECK (octet_length(subject_digest) = 32),
    failures integer NOT NULL CHECK (failures >= 0),
    failed_at timestamptz NOT NULL
);
CREATE INDEX password_failures_failed_at ON auth.password_failures (failed_at);

-- Accounts at the vendor's identity provider; one stands for one person.
CREATE TABLE auth.provider_links (
    user_id uuid PRIMARY KEY REFERENCES auth.users,
    account_digest bytea NOT NULL CHECK (octet_length(account_digest) = 32),
    linked_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX provider_links_account_digest ON auth.provider_links (account_digest);

-- Ceremonies that were completed; what was only begun is nowhere.
CREATE TABLE auth.spent_ceremonies (
    ceremony_digest bytea PRIMARY KEY CHECK (octet_length(ceremony_digest) = 32),
    expires_at timestamptz NOT NULL
);
CREATE INDEX spent_ceremonies_expires_at ON auth.spent_ceremonies (expires_at);

CREATE TABLE auth.access_reviews (
    review_id uuid PRIMARY KEY,
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'operator')),
    actor_id text NOT NULL,
    reviewed_at timestamptz NOT NULL
);
CREATE INDEX access_reviews_reviewed_at ON auth.access_reviews (reviewed_at);

GRANT UPDATE (role, signed_in_at, left_at, name_sealed) ON auth.users TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (sign_count, used_at, name_sealed) ON auth.passkeys TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (version, email_digest, email_sealed, totp_sealed, totp_step)
    ON auth.passwords TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (hash_sealed) ON auth.password_hashes TO auth;
GRANT SELECT, INSERT, DELETE, UPDATE (failures, failed_at) ON auth.password_failures TO auth;
GRANT SELECT, INSERT, DELETE ON auth.provider_links, auth.spent_ceremonies TO auth;
GRANT SELECT, INSERT ON auth.access_reviews TO auth;
