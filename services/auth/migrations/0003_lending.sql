-- Lending Amazon's tokens: turns at Login with Amazon, renewal ahead, the application's own tokens, ages.

-- When the shared token is to be renewed ahead of its end, chosen once so that all replicas agree; when it was
-- last lent, since unused ones are not renewed ahead; when it was written, by the database's clock.
ALTER TABLE auth.access_leases
    ADD COLUMN renew_at timestamptz,
    ADD COLUMN lent_at timestamptz,
    ADD COLUMN settled_at timestamptz;
CREATE INDEX access_leases_renew_at ON auth.access_leases (renew_at) WHERE renew_at IS NOT NULL;

-- One row paces an application's calls over all replicas, by the database's clock: next_at is when the turn
-- after the last one given would come if the burst were used up, and nobody calls before held_until. While
-- refused_at is set, Amazon refuses the application itself. The row is small and updated in place.
CREATE TABLE auth.lwa_turns (
    application_id text PRIMARY KEY REFERENCES auth.applications,
    next_at timestamptz NOT NULL DEFAULT '-infinity',
    held_until timestamptz NOT NULL DEFAULT '-infinity',
    refused_at timestamptz
);

-- The application's own tokens, one per scope, with the lease on each; sealed under the application's key.
CREATE TABLE auth.grantless_leases (
    application_id text NOT NULL REFERENCES auth.applications,
    scope text NOT NULL,
    fence bigint NOT NULL DEFAULT 0,
    held_until timestamptz,
    token_sealed text,
    token_fence bigint,
    token_expires_at timestamptz,
    PRIMARY KEY (application_id, scope),
    CHECK ((token_sealed IS NULL) = (token_fence IS NULL)),
    CHECK ((token_sealed IS NULL) = (token_expires_at IS NULL))
);

-- When a thing was kept, by the database's clock, so that hosts whose clocks differ agree on its age. What was
-- kept before has no age, and is judged by its end alone.
ALTER TABLE auth.access_tokens ADD COLUMN kept_at timestamptz;
ALTER TABLE auth.access_tokens ALTER COLUMN kept_at SET DEFAULT clock_timestamp();
ALTER TABLE auth.codes ADD COLUMN kept_at timestamptz;
ALTER TABLE auth.codes ALTER COLUMN kept_at SET DEFAULT clock_timestamp();
ALTER TABLE auth.sessions ADD COLUMN kept_at timestamptz;
ALTER TABLE auth.sessions ALTER COLUMN kept_at SET DEFAULT clock_timestamp();
ALTER TABLE auth.consent_states ADD COLUMN kept_at timestamptz;
ALTER TABLE auth.consent_states ALTER COLUMN kept_at SET DEFAULT clock_timestamp();

-- Another developer's application, for whose use a restricted handle was given; empty for none.
ALTER TABLE auth.access_tokens ADD COLUMN target_application text NOT NULL DEFAULT '';

GRANT UPDATE (renew_at, lent_at, settled_at) ON auth.access_leases TO auth;
GRANT SELECT, INSERT, UPDATE (next_at, held_until, refused_at) ON auth.lwa_turns TO auth;
GRANT SELECT, INSERT, UPDATE (fence, held_until, token_sealed, token_fence, token_expires_at)
    ON auth.grantless_leases TO auth;
