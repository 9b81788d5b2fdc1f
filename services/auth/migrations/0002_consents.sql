-- Consents' life, and how a seller leaves.

-- Sellers consent in Seller Central, vendors in Vendor Central. Where the account that must come back is known
-- before, the state holds its digest.
ALTER TABLE auth.consent_states
    ADD COLUMN account_kind text NOT NULL DEFAULT 'seller' CHECK (account_kind IN ('seller', 'vendor')),
    ADD COLUMN selling_partner_digest bytea CHECK (octet_length(selling_partner_digest) = 32);
CREATE INDEX consent_states_session_id ON auth.consent_states (session_id);

ALTER TABLE auth.consents
    ADD COLUMN account_kind text NOT NULL DEFAULT 'seller' CHECK (account_kind IN ('seller', 'vendor')),
    DROP CONSTRAINT consents_ending_check,
    ADD CONSTRAINT consents_ending_check CHECK (
        ending IN ('replaced', 'refused', 'idle', 'quarantined', 'disconnected', 'expired', 'offboarded')
    );
CREATE INDEX consents_expires_at ON auth.consents (expires_at) WHERE ended_at IS NULL;

-- One row for each reminder that a consent's end is near (so many days before) and for the end itself (mark 0).
-- What the audit log is told is fixed here first; so it is told once, however often somebody tries.
CREATE TABLE auth.consent_reminders (
    consent_id uuid NOT NULL REFERENCES auth.consents,
    mark_days smallint NOT NULL CHECK (mark_days >= 0),
    days_left smallint NOT NULL CHECK (days_left BETWEEN 0 AND mark_days),
    reminded_at timestamptz NOT NULL,
    told_at timestamptz,
    PRIMARY KEY (consent_id, mark_days)
);
CREATE INDEX consent_reminders_untold ON auth.consent_reminders (reminded_at) WHERE told_at IS NULL;

-- Set: the seller has left. Nobody of theirs gets in, and nothing new is kept for them.
ALTER TABLE auth.sellers ADD COLUMN offboarded_at timestamptz;

-- How far the destruction of what a seller leaves behind has come; each time is set once its step is done.
CREATE TABLE auth.offboardings (
    seller_id uuid PRIMARY KEY REFERENCES auth.sellers,
    closed_at timestamptz NOT NULL,
    key_destroyed_at timestamptz,
    erased_at timestamptz,
    finished_at timestamptz,
    receipt_id text,
    told_at timestamptz,
    CHECK ((erased_at IS NULL) = (receipt_id IS NULL))
);
CREATE INDEX offboardings_under_way ON auth.offboardings (closed_at) WHERE told_at IS NULL;

-- An account at Amazon belongs to one seller here until that seller has left: only such ties can be removed.
ALTER TABLE auth.selling_partners ENABLE ROW LEVEL SECURITY;
CREATE POLICY selling_partners_seen ON auth.selling_partners FOR SELECT TO auth USING (true);
CREATE POLICY selling_partners_tied ON auth.selling_partners FOR INSERT TO auth WITH CHECK (true);
CREATE POLICY selling_partners_freed ON auth.selling_partners FOR DELETE TO auth
    USING (seller_id IN (SELECT s.seller_id FROM auth.sellers s WHERE s.offboarded_at IS NOT NULL));
CREATE INDEX selling_partners_seller_id ON auth.selling_partners (seller_id);

GRANT SELECT, INSERT, UPDATE (told_at) ON auth.consent_reminders TO auth;
GRANT UPDATE (offboarded_at) ON auth.sellers TO auth;
GRANT SELECT, INSERT, UPDATE (key_destroyed_at, erased_at, finished_at, receipt_id, told_at)
    ON auth.offboardings TO auth;
GRANT DELETE ON auth.selling_partners TO auth;
