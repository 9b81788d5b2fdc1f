-- What type sellers' reports and feed results are of, as Amazon told any replica: it decides who may read them.

-- A document's type never changes, so what was told first stays. Nothing here is personal: the ids are Amazon's
-- own and name no order, the types are words of its documentation.
CREATE TABLE gateway.document_types (
    seller_id text NOT NULL,
    document_id text NOT NULL,
    type text NOT NULL,
    told_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (seller_id, document_id)
);

CREATE INDEX document_types_by_age ON gateway.document_types (told_at);

GRANT SELECT, INSERT, DELETE ON gateway.document_types TO gateway;
