-- How often something was written through an API of a seller's, by whichever replica: what was read before is
-- not served again after.

-- Rows of APIs that nobody writes to any more are deleted. seller_id is empty for the application's own.
CREATE TABLE gateway.revisions (
    seller_id text NOT NULL,
    api text NOT NULL,
    revision bigint NOT NULL DEFAULT 1,
    revised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (seller_id, api)
);

CREATE INDEX revisions_by_age ON gateway.revisions (revised_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON gateway.revisions TO gateway;
