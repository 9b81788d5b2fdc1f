-- Looking after the applications' client secrets. The secrets and their dates are in the key service; here is
-- who looks after them right now, by the database's clock, and what was done: when Amazon was asked for another
-- secret or refused to give one, and of which secret's end, at which mark, the vendor was told.
CREATE TABLE auth.secret_rotations (
    application_id text PRIMARY KEY REFERENCES auth.applications,
    fence bigint NOT NULL DEFAULT 1,
    held_until timestamptz,
    asked_at timestamptz,
    refused_at timestamptz,
    refusal text NOT NULL DEFAULT '',
    told_secret_id text NOT NULL DEFAULT '',
    told_days integer,
    CHECK ((refused_at IS NULL) = (refusal = '')),
    CHECK ((told_days IS NULL) = (told_secret_id = ''))
);

GRANT SELECT, INSERT,
    UPDATE (fence, held_until, asked_at, refused_at, refusal, told_secret_id, told_days)
    ON auth.secret_rotations TO auth;
