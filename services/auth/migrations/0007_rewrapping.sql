-- Key rotation: one row for each key on its way to a new version, and for each that arrived there. The
-- database's clock decides when a lease ends and when a key is settled; wanted_at is the domain's time, from
-- which a key's age is read.

CREATE TABLE auth.rewrappings (
    round_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('seller', 'application', 'staff')),
    owner_id text NOT NULL,
    cause text NOT NULL CHECK (cause IN ('asked', 'age')),
    wanted_at timestamptz NOT NULL,
    version_before integer,
    version integer,
    values_total integer NOT NULL,
    values_done integer NOT NULL DEFAULT 0,
    values_damaged integer NOT NULL DEFAULT 0,
    held_until timestamptz,
    rewrapped_at timestamptz,
    closed_at timestamptz,
    outcome text CHECK (outcome IN ('done', 'gone')),
    PRIMARY KEY (round_id, kind, owner_id),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (version IS NULL OR version_before IS NOT NULL)
);
CREATE UNIQUE INDEX rewrappings_one_open ON auth.rewrappings (kind, owner_id) WHERE closed_at IS NULL;
CREATE INDEX rewrappings_open ON auth.rewrappings (rewrapped_at NULLS FIRST, wanted_at)
    WHERE closed_at IS NULL;
CREATE INDEX rewrappings_owner ON auth.rewrappings (kind, owner_id, wanted_at);
CREATE INDEX rewrappings_closed_at ON auth.rewrappings (closed_at) WHERE closed_at IS NOT NULL;
-- A key's values are looked for by its owner.
CREATE INDEX users_seller_id ON auth.users (seller_id);
CREATE INDEX codes_seller_id ON auth.codes (seller_id);

-- An application may be registered again; its key stays the one it was.
ALTER TABLE auth.applications ADD COLUMN key_since timestamptz NOT NULL DEFAULT now();

-- Every key that seals something, and since when its newest version is in use. A seller that has left has
-- none; one that was found to be gone is looked for again when it would be old.
CREATE VIEW auth.sealing_keys AS
SELECT o.kind, o.owner_id, coalesce(r.wanted_at, o.made_at) AS since
FROM (
    SELECT 'seller' AS kind, seller_id::text AS owner_id, created_at AS made_at
    FROM auth.sellers
    WHERE offboarded_at IS NULL
    UNION ALL
    SELECT 'application', application_id, key_since
    FROM auth.applications
    UNION ALL
    SELECT 'staff', '', min(created_at)
    FROM auth.users
    WHERE seller_id IS NULL
    HAVING count(*) > 0
) o
LEFT JOIN LATERAL (
    SELECT wanted_at
    FROM auth.rewrappings w
    WHERE w.kind = o.kind AND w.owner_id = o.owner_id AND (w.version IS NOT NULL OR w.outcome = 'gone')
    ORDER BY wanted_at DESC
    LIMIT 1
) r ON true;

GRANT SELECT, INSERT, DELETE,
    UPDATE (version_before, version, values_done, values_damaged, held_until, rewrapped_at, closed_at, outcome)
    ON auth.rewrappings TO auth;
GRANT SELECT ON auth.sealing_keys TO auth;
-- Sealing anew writes what is sealed, and nothing else; a wrong writing does not open.
GRANT UPDATE (name_sealed) ON auth.sellers, auth.users, auth.codes, auth.devices TO auth;
GRANT UPDATE (selling_partner_sealed) ON auth.consents TO auth;
