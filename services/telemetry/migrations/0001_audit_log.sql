-- The audit log: records in one gapless chain per shard, and signed checkpoints over it.
-- `body` is what is hashed and shown; the columns beside it are only for finding things.

CREATE TABLE telemetry.records (
    shard text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    event_id uuid NOT NULL,
    sender text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('intent', 'outcome', 'fact')),
    intent_id uuid CHECK ((intent_id IS NOT NULL) = (phase = 'outcome')),
    is_final boolean NOT NULL CHECK (phase = 'outcome' OR NOT is_final),
    recorded_at timestamptz NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    body bytea NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (shard, sequence)
);

CREATE UNIQUE INDEX records_event_id ON telemetry.records (event_id);
CREATE INDEX records_intent_id ON telemetry.records (intent_id) WHERE intent_id IS NOT NULL;
CREATE UNIQUE INDEX records_final_outcome ON telemetry.records (intent_id) WHERE is_final;
CREATE INDEX records_intents ON telemetry.records (shard, sequence) WHERE phase = 'intent';

CREATE TABLE telemetry.checkpoints (
    shard text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    signed_at timestamptz NOT NULL,
    body bytea NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (shard, number)
);

CREATE INDEX checkpoints_sequence ON telemetry.checkpoints (shard, sequence, number);

-- How far the search for intents without an outcome has come: a bookmark, not part of the log.
CREATE TABLE telemetry.resolution (
    shard text PRIMARY KEY,
    resolved_to bigint NOT NULL
);

INSERT INTO telemetry.resolution (shard, resolved_to) VALUES ('main', 0);

-- The role may add and read. It was given no UPDATE, DELETE or TRUNCATE on the log to begin with;
-- the triggers also stop the tables' owner from doing it by mistake.
GRANT USAGE ON SCHEMA telemetry TO telemetry;
GRANT SELECT, INSERT ON telemetry.records, telemetry.checkpoints TO telemetry;
GRANT SELECT, UPDATE (resolved_to) ON telemetry.resolution TO telemetry;

CREATE FUNCTION telemetry.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON telemetry.records
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_change();
CREATE TRIGGER checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON telemetry.checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION telemetry.refuse_change();
