-- The safe: sealed records by erase day, the wrapped keys over them, orders' clocks, erasures and receipts.
-- No column holds personal data in the open, and no key that opens anything without the key service.

-- What is known about orders. Outlives the records, so that a read past the clock is refused by name.
CREATE TABLE retention.order_clocks (
    seller_id text NOT NULL,
    order_id text NOT NULL,
    unshipped_at timestamptz,
    left_at timestamptz CHECK (left_at IS NOT NULL OR unshipped_at IS NOT NULL),
    expires_at timestamptz NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    is_move_due boolean NOT NULL,
    PRIMARY KEY (seller_id, order_id)
);

CREATE INDEX order_clocks_expires_at ON retention.order_clocks (expires_at);
CREATE INDEX order_clocks_moves ON retention.order_clocks (seller_id, order_id) WHERE is_move_due;

-- What dies as one, a day or a seller: each has one key in the key service. The probe outlives it.
CREATE TABLE retention.subjects (
    subject text PRIMARY KEY,
    erase_day date,
    opened_at timestamptz,
    closed_at timestamptz,
    probe_wrapped text,
    probe_sealed bytea,
    CHECK ((subject LIKE 'day:%') = (erase_day IS NOT NULL)),
    CHECK ((opened_at IS NULL) = (probe_wrapped IS NULL) AND (opened_at IS NULL) = (probe_sealed IS NULL))
);

CREATE INDEX subjects_open_days ON retention.subjects (erase_day) WHERE closed_at IS NULL;

-- One data key per seller and erase day, wrapped by the seller's key and that by the day's key.
CREATE TABLE retention.data_keys (
    key_id uuid PRIMARY KEY,
    seller_id text NOT NULL,
    erase_day date NOT NULL,
    wrapped text NOT NULL,
    UNIQUE (seller_id, erase_day)
);

CREATE INDEX data_keys_erase_day ON retention.data_keys (erase_day);

CREATE TABLE retention.records (
    seller_id text NOT NULL,
    order_id text NOT NULL,
    field_set text NOT NULL,
    erase_day date NOT NULL,
    key_id uuid NOT NULL,
    fetched_at timestamptz NOT NULL,
    -- A record never lies under a day that ends after its clock.
    expires_at timestamptz NOT NULL CHECK (expires_at >= erase_day::timestamp AT TIME ZONE 'UTC'),
    is_unsound boolean NOT NULL DEFAULT false,
    sealed bytea NOT NULL,
    PRIMARY KEY (seller_id, order_id, field_set, erase_day)
) PARTITION BY LIST (erase_day);

-- Ciphertext does not compress.
ALTER TABLE retention.records ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX records_fetched_at ON retention.records (fetched_at);

CREATE TABLE retention.erasures (
    erasure_id uuid PRIMARY KEY,
    subject text NOT NULL REFERENCES retention.subjects (subject),
    caller text NOT NULL,
    request_id text NOT NULL,
    intent_id uuid NOT NULL,
    outcome_id uuid NOT NULL,
    closed_at timestamptz NOT NULL,
    records bigint NOT NULL,
    data_keys bigint NOT NULL,
    oldest_expires_at timestamptz,
    stage text NOT NULL CHECK (stage IN ('closed', 'proven', 'reported'))
);

CREATE UNIQUE INDEX erasures_unfinished ON retention.erasures (subject) WHERE stage <> 'reported';
CREATE INDEX erasures_subject ON retention.erasures (subject, closed_at);

CREATE TABLE retention.receipts (
    receipt_id uuid PRIMARY KEY,
    erasure_id uuid NOT NULL UNIQUE REFERENCES retention.erasures (erasure_id),
    subject text NOT NULL,
    statement bytea NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    public_key_pem text NOT NULL,
    signed_at timestamptz NOT NULL
);

CREATE INDEX receipts_signed_at ON retention.receipts (signed_at, receipt_id);

-- The role may not create or drop tables; it may ask for a day's partition, and be rid of a closed day's.
CREATE FUNCTION retention.partition_of(day date) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'records_' || lpad(extract(year FROM day)::text, 4, '0')
    || lpad(extract(month FROM day)::text, 2, '0') || lpad(extract(day FROM day)::text, 2, '0');

CREATE FUNCTION retention.create_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s'
AS $$
BEGIN
    IF to_regclass('retention.' || retention.partition_of(day)) IS NULL THEN
        EXECUTE format('CREATE TABLE retention.%I PARTITION OF retention.records FOR VALUES IN (%L)',
                       retention.partition_of(day), day);
    END IF;
END
$$;

CREATE FUNCTION retention.drop_partition(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s'
AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM retention.subjects s WHERE s.erase_day = day AND s.closed_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the day is not closed' USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS retention.%I', retention.partition_of(day));
END
$$;

REVOKE ALL ON FUNCTION retention.create_partition(date), retention.drop_partition(date) FROM PUBLIC;

GRANT USAGE ON SCHEMA retention TO retention;
GRANT EXECUTE ON FUNCTION retention.create_partition(date), retention.drop_partition(date) TO retention;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention.order_clocks TO retention;
GRANT SELECT, INSERT, DELETE, UPDATE (is_unsound) ON retention.records TO retention;
GRANT SELECT, INSERT, DELETE ON retention.data_keys TO retention;
GRANT SELECT, INSERT, UPDATE ON retention.subjects TO retention;
GRANT SELECT, INSERT, UPDATE (stage) ON retention.erasures TO retention;
GRANT SELECT, INSERT ON retention.receipts TO retention;
