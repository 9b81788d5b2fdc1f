-- Which of Amazon's regions told sellers with accounts in several of them an id, through any replica: a call that
-- names nothing but the id goes there.

-- An id that several regions told has a row for each. No column holds an id: order ids are among them, and ids that
-- sellers choose, so each is a fingerprint under a key of the gateway's. Rows grow old and go; nothing else ends them.
CREATE TABLE gateway.id_homes (
    seller_id text NOT NULL,
    fingerprint bytea NOT NULL,
    region text NOT NULL,
    told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (seller_id, fingerprint, region)
);

CREATE INDEX id_homes_by_age ON gateway.id_homes (told_at);

GRANT SELECT, INSERT, DELETE, UPDATE (told_at) ON gateway.id_homes TO gateway;
