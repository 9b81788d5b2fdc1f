-- The buckets of Amazon's usage plans, which all replicas share, by the database's clock.

-- One row is one bucket that was used within the last day. calls_left is what would be left if every call that
-- is still open under a lease were never made; leases lists, for each replica that holds something or waits,
-- the totals of calls granted, ended and returned, and when its lease ends (seconds since 1970). An empty
-- seller_id is the application's budget for all sellers together. No column holds anything personal.
CREATE TABLE gateway.buckets (
    seller_id text NOT NULL,
    region text NOT NULL,
    operation text NOT NULL,
    rate_per_s double precision NOT NULL CHECK (rate_per_s > 0),
    burst integer NOT NULL CHECK (burst > 0),
    calls_left double precision NOT NULL,
    counted_at timestamptz NOT NULL,
    share double precision NOT NULL DEFAULT 1 CHECK (share > 0 AND share <= 1),
    cut_at timestamptz NOT NULL DEFAULT '-infinity',
    raised_at timestamptz NOT NULL DEFAULT '-infinity',
    leases jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (seller_id, region, operation)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, DELETE,
      UPDATE (rate_per_s, calls_left, counted_at, share, cut_at, raised_at, leases)
    ON gateway.buckets TO gateway;
