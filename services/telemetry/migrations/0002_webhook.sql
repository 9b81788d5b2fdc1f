-- Who is told about what the log holds: how far a receiver has come, and what it would not take.

-- The fence only grows, and a holder with an older one cannot write. The database's clock decides when a
-- holder's time is over; `retry_at` is a receiver's business and follows the machines' clocks.
CREATE TABLE telemetry.webhooks (
    webhook text PRIMARY KEY,
    sequence bigint NOT NULL CHECK (sequence >= 0),
    fence bigint NOT NULL DEFAULT 0,
    held_until timestamptz,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    retry_at timestamptz,
    -- Of the address that answered that it is gone.
    gone_digest bytea CHECK (octet_length(gone_digest) = 32)
);

-- What a receiver refused again and again. The event itself stays in the log, at its sequence.
CREATE TABLE telemetry.webhook_dead_letters (
    webhook text NOT NULL REFERENCES telemetry.webhooks,
    sequence bigint NOT NULL,
    kind text NOT NULL,
    status integer NOT NULL,
    attempts integer NOT NULL,
    given_up_at timestamptz NOT NULL,
    PRIMARY KEY (webhook, sequence)
);

GRANT SELECT, INSERT ON telemetry.webhooks TO telemetry;
GRANT UPDATE (sequence, fence, held_until, attempts, retry_at, gone_digest) ON telemetry.webhooks TO telemetry;
GRANT SELECT, INSERT, DELETE ON telemetry.webhook_dead_letters TO telemetry;
